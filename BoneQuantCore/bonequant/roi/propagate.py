"""A mask carried to another grid: the fraction of each voxel that the mask covers.

Measurements do not use this (they leave the mask where it was drawn, see :mod:`bonequant.roi.measure`); overlays,
exports and partial volume correction (region spread functions on the functional grid) do.

Method: voxels of the target that the mask's surface crosses are cut into sub-voxels, each no larger than a voxel of the
mask, and each sub-voxel takes its overlap with the mask's voxels as the product of three one-dimensional overlaps. That
is exact for grids with parallel axes and right to second order in the sub-voxel for oblique ones. Where the mask is the
coarser one its edge is interpolated linearly over one mask voxel instead of leaving stairs.
"""

from __future__ import annotations

import itertools

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.roi.grid_map import GridMap, within
from bonequant.roi.region import Region, unravel
from bonequant.volume.geometry import Geometry, is_linear, matrix_of, same_grid
from bonequant.volume.types import Volume, image_from_array

_CHUNK = 1 << 16  # voxels at once: bounds the memory


def propagate(mask: sitk.Image, like: Volume | sitk.Image, transform: sitk.Transform | None = None) -> sitk.Image:
    """The fraction (0..1, float32) of each voxel of ``like`` that ``mask`` covers.

    Args:
        mask: binary or fractional (0..1) mask on its own grid, which may be oblique to that of ``like``.
        like: the grid wanted.
        transform: points of the mask's space to points of the space of ``like``; linear or not. A non-linear one need
            not have an inverse of its own.

    Returns:
        A float32 image on the grid of ``like``. What lies outside that grid is lost here;
        ``RoiMeasurement.fraction_inside`` tells how much that is.

    Raises:
        InputError: the mask is empty or holds values outside 0..1.
        GeometryError: the transform folds, so that it has no inverse near the mask.
    """
    target = like.image if isinstance(like, Volume) else like
    region = Region.of(mask)
    if same_grid(mask, target) and is_linear(transform) and np.allclose(matrix_of(transform), np.eye(4), atol=1e-9):
        return Geometry.of(target).apply_to(sitk.Cast(mask, sitk.sitkFloat32))
    geometry = Geometry.of(target)
    grid_map = GridMap(region.geometry, geometry, transform, region.low, region.high)
    fractions = np.zeros(geometry.shape, dtype=np.float32)

    start, stop = _target_box(grid_map, geometry)
    if np.any(stop <= start):
        return image_from_array(fractions, geometry)
    voxels, corner = _padded_box(region)
    crossed = _crossed(voxels, corner, grid_map, start, stop)
    part = fractions[tuple(slice(a, b) for a, b in zip(start[::-1], stop[::-1], strict=True))]
    for chosen, value_of in ((~crossed, _at_centre), (crossed, _overlap)):
        places = np.flatnonzero(chosen)
        values = np.empty(len(places), dtype=np.float32)
        for first in range(0, len(places), _CHUNK):
            chunk = slice(first, first + _CHUNK)
            values[chunk] = value_of(voxels, corner, grid_map, unravel(places[chunk], part.shape) + start)
        part[chosen] = values
    return image_from_array(fractions, geometry)


def _target_box(grid_map: GridMap, geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Range of target voxels (x, y, z; the end excluded) that the mask may reach; empty where it reaches none."""
    low, high = grid_map.image_box(grid_map.low - 1, grid_map.high + 1)  # 1: an interpolated edge is wider
    size = np.array(geometry.size)
    start = np.clip(np.floor(low + 0.5).astype(int), 0, size)
    return start, np.clip(np.ceil(high + 0.5).astype(int), start, size)


def _padded_box(region: Region) -> tuple[np.ndarray, np.ndarray]:
    """The mask's voxels (z, y, x), float32, in their box with one empty layer around it, and its corner (x, y, z)."""
    (x0, y0, z0), (x1, y1, z1) = region.low, region.high
    box = region.mask[z0 : z1 + 1, y0 : y1 + 1, x0 : x1 + 1]
    return np.pad(box.astype(np.float32), 1), region.low - 1


def _crossed(
    voxels: np.ndarray, corner: np.ndarray, grid_map: GridMap, start: np.ndarray, stop: np.ndarray
) -> np.ndarray:
    """Which target voxels of the box may be covered in part: booleans (z, y, x)."""
    edge = np.zeros(voxels.shape, dtype=bool)
    for axis in range(3):
        ahead = (slice(None),) * axis + (slice(1, None),)
        behind = (slice(None),) * axis + (slice(None, -1),)
        differs = voxels[ahead] != voxels[behind]
        edge[ahead] |= differs
        edge[behind] |= differs
    # A voxel of the mask beside a face in target voxel V has its centre at most this many target voxels from V's.
    reach = np.floor(1.0 + np.abs(grid_map.matrix[:3, :3]).sum(axis=1)).astype(int) + (not grid_map.linear)
    # Room around the box: what lies just outside still reaches in.
    room = np.zeros((stop - start + 2 * reach)[::-1], dtype=bool)
    places = np.flatnonzero(edge)
    for first in range(0, len(places), _CHUNK):
        centres = grid_map.to_image(unravel(places[first : first + _CHUNK], edge.shape) + corner)
        marks = np.rint(centres).astype(int) - start + reach
        x, y, z = marks[within(marks, room.shape[::-1])].T
        room[z, y, x] = True
    room = ndimage.maximum_filter(room, size=tuple(2 * reach[::-1] + 1), mode="constant")
    return room[tuple(slice(r, n - r) for r, n in zip(reach[::-1], room.shape, strict=True))]


def _at_centre(voxels: np.ndarray, corner: np.ndarray, grid_map: GridMap, places: np.ndarray) -> np.ndarray:
    """The mask's value at the centre of target voxels (N, 3) that its surface does not come near."""
    nearest = np.rint(grid_map.to_mask(places) - corner).astype(int)
    inside = within(nearest, voxels.shape[::-1])
    values = np.zeros(len(places), dtype=np.float32)
    x, y, z = nearest[inside].T
    values[inside] = voxels[z, y, x]
    return values


def _overlap(voxels: np.ndarray, corner: np.ndarray, grid_map: GridMap, places: np.ndarray) -> np.ndarray:
    """The covered fraction of target voxels (N, 3)."""
    cuts, width = _sub_voxels(grid_map.inverse[:3, :3])
    centre = (grid_map.to_mask(places) - corner).T
    # How the mask's index changes along each axis of this very voxel (a constant where the transform is linear).
    along = [(grid_map.to_mask(places + half) - grid_map.to_mask(places - half)).T for half in 0.5 * np.eye(3)]
    values = np.zeros(len(places), dtype=np.float64)
    for offset in itertools.product(*[(np.arange(n) + 0.5) / n - 0.5 for n in cuts]):
        index = centre + sum(step * amount for step, amount in zip(along, offset, strict=True))
        below = np.floor(index)
        share = np.clip((index - below - 0.5) / width[:, None] + 0.5, 0.0, 1.0)
        values += ndimage.map_coordinates(
            voxels, (below + share)[::-1], output=np.float64, order=1, mode="constant", cval=0.0, prefilter=False
        )
    return np.clip(values / cuts.prod(), 0.0, 1.0)


def _sub_voxels(inverse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cuts (3,) of a target voxel along its axes, and the width (3,) of a sub-voxel in mask voxels (at most 1).

    The width along each axis of the mask is that of a box with the sub-voxel's own variance, so that oblique
    sub-voxels keep their centre and spread. Along an axis where the mask is the coarser one the width is 1: linear.
    """
    step = np.abs(inverse)
    oblique = (step > 1e-6 * step.max()).sum() > 3
    cuts = np.maximum(np.ceil(step.max(axis=0) * (1.5 if oblique else 1.0) - 1e-6), 1).astype(int)
    extent = np.sqrt((inverse**2).sum(axis=1))
    width = np.where(extent < 1.0, 1.0, np.sqrt(((inverse / cuts) ** 2).sum(axis=1)))
    return cuts, np.minimum(width, 1.0)
