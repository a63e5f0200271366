"""Measured values beside the truth of a phantom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bonequant.studies.marrow_perfusion.result import MarrowResult
from bonequant.volume.geometry import matrix_of

_LEAST_OVERLAP = 0.1  # of a true lesion's volume, for a candidate to count as having found it


def compare_regions(result: MarrowResult, truth: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Rows of volume, mean uptake and mean HU for every region that both sides know.

    ``truth`` is the "regions" part of the ``truth.json`` beside a phantom's DICOM.
    """
    rows = []
    for region in truth:
        if region not in result.uptake:
            continue
        known = truth[region]
        uptake = known["mean_suv"] if result.functional.unit == "SUVbw" else known["mean_bq_per_ml"]
        rows.append(_row("volume", region, "mL", known["volume_ml"], result.uptake[region].volume_ml))
        rows.append(_row("mean uptake", region, result.functional.unit, uptake, result.uptake[region].mean))
        if region in result.corrected:
            rows.append(
                _row("mean uptake, corrected", region, result.functional.unit, uptake, result.corrected[region])
            )
        if region in result.hu:
            rows.append(_row("mean HU", region, "HU", known["mean_hu"], result.hu[region].mean, relative=False))
    return rows


def compare_alignment(result: MarrowResult, true_matrix: np.ndarray, points_mm: np.ndarray) -> list[dict[str, Any]]:
    """Target registration error (mm) over CT points (N, 3), before and after; truth is zero."""
    true = points_mm @ true_matrix[:3, :3].T + true_matrix[:3, 3]
    rows = []
    for name, matrix in (("scanner", np.eye(4)), ("used", matrix_of(result.transform))):
        found = points_mm @ matrix[:3, :3].T + matrix[:3, 3]
        error = np.linalg.norm(found - true, axis=1)
        for quantity, value in (("median", np.median(error)), ("max", error.max())):
            label = f"TRE, {quantity}, alignment: {name}"
            rows.append(_row(label, "bone", "mm", 0.0, float(value), relative=False))
    return rows


def _row(
    quantity: str, region: str, unit: str, truth: float, measured: float, *, relative: bool = True
) -> dict[str, Any]:
    error = measured - truth
    return {
        "quantity": quantity,
        "region": region,
        "unit": unit,
        "truth": truth,
        "measured": measured,
        "error": error,
        "error_percent": 100 * error / truth if relative and truth else None,
    }
