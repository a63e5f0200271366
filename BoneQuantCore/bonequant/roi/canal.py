"""The spinal canal: its centreline and its mask, by tracking a bright ring around a dark centre from slice to slice.

Rays are cast from every voxel of a 2 mm grid in sixteen directions. In the canal most of them meet bone within 16
mm, none at once, and there is a vertebral body in front. A shortest path (Viterbi) through each slice's best
candidates bridges the levels where the ring is open (foramina, discs), and ends where the spine does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from bonequant.roi.morphology import close_disc, holes

GRID_MM = 2.0
_DIRECTIONS = 16
FRONT = 12  # the ray that points to the front
_REACH_MM = 16.0  # no canal is wider than 32 mm
_LARGEST_BODY_MM2 = 3000.0
_CANDIDATES = 30
_LEAST_LENGTH_MM = 40.0
_LEAST_HU = -45.0  # cord and fluid are above, yellow marrow is at -80


@dataclass(frozen=True, eq=False)
class Canal:
    """``centre`` (n, 3): continuous indices (z, y, x), one per slice from the lowest; ``score`` (n,) from 0 to 1;
    ``radii_mm`` (n, 16): distance to the wall in each direction, from the left anticlockwise seen from below
    (angle t points to x = cos t, y = sin t)."""

    centre: np.ndarray
    score: np.ndarray
    radii_mm: np.ndarray

    @property
    def slices(self) -> np.ndarray:
        return self.centre[:, 0].astype(int)

    def mask(self, shape: tuple[int, ...], spacing: Sequence[float]) -> np.ndarray:
        """The canal as a boolean array: in each slice the star-shaped polygon of its radii."""
        result = np.zeros(shape, dtype=bool)
        reach = [int(np.ceil(_REACH_MM / s)) + 1 for s in spacing[1:]]
        for (z, y, x), radii in zip(self.centre, self.radii_mm, strict=True):
            rows = np.arange(max(int(y) - reach[0], 0), min(int(y) + reach[0] + 1, shape[1]))
            columns = np.arange(max(int(x) - reach[1], 0), min(int(x) + reach[1] + 1, shape[2]))
            dy, dx = (rows - y)[:, None] * spacing[1], (columns - x)[None, :] * spacing[2]
            angle = np.mod(np.arctan2(dy, dx), 2 * np.pi) * _DIRECTIONS / (2 * np.pi)
            limit = np.interp(angle, np.arange(_DIRECTIONS + 1), np.append(radii, radii[0]))
            result[int(z), rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] |= np.hypot(dy, dx) < limit
        return result


def find_canal(hu: np.ndarray, bone: np.ndarray, body: np.ndarray, spacing: Sequence[float]) -> Canal | None:
    """The spinal canal of a bone mask (z, y, x; axial frame), or None where there is no spine in the field of view.

    ``bone`` may be the bare shell: the canal needs its walls only. ``hu`` tells it from the fat in the shaft of a long
    bone, which is a dark centre in a bright ring too. ``spacing`` is (z, y, x) in mm.
    """
    rows, columns = round_grid(bone.shape, spacing, GRID_MM)
    coarse = np.ascontiguousarray(bone[:, rows][:, :, columns])
    inside = np.ascontiguousarray(body[:, rows][:, :, columns])
    slices = max(round(4.0 / spacing[0]), 1)  # a ring is complete only over a few slices
    wall = ndimage.maximum_filter1d(coarse.astype(np.uint8), slices, axis=0) > 0
    hits = cast_rays(wall, GRID_MM, _REACH_MM)
    score = _ring_score(hits, coarse, inside, spacing[0])
    path = shortest_path(score, spacing[0], GRID_MM, floor=0.35, least_length_mm=_LEAST_LENGTH_MM)
    if path is None:
        return None
    z, y, x, quality = path
    if float(np.median(hu[z, rows[y], columns[x]])) < _LEAST_HU:
        return None
    radii = _radii(hits[:, z, y, x].T.astype(np.float64), spacing[0])
    centre, radii = _recentred(np.column_stack([y, x]).astype(np.float64), radii, spacing[0])
    native = np.column_stack([z, to_native(centre[:, 0], rows), to_native(centre[:, 1], columns)])
    return Canal(native, quality, radii)


def round_grid(shape: Sequence[int], spacing: Sequence[float], grid_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns to take so that the pixels are ``grid_mm`` apart (nearest ones, evenly spread)."""
    count = [max(round(n * s / grid_mm), 2) for n, s in zip(shape[1:], spacing[1:], strict=True)]
    rows, columns = (
        np.minimum(((np.arange(n) + 0.5) * size / n).astype(int), size - 1)
        for n, size in zip(count, shape[1:], strict=True)
    )
    return rows, columns


def to_native(index: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Continuous native indices of continuous indices among the ``taken`` rows or columns."""
    step = (taken[-1] - taken[0]) / (len(taken) - 1)
    return taken[0] + np.asarray(index) * step


def cast_rays(wall: np.ndarray, grid_mm: float, reach_mm: float) -> np.ndarray:
    """Grid steps (16, z, y, x), uint8, from every voxel to the wall in each direction of its slice; 255 beyond
    reach."""
    distance = np.full((_DIRECTIONS, *wall.shape), 255, dtype=np.uint8)
    for direction in range(_DIRECTIONS):
        angle = 2 * np.pi * direction / _DIRECTIONS
        for step in range(int(reach_mm / grid_mm), -1, -1):
            dy, dx = round(step * np.sin(angle)), round(step * np.cos(angle))
            to_y, of_y = _overlap(dy, wall.shape[1])
            to_x, of_x = _overlap(dx, wall.shape[2])
            np.copyto(distance[direction][:, of_y, of_x], np.uint8(step), where=wall[:, to_y, to_x])
    return distance


def _overlap(shift: int, size: int) -> tuple[slice, slice]:
    """Slices of the neighbours at ``shift`` and of the voxels that have one."""
    return slice(max(shift, 0), size + min(shift, 0)), slice(max(-shift, 0), size + min(-shift, 0))


def _ring_score(hits: np.ndarray, bone: np.ndarray, inside: np.ndarray, spacing_z: float) -> np.ndarray:
    """0..1 per voxel: fraction of rays that meet a wall, wanted open at the centre and solid in front."""
    met = (hits < 255).mean(axis=0, dtype=np.float32)
    clear = hits.min(axis=0) >= 2
    # The body in front: bone 8 to 30 mm ahead, in a box 24 mm wide, over 2 cm of spine (discs are bridged).
    height = max(round(20.0 / spacing_z), 1)
    closed = close_disc(bone, 2.0 * GRID_MM, (spacing_z, GRID_MM, GRID_MM))
    solid = closed | holes(closed, max_area_px=_LARGEST_BODY_MM2 / GRID_MM**2)  # an osteoporotic body is a shell
    density = ndimage.uniform_filter(solid.astype(np.float32), (height, int(22 / GRID_MM), int(24 / GRID_MM)))
    shift = int(19 / GRID_MM)
    ahead = np.zeros_like(density)
    ahead[:, shift:] = density[:, :-shift]
    # The canal lies in the back half of the trunk; a gap between enhanced vessels and the spine does not.
    rows = np.arange(inside.shape[1])[None, :]
    hit = inside.any(axis=2)
    front = np.where(hit, rows, inside.shape[1]).min(axis=1)[:, None]
    depth = np.maximum(np.where(hit, rows, -1).max(axis=1)[:, None] - front, 1)
    back = 0.4 + 0.6 * np.clip(((rows - front) / depth - 0.45) / 0.15, 0.0, 1.0)[:, :, None]
    return np.where(clear & inside, met * np.minimum(ahead / 0.25, 1.0) * back, 0.0).astype(np.float32)


def shortest_path(
    score: np.ndarray, spacing_z: float, grid_mm: float, floor: float, least_length_mm: float
) -> tuple[np.ndarray, ...] | None:
    """Indices z, y, x (one per slice) and score along the path of the highest total (score - floor).

    None where no path is ``least_length_mm`` long.
    """
    smooth = ndimage.gaussian_filter1d(score, 3.0 / spacing_z, axis=0)
    peaks = (smooth == ndimage.maximum_filter(smooth, (1, 5, 5))) & (smooth > 0.15)
    candidates: list[tuple[np.ndarray, np.ndarray]] = []
    for plane, values in zip(peaks, smooth, strict=True):
        places, strength = np.argwhere(plane), values[plane]
        order = np.argsort(-strength, kind="stable")[:_CANDIDATES]
        candidates.append((places[order] * grid_mm, strength[order]))
    total, back = _viterbi(candidates, spacing_z, floor)
    if not total:
        return None
    ends = max(total, key=lambda z: total[z].max() if total[z].size else -np.inf)
    node = int(total[ends].argmax())
    nodes: list[tuple[int, int]] = []
    z = ends
    while z >= 0:
        nodes.append((z, node))
        z, node = back[z][node]
    nodes.reverse()
    slices = np.array([z for z, _ in nodes])
    points = np.array([candidates[z][0][n] for z, n in nodes]) / grid_mm
    strength = np.array([candidates[z][1][n] for z, n in nodes])
    if (slices[-1] - slices[0]) * spacing_z < least_length_mm:
        return None
    every = np.arange(slices[0], slices[-1] + 1)
    y = np.interp(every, slices, points[:, 0]).round().astype(int)
    x = np.interp(every, slices, points[:, 1]).round().astype(int)
    return every, y, x, np.interp(every, slices, strength)


def _viterbi(
    candidates: list[tuple[np.ndarray, np.ndarray]], spacing_z: float, floor: float
) -> tuple[dict[int, np.ndarray], dict[int, list[tuple[int, int]]]]:
    """Best total of (score - floor) per path, with a price on moving sideways; a path may start and end anywhere
    and jump over up to 12 mm without a candidate."""
    reach = max(round(12.0 / spacing_z), 1)
    total: dict[int, np.ndarray] = {}
    back: dict[int, list[tuple[int, int]]] = {}
    for z, (points, strength) in enumerate(candidates):
        if len(points) == 0:
            continue
        gain = (strength - floor) * spacing_z
        best, origin = np.zeros(len(points)), [(-1, -1)] * len(points)
        for previous in range(max(z - reach, 0), z):
            if previous not in total:
                continue
            apart = np.linalg.norm(points[:, None] - candidates[previous][0][None], axis=2)
            rise = (z - previous) * spacing_z
            price = 0.15 * np.maximum(apart - 0.3 * rise, 0) ** 1.5 + floor * (rise - spacing_z)
            value = np.where(apart < 1.5 * rise + 4.0, total[previous][None] - price, -np.inf)
            choice = value.argmax(axis=1)
            for n in np.flatnonzero(value[np.arange(len(points)), choice] > best):
                best[n], origin[n] = value[n, choice[n]], (previous, int(choice[n]))
        total[z], back[z] = best + gain, origin
    return total, back


def _radii(steps: np.ndarray, spacing_z: float) -> np.ndarray:
    """Wall distances in mm (n, 16); where a ray leaves through a foramen the neighbours along the spine tell."""
    radii = np.where(steps >= 255, np.nan, steps * GRID_MM)
    window = max(round(30.0 / spacing_z), 3)
    filled = np.empty_like(radii)
    for n in range(len(radii)):
        near = radii[max(n - window // 2, 0) : n + window // 2 + 1]
        known = np.isfinite(near)
        typical = np.array([np.median(c[k]) if k.any() else 8.0 for c, k in zip(near.T, known.T, strict=True)])
        typical = np.minimum(typical, 1.5 * np.median(typical))
        filled[n] = np.fmin(np.where(np.isnan(radii[n]), typical, radii[n]), typical + 2.0)
    return filled


def _recentred(centre: np.ndarray, radii: np.ndarray, spacing_z: float) -> tuple[np.ndarray, np.ndarray]:
    """Centre moved to the middle between opposite walls and smoothed along the spine; radii follow."""
    angle = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    unit = np.column_stack([np.sin(angle), np.cos(angle)])
    offset = (radii[:, :, None] * unit).mean(axis=1)
    smooth = ndimage.gaussian_filter1d(centre * GRID_MM + offset, 5.0 / spacing_z, axis=0, mode="nearest")
    moved = smooth - centre * GRID_MM
    return smooth / GRID_MM, np.clip(radii - moved @ unit.T, 2.0, _REACH_MM)
