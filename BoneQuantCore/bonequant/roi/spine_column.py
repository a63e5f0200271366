"""What surrounds the axis of the spine: vertebral bodies between cuts, ribs that leave it, and where the sacrum
begins.

All is read in the straightened frame (along, left, front), where the same place of every vertebra has the same
coordinates.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from bonequant.roi.discs import Disc
from bonequant.roi.morphology import dilate_disc, holes, largest, open_disc
from bonequant.roi.spine_axis import WALL_MM, SpineAxis

_STEP_MM = 2.0
_NEAR_MM = 60.0
_LEFT = np.arange(-66.0, 67.0, _STEP_MM)
_FRONT = np.arange(-60.0, 37.0, _STEP_MM)
_SACRAL_WING = 0.45  # fraction of bone beside the body; transverse processes reach 0.35
_WING_MM = 12.0
_RIB_SHELL_MM = (32.0, 56.0)  # transverse processes end within it, ribs run through
_LEAST_PART = 0.5  # of the neighbour's height: less of a vertebra at the edge of the field is left out


@dataclass(frozen=True, eq=False)
class Body:
    """One vertebral body: its extent along the axis (mm), flat indices of its voxels, and whether the field cuts
    it."""

    low: float
    high: float
    voxels: np.ndarray
    incomplete: bool


@dataclass(frozen=True, eq=False)
class Column:
    """The bone around the axis: ``straight`` (n, front, left) on a 2 mm grid; flat ``index`` and ``at`` (along, left,
    front) of the bone voxels near it."""

    axis: SpineAxis
    straight: np.ndarray
    index: np.ndarray
    at: np.ndarray
    points: np.ndarray

    @classmethod
    def of(cls, bone: np.ndarray, axis: SpineAxis, spacing: Sequence[float]) -> Column:
        straight = axis.straightened(bone.astype(np.uint8), spacing, _LEFT, _FRONT) > 0.5
        z = np.arange(bone.shape[0]) * spacing[0]
        middle = [np.interp(z, axis.points[:, 0], axis.points[:, k]) / spacing[k] for k in (1, 2)]
        found = []
        for k, plane in enumerate(bone):  # a box around the axis in each slice
            rows, columns = (
                slice(max(int(m[k] - _NEAR_MM / h), 0), int(m[k] + _NEAR_MM / h) + 1)
                for m, h in zip(middle, spacing[1:], strict=True)
            )
            y, x = np.nonzero(plane[rows, columns])
            found.append(((k * bone.shape[1] + y + rows.start) * bone.shape[2]) + x + columns.start)
        index = np.concatenate(found)
        points = np.column_stack(np.unravel_index(index, bone.shape)) * np.asarray(spacing)
        return cls(axis, straight, index, axis.coordinates(points), points)

    def sacrum_top(self) -> float | None:
        """Where along the axis the sacral wings begin (their upper edge), or None where there are none."""
        rows = (-WALL_MM - 5 < _FRONT) & (_FRONT < 4)
        sides = [
            self.straight[:, rows][:, :, (side * _LEFT >= 26) & (side * _LEFT <= 40)].mean(axis=(1, 2))
            for side in (1, -1)
        ]
        wings = (sides[0] + sides[1]) / 2 > _SACRAL_WING
        wings = ndimage.binary_opening(wings, np.ones(int(_WING_MM)))
        wings[len(wings) // 2 :] = False  # shoulders are not a sacrum
        return float(np.flatnonzero(wings)[-1]) if wings.any() else None

    def rib_ends(self) -> np.ndarray:
        """(k, 2): where along the axis a rib begins, and its side (1 left, -1 right)."""
        left, front = np.meshgrid(_LEFT, _FRONT)
        radius = np.hypot(left, front + 10.0)
        ends = []
        for side in (1.0, -1.0):
            shell = (radius >= _RIB_SHELL_MM[0]) & (radius <= _RIB_SHELL_MM[1]) & (side * left > 10.0) & (front < 15.0)
            labels, count = ndimage.label(self.straight & shell)
            for k in range(1, count + 1):
                along, row, column = np.nonzero(labels == k)
                r = radius[row, column]
                if r.min() < _RIB_SHELL_MM[0] + 4.0 and r.max() > _RIB_SHELL_MM[1] - 4.0:
                    ends.append((float(along[r < r.min() + 4.0].mean()), side))
        return np.array(ends).reshape(-1, 2)

    def bodies(self, discs: Sequence[Disc], on_sacrum: bool) -> list[Body]:
        """Bodies from the top between the cuts (given from below), and parts of one beyond the outermost cuts."""
        n = len(self.axis.points)
        places = [disc.along for disc in discs]
        slabs: list[tuple[Disc | None, Disc | None, float, float, bool]] = [
            (lower, upper, lower.along, upper.along, False) for lower, upper in itertools.pairwise(discs)
        ]
        pitch = np.diff(places) if len(places) > 1 else np.array([30.0])
        if n - places[-1] > _LEAST_PART * pitch[-1]:
            slabs.append((discs[-1], None, places[-1], min(places[-1] + 1.1 * pitch[-1], n), True))
        if not on_sacrum and places[0] > _LEAST_PART * pitch[0]:
            slabs.insert(0, (None, discs[0], max(places[0] - 1.1 * pitch[0], 0.0), places[0], True))
        outlines = [self._outline(low, high) for _, _, low, high, _ in slabs]
        for k in range(1, len(outlines) - 1):  # a destroyed body has the outline its neighbours share
            shared = outlines[k - 1] & outlines[k + 1]
            if outlines[k].sum() < 0.75 * shared.sum():
                outlines[k] |= shared
        found = [self._body(*slab, outline) for slab, outline in zip(slabs, outlines, strict=True)]
        return [body for body in reversed(found) if len(body.voxels)]

    def _outline(self, low: float, high: float) -> np.ndarray:
        """Outline (front, left) of the body at mid-height, 3 mm wider than its waist, in front of the canal."""
        quarter = 0.25 * (high - low)
        middle = self.straight[int(low + quarter) : int(high - quarter) + 1]
        outline = (middle.mean(axis=0) > 0.5)[None]
        behind = _FRONT < -WALL_MM - 1.0
        outline[:, behind] = False
        grid = (1.0, _STEP_MM, _STEP_MM)
        outline = dilate_disc(largest(open_disc(outline | holes(outline), 5.0, grid)), 3.0, grid)[0]
        outline[behind] = False
        return outline

    def _body(
        self, lower: Disc | None, upper: Disc | None, low: float, high: float, incomplete: bool, outline: np.ndarray
    ) -> Body:
        along, left, front = self.at.T
        inside = (along > low - 12.0) & (along < high + 12.0)
        inside &= (np.abs(left) < _LEFT[-1]) & (front > _FRONT[0]) & (front < _FRONT[-1])
        near = np.flatnonzero(inside)
        row = np.rint((front[near] - _FRONT[0]) / _STEP_MM).astype(int)
        column = np.rint((left[near] - _LEFT[0]) / _STEP_MM).astype(int)
        near = near[outline[row, column]]
        above = along[near] >= low if lower is None else (self.points[near] - lower.point) @ lower.normal >= 0
        below = along[near] < high if upper is None else (self.points[near] - upper.point) @ upper.normal < 0
        return Body(low, high, self.index[near[above & below]], incomplete)
