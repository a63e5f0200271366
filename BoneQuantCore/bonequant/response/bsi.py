"""Bone Scan Index: the share of the skeleton, by weight, that tumour involves.

Source: Imbriaco et al., Clin Cancer Res 1998;4:1765; bone weights of Spiers, Radioisotopes in the Human Body (1968), p
120, as that paper uses them. They sum to 100.1 % and are renormalised to 100.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bonequant.errors import InputError
from bonequant.response.compare import NAN

_ONE_SIDE = {
    "clavicle": 0.5,
    "scapula": 1.5,
    "humerus": 3.3,
    "ulna": 1.5,
    "radius": 1.2,
    "hand": 1.5,
    "femur": 8.9,
    "tibia": 5.1,
    "fibula": 1.3,
    "foot": 5.8,
}
_WEIGHTS = {
    "skull": 16.6,
    "mandible": 1.8,
    "sternum": 0.3,
    "ribs": 4.4,
    "spine_and_sacrum": 8.3,
    "pelvis": 7.5,
    **{f"{bone}_{side}": weight for bone, weight in _ONE_SIDE.items() for side in ("left", "right")},
}
BONE_WEIGHT_PERCENT = {bone: 100.0 * weight / sum(_WEIGHTS.values()) for bone, weight in _WEIGHTS.items()}


@dataclass(frozen=True)
class BoneScanIndex:
    """``percent`` of the skeleton involved (0..100), the part of each bone in it, and the bones not imaged.

    ``percent`` is NaN where a bone was not imaged; ``percent_of_imaged`` is then the share of what was.
    """

    percent: float
    percent_of_imaged: float
    contributions: Mapping[str, float]
    not_imaged: tuple[str, ...] = ()


def bsi(involved: Mapping[str, float | None]) -> BoneScanIndex:
    """BSI = sum over bones of involved fraction times weight.

    Args:
        involved: involved fraction, 0..1, by bone, of ``BONE_WEIGHT_PERCENT``. A bone left out is not involved; None is
            "not imaged".

    Raises:
        InputError: an unknown bone, or a fraction outside 0..1.
    """
    unknown = [bone for bone in involved if bone not in BONE_WEIGHT_PERCENT]
    if unknown:
        raise InputError(f"No bone {', '.join(map(repr, unknown))}. Known: {', '.join(BONE_WEIGHT_PERCENT)}.")
    for bone, fraction in involved.items():
        if fraction is not None and not 0 <= fraction <= 1:
            raise InputError(
                f"The involved fraction of {bone} is {fraction:g}; a share from 0 to 1 is due, not percent."
            )
    parts = {bone: fraction * BONE_WEIGHT_PERCENT[bone] for bone, fraction in involved.items() if fraction is not None}
    unseen = tuple(bone for bone, fraction in involved.items() if fraction is None)
    imaged = 100.0 - sum(BONE_WEIGHT_PERCENT[bone] for bone in unseen)
    total = sum(parts.values())
    return BoneScanIndex(
        percent=NAN if unseen else total,
        percent_of_imaged=100.0 * total / imaged if len(unseen) < len(BONE_WEIGHT_PERCENT) else NAN,
        contributions=parts,
        not_imaged=unseen,
    )
