"""Features of one region: the public entry. Which families, and every choice in them, stands in the settings."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from bonequant.radiomics.features import Features
from bonequant.radiomics.ibsi.extract import ibsi_features, ibsi_names
from bonequant.radiomics.mazda.extract import mazda_features
from bonequant.radiomics.mazda.names import NAMES as MAZDA_NAMES
from bonequant.radiomics.roi_input import read_roi
from bonequant.radiomics.settings import RadiomicsSettings
from bonequant.volume.types import Volume


def extract(
    image: Volume | sitk.Image,
    mask: sitk.Image,
    settings: RadiomicsSettings | None = None,
    *,
    label: int | None = None,
) -> Features:
    """Features of ``image`` in ``mask``: a dict of name to value that says in ``missing`` why a value is NaN.

    Args:
        image: 3-D. MaZda's features come from the slice in which the region is largest. The IBSI features of a
            Volume in HU have their intensities rounded after resampling (see IbsiSettings).
        mask: one region on the image's grid, binary or fractional (0.5 is the edge).
        label: which label of a label image.

    Raises:
        InputError: the mask is empty or holds several labels; voxels are not finite; nothing is left to measure.
        GeometryError: the mask is not on the image's grid.
        MissingDependencyError: shape or texture classes are wanted and pyradiomics is not installed.
    """
    settings = settings or RadiomicsSettings()
    roi = read_roi(image, mask, label)
    result = Features()
    if "mazda" in settings.families:
        index = _largest_slice(roi.mask)
        result.join(mazda_features(roi.voxels[index], roi.mask[index], settings.mazda))
    if "ibsi" in settings.families:
        result.join(ibsi_features(roi, settings.ibsi))
    return result


def feature_names(settings: RadiomicsSettings | None = None) -> tuple[str, ...]:
    """The names that ``settings`` lead to, for any image and mask, in the order of :func:`extract`."""
    settings = settings or RadiomicsSettings()
    mazda = MAZDA_NAMES if "mazda" in settings.families else ()
    return (*mazda, *(ibsi_names(settings.ibsi) if "ibsi" in settings.families else ()))


def _largest_slice(mask: np.ndarray) -> int:
    """The slice (z) with most of the region; of several the middle one, as largest_section has it."""
    counts = mask.sum(axis=(1, 2))
    largest = np.flatnonzero(counts == counts.max())
    return int(largest[len(largest) // 2])
