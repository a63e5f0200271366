"""The lungs from CT: where lung shunt fractions are measured."""

from __future__ import annotations

import SimpleITK as sitk

from bonequant.roi.axial import AxialFrame, check_ct
from bonequant.roi.body import body_mask, lung_mask
from bonequant.volume import Volume


def lungs(ct: Volume) -> sitk.Image | None:
    """Both lungs as one uint8 mask on the CT's grid; None where there is none in the field of view."""
    check_ct(ct)
    frame = AxialFrame.of(ct.image)
    mask = lung_mask(frame.array, body_mask(frame.array, frame.spacing), frame.spacing)
    return frame.to_native(mask) if mask.any() else None
