"""A lesion on each image: as drawn, carried through the alignment, or adjusted by the user; in 3-D and as a section.

Source: paper 3 of Docs: the ROI is drawn on the slice where the lesion is largest and copied to the other modality,
where the reader may adjust it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.radiomics import Section, copy_region, copy_section, largest_section
from bonequant.studies.lesion_radiomics.inputs import Lesion, Space
from bonequant.volume import Volume, same_grid

CARRIED, ADJUSTED = "carried", "adjusted"


@dataclass(frozen=True, eq=False)
class Region:
    """One lesion on one image's grid.

    Attributes:
        origin: "drawn" or "found", "carried" or "adjusted".
        mask: the lesion in 3-D (uint8), None where it could not be carried; ``mask_problem`` says why.
        section: its largest section, or the copy of that of the other image; None and ``section_problem`` alike.
    """

    origin: str
    mask: sitk.Image | None
    section: Section | None
    mask_problem: str = ""
    section_problem: str = ""


def drawn_region(lesion_id: str, mask: sitk.Image, image: Volume, plane: str, origin: str) -> Region:
    """A mask in the space of ``image``, on its own grid or on another one.

    Raises InputError, with the lesion's id, for a mask that is empty, holds several labels or lies outside the image.
    """
    try:
        on_grid = mask if same_grid(mask, image.image) else copy_region(mask, image)
        return Region(origin, on_grid, largest_section(on_grid, plane=plane))
    except InputError as error:
        raise InputError(f"Lesion {lesion_id} ({origin}): {error}") from error


def carried_region(source: Region, image: Volume, transform: sitk.Transform | None) -> Region:
    """``source`` on the grid of ``image``; ``transform`` takes points of the source's space to points of the image's.

    A lesion that is too small or thin for the voxels there, or lies outside, has no mask and says why: the others of
    the patient can still be measured.
    """
    assert source.mask is not None and source.section is not None  # a drawn region has both
    mask = section = None
    mask_problem = section_problem = ""
    try:
        mask = copy_region(source.mask, image, transform)
    except InputError as error:
        mask_problem = str(error)
    try:
        section = copy_section(source.section, image, transform)
    except InputError as error:
        section_problem = str(error)
    return Region(CARRIED, mask, section, mask_problem, section_problem)


def regions_of(
    lesion: Lesion, images: Mapping[Space, Volume], alignment: Mapping[Space, sitk.Transform | None], plane: str
) -> dict[Space, Region]:
    """The lesion on each of ``images`` (by "ct" and "functional").

    Args:
        alignment: by the space of the drawing, the transform to the other space.
    """
    drawn = drawn_region(lesion.id, lesion.mask, images[lesion.drawn_on], plane, lesion.origin)
    found: dict[Space, Region] = {}
    for space, image in images.items():
        if space == lesion.drawn_on:
            found[space] = drawn
        elif lesion.adjusted is not None:
            found[space] = drawn_region(lesion.id, lesion.adjusted, image, plane, ADJUSTED)
        else:
            found[space] = carried_region(drawn, image, alignment[lesion.drawn_on])
    return found
