"""Treatment response of simulated patients with known truth: ``python -m benchmarks treatment_response [PATIENTS]``.

Half of the patients respond (Vp falls by 50 to 95 %), half do not (-30 to +90 %), in random order. Every patient has a
spine DCE phantom before and after radiotherapy: SNR 20, 10 mm and 5 degrees of repositioning in a random direction,
lesion, marrow, bolus and noise of their own. The healthy vertebra is proposed by the program. In every second patient
the lesion is drawn at the first date only and its outline carried; in the others it is drawn at both, which tells size.

``--clinical`` measures one patient more, at clinical resolution (256 x 256 x 12, 60 frames) and from DICOM files.
``--alignment`` measures the registration alone: how far a lesion and the vertebrae beside it are carried wrongly, for
patients that lie otherwise, and for ones whose spine bends too (a parabola of 8 mm at the ends of the slab).
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk
from bonequant.phantom import (
    SpineDceSettings,
    SpineScan,
    rigid,
    simulate_spine,
    spine_follow_up,
    spine_preset,
    write_dynamic_series,
    write_mr_volume,
)
from bonequant.registration import SpineSettings, register_spine
from bonequant.response import Radiotherapy
from bonequant.studies.dce_perfusion import DceInputs
from bonequant.studies.treatment_response import (
    DateInputs,
    ResponseInputs,
    ResponseResult,
    ResponseSettings,
    read_date,
    run,
)
from bonequant.volume import Volume, image_from_array, sample_at
from bonequant.volume.geometry import apply_matrix, matrix_of

CUTOFF_PERCENT = -40.0
SHIFT_MM, TURN_DEG, SNR = 10.0, 5.0, 20.0
FLIP_ANGLES_DEG = (2.0, 10.0, 25.0)
THERAPY = Radiotherapy(date(2024, 3, 20), 27.0, 3)


class Case(NamedTuple):
    """Settings of both scans and the true changes (%): of normalised Vp and of the product of the diameters."""

    before: SpineDceSettings
    after: SpineDceSettings
    vp_change: float
    size_change: float
    drawn_twice: bool


class Outcome(NamedTuple):
    """What the job found of one patient; errors in percentage points."""

    case: Case
    category: str
    vp_change: float
    size_change: float

    @property
    def right(self) -> bool:
        return self.category == ("success" if self.case.vp_change <= CUTOFF_PERCENT else "failure")


def repositioning(rng: np.random.Generator) -> tuple[float, ...]:
    """10 mm and 5 degrees, each in a random direction."""
    shift, axis = rng.standard_normal((2, 3))
    shift[0] *= 0.5  # across the slab of sagittal slices the coil and the laser hold a patient better
    return (*(SHIFT_MM * shift / np.linalg.norm(shift)), *(TURN_DEG * axis / np.linalg.norm(axis)))


def case(number: int, preset: str = "small", **changes: object) -> Case:
    """Patient ``number``: even ones respond."""
    rng = np.random.default_rng([2023, number])
    vp, marrow = rng.uniform(0.08, 0.15), rng.uniform(0.015, 0.03)
    change = rng.uniform(-0.95, -0.5) if number % 2 == 0 else rng.uniform(-0.3, 0.9)
    size = rng.uniform(0.8, 1.0) if number % 2 == 0 else rng.uniform(0.9, 1.1)
    before = spine_preset(
        preset,
        snr=SNR,
        seed=1000 + number,
        lesion_vp=vp,
        lesion_ktrans=rng.uniform(0.06, 0.15),
        marrow_vp=marrow,
        arrival_s=rng.uniform(20.0, 40.0),
        delay_s=rng.uniform(0.5, 4.0),
        **changes,
    )
    after = spine_follow_up(
        before,
        lesion_vp=vp * (1.0 + change),
        lesion_ktrans=before.lesion_ktrans * rng.uniform(0.5, 1.3),
        lesion_size=size,
        pose=repositioning(rng),
        arrival_s=rng.uniform(20.0, 40.0),
        delay_s=rng.uniform(0.5, 4.0),
    )
    return Case(before, after, 100.0 * change, 100.0 * (size**2 - 1.0), number % 4 >= 2)


def measured(one: Case, settings: ResponseSettings | None = None) -> Outcome:
    """The job on one patient, from the simulated arrays."""
    scans = [simulate_spine(settings) for settings in (one.before, one.after)]
    dates = [
        DateInputs(
            name,
            DceInputs(scan.series, t1_map=scan.t1, name=name),
            lesions={"lesion": scan.masks["lesion_1"]} if name == "before" or one.drawn_twice else {},
        )
        for name, scan in zip(("before", "after"), scans, strict=True)
    ]
    return outcome(one, run(ResponseInputs(dates, THERAPY), settings))


def outcome(one: Case, result: ResponseResult) -> Outcome:
    values = result.vp_calls[1]["L01"].values
    assert result.call is not None
    return Outcome(one, result.call.category, values["vp_change_percent"], values["size_change_percent"])


def from_dicom(one: Case, folder: Path) -> ResponseResult:
    """The job on one patient written as DICOM: dynamic series and three flip angles for T1, outlines at both dates."""
    from bonequant.io import write_segmentation

    dates = []
    for name, settings in (("before", one.before), ("after", one.after)):
        scan: SpineScan = simulate_spine(settings)
        place = folder / name
        write_dynamic_series(scan.series, place / "DCE")
        for number, (angle, volume) in enumerate(scan.vfa.items()):
            write_mr_volume(volume, place / "T1" / f"{number}", name=f"FA {angle:g}", number=10 + number)
        write_segmentation({"lesion": scan.masks["lesion_1"]}, folder / f"{name}.seg.nrrd")
        del scan
        dates.append(read_date(place, name, [folder / f"{name}.seg.nrrd"]))
    return run(ResponseInputs(dates, THERAPY))


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; 1 where a call is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks treatment_response", description=__doc__.splitlines()[0]
    )
    parser.add_argument("patients", type=int, nargs="?", default=40)
    parser.add_argument("--clinical", action="store_true", help="one patient at clinical resolution, from DICOM")
    parser.add_argument("--alignment", action="store_true", help="the registration alone, of the first 10 patients")
    arguments = parser.parse_args(argv)
    if arguments.alignment:
        return alignment(min(arguments.patients, 10))

    print(f"SNR {SNR:g}, {SHIFT_MM:g} mm and {TURN_DEG:g} degrees of repositioning; cut-off {CUTOFF_PERCENT:g} %")
    print(f"{'patient':>7} {'outline':>8} {'true Vp':>8} {'found':>8} {'error':>6} {'size':>10} {'found':>7}  call")
    found = []
    start = time.perf_counter()
    for number in range(arguments.patients):
        one = measured(case(number))
        found.append(one)
        print(
            f"{number:>7} {'drawn' if one.case.drawn_twice else 'carried':>8} {one.case.vp_change:>8.1f} "
            f"{one.vp_change:>8.1f} {one.vp_change - one.case.vp_change:>6.1f} {one.case.size_change:>10.1f} "
            f"{one.size_change:>7.1f}  {one.category}{'' if one.right else '   WRONG'}",
            flush=True,
        )
    summarised(found, time.perf_counter() - start)
    wrong = sum(not one.right for one in found)
    if arguments.clinical:
        wrong += clinical()
    return min(wrong, 1)


def summarised(found: Sequence[Outcome], seconds: float) -> None:
    responders = [one for one in found if one.case.vp_change <= CUTOFF_PERCENT]
    others = [one for one in found if one.case.vp_change > CUTOFF_PERCENT]
    for name, group in (("responders", responders), ("others", others)):
        right = sum(one.right for one in group)
        errors = np.abs([one.vp_change - one.case.vp_change for one in group])
        print(
            f"{name}: {right} of {len(group)} right; error of the change of normalised Vp, points: median "
            f"{np.median(errors):.1f}, largest {errors.max():.1f}"
        )
    sizes = np.abs([one.size_change - one.case.size_change for one in found if one.case.drawn_twice])
    if len(sizes):
        largest = sizes.max()
        print(f"size change, outline drawn at both dates, points: median {np.median(sizes):.1f}, largest {largest:.1f}")
    print(f"{seconds / max(len(found), 1):.1f} s per patient, simulation included")


def clinical() -> int:
    """The paper's case: normalised Vp from 6 to 1.1, at clinical resolution."""
    before = spine_preset("clinical", snr=SNR, vfa_deg=FLIP_ANGLES_DEG)
    rng = np.random.default_rng(4)
    after = spine_follow_up(before, pose=repositioning(rng))
    true = 100.0 * (after.lesion_vp / before.lesion_vp - 1.0)
    one = Case(before, after, true, 100.0 * (after.lesion_size**2 - 1.0), True)
    with tempfile.TemporaryDirectory(prefix="bonequant-response-") as folder:
        start = time.perf_counter()
        found = outcome(one, from_dicom(one, Path(folder)))
        seconds = time.perf_counter() - start
        print(
            f"clinical resolution from DICOM: Vp {found.vp_change:.1f} % (true {true:.1f}), size "
            f"{found.size_change:.1f} % (true {one.size_change:.1f}), {found.category}, {seconds:.0f} s"
        )
    return int(not found.right)


def alignment(patients: int) -> int:
    """Errors (mm) at the voxels of the lesion and of the two vertebrae beside it."""
    print(f"{'':<34}{'median':>8}{'worst mean':>12}{'max':>8}   mm, {patients} patients")
    for name, bend, bends in (
        ("repositioned", 0.0, True),
        ("bent too, one rigid motion", 6e-4, False),
        ("bent too, by pieces", 6e-4, True),
    ):
        errors = [_errors(case(number), bend, bends, number) for number in range(patients)]
        means = [float(one.mean()) for one in errors]
        largest = max(float(one.max()) for one in errors)
        print(f"{name:<34}{np.median(means):>8.2f}{max(means):>12.2f}{largest:>8.2f}", flush=True)
    return 0


def _errors(one: Case, bend: float, bends: bool, seed: int) -> np.ndarray:
    """The later image is a wider one of the same body without noise, moved (and bent), with noise of its own."""
    first = simulate_spine(dataclasses.replace(one.before, frames=6))
    columns, rows, slices = one.before.matrix
    wide = (columns + 24, rows + 24, slices + 8)
    clean = simulate_spine(dataclasses.replace(one.before, matrix=wide, frames=2, snr=0.0))
    grid = first.series.geometry
    pose = matrix_of(rigid(one.after.pose))
    where = apply_matrix(np.linalg.inv(pose), grid.points_of(np.argwhere(np.ones(grid.shape, bool))))
    where[:, 1] += bend * where[:, 2] ** 2
    values = np.nan_to_num(sample_at(clean.series.frame(0).image, where)).clip(0.0)
    level = values[values > 0].mean() / SNR / np.sqrt(5.0)
    values += level * np.random.default_rng(seed).standard_normal(values.shape)
    later = Volume(image_from_array(values.reshape(grid.shape).astype(np.float32), grid), "MR")
    fixed = Volume(image_from_array(first.series.frames[:5].mean(axis=0), grid), "MR")
    near = [_points(first, name) for name in ("lesion_1", "vertebra_4", "vertebra_6")]
    found = register_spine(later, fixed, [near[0].mean(axis=0)], SpineSettings(bends=bends)).transform
    points = np.concatenate(near)
    truth = apply_matrix(pose, points - np.array([0.0, bend, 0.0]) * points[:, 2:3] ** 2)
    return np.linalg.norm(np.array([found.TransformPoint(p) for p in points.tolist()]) - truth, axis=1)


def _points(scan: SpineScan, name: str) -> np.ndarray:
    return scan.series.geometry.points_of(np.argwhere(sitk.GetArrayViewFromImage(scan.masks[name]) > 0))


if __name__ == "__main__":
    sys.exit(main())
