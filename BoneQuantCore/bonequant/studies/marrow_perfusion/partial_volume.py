"""Partial volume correction of the regions' means: a partition of the bones and organs, then GTM on the CT's grid.

GTM needs regions that do not overlap. Of the job's regions, nested as they are, the finest are taken first; each larger
one is what is left of it, and all else around them is one background.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import SimpleITK as sitk

from bonequant.errors import MissingFactError
from bonequant.progress import Progress
from bonequant.spect import gtm
from bonequant.studies.marrow_perfusion.settings import MarrowSettings
from bonequant.volume import Geometry, Volume, image_from_array, same_grid, voxel_volume_ml

_LEAST_ML = 1.0  # a rest smaller than this joins the background
_ORGANS = ("liver", "spleen", "kidneys", "kidney_left", "kidney_right", "lung")
_BONES = ("pelvis", "ribs", "spine", "other_bone", "bone")


def corrected_means(
    functional: Volume,
    transform: sitk.Transform | None,
    masks: Mapping[str, sitk.Image],
    vertebrae: Sequence[str],
    lesions: Sequence[str],
    drawn: Collection[str],
    settings: MarrowSettings,
    progress: Progress,
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Means by region after GTM, in the functional image's unit, and warnings. Only regions that are whole appear.

    Raises MissingFactError where the resolution was not given.
    """
    if settings.psf_fwhm_mm is None:
        raise MissingFactError(
            "Partial volume correction needs the resolution of the reconstructed image: --set psf_fwhm_mm=10, "
            "measured on a phantom with the same reconstruction."
        )
    organs = [name for name in _ORGANS if name in drawn]  # the liver that is found is a sphere inside it
    parts, whole = _partition(masks, [*lesions, *vertebrae, *organs, *_BONES])
    if not parts:
        return {}, ()
    result = gtm(functional, parts, settings.psf_fwhm_mm, transform=transform, voxel_in_fwhm=True, progress=progress)
    return {name: result.corrected[name] for name in parts if name in whole}, result.warnings


def _partition(masks: Mapping[str, sitk.Image], order: Sequence[str]) -> tuple[dict[str, sitk.Image], set[str]]:
    """Masks in this order without what earlier ones took, and the names of those of which nothing was taken."""
    present = [name for name in order if name in masks]
    if not present:
        return {}, set()
    first = masks[present[0]]
    taken = np.zeros(sitk.GetArrayViewFromImage(first).shape, dtype=bool)
    parts: dict[str, sitk.Image] = {}
    whole: set[str] = set()
    for name in present:
        if not same_grid(masks[name], first):
            continue
        mask = sitk.GetArrayViewFromImage(masks[name]) > 0.5
        rest = mask & ~taken
        if rest.sum() * voxel_volume_ml(first) < _LEAST_ML:
            continue
        if rest.sum() >= 0.98 * mask.sum():
            whole.add(name)
        taken |= rest
        parts[name] = image_from_array(rest.astype(np.uint8), Geometry.of(first))
    return parts, whole
