"""Regions on the series: their mean curves, the fit of the mean curve, and the mean of the voxels' own fits.

The two ways answer different questions and differ where a region is mixed or noisy: a model that is not linear in its
parameters fits the mean curve with other values than the mean of its voxels. Both are given, and labelled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.kinetics import KineticsSettings, fit
from bonequant.roi import propagate
from bonequant.roi.region import Region
from bonequant.studies.dce_perfusion.settings import DESCRIPTIVE_ONLY
from bonequant.volume import Curve, DynamicSeries, Geometry, Volume, image_from_array
from bonequant.volume.geometry import apply_matrix

_FINE = 400  # samples of a fitted line
_LEAST_WEIGHT = 0.01
_ROUNDING = 1e-3  # of a voxel: a centre on the face of the series is inside
FLAGS = ("at_bound", "rss")


@dataclass(frozen=True, eq=False)
class Weights:
    """Voxels of the series (flat indices) that a region covers, and the fraction of each, 0..1.

    ``volume_ml`` is that of the whole mask, as drawn; ``fraction_inside`` the share of it within the series.
    """

    places: np.ndarray
    fractions: np.ndarray
    volume_ml: float
    fraction_inside: float = 1.0


@dataclass(frozen=True, eq=False)
class RegionFit:
    """One region.

    Attributes:
        volume_ml: of the mask as it was drawn; fraction_inside: the share of it within the series, which is measured.
        n_voxels: voxels of the series that it covers, whole or in part; n_missing: of these, without a concentration;
            n_at_bound: with a parameter on a bound.
        signal: mean of the frames, in the unit of the series.
        concentration: mean over the voxels that have one.
        fitted: the model's curve through it, finely sampled; at_frames: the same at the frames; None where nothing was
            fitted.
        of_mean_curve, standard_errors, r2: fit of the mean curve.
        of_voxels: map name to mean, sd, median, p25, p75 over the voxels, weighted by their fraction.
    """

    name: str
    volume_ml: float
    fraction_inside: float
    n_voxels: int
    n_missing: int
    n_at_bound: int
    signal: Curve
    concentration: Curve
    fitted: Curve | None
    at_frames: Curve | None
    of_mean_curve: dict[str, float]
    standard_errors: dict[str, float]
    r2: float
    of_voxels: dict[str, dict[str, float]]


def weights_of(name: str, mask: sitk.Image, series: DynamicSeries) -> Weights:
    """Raises InputError where the region lies beside the series."""
    like = image_from_array(np.zeros(series.geometry.shape, np.uint8), series.geometry)
    fractions = sitk.GetArrayFromImage(propagate(mask, like)).reshape(-1)
    places = np.flatnonzero(fractions >= _LEAST_WEIGHT)
    if not len(places):
        raise InputError(f"The region {name!r} holds no voxel of the series; was it drawn on another scan?")
    drawn = Region.of(mask, name)
    inside = _fraction_inside(drawn, series.geometry)
    return Weights(places, fractions[places].astype(np.float64), drawn.volume_ml, inside)


def _fraction_inside(region: Region, grid: Geometry) -> float:
    """Share of the region whose voxel centres lie within the outer faces of the grid."""
    index = apply_matrix(grid.physical_to_index @ region.geometry.index_to_physical, region.xyz())
    inside = np.all((index >= -0.5 - _ROUNDING) & (index <= np.asarray(grid.size) - 0.5 + _ROUNDING), axis=1)
    if region.weights is None:
        return float(inside.mean())
    return float(region.weights[inside].sum() / region.weights.sum())


def measure_regions(
    regions: Mapping[str, Weights],
    signal: DynamicSeries,
    concentration: DynamicSeries,
    maps: Mapping[str, Volume],
    aif: Curve | None,
    model: str,
    settings: KineticsSettings,
) -> dict[str, RegionFit]:
    """Mean curves and values of every region; the fit of the mean curve where there is an input and a model."""
    times = concentration.times_s
    found: dict[str, RegionFit] = {}
    curves = {name: _mean_curves(weights, signal, concentration) for name, weights in regions.items()}
    fits: dict[str, dict[str, Any]] = {}
    fitted = [name for name, (_, mean, _) in curves.items() if np.isfinite(mean).all()]
    if aif is not None and model != DESCRIPTIVE_ONLY and fitted:
        fits = _fit_means(times, {name: curves[name][1] for name in fitted}, aif, model, settings)
    for name, weights in regions.items():
        raw, mean, missing = curves[name]
        one = fits.get(name, {})
        at_bound = maps["at_bound"].array.reshape(-1)[weights.places] if "at_bound" in maps else np.zeros(1)
        found[name] = RegionFit(
            name=name,
            volume_ml=weights.volume_ml,
            fraction_inside=weights.fraction_inside,
            n_voxels=len(weights.places),
            n_missing=missing,
            n_at_bound=int(np.count_nonzero(at_bound)),
            signal=Curve(times, raw, signal.unit, name),
            concentration=Curve(times, mean, concentration.unit, name),
            fitted=one.get("line"),
            at_frames=one.get("at_frames"),
            of_mean_curve=one.get("values", {}),
            standard_errors=one.get("errors", {}),
            r2=one.get("r2", float("nan")),
            of_voxels={
                key: _statistics(volume.array.reshape(-1)[weights.places], weights.fractions)
                for key, volume in maps.items()
                if key not in FLAGS
            },
        )
    return found


def region_rows(regions: Mapping[str, RegionFit]) -> tuple[dict[str, Any], ...]:
    """One row per region for CSV and JSON: every parameter both ways, the way in the column's name."""
    rows = []
    for name, region in regions.items():
        row: dict[str, Any] = {
            "region": name,
            "volume_ml": region.volume_ml,
            "fraction_inside": region.fraction_inside,
            "voxels": region.n_voxels,
            "voxels_missing": region.n_missing,
            "voxels_at_bound": region.n_at_bound,
        }
        for parameter, value in region.of_mean_curve.items():
            row[f"{parameter}_of_mean_curve"] = value
            if parameter in region.standard_errors:
                row[f"{parameter}_of_mean_curve_se"] = region.standard_errors[parameter]
        if region.of_mean_curve:
            row["r2_of_mean_curve"] = region.r2
        for parameter, values in region.of_voxels.items():
            row |= {f"{parameter}_{statistic}_of_voxels": value for statistic, value in values.items()}
        rows.append(row)
    return tuple(rows)


def _mean_curves(
    weights: Weights, signal: DynamicSeries, concentration: DynamicSeries
) -> tuple[np.ndarray, np.ndarray, int]:
    """Mean signal, mean concentration (NaN where no voxel has one), and number of voxels without."""
    raw = signal.frames.reshape(len(signal.times_s), -1)[:, weights.places]
    made = concentration.frames.reshape(len(signal.times_s), -1)[:, weights.places]
    known = np.isfinite(made).all(axis=0)
    missing = int(np.count_nonzero(~known))
    seen = np.isfinite(raw).all(axis=0)
    return mean_curve(raw, seen, weights.fractions), mean_curve(made, known, weights.fractions), missing


def mean_curve(curves: np.ndarray, which: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Mean (T,) of curves (T, N), of those in ``which``, weighted; NaN where there is none."""
    if not which.any():
        return np.full(len(curves), np.nan)
    return np.asarray(curves[:, which].astype(np.float64) @ fractions[which] / fractions[which].sum())


def _fit_means(
    times: np.ndarray, means: Mapping[str, np.ndarray], aif: Curve, model: str, settings: KineticsSettings
) -> dict[str, dict[str, Any]]:
    found = fit(times, np.stack(list(means.values())), aif, model, settings)
    errors = found.standard_errors()
    fine = np.linspace(times[0], times[-1], _FINE)
    lines, at_frames = found.predict(fine), found.predict()
    return {
        name: {
            "values": {key: float(values[i]) for key, values in found.values.items()},
            "errors": {key: float(values[i]) for key, values in errors.items()},
            "r2": float(found.r2[i]),
            "line": Curve(fine, lines[i], "", name),
            "at_frames": Curve(times, at_frames[i], "", name),
        }
        for i, name in enumerate(means)
    }


def _statistics(values: np.ndarray, fractions: np.ndarray) -> dict[str, float]:
    fine = np.isfinite(values)
    v, w = values[fine].astype(np.float64), fractions[fine]
    if not len(v):
        return dict.fromkeys(("mean", "sd", "median", "p25", "p75"), float("nan"))
    mean = float(np.average(v, weights=w))
    low, middle, high = _quantiles(v, w, (0.25, 0.5, 0.75))
    sd = float(np.sqrt(np.average((v - mean) ** 2, weights=w)))
    return {"mean": mean, "sd": sd, "median": middle, "p25": low, "p75": high}


def _quantiles(values: np.ndarray, weights: np.ndarray, shares: Sequence[float]) -> list[float]:
    """Weighted quantiles: each value stands in the middle of its weight; equal weights give the usual ones (Hazen)."""
    if np.all(weights == weights[0]):
        return [float(q) for q in np.quantile(values, shares, method="hazen")]
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(weights[order]) - weights[order] / 2.0
    return [float(q) for q in np.interp(np.asarray(shares) * weights.sum(), upto, values[order])]
