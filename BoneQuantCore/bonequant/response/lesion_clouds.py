"""A lesion as a cloud of points in millimetres: small, and free of the grid it was drawn on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import SimpleITK as sitk
from scipy.spatial import cKDTree

from bonequant.response.voxels import MaskVoxels
from bonequant.volume.geometry import Geometry, apply_matrix, is_linear, matrix_of

_MOST_POINTS = 3000
_CELL_MM = 1.5  # points closer than this are one, in lesions too large for all of theirs


@dataclass(frozen=True, eq=False)
class LesionCloud:
    """``points`` (N, 3), LPS mm, evenly spread over one lesion, and its ``volume_ml`` as drawn."""

    name: str
    points: np.ndarray
    volume_ml: float

    @classmethod
    def of(cls, mask: sitk.Image, name: str) -> LesionCloud:
        """Read a binary or fractional mask; a fraction of one half or more belongs to the lesion."""
        voxels = MaskVoxels.of(mask, name)
        points = voxels.points_mm()
        inside = voxels.weights >= 0.5
        points = points[inside] if inside.any() else points
        return cls(name, _thinned(points, voxels.geometry), voxels.volume_ml)

    @cached_property
    def centroid(self) -> np.ndarray:
        return self.points.mean(axis=0)

    @cached_property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        return self.points.min(axis=0), self.points.max(axis=0)

    @cached_property
    def tree(self) -> cKDTree:
        return cKDTree(self.points)

    def through(self, transform: sitk.Transform | None) -> LesionCloud:
        """The cloud with its points sent through a transform."""
        if is_linear(transform):
            return replace(self, points=apply_matrix(matrix_of(transform), self.points))
        assert transform is not None
        return replace(self, points=np.array([transform.TransformPoint(point) for point in self.points.tolist()]))

    def shifted(self, by_mm: np.ndarray) -> LesionCloud:
        return replace(self, points=self.points + by_mm)

    def near(self, other: LesionCloud, reach_mm: float) -> bool:
        """Do the boxes of both come within ``reach_mm``?"""
        (low, high), (other_low, other_high) = self.box, other.box
        return bool(np.all(low - reach_mm <= other_high) and np.all(other_low <= high + reach_mm))

    def distances_to(self, other: LesionCloud, reach_mm: float) -> np.ndarray:
        """Distance (N,) of each point to the nearest point of ``other``; infinite beyond ``reach_mm``."""
        return other.tree.query(self.points, distance_upper_bound=reach_mm)[0]


def clouds_of(masks: Mapping[str, sitk.Image], transform: sitk.Transform | None = None) -> dict[str, LesionCloud]:
    """The cloud of each mask, its points sent through ``transform``."""
    return {name: LesionCloud.of(mask, name).through(transform) for name, mask in masks.items()}


def _thinned(points: np.ndarray, geometry: Geometry) -> np.ndarray:
    """At most about 3000 points, one for each cube of a lattice: large lesions need no more to be told apart."""
    if len(points) <= _MOST_POINTS:
        return points
    voxel = float(np.prod(geometry.spacing))
    cell = max(_CELL_MM, float(np.cbrt(len(points) * voxel / _MOST_POINTS)))
    cubes = np.floor(points / cell).astype(np.int64)
    _, first = np.unique(cubes, axis=0, return_index=True)
    return points[np.sort(first)]
