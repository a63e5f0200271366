"""Carrying a mask to another grid again and again while it is drawn: only what changed is computed anew.

A changed box of the mask reaches a box of the other grid. There, and only there, the covered fractions of
:mod:`bonequant.roi.propagate` are computed from the mask's voxels that this box overlaps; at least half covered is in.
The result is the same, voxel for voxel, as carrying the whole mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.roi.grid_map import GridMap
from bonequant.roi.propagate import propagate
from bonequant.volume.geometry import Geometry, apply_matrix
from bonequant.volume.types import image_from_array

Box = tuple[np.ndarray, np.ndarray]  # first index and one past the last (x, y, z)
_MARGIN = 2  # voxels of the mask: an edge that is interpolated reaches one further, rounding another


@dataclass(frozen=True, eq=False)
class Patch:
    """The part of a grid, in whole voxels, that a mask occupies; all beyond is empty.

    Attributes:
        grid: its voxel (0, 0, 0) is where indices count from; its size plays no part.
        start: index (x, y, z) of the first voxel of ``voxels``; may be negative.
        voxels: booleans (z, y, x).
    """

    grid: Geometry
    start: np.ndarray
    voxels: np.ndarray

    @property
    def stop(self) -> np.ndarray:
        return self.start + np.array(self.voxels.shape[::-1])

    def part(self, box: Box) -> np.ndarray:
        """Its voxels in another box, empty where it has none; (z, y, x)."""
        first, stop = box
        result = np.zeros(tuple((stop - first)[::-1]), dtype=bool)
        low, high = np.maximum(first, self.start), np.minimum(stop, self.stop)
        if np.all(high > low):
            result[_slices(low - first, high - first)] = self.voxels[_slices(low - self.start, high - self.start)]
        return result

    def trimmed(self) -> Patch:
        """The same mask in the smallest box."""
        box = _filled(self.voxels)
        if box is None:
            return Patch(self.grid, self.start, np.zeros((0, 0, 0), dtype=bool))
        return Patch(self.grid, self.start + box[0], self.voxels[_slices(*box)])

    def with_part(self, part: Patch) -> Patch:
        """The mask after ``part`` replaced what was in its box."""
        if not self.voxels.size:
            return part.trimmed()
        first, stop = np.minimum(self.start, part.start), np.maximum(self.stop, part.stop)
        voxels = self.part((first, stop))
        voxels[_slices(part.start - first, part.stop - first)] = part.voxels
        return Patch(self.grid, first, voxels).trimmed()

    def image(self) -> sitk.Image:
        """The patch as a uint8 mask on its own grid."""
        return image_from_array(self.voxels.astype(np.uint8), cropped(self.grid, (self.start, self.stop)))


def cropped(grid: Geometry, box: Box) -> Geometry:
    """The part of a grid in a box of voxels, which may reach beyond it."""
    first, stop = box
    origin = grid.index_to_physical @ np.append(first, 1.0)
    x, y, z = (int(n) for n in stop - first)
    return Geometry((x, y, z), grid.spacing, tuple(origin[:3].tolist()), grid.direction)


def changed_box(before: Patch | None, after: Patch) -> Box | None:
    """The box of the voxels in which two states of a mask differ; None where they are the same."""
    if before is None or before.grid != after.grid:
        return (after.start, after.stop) if after.voxels.any() else None
    patches = [patch for patch in (before, after) if patch.voxels.size]
    if not patches:
        return None
    first = np.min([patch.start for patch in patches], axis=0)
    stop = np.max([patch.stop for patch in patches], axis=0)
    box = _filled(before.part((first, stop)) != after.part((first, stop)))
    return None if box is None else (first + box[0], first + box[1])


def carry(mask: Patch, onto: Geometry, transform: sitk.Transform | None, box: Box) -> Patch | None:
    """The carried mask in that part of the grid ``onto`` which the box of the mask reaches; None where it misses it.

    Args:
        mask: as it is now.
        onto: the grid wanted.
        transform: points of the mask's space to points of the space of ``onto``.
        box: voxels of the mask that may have changed.

    Raises:
        GeometryError: the transform folds.
    """
    first, last = box[0] - 1, box[1]  # with the voxel before and the voxel after: an interpolated edge is wider
    grid_map = GridMap(mask.grid, onto, transform, first - _MARGIN, last + _MARGIN)
    low, high = grid_map.image_box(first, last)
    start = np.clip(np.floor(low + 0.5).astype(int), 0, onto.size)
    stop = np.clip(np.ceil(high + 0.5).astype(int), start, onto.size)
    if np.any(stop <= start):
        return None
    wanted = cropped(onto, (start, stop))
    seen = mask.trimmed()
    if grid_map.linear and seen.voxels.size:
        seen = _overlapping(seen, grid_map, (start, stop))
    if not seen.voxels.any():
        return Patch(onto, start, np.zeros(wanted.shape, dtype=bool))
    like = image_from_array(np.zeros(wanted.shape, dtype=np.uint8), wanted)
    fractions = propagate(seen.image(), like, transform)
    return Patch(onto, start, sitk.GetArrayViewFromImage(fractions) >= 0.5)


def _overlapping(mask: Patch, grid_map: GridMap, box: Box) -> Patch:
    """The part of the mask that voxels in a box of the other grid overlap."""
    low, high = box[0] - 0.5, box[1] - 0.5
    corners = np.array([[x, y, z] for z in (low[2], high[2]) for y in (low[1], high[1]) for x in (low[0], high[0])])
    there = apply_matrix(grid_map.inverse, corners)
    first = np.maximum(np.floor(there.min(axis=0)).astype(int) - _MARGIN, mask.start)
    stop = np.minimum(np.ceil(there.max(axis=0)).astype(int) + _MARGIN + 1, mask.stop)
    return Patch(mask.grid, first, mask.part((first, np.maximum(stop, first))))


def _filled(voxels: np.ndarray) -> Box | None:
    along = [np.flatnonzero(voxels.any(axis=axes)) for axes in ((0, 1), (0, 2), (1, 2))]
    if not all(len(index) for index in along):
        return None
    return np.array([index[0] for index in along]), np.array([index[-1] + 1 for index in along])


def _slices(first: np.ndarray, stop: np.ndarray) -> tuple[slice, ...]:
    return tuple(slice(int(a), int(b)) for a, b in zip(first[::-1], stop[::-1], strict=True))
