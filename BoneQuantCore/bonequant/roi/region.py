"""The voxels of one mask: where they are and how much of each belongs to the region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.volume.geometry import Geometry


@dataclass(frozen=True, eq=False)
class Region:
    """One mask without its empty voxels.

    Attributes:
        name: as the caller calls it.
        geometry: the grid on which it was drawn.
        image: the mask itself, which keeps the memory of ``mask`` alive.
        mask: its voxels (z, y, x), a view.
        index: flat indices (N,) of its voxels, increasing.
        weights: fraction (N,) of each that belongs to the region; None where all are 1.
        low, high: lowest and highest index (x, y, z).
    """

    name: str
    geometry: Geometry
    image: sitk.Image
    mask: np.ndarray
    index: np.ndarray
    weights: np.ndarray | None
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, mask: sitk.Image, name: str = "") -> Region:
        """Read a mask: binary or fractional, 0..1. Raises InputError for an empty mask and for other values."""
        label = f"Mask {name!r}" if name else "The mask"
        if mask.GetNumberOfComponentsPerPixel() != 1:
            raise InputError(f"{label} has several values per voxel; give one region at a time.")
        geometry = Geometry.of(mask)
        view = sitk.GetArrayViewFromImage(mask)
        index = np.flatnonzero(view != 0)
        if not len(index):
            raise InputError(f"{label} is empty: it has no voxel above 0. Draw the region, or leave it out.")
        values = view.reshape(-1)[index]
        if not (values.min() >= 0 and values.max() <= 1):  # NaN fails too
            raise InputError(
                f"{label} holds values from {values.min()} to {values.max()}; fractions 0 to 1 are due. "
                "Split a label image into one mask per label."
            )
        weights = None if bool((values == 1).all()) else values.astype(np.float64)
        z, y, x = np.unravel_index(index, view.shape)
        low = np.array([x.min(), y.min(), z.min()])
        high = np.array([x.max(), y.max(), z.max()])
        if view.size < 2**31:
            index = index.astype(np.int32)
        return cls(name, geometry, mask, view, index, weights, low, high)

    @property
    def label(self) -> str:
        """For messages, within a sentence."""
        return f"mask {self.name!r}" if self.name else "the mask"

    @property
    def volume_ml(self) -> float:
        total = len(self.index) if self.weights is None else float(self.weights.sum())
        return total * self.geometry.voxel_volume_ml

    def xyz(self) -> np.ndarray:
        """Indices (x, y, z) of its voxels, shape (N, 3), float64."""
        return unravel(self.index, self.mask.shape)


def unravel(index: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Flat indices (N,) into an array (z, y, x) of this shape as (x, y, z), shape (N, 3), float64."""
    z, y, x = np.unravel_index(index, shape)
    return np.stack([x, y, z]).astype(np.float64).T


def regions_by_grid(masks: Mapping[str, sitk.Image]) -> list[list[Region]]:
    """Read every mask; those on one grid stand in one list."""
    groups: dict[Geometry, list[Region]] = {}
    for name, mask in masks.items():
        region = Region.of(mask, name)
        groups.setdefault(region.geometry, []).append(region)
    return list(groups.values())


def common_box(regions: list[Region]) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest index (x, y, z) of all the regions."""
    return np.min([r.low for r in regions], axis=0), np.max([r.high for r in regions], axis=0)
