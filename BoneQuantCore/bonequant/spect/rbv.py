"""Region-based voxel-wise correction: f * s / (s (x) PSF), s piecewise uniform with the regions' corrected means.

Thomas et al., Eur J Nucl Med Mol Imaging 2011;38:1104. The means come from :func:`bonequant.spect.gtm.gtm`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import SimpleITK as sitk

from bonequant.errors import GeometryError, InputError
from bonequant.spect.gtm import BACKGROUND, is_fractional
from bonequant.spect.psf import blur, blur_of_mask
from bonequant.volume import Volume, same_grid

_NOTHING = 1e-6  # of the highest region; where s (x) PSF is below, there is nothing to divide by


def rbv(
    volume: Volume,
    masks: Mapping[str, sitk.Image],
    values: Mapping[str, float],
    fwhm_mm: float | Sequence[float],
    *,
    voxel_in_fwhm: bool = False,
) -> Volume:
    """``volume`` corrected voxel by voxel for partial volume, in its own unit.

    Args:
        masks: regions on the grid of ``volume``, best fractional (``roi.propagate``), not overlapping.
        values: true mean of every region and of "background", as ``gtm(...).corrected``.
        fwhm_mm, voxel_in_fwhm: as for ``gtm``.

    A mean below zero counts as zero, and the result's warnings say so. Where the model holds no activity at all, far
    from every region over a background of zero, the image is left as it is.

    Raises GeometryError for a mask on another grid, InputError for a missing value or overlapping masks.
    """
    absent = [name for name in (*masks, BACKGROUND) if name not in values]
    if absent:
        raise InputError(f"RBV needs the corrected mean of {', '.join(absent)}; take gtm(...).corrected.")
    negative = [name for name in (*masks, BACKGROUND) if values[name] < 0]
    model = np.zeros(volume.geometry.shape, dtype=np.float32)
    covered = np.zeros_like(model)
    fractional = False
    for name, mask in masks.items():
        if not same_grid(mask, volume.image):
            raise GeometryError(f"Mask {name!r} is not on the grid of the image; bring it there with roi.propagate.")
        fractional |= is_fractional(mask)
        weights = sitk.GetArrayViewFromImage(mask).astype(np.float32)
        model += weights * np.float32(max(values[name], 0.0))
        covered += weights
    if covered.max() > 1.01:
        raise InputError("The masks overlap; RBV needs each voxel in one region.")
    model += (1 - covered) * np.float32(max(values[BACKGROUND], 0.0))
    sigma = blur_of_mask(fwhm_mm, volume.geometry, volume.geometry, fractional=fractional, voxel_in_fwhm=voxel_in_fwhm)
    seen = blur(model, sigma.tolist(), beyond="nearest")
    known = seen > _NOTHING * model.max()
    ratio = np.divide(model, seen, out=np.ones_like(model), where=known)
    result = volume.with_array(volume.array * ratio)
    if not negative:
        return result
    return result.replace(warnings=(*volume.warnings, f"RBV took the negative mean of {', '.join(negative)} as zero."))
