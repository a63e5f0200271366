"""Liver CT phantom, from DICOM to the table, beside its truth: ``python -m benchmarks liver``.

Each row is one scan, written as DICOM, read, and measured with regions that lie inside the organs as a reader draws
them. Clean scans are stored in steps of 0.05 HU (RescaleSlope): without noise a uniform region rounds as one voxel
does. Noisy scans are stored in whole HU. ``--breathing`` adds the scan of 15 mm breathing with noise, corrected or not.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from bonequant.io import write_segmentation
from bonequant.phantom import LiverScan, liver_preset, simulate_liver, write_dynamic_series
from bonequant.studies import liver_perfusion as job
from bonequant.volume import image_from_array
from scipy import ndimage

_FIELD_MM, _SPACING_MM = (300.0, 200.0, 64.0), (2.0, 2.0, 4.0)
_INSIDE_MM = {"portal_vein": 2.0}  # how far regions keep from the edge; 4 mm elsewhere
QUANTITIES = ("alp", "pvp", "tlp", "hpi")


def drawn(scan: LiverScan, inside_mm: float = 4.0) -> dict[str, sitk.Image]:
    """Regions within the organs: what lies at least ``inside_mm`` (portal vein 2 mm) in the slice from the edge."""
    spacing = scan.series.geometry.spacing
    masks = {}
    for name, mask in scan.masks.items():
        array = sitk.GetArrayFromImage(mask) > 0
        depth = ndimage.distance_transform_edt(array, sampling=(100.0, spacing[1], spacing[0]))
        ends = ndimage.binary_erosion(array, np.ones((3, 1, 1)), border_value=1)
        masks[name] = image_from_array((depth > _INSIDE_MM.get(name, inside_mm)) & ends, scan.series.geometry)
    return masks


def measured(
    scan: LiverScan, settings: job.LiverSettings, step: float, every: int = 1
) -> tuple[job.LiverResult, dict[str, Any]]:
    """The scan (or every n-th of its frames) through DICOM and the job, and its ``result.json``."""
    series = scan.series
    if every > 1:
        series = series.replace(frames=series.frames[::every], times_s=series.times_s[::every])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_dynamic_series(series, folder / "CT", timing="siemens", name="perfusion", step=step)
        write_segmentation(drawn(scan), folder / "regions.seg.nrrd")
        result = job.run(job.read_inputs(folder / "CT", [folder / "regions.seg.nrrd"]), settings)
        job.write(result, folder / "results")
        return result, json.loads((folder / "results" / "result.json").read_text())


def errors(scan: LiverScan, rows: Sequence[Mapping[str, Any]], method: str) -> dict[str, dict[str, float]]:
    """Error in percent of truth, by region and quantity."""
    return {
        row["region"]: {
            quantity: 100.0 * (row[f"{quantity}_{method}"] / getattr(scan.truth[row["region"]], quantity) - 1.0)
            for quantity in QUANTITIES
        }
        for row in rows
    }


def show(title: str, scan: LiverScan, rows: Sequence[Mapping[str, Any]]) -> None:
    for method in ("dual_input", "max_slope"):
        cells = [
            f"{name} " + "/".join(f"{error:+.1f}" for error in found.values())
            for name, found in errors(scan, rows, method).items()
        ]
        print(f"{title:>34} {method:>10}   " + "   ".join(cells), flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks liver", description=__doc__.splitlines()[0])
    parser.add_argument("--breathing", action="store_true", help="scans of 15 mm breathing too (some minutes)")
    parser.add_argument("--seeds", type=int, default=2, help="noisy scans")
    arguments = parser.parse_args(argv)
    still = job.LiverSettings(correct_motion=False)
    grid = {"spacing_mm": _SPACING_MM, "field_mm": _FIELD_MM}
    print("Error of ALP/PVP/TLP/HPI in percent of truth, fit of the mean curve")
    clean = simulate_liver(liver_preset("clinical", breathing_mm=0.0, noise_hu=0.0, **grid))
    for every in (1, 2, 3):
        for shape in ("akima", "linear"):
            settings = dataclasses.replace(still, input_shape=shape)
            _, found = measured(clean, settings, 0.05, every)
            show(f"clean, {every} s, {shape} inputs", clean, found["regions"])
    for seed in range(1, arguments.seeds + 1):
        noisy = simulate_liver(liver_preset("clinical", breathing_mm=0.0, noise_hu=12.0, seed=seed, **grid))
        for every in (1, 2, 3):
            _, found = measured(noisy, still, 1.0, every)
            show(f"12 HU noise (seed {seed}), {every} s", noisy, found["regions"])
    if arguments.breathing:
        breathing(grid)
    return 0


def breathing(grid: Mapping[str, Any]) -> None:
    """15 mm of breathing and 12 HU of noise, 1 s frames, regions drawn on frame 1 (expiration)."""
    scan = simulate_liver(liver_preset("clinical", **{**grid, "field_mm": (300.0, 200.0, 120.0)}))
    for corrected in (True, False):
        settings = job.LiverSettings(correct_motion=corrected, mask_frame=1)
        result, found = measured(scan, settings, 1.0)
        show(f"breathing, {'corrected' if corrected else 'as it is'}, 1 s", scan, found["regions"])
        if result.motion is not None:
            left = residuals_mm(scan, result)
            print(f"displacement left, mean (95th percentile): liver and lesions {left.mean():.2f} "
                  f"({np.percentile(left, 95):.2f}) mm of {np.ptp(scan.displacement_mm[:, 2]):.1f} mm")  # fmt: skip


def residuals_mm(scan: LiverScan, result: job.LiverResult) -> np.ndarray:
    """What is left of the displacement over points of liver and lesions and all frames, inside the field."""
    assert result.motion is not None
    grid = scan.series.geometry
    low, high = grid.corners()[:, 2].min() + grid.spacing[2], grid.corners()[:, 2].max() - grid.spacing[2]
    shifts, stays = scan.displacement_mm, scan.displacement_mm[result.motion.reference]
    left = []
    for name in ("liver", "tumour_1", "tumour_2", "tumour_3"):
        voxels = np.argwhere(sitk.GetArrayViewFromImage(scan.masks[name]) > 0)
        points = grid.points_of(voxels[:: max(1, len(voxels) // 150)]) + stays
        for transform, shift in zip(result.motion.transforms, shifts, strict=True):
            truth = points + shift - stays
            seen = (truth[:, 2] > low) & (truth[:, 2] < high) & (points[:, 2] > low) & (points[:, 2] < high)
            moved = np.array([transform.TransformPoint(point) for point in points[seen].tolist()]).reshape(-1, 3)
            left.append(np.linalg.norm(moved - truth[seen], axis=1))
    return np.concatenate(left)


if __name__ == "__main__":
    raise SystemExit(main())
