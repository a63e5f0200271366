"""The axis of the vertebral column: a curve through the bodies with its left, front and up directions at every
millimetre.

It follows the spinal canal, moved forward into the bodies. In its coordinates (along, left, front) a curved spine
is straight: discs are level, bodies stand above each other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from bonequant.roi.axial import Box
from bonequant.roi.canal import FRONT, Canal

_SMOOTHING_MM = 12.0  # less than half a vertebra, so that lordosis stays and single slices do not
_PROLONGED_MM = 30
WALL_MM = 13.0  # from the canal's front wall: inside a cervical body, near the middle of a lumbar one


@dataclass(frozen=True, eq=False)
class SpineAxis:
    """Points every 1 mm from below, and unit vectors, each (n, 3) in (z, y, x) mm of the axial frame.

    The front wall of the canal is ``WALL_MM`` behind the axis.
    """

    points: np.ndarray
    up: np.ndarray
    left: np.ndarray
    front: np.ndarray

    @classmethod
    def of(cls, canal: Canal, spacing: Sequence[float]) -> SpineAxis:
        sigma = _SMOOTHING_MM / spacing[0]
        centre = ndimage.gaussian_filter1d(canal.centre * np.asarray(spacing), sigma, axis=0, mode="nearest")
        wall = ndimage.gaussian_filter1d(ndimage.median_filter(canal.radii_mm[:, FRONT], 5), sigma, mode="nearest")
        front = _directions(centre)[2]
        body = ndimage.gaussian_filter1d(centre + front * (wall + WALL_MM)[:, None], sigma / 2, axis=0)
        length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(body, axis=0), axis=1))])
        every = np.arange(0.0, length[-1], 1.0)
        points = np.column_stack([np.interp(every, length, body[:, axis]) for axis in range(3)])
        points = _prolonged(points)
        return cls(points, *_directions(points))

    def moved(self, box: Box, spacing: Sequence[float]) -> SpineAxis:
        """The same axis for the part of the frame that ``box`` cuts out."""
        corner = np.array([s.start for s in box]) * np.asarray(spacing)
        return dataclasses.replace(self, points=self.points - corner)

    def coordinates(self, points_mm: np.ndarray) -> np.ndarray:
        """(along, left, front) in mm of points (N, 3) given in (z, y, x) mm; beyond the ends the end's frame goes
        on."""
        last = len(self.points) - 1
        height = np.interp(points_mm[:, 0], self.points[:, 0], np.arange(last + 1.0))
        nearest = height.astype(int)
        for _ in range(3):  # along the curve until the point stands beside it
            ahead = np.einsum("ij,ij->i", points_mm - self.points[nearest], self.up[nearest])
            nearest = np.clip(np.rint(nearest + ahead), 0, last).astype(int)
        offset = points_mm - self.points[nearest]
        along = nearest + np.einsum("ij,ij->i", offset, self.up[nearest])
        left = np.einsum("ij,ij->i", offset, self.left[nearest])
        front = np.einsum("ij,ij->i", offset, self.front[nearest])
        return np.column_stack([along, left, front])

    def straightened(
        self, image: np.ndarray, spacing: Sequence[float], left_mm: np.ndarray, front_mm: np.ndarray
    ) -> np.ndarray:
        """``image`` (z, y, x) sampled linearly on (along, front, left): shape (n, len(front_mm), len(left_mm))."""
        points = (
            self.points[:, None, None]
            + left_mm[None, None, :, None] * self.left[:, None, None]
            + front_mm[None, :, None, None] * self.front[:, None, None]
        )
        index = np.moveaxis(points / np.asarray(spacing), -1, 0)
        return ndimage.map_coordinates(image, index, order=1, mode="nearest", output=np.float32)


def _prolonged(points: np.ndarray) -> np.ndarray:
    """The curve with a straight piece below its lower end, as far as it stays above the lowest slice.

    The sacral canal opens to the back, so that the tracked canal may end where the sacrum begins.
    """
    step = (points[5] - points[0]) / np.linalg.norm(points[5] - points[0])
    count = min(_PROLONGED_MM, int(points[0, 0] / step[0]))
    return np.concatenate([points[0] - np.arange(count, 0, -1.0)[:, None] * step, points])


def _directions(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors up, left, front along a curve (n, 3) in (z, y, x)."""
    up = np.gradient(points, axis=0)
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    left = np.array([0.0, 0.0, 1.0]) - up * up[:, 2:3]
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    front = np.cross(up, left)
    front *= -np.sign(front[:, 1:2])  # forward is towards lower rows
    return up, left, front
