"""Masks and maps put on the grid of the source series: whole voxels moved, never interpolated.

A mask may be cropped, padded, flipped or have its axes in another order than the series; what it may not have is voxels
that lie elsewhere.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from bonequant.errors import GeometryError
from bonequant.volume.geometry import Geometry

TOLERANCE_MM = 0.01


def on_grid(image: sitk.Image, grid: Geometry, what: str, outside: float = 0) -> np.ndarray:
    """The voxels of ``image`` as an array (z, y, x) of ``grid``; ``outside`` where the image does not reach.

    Raises GeometryError where voxel centres differ by more than 0.01 mm, or voxels other than ``outside`` lie beyond
    the grid.
    """
    own = Geometry.of(image)
    voxels = sitk.GetArrayViewFromImage(image)
    matrix = grid.physical_to_index @ own.index_to_physical
    turn = np.rint(matrix[:3, :3]).astype(int)
    shift = np.rint(matrix[:3, 3]).astype(int)
    away = _largest_distance_mm(matrix, turn, shift, own, grid)
    if away > TOLERANCE_MM or not np.array_equal(np.abs(turn) @ np.ones(3), np.ones(3)):
        raise GeometryError(
            f"{what} is not on the grid of the series: voxels of {_listed(own.spacing)} mm in {own.size} stand against "
            f"{_listed(grid.spacing)} mm in {grid.size}, up to {away:.3g} mm apart. Give the series on which it was "
            "drawn, or carry it over first (bonequant.roi.propagate)."
        )
    axes = [int(np.flatnonzero(turn[row])[0]) for row in range(3)]  # of the grid's x, y, z: which axis of the image
    moved = voxels.transpose([2 - axes[2], 2 - axes[1], 2 - axes[0]])
    starts = []
    for row, axis in enumerate(axes):
        backwards = turn[row, axis] < 0
        if backwards:
            moved = np.flip(moved, axis=2 - row)
        starts.append(int(shift[row]) - (own.size[axis] - 1 if backwards else 0))
    return _placed(moved, starts[::-1], grid, what, outside)


def _placed(moved: np.ndarray, starts: list[int], grid: Geometry, what: str, outside: float) -> np.ndarray:
    result = np.full(grid.shape, outside, moved.dtype)
    into, out_of = [], []
    for start, length, size in zip(starts, moved.shape, grid.shape, strict=True):
        low, high = max(start, 0), min(start + length, size)
        into.append(slice(low, max(low, high)))
        out_of.append(slice(low - start, max(low, high) - start))
    inside = moved[tuple(out_of)]
    if inside.shape != moved.shape and _count(moved, outside) != _count(inside, outside):
        raise GeometryError(
            f"{what} reaches beyond the series it is to be stored with. Give the series it was made on."
        )
    result[tuple(into)] = inside
    return result


def _count(voxels: np.ndarray, outside: float) -> int:
    """Voxels that say something."""
    said = np.isfinite(voxels) if np.isnan(outside) else voxels != outside
    return int(np.count_nonzero(said))


def _largest_distance_mm(
    matrix: np.ndarray, turn: np.ndarray, shift: np.ndarray, own: Geometry, grid: Geometry
) -> float:
    """How far, in mm, a corner voxel's centre lies from the voxel of the grid it would be put on."""
    ends = [(0, size - 1) for size in own.size]
    corners = np.array([[x, y, z] for x in ends[0] for y in ends[1] for z in ends[2]], float)
    off = corners @ matrix[:3, :3].T + matrix[:3, 3] - (corners @ turn.T + shift)
    return float(np.linalg.norm(off * grid.spacing, axis=1).max())


def _listed(spacing: tuple[float, ...]) -> str:
    return " x ".join(f"{part:.4g}" for part in spacing)
