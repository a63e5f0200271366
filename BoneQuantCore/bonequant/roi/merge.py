"""The user's masks over those that were found: a drawn region always wins, and says so."""

from __future__ import annotations

from collections.abc import Mapping

import SimpleITK as sitk

from bonequant.errors import InputError


def merge_user_regions(
    regions: Mapping[str, sitk.Image], user_masks: Mapping[str, sitk.Image]
) -> tuple[dict[str, sitk.Image], dict[str, str]]:
    """All regions, and the origin of each: "found" or "drawn".

    A user's mask replaces the region of the same name whole, on the grid on which it was drawn; other names are
    added. Raises InputError for a mask that is no 3-D scalar image or is empty.
    """
    for name, mask in user_masks.items():
        if mask.GetDimension() != 3 or mask.GetNumberOfComponentsPerPixel() != 1:
            raise InputError(f"Region {name!r} is no 3-D mask; give one value per voxel.")
        low_high = sitk.MinimumMaximumImageFilter()
        low_high.Execute(mask)
        if low_high.GetMaximum() <= 0:
            raise InputError(f"Region {name!r} is empty: draw it, or leave it out.")
    merged = {**regions, **user_masks}
    return merged, {name: "drawn" if name in user_masks else "found" for name in merged}
