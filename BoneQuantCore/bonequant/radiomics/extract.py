"""Features of one region: the public entry. Which families, and every choice in them, stands in the settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.radiomics.features import Features
from bonequant.radiomics.ibsi.extract import ibsi_features, ibsi_names, prepare_ibsi
from bonequant.radiomics.ibsi.prepare import Prepared
from bonequant.radiomics.mazda.extract import mazda_features
from bonequant.radiomics.mazda.names import NAMES as MAZDA_NAMES
from bonequant.radiomics.roi_input import read_roi
from bonequant.radiomics.settings import AnySettings, RadiomicsSettings
from bonequant.volume.types import Volume


@dataclass(frozen=True, eq=False)
class Region:
    """What is left of image and mask once they are checked: all that the features need, and no more.

    ``section`` and ``section_mask`` are the slice for MaZda, ``box`` the surroundings of the region for IBSI.
    """

    section: np.ndarray | None
    section_mask: np.ndarray | None
    box: Prepared | None


def extract(
    image: Volume | sitk.Image,
    mask: Volume | sitk.Image,
    settings: AnySettings | None = None,
    *,
    label: int | None = None,
) -> Features:
    """Features of ``image`` in ``mask``: a dict of name to value that says in ``missing`` why a value is NaN.

    Args:
        image: 3-D, or 2-D for MaZda's features alone, which come from the slice in which the region is largest. The
            IBSI features of a Volume in HU have their intensities rounded after resampling (see IbsiSettings).
        mask: one region on the image's grid, binary or fractional (0.5 is the edge).
        settings: RadiomicsSettings; those of one family alone, ``ibsi_configuration("A")`` for example, give its
            features and no others. By default MaZda's 279.
        label: which label of a label image.

    Raises:
        InputError: the mask is empty or holds several labels; voxels are not finite; nothing is left to measure.
        GeometryError: the mask is not on the image's grid.
        MissingDependencyError: shape or texture classes are wanted and pyradiomics is not installed.
    """
    settings = RadiomicsSettings.of(settings)
    return measure(read_region(image, mask, settings, label), settings)


def read_region(
    image: Volume | sitk.Image, mask: Volume | sitk.Image, settings: RadiomicsSettings, label: int | None = None
) -> Region:
    """Check image and mask and cut out what the features need. Arguments and errors as for :func:`extract`."""
    roi = read_roi(image, mask, label, flat=settings.families == ("mazda",))
    section = section_mask = box = None
    if "mazda" in settings.families:
        index = largest_slice(roi.mask)
        section, section_mask = roi.voxels[index].copy(), roi.mask[index].copy()
    if "ibsi" in settings.families:
        box = prepare_ibsi(roi, settings.ibsi)
    return Region(section, section_mask, box)


def measure(region: Region, settings: RadiomicsSettings) -> Features:
    """All features of a region that :func:`read_region` made with the same settings."""
    result = Features()
    if region.section is not None and region.section_mask is not None:
        result.join(mazda_features(region.section, region.section_mask, settings.mazda))
    if region.box is not None:
        result.join(ibsi_features(region.box, settings.ibsi))
    return result


def feature_names(settings: AnySettings | None = None) -> tuple[str, ...]:
    """The names that ``settings`` lead to, for any image and mask, in the order of :func:`extract`."""
    settings = RadiomicsSettings.of(settings)
    mazda = MAZDA_NAMES if "mazda" in settings.families else ()
    return (*mazda, *(ibsi_names(settings.ibsi) if "ibsi" in settings.families else ()))


def largest_slice(mask: np.ndarray, axis: int = 0) -> int:
    """The slice along ``axis`` with most of the region (booleans); of several the middle one."""
    counts = mask.sum(axis=tuple(other for other in range(3) if other != axis))
    largest = np.flatnonzero(counts == counts.max())
    return int(largest[len(largest) // 2])
