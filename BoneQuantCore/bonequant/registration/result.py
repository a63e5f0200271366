"""What a registration returns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from bonequant.registration.quality import RegistrationQuality
from bonequant.registration.settings import RegistrationSettings
from bonequant.registration.transforms import chain, save_transform


@dataclass(frozen=True)
class RegistrationResult:
    """The alignment of a moving image with a fixed one.

    Attributes:
        transform: takes points of the fixed image to points of the moving one, LPS mm; what
            ``sitk.Resample(moving, fixed, transform)`` and ``roi.measure(moving, fixed_mask, transform)`` take.
        inverse: takes points of the moving image to the fixed one.
        quality: measures and the warning light.
        kept_scanner_alignment: True where nothing better than the scanner's geometry was found; both are identity then.
        settings: as used.
        warnings: to be shown with any result that rests on this alignment.
    """

    transform: sitk.Transform
    inverse: sitk.Transform
    quality: RegistrationQuality
    kept_scanner_alignment: bool
    settings: RegistrationSettings
    warnings: tuple[str, ...] = ()

    def save(self, path: str | Path) -> Path:
        """Write ``transform`` as .tfm, .txt or .h5."""
        return save_transform(self.transform, path)

    def carrying(self, onward: sitk.Transform) -> sitk.Transform:
        """Fixed points through ``transform`` and then ``onward``, e.g. on from a CT to the SPECT that it carries."""
        return chain(self.transform, onward)
