"""Registration: SPECT or PET with CT or MR, CT with MR, CT with CT; with measures of trust.

A transform takes points of the fixed image to points of the moving one (LPS, mm): what ``sitk.Resample`` takes.
"""

from bonequant.registration.quality import RegistrationQuality
from bonequant.registration.register import register, register_via
from bonequant.registration.result import RegistrationResult
from bonequant.registration.settings import RegistrationSettings
from bonequant.registration.spine import SpineRegistration, register_spine
from bonequant.registration.spine_pieces import SpinePiece, SpineSettings
from bonequant.registration.transforms import chain, from_matrix, load_transform, save_transform

__all__ = [
    "RegistrationQuality",
    "RegistrationResult",
    "RegistrationSettings",
    "SpinePiece",
    "SpineRegistration",
    "SpineSettings",
    "chain",
    "from_matrix",
    "load_transform",
    "register",
    "register_spine",
    "register_via",
    "save_transform",
]
