"""Measured values beside the truth of a phantom: the ``truth.json`` that stands beside its DICOM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.studies.marrow_perfusion.regions import FOUND
from bonequant.studies.marrow_perfusion.result import MarrowResult
from bonequant.studies.marrow_perfusion.table import REFERENCES
from bonequant.volume import Geometry
from bonequant.volume.geometry import matrix_of

_SAME_LESION_MM = 15.0  # farthest a candidate's nearest voxel may lie from a true lesion's centre
_POINTS = 300


def compare_with_truth(result: MarrowResult, truth: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of alignment, lesions and regions: quantity, region, unit, truth, measured, error, error in percent."""
    rows = _alignment(result, np.array(truth["ct_to_spect_matrix"]))
    rows += _lesions(result, truth)
    # A vertebra that the job finds is its body; the phantom's regions of that name hold the arches too.
    known = {**truth["regions"], **truth["vertebral_bodies"]}
    lesions = {lesion.name for lesion in result.lesions}
    for region in result.uptake:
        if region in known and region not in lesions:
            rows += _region(result, region, known[region])
    return rows


def _region(result: MarrowResult, region: str, known: Mapping[str, float]) -> list[dict[str, Any]]:
    unit = result.functional.unit
    uptake = known["mean_suv"] if unit == "SUVbw" else known["mean_bq_per_ml"]
    rows = [_row("mean uptake", region, unit, uptake, result.uptake[region].mean)]
    if not (region in REFERENCES and result.origins[region] == FOUND):  # a found reference is a sample of its organ
        rows.insert(0, _row("volume", region, "mL", known["volume_ml"], result.uptake[region].volume_ml))
    if region in result.corrected:
        rows.append(_row("mean uptake, corrected", region, unit, uptake, result.corrected[region]))
    return rows


def _lesions(result: MarrowResult, truth: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each true lesion with the candidate at its place."""
    rows = []
    candidates = {lesion.name: _points_of(lesion.mask) for lesion in result.lesions}
    measured = {row["name"]: row for row in result.lesion_rows}
    for name, known in truth["lesions"].items():
        centre = np.array(known["center_mm"])
        label = f"{known['host']}, {known['kind']}"
        far = {c: float(np.linalg.norm(points - centre, axis=1).min()) for c, points in candidates.items()}
        nearest = min(far, key=lambda c: far[c], default=None)
        if nearest is None or far[nearest] > _SAME_LESION_MM:
            rows.append(_row("lesion volume", label, "mL", known["volume_ml"], None))  # not found
            continue
        row = measured[nearest]
        rows.append(_row("lesion volume", label, "mL", known["volume_ml"], row["volume_ml"]))
        rows.append(_row("lesion to normal bone", label, "", known["uptake_ratio"], row["ratio_to_normal"]))
        if row["mean_corrected"] is not None:
            suv = truth["regions"][name]["mean_suv"]
            rows.append(_row("lesion uptake, corrected", label, row["unit"], suv, row["mean_corrected"]))
    return rows


def _alignment(result: MarrowResult, true_matrix: np.ndarray) -> list[dict[str, Any]]:
    """Target registration error (mm) over points of the bone, before and after; truth is zero."""
    points = _points_of(result.masks_on_ct["bone"])
    chosen = np.random.default_rng(0).choice(len(points), size=min(_POINTS, len(points)), replace=False)
    points = points[np.sort(chosen)]
    true = points @ true_matrix[:3, :3].T + true_matrix[:3, 3]
    rows = []
    for name, matrix in (("scanner's", np.eye(4)), ("found", matrix_of(result.transform))):
        error = np.linalg.norm(points @ matrix[:3, :3].T + matrix[:3, 3] - true, axis=1)
        for quantity, value in (("median", np.median(error)), ("largest", error.max())):
            rows.append(_row(f"alignment error, {quantity}", f"{name} alignment", "mm", 0.0, float(value)))
    return rows


def _points_of(mask: sitk.Image) -> np.ndarray:
    """Voxel centres (N, 3) of a mask, LPS mm."""
    return Geometry.of(mask).points_of(np.argwhere(sitk.GetArrayViewFromImage(mask) > 0))


def _row(quantity: str, region: str, unit: str, truth: float, measured: float | None) -> dict[str, Any]:
    """One comparison; ``measured`` is None for what was not found."""
    error = None if measured is None else measured - truth
    return {
        "quantity": quantity,
        "region": region,
        "unit": unit,
        "truth": truth,
        "measured": measured,
        "error": error,
        "error_percent": 100 * error / truth if truth and error is not None else None,
    }
