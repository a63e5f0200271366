"""Mean curves of regions over the frames of a dynamic series, each region on the grid on which it was drawn.

A mask on the grid of the series takes its voxels as they are; any other is sampled at its own voxel centres, every
frame once, with cubic B-splines. A voxel that is not finite in some frame (motion correction moves the edge of the
field in) is left out of all of them, so that the frames of a curve are means over the same tissue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.roi.region import Region
from bonequant.volume import same_grid
from bonequant.volume.resample import Sampler, coordinates_in
from bonequant.volume.types import Curve, DynamicSeries, image_from_array


@dataclass(frozen=True, eq=False)
class RegionCurve:
    """Mean over a region.

    Attributes:
        curve: in the unit of the series.
        sd: (T,) standard deviation over the region's voxels.
        volume_ml: of the mask as drawn.
        voxels: of the mask.
        missing: of these, how many were left out: beyond the image, or not finite in some frame.
    """

    curve: Curve
    sd: np.ndarray
    volume_ml: float
    voxels: int
    missing: int


def region_curves(
    series: DynamicSeries,
    masks: Mapping[str, sitk.Image],
    transform: sitk.Transform | None = None,
    progress: Progress | None = None,
) -> dict[str, RegionCurve]:
    """Mean curve of every mask.

    Args:
        series: any unit.
        masks: binary or fractional, each on its own grid.
        transform: points of the masks' space to points of the series; None is the identity.
        progress: may raise Cancelled.

    Raises InputError for an empty mask, and for one with no voxel that is finite in all frames.
    """
    report = progress or no_progress
    image = series.frame(0).image
    finite = np.isfinite(series.frames).all(axis=0)
    found = {}
    for number, (name, mask) in enumerate(masks.items()):
        report(number / max(len(masks), 1), f"Curve of {name}")
        region = Region.of(mask, name)
        if transform is None and same_grid(mask, image):
            values = series.frames.reshape(len(series.times_s), -1)[:, region.index].astype(np.float64)
        else:
            values = _sampled(series, finite, region, transform)
        found[name] = _mean(series, region, values)
    report(1.0, "Curves measured")
    return found


def _sampled(series: DynamicSeries, finite: np.ndarray, region: Region, transform: sitk.Transform | None) -> np.ndarray:
    """Values (T, N) at the centres of the region's voxels; NaN outside, and beside voxels that are not finite."""
    points = region.geometry.points_of(region.xyz()[:, ::-1])
    index = coordinates_in(series.geometry, points, transform)
    low, high = index.min(axis=0), index.max(axis=0)
    lost = Sampler(image_from_array((~finite).astype(np.float32), series.geometry), low, high, "linear")(index)
    usable = lost == 0.0  # False for NaN, which is outside
    values = np.full((len(series.times_s), len(index)), np.nan)
    for row, frame in zip(values, series.frames, strict=True):
        filled = np.where(finite, frame, frame[finite].min() if finite.any() else 0.0)
        row[usable] = Sampler(image_from_array(filled, series.geometry), low, high)(index[usable])
    return values


def _mean(series: DynamicSeries, region: Region, values: np.ndarray) -> RegionCurve:
    good = np.isfinite(values).all(axis=0)
    if not good.any():
        raise InputError(
            f"{region.label.capitalize()} has no voxel that every frame of the series shows; was it drawn on another "
            "series, or does breathing move it out of the field?"
        )
    weights = None if region.weights is None else region.weights[good]
    values = values[:, good]
    mean = np.average(values, axis=1, weights=weights)
    sd = np.sqrt(np.average((values - mean[:, None]) ** 2, axis=1, weights=weights))
    curve = Curve(series.times_s, mean, series.unit, region.name)
    return RegionCurve(curve, sd, region.volume_ml, len(region.index), int((~good).sum()))
