"""Vp, Ktrans and curves of one region at one date, whether it was drawn there or is carried from another.

A carried mask stays on the grid on which it was drawn: the maps of the date are sampled at its voxel centres through
the composed transform, once, with cubic B-splines (:mod:`bonequant.roi.measure`). Voxels without a fit are filled from
their nearest neighbour for the spline's sake, and what falls on them is left out of the mean and counted. Mean curves
come from the voxels of the series that the region covers, by their fraction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.roi import propagate
from bonequant.studies.dce_perfusion import DceResult, RegionFit
from bonequant.studies.treatment_response.lesions import Outline
from bonequant.volume import Curve, Geometry, Volume, coordinates_in, image_from_array
from bonequant.volume.resample import Sampler

PARAMETERS = ("vp", "ktrans", "ve")
LEAST_INSIDE = 0.5  # of a region's volume, to be measured at all


@dataclass(frozen=True, eq=False)
class Perfusion:
    """One region at one date.

    Attributes:
        of_voxels, of_mean_curve: parameter to value; NaN where there is none.
        inside: fraction of the region's volume inside the series.
        missing: fraction of it on voxels without a fit, left out of the means.
        signal, concentration, fitted: mean curves; None where the region lies outside.
        reason: why nothing was measured, "" where something was.
    """

    of_voxels: dict[str, float] = field(default_factory=dict)
    of_mean_curve: dict[str, float] = field(default_factory=dict)
    inside: float = 0.0
    missing: float = 0.0
    signal: Curve | None = None
    concentration: Curve | None = None
    fitted: Curve | None = None
    reason: str = ""

    def value(self, parameter: str, way: str) -> float | None:
        """``way`` is "voxels" or "mean_curve"; None where there is none."""
        found = (self.of_voxels if way == "voxels" else self.of_mean_curve).get(parameter, float("nan"))
        return found if np.isfinite(found) else None


def perfusion_of(result: DceResult, outline: Outline, name: str) -> Perfusion:
    """Measure ``outline`` in the maps of one date; a region that lies outside gives a reason, not an error."""
    if outline.mask is None:
        return Perfusion(reason="not there at this date")
    carried, inside = _carried(outline, result.series.geometry)
    if inside < LEAST_INSIDE:
        return Perfusion(inside=inside, reason=f"only {inside:.0%} of it lies inside the series of {result.name}")
    region: RegionFit = result.measure({name: carried})[name]
    found: dict[str, float] = {}
    missing = 0.0
    for parameter in PARAMETERS:
        if parameter in result.maps:
            found[parameter], missing = sampled_mean(result.maps[parameter], outline.mask, outline.transform)
    return Perfusion(
        of_voxels=found,
        of_mean_curve={name: value for name, value in region.of_mean_curve.items() if name in PARAMETERS},
        inside=min(inside, 1.0),
        missing=missing,
        signal=region.signal,
        concentration=region.concentration,
        fitted=region.fitted,
    )


def regions_at(grid: Geometry, outlines: Mapping[str, Outline]) -> dict[str, sitk.Image]:
    """Fractional masks on the grid of a date's series, of what lies inside it; one that serves several names once."""
    found: dict[str, sitk.Image] = {}
    seen: set[int] = set()
    for name, outline in outlines.items():
        if outline.mask is None or id(outline.mask) in seen:
            continue
        seen.add(id(outline.mask))
        carried, inside = _carried(outline, grid)
        if inside >= LEAST_INSIDE:
            found[name] = carried
    return found


def _carried(outline: Outline, grid: Geometry) -> tuple[sitk.Image, float]:
    """The mask on another grid, and the fraction of its volume that lies there."""
    assert outline.mask is not None
    carried = propagate(outline.mask, _like(grid), outline.transform)
    array = sitk.GetArrayViewFromImage(outline.mask)
    drawn = float(array.sum(dtype=np.float64)) * Geometry.of(outline.mask).voxel_volume_ml
    inside = float(sitk.GetArrayViewFromImage(carried).sum(dtype=np.float64)) * grid.voxel_volume_ml / drawn
    return carried, inside


def sampled_mean(volume: Volume, mask: sitk.Image, transform: sitk.Transform | None) -> tuple[float, float]:
    """Weighted mean of a map at the voxel centres of ``mask``, and the share of the mask on voxels that are NaN.

    Where both grids coincide the voxels are taken as they are (a spline gives them back).
    """
    array = sitk.GetArrayViewFromImage(mask)
    voxels = np.argwhere(array > 0)
    weights = array[tuple(voxels.T)].astype(np.float64)
    index = coordinates_in(volume.geometry, Geometry.of(mask).points_of(voxels), transform)
    known = np.isfinite(volume.array)
    low, high = index.min(axis=0), index.max(axis=0)
    if not known.any():
        return float("nan"), 1.0
    filled = image_from_array(_filled(volume.array, known), volume.geometry)
    values = Sampler(filled, low, high)(index)
    seen = Sampler(image_from_array(known.astype(np.float32), volume.geometry), low, high, "nearest")(index)
    good = np.nan_to_num(seen) > 0.5
    missing = 1.0 - float(weights[good].sum() / weights.sum())
    if not good.any():
        return float("nan"), missing
    return float(np.average(values[good], weights=weights[good])), missing


def _filled(array: np.ndarray, known: np.ndarray) -> np.ndarray:
    if known.all():
        return array
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(array[tuple(nearest)])


def _like(grid: Geometry) -> sitk.Image:
    return image_from_array(np.zeros(grid.shape, np.uint8), grid)
