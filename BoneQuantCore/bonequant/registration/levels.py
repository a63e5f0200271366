"""Two images as a pair: which one gives the voxels, and the metric of each level of detail.

A SPECT or PET gives its voxels and the CT or MR is interpolated: noise is never interpolated, and the blurred CT is
smooth. Between two images of one kind the fixed one gives its voxels. Blur on both sides matches: an image beside a
SPECT gets the SPECT's own resolution and the level's smoothing, added in squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bonequant.registration.metric import MutualInformation
from bonequant.registration.prepare import Prepared, kind_of, prepare
from bonequant.registration.settings import RegistrationSettings
from bonequant.volume import Volume

_COARSE_SAMPLES = 15_000
_COARSE_FWHM_MM = 20.0
_FINE_FWHM_MM = 5.0  # between two images of anatomy
_SPACING_MM = 4.0
_ANATOMY_SPACING_MM = 3.0  # of both, where neither is functional


@dataclass(frozen=True)
class Pair:
    """The image that gives voxels and points (``sampled``) and the one that is interpolated there (``other``)."""

    sampled: Prepared
    other: Prepared
    sampled_is_fixed: bool
    settings: RegistrationSettings

    @property
    def functional(self) -> bool:
        """Is a SPECT or PET among the two?"""
        return "functional" in (self.sampled.kind, self.other.kind)

    def coarse(self) -> MutualInformation:
        """Heavily smoothed, few voxels: a wide basin, where starts are compared."""
        return self.metric(_COARSE_FWHM_MM, _COARSE_SAMPLES)

    def fine(self) -> MutualInformation:
        """The level whose maximum is the answer."""
        smoothing_mm = self.settings.smoothing_fwhm_mm if self.functional else _FINE_FWHM_MM
        return self.metric(smoothing_mm, self.settings.samples)

    def metric(self, smoothing_mm: float, count: int) -> MutualInformation:
        """A level of any smoothing (FWHM) and number of voxels."""
        values = self.sampled.blurred(self._blur_of(self.sampled, self.other, smoothing_mm))
        image = self.other.blurred(self._blur_of(self.other, self.sampled, smoothing_mm))
        return MutualInformation(self.sampled.samples(values, count), image, self.other.geometry, self.settings.bins)

    def _blur_of(self, image: Prepared, partner: Prepared, smoothing_mm: float) -> float:
        if image.kind != "functional" and partner.kind == "functional":
            return float(np.hypot(self.settings.functional_fwhm_mm, smoothing_mm))
        return smoothing_mm


def make_pair(moving: Volume, fixed: Volume, settings: RegistrationSettings, *, sample_fixed: bool = False) -> Pair:
    """Prepare both volumes. ``sample_fixed`` overrides the choice of the image that gives the voxels."""
    kinds = kind_of(moving), kind_of(fixed)
    anatomy = "functional" not in kinds
    sampled_is_fixed = sample_fixed or not (kinds[0] == "functional" and kinds[1] != "functional")
    prepared = [
        prepare(volume, settings, spacing_mm=_ANATOMY_SPACING_MM if anatomy else _SPACING_MM)
        for volume in (moving, fixed)
    ]
    sampled, other = prepared[::-1] if sampled_is_fixed else prepared
    return Pair(sampled, other, sampled_is_fixed, settings)
