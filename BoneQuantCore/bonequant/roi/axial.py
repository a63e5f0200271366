"""The axial frame: any CT seen as slices from feet to head, rows to the back, columns to the patient's left.

Anatomy is described in these directions; the masks go back to the CT's own grid, which is never resampled.
An oblique grid is taken along its nearest axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.volume import Geometry, Volume, same_grid

Box = tuple[slice, slice, slice]
_LPS = "LPS"


@dataclass(frozen=True, eq=False)
class AxialFrame:
    """``array`` (z up, y back, x left) of one image; ``geometry`` is the grid of ``array``; ``native`` the image's
    own."""

    array: np.ndarray
    geometry: Geometry
    native: Geometry

    @classmethod
    def of(cls, image: sitk.Image) -> AxialFrame:
        oriented = image if _orientation(image) == _LPS else sitk.DICOMOrient(image, _LPS)
        return cls(sitk.GetArrayFromImage(oriented), Geometry.of(oriented), Geometry.of(image))

    @property
    def spacing(self) -> tuple[float, float, float]:
        """(z, y, x) in mm."""
        x, y, z = self.geometry.spacing
        return z, y, x

    @property
    def voxel_ml(self) -> float:
        return self.geometry.voxel_volume_ml

    def to_native(self, mask: np.ndarray) -> sitk.Image:
        """A mask (z, y, x) of this frame as a uint8 image on the native grid."""
        if mask.shape != self.geometry.shape:
            raise InputError(f"A mask of {mask.shape} does not fit the frame of {self.geometry.shape}.")
        image = self.geometry.apply_to(sitk.GetImageFromArray(np.ascontiguousarray(mask, dtype=np.uint8)))
        wanted = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(self.native.direction)
        if wanted != _LPS:
            image = sitk.DICOMOrient(image, wanted)
        return self.native.apply_to(image)  # exact, free of the rounding of the reorientation

    def mask_of(self, mask: sitk.Image) -> np.ndarray:
        """A mask on the native grid as a boolean array of this frame. Raises InputError where the grids differ."""
        reference = sitk.Image(self.native.size, sitk.sitkUInt8)
        if not same_grid(self.native.apply_to(reference), mask):
            raise InputError(
                f"A mask of {mask.GetSize()} voxels is not on the CT's grid of {self.native.size}; "
                "propagate it to the CT first."
            )
        oriented = mask if _orientation(mask) == _LPS else sitk.DICOMOrient(mask, _LPS)
        return sitk.GetArrayViewFromImage(oriented) > 0.5

    def points_mm(self, index_zyx: np.ndarray) -> np.ndarray:
        """LPS points (N, 3) of continuous indices (N, 3) in (z, y, x)."""
        matrix = self.geometry.index_to_physical
        return np.asarray(index_zyx, dtype=np.float64)[:, ::-1] @ matrix[:3, :3].T + matrix[:3, 3]

    def index_of(self, points_mm: np.ndarray) -> np.ndarray:
        """Continuous indices (N, 3) in (z, y, x) of LPS points (N, 3)."""
        matrix = self.geometry.physical_to_index
        return (np.asarray(points_mm, dtype=np.float64) @ matrix[:3, :3].T + matrix[:3, 3])[:, ::-1]


def check_ct(ct: Volume) -> None:
    """Raise InputError where ``ct`` is not a CT in HU that bone can be looked for in."""
    label = ct.source or ct.name or "The CT"
    if ct.modality not in ("CT", "OT") or ct.unit not in ("HU", ""):
        raise InputError(f"{label} is {ct.modality} in {ct.unit or 'no unit'}; bone is segmented on a CT in HU.")
    array = ct.array
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"{label} has voxels that are not finite numbers; replace them (air is -1000 HU).")
    if min(array.shape) < 8:
        raise InputError(f"{label} has a grid of {array.shape} (z, y, x); 8 voxels along each axis are the least.")


def crop(mask: np.ndarray, margin: int = 0) -> Box:
    """The bounding box of a mask, with a margin in voxels; the whole array where the mask is empty."""
    box = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        hit = np.flatnonzero(mask.any(axis=others))
        if hit.size == 0:
            return (slice(0, mask.shape[0]), slice(0, mask.shape[1]), slice(0, mask.shape[2]))
        box.append(slice(max(int(hit[0]) - margin, 0), min(int(hit[-1]) + 1 + margin, mask.shape[axis])))
    return box[0], box[1], box[2]


def paste(part: np.ndarray, box: Box, shape: tuple[int, ...]) -> np.ndarray:
    """The part put back at ``box`` of an empty array of ``shape``."""
    whole = np.zeros(shape, dtype=part.dtype)
    whole[box] = part
    return whole


def _orientation(image: sitk.Image) -> str:
    return str(sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(image.GetDirection()))
