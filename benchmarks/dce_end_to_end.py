"""DICOM to Ktrans, ve and vp maps with the input found in the image: ``python -m benchmarks dce_end_to_end``.

A spine DCE series of 256x256x12 voxels and 60 frames is simulated and written as DICOM (not timed), then read, its
artery found, its delay fitted, and every voxel of the body fitted; then everything is written. Seconds on the wall and
of the processor are printed: on a machine that does other work too the second tells more.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from bonequant.io import write_segmentation
from bonequant.phantom import simulate_spine, spine_preset, write_dynamic_series, write_mr_volume
from bonequant.studies.dce_perfusion import DceSettings, read_inputs, run, write

T = TypeVar("T")
ANGLES = (2.0, 5.0, 10.0, 15.0, 25.0)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks dce_end_to_end", description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="clinical", choices=("clinical", "small"))
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        scan = simulate_spine(spine_preset(arguments.preset, vfa_deg=ANGLES))
        write_dynamic_series(scan.series, folder / "DCE")
        for angle, volume in scan.vfa.items():
            write_mr_volume(volume, folder / "T1" / f"{angle:g}", name=f"FA {angle:g}")
        wanted = ("lesion_1", "vertebra_3", "vertebra_6")
        write_segmentation({name: scan.masks[name] for name in wanted}, folder / "regions.seg.nrrd")
        print(f"{scan.series.frames.shape} series (T, Z, Y, X), {os.cpu_count()} cores, T1 given / mapped")
        print(f"{'':>34} {'seconds':>8} {'processor s':>12}")
        fixed = {"relaxivity": scan.settings.relaxivity, "t1_s": 1.0}
        mapped = {"relaxivity": scan.settings.relaxivity}
        for label, signal, t1 in (("one T1", fixed, []), ("T1 of 5 flip angles", mapped, [folder / "T1"])):
            settings = DceSettings.from_dict({"signal": signal, "descriptive": False})
            inputs, first = timed(
                lambda t1=t1: read_inputs(folder / "DCE", [folder / "regions.seg.nrrd"], t1_series=t1)
            )
            result, second = timed(lambda inputs=inputs, settings=settings: run(inputs, settings))
            _, third = timed(lambda result=result: write(result, folder / "out", overwrite=True))
            for what, seconds in (
                ("reading", first),
                (f"input, T1, {result.counts['fitted']} voxels fitted", second),
                ("DICOM to maps", (first[0] + second[0], first[1] + second[1])),
                ("report, tables, maps written", third),
            ):
                print(f"{label + ': ' if what == 'reading' else ''}{what:>34} {seconds[0]:>8.1f} {seconds[1]:>12.1f}")
        print(f"Input: quality {result.artery.quality:.2f}, delay {result.delay.seconds:.2f} s (true 2.0)")
        print(
            f"{'region':>12} {'':>8} {'Ktrans 1/min':>13} {'ve':>8} {'vp':>8}   fit of the mean curve / median / truth"
        )
        for name, tissue in (("lesion_1", "lesion"), ("vertebra_3", "marrow")):
            region, truth = result.regions[name], scan.settings.tissues[tissue]
            fit = [region.of_mean_curve[key] for key in ("ktrans", "ve", "vp")]
            median = [region.of_voxels[key]["median"] for key in ("ktrans", "ve", "vp")]
            for way, values in (("mean curve", fit), ("median", median), ("truth", [truth.ktrans, truth.ve, truth.vp])):
                print(f"{name:>12} {way:>10} {values[0]:>11.4f} {values[1]:>8.4f} {values[2]:>8.4f}")
    return 0


def timed(work: Callable[[], T]) -> tuple[T, tuple[float, float]]:
    """What ``work`` returns, and its seconds on the wall and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    done = work()
    return done, (time.perf_counter() - wall, time.process_time() - processor)
