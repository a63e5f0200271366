"""An image and a mask checked before anything is measured: one region, on the image's grid, with real intensities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import GeometryError, InputError
from bonequant.volume.geometry import Geometry, same_grid
from bonequant.volume.types import Volume


@dataclass(frozen=True, eq=False)
class RoiInput:
    """Voxels (z, y, x) of the image as stored, the region as booleans of the same shape, spacing (z, y, x) in mm."""

    voxels: np.ndarray
    mask: np.ndarray
    spacing_mm: np.ndarray
    unit: str
    geometry: Geometry

    def box(self, margin: int | np.ndarray = 0) -> tuple[slice, slice, slice]:
        """The region's bounding box, widened by ``margin`` voxels and cut at the image's edge."""
        return box_of(self.mask, margin)


def read_roi(
    image: Volume | sitk.Image, mask: Volume | sitk.Image, label: int | None = None, *, flat: bool = False
) -> RoiInput:
    """Check ``image`` and ``mask`` (binary, one label, or fractional with 0.5 as its edge) and return their arrays.

    ``flat``: a 2-D image and mask will do; they become one slice.

    Raises:
        InputError: not images; the mask is empty or holds several labels and none is chosen; voxels of the region are
            not finite.
        GeometryError: the mask is not on the image's grid, or they are not 3-D.
    """
    unit = image.unit if isinstance(image, Volume) else ""
    name = (image.name or image.source) if isinstance(image, Volume) else ""
    what = f"image {name!r}" if name else "the image"
    image, mask = _as_image(image, "image", flat), _as_image(mask, "mask", flat)
    region = region_of(mask, label)
    if not same_grid(image, mask):
        raise GeometryError(_off_grid(image, mask, region, what))
    voxels = sitk.GetArrayFromImage(image)
    inside = voxels[region]
    bad = int(inside.size - np.isfinite(inside).sum())
    if bad:
        raise InputError(f"{bad} of the mask's {inside.size} voxels are not finite numbers in {what}; mend the image.")
    return RoiInput(voxels, region, np.array(image.GetSpacing()[::-1]), unit, Geometry.of(image))


def _as_image(given: Volume | sitk.Image, what: str, flat: bool) -> sitk.Image:
    image = given.image if isinstance(given, Volume) else given
    if not isinstance(image, sitk.Image):
        raise InputError(
            f"The {what} is a {type(image).__name__} where a Volume or a SimpleITK image is due: "
            "sitk.GetImageFromArray makes one of an array (z, y, x), and its spacing belongs to it."
        )
    if image.GetNumberOfComponentsPerPixel() != 1 or "complex" in image.GetPixelIDTypeAsString():
        raise InputError(f"The {what} has several values per voxel; give one image, or one region, at a time.")
    if image.GetDimension() == 2:
        if not flat:
            raise GeometryError(
                f"The {what} is 2-D, which MaZda's features alone can do with: make it a slice with sitk.JoinSeries, "
                "and give that its thickness as third spacing."
            )
        return sitk.JoinSeries(image)
    return image


def region_of(mask: sitk.Image, label: int | None = None) -> np.ndarray:
    """The one region of a mask as booleans (z, y, x)."""
    if mask.GetNumberOfComponentsPerPixel() != 1:
        raise InputError("The mask has several values per voxel; give one region at a time.")
    values = sitk.GetArrayViewFromImage(mask)
    if values.dtype.kind == "f" and label is None:
        if not np.all((values >= 0) & (values <= 1)):
            raise InputError("The mask holds fractions outside 0 to 1; give a binary or fractional mask.")
        region = values >= 0.5
    else:
        found = np.unique(values[values != 0])
        if label is None and len(found) > 1:
            labels = ", ".join(map(str, found[:8]))
            raise InputError(f"The mask holds {len(found)} labels ({labels}) where one is due: choose one with label=.")
        region = values != 0 if label is None else values == label
    if not region.any():
        chosen = "is empty" if label is None else f"has no voxel of label {label}"
        raise InputError(f"The mask {chosen}: draw the lesion, or leave it out.")
    return region


def box_of(mask: np.ndarray, margin: int | np.ndarray = 0) -> tuple[slice, slice, slice]:
    """Bounding box (z, y, x) of a region, widened by ``margin`` voxels and cut at the array's edge."""
    margins = np.broadcast_to(margin, 3)
    slices = []
    for axis in range(3):
        filled = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        low = max(int(filled[0]) - int(margins[axis]), 0)
        slices.append(slice(low, min(int(filled[-1]) + int(margins[axis]) + 1, mask.shape[axis])))
    return slices[0], slices[1], slices[2]


def _off_grid(image: sitk.Image, mask: sitk.Image, region: np.ndarray, what: str) -> str:
    index = np.argwhere(region)[:, ::-1].astype(float)
    matrix = Geometry.of(image).physical_to_index @ Geometry.of(mask).index_to_physical
    place = index @ matrix[:3, :3].T + matrix[:3, 3]
    inside = np.all((place >= -0.5) & (place <= np.array(image.GetSize()) - 0.5), axis=1)
    if not inside.any():
        return f"The mask lies wholly outside {what}: is it of another patient, or is a registration missing?"
    return (
        f"The mask is not on the grid of {what} ({mask.GetSize()} voxels at {mask.GetSpacing()} mm against "
        f"{image.GetSize()} at {image.GetSpacing()}): carry it over with radiomics.copy_region or roi.propagate."
    )
