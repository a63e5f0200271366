"""The regions of the liver job by their role: two inputs, the spleen, liver tissue without lesions, lesions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.volume import Geometry, image_from_array, resample_to, same_grid

AORTA, PORTAL, SPLEEN, LIVER = "aorta", "portal_vein", "spleen", "liver"
_ROLES = {
    AORTA: ("aorta", "aorta_abdominalis", "abdominal_aorta"),
    PORTAL: ("portal_vein", "portal", "vena_portae", "portal_vein_and_splenic_vein"),
    SPLEEN: ("spleen",),
    LIVER: ("liver", "normal_liver", "liver_parenchyma"),
}
_LESIONS = ("tumour", "tumor", "lesion", "metastas", "hcc")


@dataclass(frozen=True, eq=False)
class Regions:
    """Masks, each on the grid on which it was drawn.

    Attributes:
        inputs: aorta (if drawn), portal_vein, spleen.
        tissue: "liver", without lesions and vessels, and the lesions by their names.
        whole: liver and lesions together, for the maps.
        left_aside: names of masks that have no role here.
    """

    inputs: dict[str, sitk.Image]
    tissue: dict[str, sitk.Image]
    whole: dict[str, sitk.Image]
    left_aside: tuple[str, ...] = ()

    @property
    def lesions(self) -> list[str]:
        return [name for name in self.tissue if name != LIVER]


def find_roles(masks: Mapping[str, sitk.Image]) -> Regions:
    """Sort drawn masks by their names.

    Raises InputError naming the region that is missing, given twice, or wholly taken up by lesions.
    """
    roles: dict[str, sitk.Image] = {}
    lesions: dict[str, sitk.Image] = {}
    others: list[str] = []
    for name, mask in masks.items():
        key = role_of(name)
        if key is None:
            others.append(name)
            continue
        if key in roles or key in lesions:
            raise InputError(f"The region {key} was given twice ({name!r} is the second); rename one of them.")
        (roles if key in _ROLES else lesions)[key] = mask
    missing = [role for role in (PORTAL, SPLEEN, LIVER) if role not in roles]
    if missing:
        known = ", ".join(repr(name) for name in masks) or "none"
        raise InputError(
            f"There is no region {' and none '.join(missing)}: draw it in the space of the perfusion CT under this "
            f"name and give it with --mask. Regions given: {known}."
        )
    liver = roles.pop(LIVER)
    tissue = {LIVER: _without(liver, {**lesions, **roles}), **lesions}
    return Regions(roles, tissue, {LIVER: liver, **lesions}, tuple(others))


def plain_name(name: str) -> str:
    """Lower case, one underscore between words: "Portal vein" is "portal_vein"."""
    return re.sub(r"[^0-9a-z]+", "_", name.casefold()).strip("_")


def is_lesion(name: str) -> bool:
    """ "Tumour 1", "lesion_2 left", "HCC" ..."""
    return plain_name(name).startswith(_LESIONS)


def role_of(name: str) -> str | None:
    """The region's name here: a role, or a lesion's own name; None for what has no part in this job."""
    plain = plain_name(name)
    role = next((role for role, names in _ROLES.items() if plain in names), None)
    return role or (plain if is_lesion(name) else None)


def first_reader_s(first: Mapping[str, sitk.Image], second: Mapping[str, sitk.Image]) -> dict[str, sitk.Image]:
    """Of the first reader's masks those (no lesions) that the second reader did not draw."""
    drawn = {role_of(name) for name in second}
    return {name: mask for name, mask in first.items() if role_of(name) in _ROLES and role_of(name) not in drawn}


def on_grid(masks: Mapping[str, sitk.Image], geometry: Geometry) -> sitk.Image:
    """Voxels of a grid whose centres lie in any of the masks: where maps are made, not what is measured."""
    grid = geometry.apply_to(sitk.Image(geometry.size, sitk.sitkUInt8))
    inside = np.zeros(geometry.shape, dtype=bool)
    for mask in masks.values():
        inside |= _on(mask, grid) > 0.5
    return image_from_array(inside, geometry)


def _without(mask: sitk.Image, others: Mapping[str, sitk.Image]) -> sitk.Image:
    array = sitk.GetArrayFromImage(mask)
    for other in others.values():
        array[_on(other, mask) > 0.5] = 0
    if not array.any():
        raise InputError("Nothing of the liver is left beside its lesions and vessels; is the region right?")
    return image_from_array(array, Geometry.of(mask))


def _on(mask: sitk.Image, grid: sitk.Image) -> np.ndarray:
    if same_grid(mask, grid):
        return sitk.GetArrayViewFromImage(mask)
    return sitk.GetArrayFromImage(resample_to(mask, grid, None, "nearest"))
