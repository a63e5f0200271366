"""The table of tissue: one row per region, both methods side by side, of the mean curve and of the voxels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.kinetics import Fit
from bonequant.roi import RegionCurve
from bonequant.roi.region import Region
from bonequant.studies.liver_perfusion.tissue import METHODS, QUANTITIES
from bonequant.volume import Volume, sample_at

_OF_MODEL = ("k2", "dv", "mtt_s")


def tissue_rows(
    curves: Mapping[str, RegionCurve],
    enhancement: Mapping[str, np.ndarray],
    slopes: Mapping[str, np.ndarray],
    fits: Mapping[str, Fit],
    delays_s: Mapping[str, float],
) -> tuple[dict[str, Any], ...]:
    """One row per region of tissue, from the fit of its mean curve.

    Args:
        slopes: results of the maximum slope, each (N,) in the order of ``fits``.
        fits, delays_s: dual-input model by region.
    """
    rows = []
    for place, (name, fitted) in enumerate(fits.items()):
        region = curves[name]
        row: dict[str, Any] = {
            "region": name,
            "volume_ml": region.volume_ml,
            "voxels": region.voxels,
            "voxels_left_out": region.missing,
            "peak_hu": float(enhancement[name].max()),
        }
        row |= {f"{quantity}_max_slope": float(slopes[quantity][place]) for quantity in QUANTITIES}
        row |= {f"{quantity}_dual_input": float(fitted[quantity][0]) for quantity in QUANTITIES}
        row |= {quantity: float(fitted[quantity][0]) for quantity in _OF_MODEL}
        row |= {
            "arterial_delay_s": delays_s[name],
            "r2": float(fitted.r2[0]),
            "residual_sd_hu": float(np.sqrt(fitted.rss[0] / max(len(fitted.times_s) - 3, 1))),
            "at_bound": bool(fitted.at_bound[0]),
        }
        rows.append(row)
    return tuple(rows)


def voxel_rows(masks: Mapping[str, sitk.Image], maps: Mapping[str, Volume]) -> tuple[dict[str, Any], ...]:
    """Mean, SD and median of the voxel fits, one row per region and method; NaN voxels are counted, not averaged."""
    rows = []
    for name, mask in masks.items():
        region = Region.of(mask, name)
        points = region.geometry.points_of(region.xyz()[:, ::-1])
        for method in METHODS:
            row: dict[str, Any] = {"region": name, "method": method, "voxels": len(points)}
            for quantity in QUANTITIES:
                values = sample_at(maps[f"{quantity}_{method}"].image, points, None, "nearest")
                good = np.isfinite(values)
                weights = None if region.weights is None else region.weights[good]
                row |= _described(quantity, values[good], weights)
                row[f"{quantity}_not_finite"] = int((~good).sum())
            rows.append(row)
    return tuple(rows)


def _described(quantity: str, values: np.ndarray, weights: np.ndarray | None) -> dict[str, float]:
    if not len(values):
        return dict.fromkeys((f"{quantity}_mean", f"{quantity}_sd", f"{quantity}_median"), float("nan"))
    mean = float(np.average(values, weights=weights))
    sd = float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))
    return {f"{quantity}_mean": mean, f"{quantity}_sd": sd, f"{quantity}_median": float(np.median(values))}
