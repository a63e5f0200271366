"""The region of paper 3: the largest cross-section of a lesion, drawn once, and its copy on another modality.

Source: paper 3 of Docs (SPECT/CT radiomics of bone metastases, 2022): the ROI is drawn on the slice where the lesion is
largest and copied to the other modality through the registration, where the reader may adjust it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.radiomics.extract import largest_slice
from bonequant.radiomics.roi_input import region_of
from bonequant.roi.propagate import propagate
from bonequant.volume.geometry import Geometry
from bonequant.volume.types import Volume, image_from_array

_PLANES = {"axial": 2, "coronal": 1, "sagittal": 0}  # LPS axis across each plane


@dataclass(frozen=True, eq=False)
class Section:
    """A cross-section: a mask with one filled slice on the grid it was drawn on.

    Attributes:
        mask: uint8 image, the region's pixels in one slice.
        axis: array axis (0 = z, 1 = y, 2 = x) across the slice.
        index: number of the slice along that axis.
        area_mm2: area of the region in it.
    """

    mask: sitk.Image
    axis: int
    index: int
    area_mm2: float

    @property
    def pixels(self) -> np.ndarray:
        """The slice as booleans."""
        return np.take(sitk.GetArrayViewFromImage(self.mask), self.index, axis=self.axis) > 0


def largest_section(mask: sitk.Image, *, plane: str = "axial", label: int | None = None) -> Section:
    """The slice in which the region is largest (of several, the middle one).

    Args:
        plane: "axial", "coronal" or "sagittal"; the image's own slices nearest to that plane.
        label: which label of a label image.

    Raises InputError for an empty mask or one of several labels.
    """
    if plane not in _PLANES:
        raise InputError(f"A section is {', '.join(_PLANES)}, not {plane!r}.")
    region = region_of(mask, label)
    geometry = Geometry.of(mask)
    across = np.abs(np.array(geometry.direction).reshape(3, 3)[_PLANES[plane]])
    axis = 2 - int(across.argmax())
    return section_at(mask, largest_slice(region, axis), axis=axis, label=label)


def section_at(mask: sitk.Image, index: int, *, axis: int = 0, label: int | None = None) -> Section:
    """The slice ``index`` along array axis ``axis``: for a user who wants another one. Raises InputError if empty."""
    region = region_of(mask, label)
    if not 0 <= index < region.shape[axis] or not np.take(region, index, axis=axis).any():
        raise InputError(f"The region has no voxel in slice {index} along axis {axis}; choose another slice.")
    kept = np.zeros(region.shape, dtype=np.uint8)
    part: list[slice | int] = [slice(None)] * 3
    part[axis] = index
    kept[tuple(part)] = region[tuple(part)]
    geometry = Geometry.of(mask)
    spacing = np.delete(np.array(geometry.spacing[::-1]), axis)
    return Section(image_from_array(kept, geometry), axis, index, float(kept.sum() * spacing.prod()))


def copy_region(
    mask: sitk.Image,
    like: Volume | sitk.Image,
    transform: sitk.Transform | None = None,
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> sitk.Image:
    """``mask`` on the grid of ``like``, as uint8: voxels of which at least half lies in it.

    Args:
        transform: points of the mask's space to points of the space of ``like``.
        shift_mm: the user's adjustment of the copy, LPS mm in the space of ``like``.

    Raises InputError where no voxel is covered by half.
    """
    fractions = propagate(mask, like, _shifted(transform, shift_mm))
    covered = sitk.GetArrayViewFromImage(fractions)
    if not (covered > 0).any():
        raise InputError("The copy of the region lies outside the other image: check the registration and the shift.")
    if not (covered >= 0.5).any():
        raise InputError("The region covers less than half of every voxel of the other image: it is too small or thin.")
    return image_from_array(covered >= 0.5, Geometry.of(fractions))


def copy_section(
    section: Section,
    like: Volume | sitk.Image,
    transform: sitk.Transform | None = None,
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Section:
    """A cross-section carried to another modality: its shape, in the slice of ``like`` that passes nearest its centre.

    Slices of the two need not lie at the same place nor be as thick. Arguments and errors as for :func:`copy_region`.
    """
    target = Geometry.of(like.image if isinstance(like, Volume) else like)
    source = Geometry.of(section.mask)
    copy = copy_region(_column(section, 2.0 * max(target.spacing)), like, transform, shift_mm)
    centre = np.argwhere(sitk.GetArrayViewFromImage(section.mask)).mean(axis=0)[::-1]
    point = (source.index_to_physical @ np.append(centre, 1.0))[:3]
    moved = _shifted(transform, shift_mm).TransformPoint(point.tolist())
    place = (target.physical_to_index @ np.append(moved, 1.0))[:3]
    normal = np.array(source.direction).reshape(3, 3)[:, 2 - section.axis]
    along = int(np.abs(np.array(target.direction).reshape(3, 3).T @ normal).argmax())
    index = int(np.clip(np.rint(place[along]), 0, target.size[along] - 1))
    return section_at(copy, index, axis=2 - along)


def _column(section: Section, thickness_mm: float) -> sitk.Image:
    """The section three times over, in slices so thick that the nearest slice of any grid lies wholly between them."""
    geometry = Geometry.of(section.mask)
    along = 2 - section.axis
    size, spacing = list(geometry.size), list(geometry.spacing)
    size[along], spacing[along] = 3, max(thickness_mm, spacing[along])
    first = np.append(np.zeros(3), 1.0)
    first[along] = section.index - spacing[along] / geometry.spacing[along]
    origin = (geometry.index_to_physical @ first)[:3]
    thick = Geometry(tuple(size), tuple(spacing), tuple(origin.tolist()), geometry.direction)  # type: ignore[arg-type]
    return image_from_array(np.stack([section.pixels] * 3, axis=section.axis), thick)


def _shifted(transform: sitk.Transform | None, shift_mm: tuple[float, float, float]) -> sitk.Transform:
    """``transform``, then the shift."""
    shift = sitk.TranslationTransform(3, [float(part) for part in shift_mm])
    return shift if transform is None else sitk.CompositeTransform([shift, transform])
