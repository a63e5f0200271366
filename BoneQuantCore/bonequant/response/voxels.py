"""The voxels of one mask, found without touching the rest of its grid more than once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.volume.geometry import Geometry, apply_matrix


@dataclass(frozen=True, eq=False)
class MaskVoxels:
    """Indices (N,) into the flat grid, increasing, and weights (N,), 0..1, of the voxels of a mask."""

    geometry: Geometry
    index: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, mask: sitk.Image, name: str) -> MaskVoxels:
        """Read a binary or fractional mask. Raises InputError for an empty mask and for values outside 0..1."""
        geometry = Geometry.of(mask)
        flat = sitk.GetArrayViewFromImage(mask).reshape(-1)
        # Bytes are looked at eight at a time: ten times faster on a whole body with a small lesion.
        if flat.dtype.itemsize == 1:
            whole = len(flat) - len(flat) % 8
            words = np.flatnonzero(flat[:whole].view(np.uint64))
            near = (8 * words[:, None] + np.arange(8)).reshape(-1)
            near = np.concatenate([near, np.arange(whole, len(flat))])
            index = near[flat[near] != 0]
        else:
            index = np.flatnonzero(flat)
        if not len(index):
            raise InputError(f"Mask {name!r} is empty: it has no voxel above 0. Draw the region, or leave it out.")
        weights = flat[index].astype(np.float64)
        if not (weights.min() >= 0 and weights.max() <= 1):  # NaN fails too
            raise InputError(f"Mask {name!r} holds values from {weights.min():g} to {weights.max():g}; 0 to 1 are due.")
        return cls(geometry, index, weights)

    @property
    def volume_ml(self) -> float:
        return float(self.weights.sum()) * self.geometry.voxel_volume_ml

    def points_mm(self) -> np.ndarray:
        """Voxel centres (N, 3), LPS mm."""
        z, y, x = np.unravel_index(self.index, self.geometry.shape)
        return apply_matrix(self.geometry.index_to_physical, np.stack([x, y, z]).astype(np.float64).T)
