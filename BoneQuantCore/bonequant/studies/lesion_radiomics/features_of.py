"""Features of one lesion on one image: MaZda's of its section, IBSI's of the whole in 3-D, each NaN with its reason."""

from __future__ import annotations

import dataclasses

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError, MissingDependencyError
from bonequant.radiomics import Features, IbsiSettings, RadiomicsSettings, Section, extract, feature_names
from bonequant.radiomics.ibsi.texture import pyradiomics
from bonequant.studies.lesion_radiomics.regions import Region
from bonequant.studies.lesion_radiomics.settings import LesionSettings
from bonequant.volume import Volume

_WITHOUT_PYRADIOMICS = ("firstorder", "localintensity", "statistics", "histogram", "ivh", "gldzm")
NOT_INSTALLED = "pyradiomics is not installed"


def features_of(image: Volume, region: Region, ibsi: IbsiSettings, settings: LesionSettings) -> Features:
    """All features that the settings name, in their order.

    Raises InputError where a drawn region cannot be measured at all, such as for voxels that are not finite.
    """
    found = Features()
    if "mazda" in settings.families:
        chosen = RadiomicsSettings(families=("mazda",), mazda=settings.mazda)
        if region.section is None:
            found.lose(feature_names(chosen), region.section_problem)
        else:
            found.join(extract(*slice_of(image, region.section), chosen))
    if "ibsi" in settings.families:
        found.join(_ibsi(image, region, ibsi))
    return found


def slice_of(image: Volume, section: Section) -> tuple[sitk.Image, sitk.Image]:
    """The slice of a section and its region as images of one slice: MaZda knows pixels only."""
    pixels = np.take(image.array, section.index, axis=section.axis)
    return sitk.GetImageFromArray(pixels[None]), sitk.GetImageFromArray(section.pixels[None].astype(np.uint8))


def pyradiomics_is_there() -> bool:
    try:
        pyradiomics("glcm")
    except MissingDependencyError:
        return False
    return True


def _ibsi(image: Volume, region: Region, ibsi: IbsiSettings) -> Features:
    wanted = RadiomicsSettings(families=("ibsi",), ibsi=ibsi)
    names = feature_names(wanted)
    found = Features()
    if region.mask is None:
        found.lose(names, region.mask_problem)
        return found
    classes = ibsi.classes
    if not pyradiomics_is_there():
        classes = tuple(name for name in classes if name in _WITHOUT_PYRADIOMICS)
    if classes:
        possible = dataclasses.replace(wanted, ibsi=dataclasses.replace(ibsi, classes=classes))
        try:
            found.join(extract(image, region.mask, possible))
        except InputError as error:
            if not np.isfinite(image.array[sitk.GetArrayViewFromImage(region.mask) > 0]).all():
                raise
            found.lose(feature_names(possible), str(error))  # resampling or resegmentation leaves nothing
    found.lose((name for name in names if name not in found), NOT_INSTALLED)
    ordered = Features(missing=found.missing)
    ordered.update((name, found[name]) for name in names)
    return ordered
