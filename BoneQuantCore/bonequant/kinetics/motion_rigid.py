"""Rigid alignment of a frame to its reference by mutual information, which forgives that contrast arrives.

The metric and the search are those of ``bonequant.registration``: sums in one fixed order, the same result everywhere.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from bonequant.registration.metric import MutualInformation, Samples
from bonequant.registration.rigid import Motion, climb
from bonequant.volume.geometry import Geometry, apply_matrix, matrix_of

_SAMPLES = 12_000
_BINS = 32
_FIRST_STEP_MM = 1.0


def align_rigid(
    reference: np.ndarray, frame: np.ndarray, geometry: Geometry, weight: np.ndarray, start: Motion | None = None
) -> Motion:
    """The motion that takes reference points to frame points (LPS mm).

    Args:
        reference, frame: (z, y, x) on ``geometry``.
        weight: (z, y, x), above 0 where a voxel counts.
        start: motion to begin with.
    """
    place = np.flatnonzero(weight.ravel() > 0)
    place = place[:: max(1, place.size // _SAMPLES)]
    index = np.stack(np.unravel_index(place, geometry.shape)[::-1], axis=1).astype(np.float64)
    points = apply_matrix(geometry.index_to_physical, index)
    samples = Samples(reference.ravel()[place].astype(np.float64), np.ascontiguousarray(points.T))
    if start is None:
        start = Motion(np.zeros(6), points.mean(axis=0))
    if np.ptp(samples.values) == 0 or np.ptp(frame) == 0:
        return start
    metric = MutualInformation(samples, frame, geometry, _BINS)
    return climb(metric, start, _FIRST_STEP_MM, _never)[0]


def rigid_field(motion: Motion, geometry: Geometry) -> np.ndarray:
    """Displacements (3, z, y, x) in mm along the grid's own axes that the motion stands for."""
    axes = np.reshape(geometry.direction, (3, 3))
    size = geometry.size
    z, y, x = np.meshgrid(*(np.arange(n, dtype=np.float64) for n in size[::-1]), indexing="ij")
    points = apply_matrix(geometry.index_to_physical, np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)).T
    moved = axes.T @ (motion.apply(points) - points)
    return moved.reshape(3, *geometry.shape).astype(np.float32)


def as_transform(motion: Motion) -> sitk.AffineTransform:
    """Points of the reference to points of the frame."""
    matrix = matrix_of(motion.transform())
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    transform.SetTranslation(matrix[:3, 3].tolist())
    return transform


def _never() -> None:
    """Cancelling is between frames."""
