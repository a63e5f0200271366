"""Settings of the response job: the same object in the panel, on the command line, in manifests and in the report."""

from __future__ import annotations

from dataclasses import dataclass

from bonequant.registration import RegistrationSettings, SpineSettings
from bonequant.response import AdcPatternSettings, CtTypingSettings, DceVpSettings, MatchSettings
from bonequant.roi.diameters import PLANES
from bonequant.settings import Settings, setting
from bonequant.spect import Calibration
from bonequant.studies.dce_perfusion import DceSettings


@dataclass(frozen=True)
class ResponseSettings(Settings):
    """Settings of :func:`bonequant.studies.treatment_response.run`."""

    dce: DceSettings = setting(DceSettings, help="Maps of every date.")
    dce_vp: DceVpSettings = setting(DceVpSettings, help="Cut-offs of the DCE Vp criterion.")
    vp_of: str = setting(
        "voxels",
        choices=("voxels", "mean_curve"),
        help="Vp and Ktrans of a region: mean of its voxels, or the fit of its mean curve.",
    )
    propose_reference: bool = setting(
        True, help="Propose the adjacent healthy vertebra where none is drawn; else the call is NE."
    )
    size_plane: str = setting("axial", choices=PLANES, help="Sections on which diameters are measured.")
    spine: SpineSettings = setting(SpineSettings, help="Alignment of the dates' MR series.")
    registration: RegistrationSettings = setting(RegistrationSettings, help="Alignment of other images.")
    matching: MatchSettings = setting(MatchSettings, help="Lesions drawn at several dates.")
    adc: AdcPatternSettings = setting(AdcPatternSettings, help="Patterns of diffusion-weighted MRI.")
    ct_typing: CtTypingSettings = setting(CtTypingSettings, help="Lytic, blastic, mixed.")
    quantity: str = setting(
        "auto",
        choices=("auto", "suv", "native"),
        help="SPECT and PET: SUV where all facts are there, SUV or an error, or voxels as stored.",
    )
    normalisation: str = setting("bw", choices=("bw", "lbm", "bsa"), help="SUV by weight, lean mass or surface.")
    calibration: Calibration = setting(Calibration, help="Counts to Bq/mL, where an image holds counts.")
    volume_change_percent: float = setting(
        10.9, unit="%", low=0, high=100, help="Smallest change of a drawn volume that counts (SPINO: detectable)."
    )
    signal_change_percent: float = setting(
        20.0,
        unit="%",
        low=0,
        high=100,
        help="Smallest change of high-b signal over the reference that counts.",
    )
    skeleton_threshold: float | None = setting(
        None,
        help="Skeleton fraction index: uptake above which skeleton is involved, in the unit compared (see quantity).",
    )
