"""The voxels of the image itself that lie in a region: lowest, highest, and the highest mean in a 1 mL sphere.

A voxel of the image belongs to a region when its centre, carried back through the transform, lies in a mask voxel whose
fraction is 0.5 or more. Where no centre does (a region smaller or thinner than a voxel), the one voxel that holds most
of the region stands for it, and ``voxels`` is 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.roi.grid_map import GridMap, within
from bonequant.roi.measurement import Point
from bonequant.roi.region import Region, unravel
from bonequant.roi.sphere import sphere_means, sphere_weights
from bonequant.volume.types import Volume

PEAK_RADIUS_MM = 6.204  # (3/(4 pi))^(1/3) cm: 1 mL
_SLAB = 1 << 19  # voxels at once: bounds the memory


@dataclass
class Extremes:
    """Of one region: ``voxels`` whose centres lie in it, values in the image's unit, places as indices (x, y, z)."""

    voxels: int = 0
    min: float = np.inf
    max: float = -np.inf
    peak: float = -np.inf
    hottest: np.ndarray | None = None
    peak_at: np.ndarray | None = None


def native_extremes(
    volume: Volume,
    regions: list[Region],
    grid_map: GridMap,
    radius_mm: float = PEAK_RADIUS_MM,
    progress: Progress = no_progress,
) -> list[Extremes]:
    """Extremes of each region; all regions lie on the mask grid of ``grid_map``.

    Raises InputError where a region does not overlap the image or holds voxels that are not finite.
    """
    weights = sphere_weights(volume.geometry.spacing, radius_mm)
    found = [Extremes() for _ in regions]
    spans = [_voxel_box(grid_map, region) for region in regions]
    low = np.min([span[0] for span in spans], axis=0)
    high = np.max([span[1] for span in spans], axis=0)
    thickness = max(1, _SLAB // max(1, int(np.prod((high - low)[1:]))))
    for start in range(low[0], high[0], thickness):
        progress((start - low[0]) / (high[0] - low[0]), "Looking for maxima and peaks")
        corner = np.array([start, low[1], low[2]])
        end = np.array([min(start + thickness, high[0]), high[1], high[2]])
        if np.any(end <= corner):
            continue
        _look_at_slab(volume, regions, found, spans, grid_map, corner, end, weights)
    for region, extremes in zip(regions, found, strict=True):
        if extremes.voxels == 0:
            _take_nearest(volume, region, extremes, grid_map, weights)
    return found


def place_mm(volume: Volume, index: np.ndarray | None) -> Point:
    """LPS mm of an index (x, y, z)."""
    assert index is not None
    matrix = volume.geometry.index_to_physical
    x, y, z = matrix[:3, :3] @ index + matrix[:3, 3]
    return float(x), float(y), float(z)


def no_overlap(volume: Volume, region: Region) -> InputError:
    """The error for a mask of which nothing lies in the image."""
    image = f"Image {volume.name!r}" if volume.name else "The image"
    return InputError(
        f"{image} does not overlap {region.label}. Check that both belong to one study, and that the transform "
        "takes points of the mask's space to points of the image's space."
    )


def not_finite(volume: Volume, count: int, where: str) -> InputError:
    """The error for NaN or infinite voxels."""
    image = f"Image {volume.name!r}" if volume.name else "The image"
    return InputError(
        f"{image} has {count} voxels that are NaN or infinite {where}. "
        "Repair the image, or draw the region so that it leaves them out."
    )


def _voxel_box(grid_map: GridMap, region: Region) -> tuple[np.ndarray, np.ndarray]:
    """Range of image voxels (z, y, x; the end excluded) whose centres may lie in the region; empty outside."""
    low, high = grid_map.image_box(region.low, region.high)
    size = np.array(grid_map.image.size)
    start = np.clip(np.floor(low).astype(int), 0, size)
    return start[::-1], np.clip(np.ceil(high).astype(int) + 1, start, size)[::-1]


def _look_at_slab(
    volume: Volume,
    regions: list[Region],
    found: list[Extremes],
    spans: list[tuple[np.ndarray, np.ndarray]],
    grid_map: GridMap,
    corner: np.ndarray,
    end: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Update ``found`` with the image voxels from ``corner`` to ``end`` (z, y, x)."""
    shape = tuple(end - corner)
    voxels = unravel(np.arange(np.prod(shape)), shape) + corner[::-1]
    nearest = np.rint(grid_map.to_mask(voxels)).astype(np.int64)
    inside = within(nearest, grid_map.mask.size)
    here = np.flatnonzero(inside)
    in_mask = np.ravel_multi_index(tuple(nearest[here].T[::-1]), grid_map.mask.shape)
    values = volume.array[tuple(slice(a, b) for a, b in zip(corner, end, strict=True))].reshape(-1)
    means: np.ndarray | None = None
    for region, extremes, (low, high) in zip(regions, found, spans, strict=True):
        if low[0] >= end[0] or high[0] <= corner[0]:
            continue
        hits = here[region.mask.reshape(-1)[in_mask] >= 0.5]
        if not len(hits):
            continue
        mine = values[hits].astype(np.float64)
        bad = len(mine) - int(np.isfinite(mine).sum())
        if bad:
            raise not_finite(volume, bad, f"under {region.label}")
        if means is None:
            means = sphere_means(volume.array, corner, end, weights).reshape(-1)
        extremes.voxels += len(hits)
        extremes.min = min(extremes.min, float(mine.min()))
        first = int(np.argmax(mine))
        if mine[first] > extremes.max:
            place = hits[first]
            extremes.max, extremes.hottest = float(mine[first]), voxels[place]
        peaks = means[hits]
        first = int(np.argmax(peaks))
        if peaks[first] > extremes.peak:
            place = hits[first]
            extremes.peak, extremes.peak_at = float(peaks[first]), voxels[place]


def _take_nearest(volume: Volume, region: Region, extremes: Extremes, grid_map: GridMap, weights: np.ndarray) -> None:
    """Let the image voxel that holds most of the region stand for it."""
    voxels = np.rint(grid_map.to_image(region.xyz())).astype(int)
    inside = within(voxels, grid_map.image.size)
    if not inside.any():
        raise no_overlap(volume, region)
    share = None if region.weights is None else region.weights[inside]
    candidates, which = np.unique(voxels[inside], axis=0, return_inverse=True)
    place = candidates[np.argmax(np.bincount(which.reshape(-1), weights=share))]
    value = float(volume.array[tuple(place[::-1])])
    if not np.isfinite(value):
        raise not_finite(volume, 1, f"under {region.label}")
    extremes.min = extremes.max = value
    extremes.peak = float(sphere_means(volume.array, place[::-1], place[::-1] + 1, weights)[0, 0, 0])
    extremes.hottest = extremes.peak_at = place
