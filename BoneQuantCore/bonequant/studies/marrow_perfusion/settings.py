"""Settings of the marrow job: the same object in the panel, on the command line, in manifests and in the report."""

from __future__ import annotations

from dataclasses import dataclass

from bonequant.registration import RegistrationSettings
from bonequant.roi import SkeletonSettings
from bonequant.settings import Settings, setting
from bonequant.spect import Calibration, PartitionSettings

TRACERS = ("unspecified", "mdp", "dpd", "hdp", "colloid", "blood_pool", "sestamibi", "maa", "fdg", "naf", "other")


@dataclass(frozen=True)
class MaaSettings(Settings):
    """99mTc-MAA before radioembolisation."""

    activity_gbq: float | None = setting(None, unit="GBq", low=0, high=50, help="90Y activity that is planned.")
    density_g_per_ml: float = setting(1.06, unit="g/mL", low=0.9, high=1.2, help="Density of liver and tumour.")
    partition: PartitionSettings = setting(PartitionSettings)


@dataclass(frozen=True)
class MarrowSettings(Settings):
    """Settings of :func:`bonequant.studies.marrow_perfusion.run`."""

    quantity: str = setting(
        "suv",
        choices=("suv", "activity", "native"),
        help="What is measured: SUV, Bq/mL, or the values as they are (ratios stay valid).",
    )
    normalisation: str = setting("bw", choices=("bw", "lbm", "bsa"), help="SUV by body weight, lean mass or surface.")
    calibration: Calibration = setting(Calibration, help="Counts to Bq/mL, where the image holds counts.")
    tracer: str = setting("unspecified", choices=TRACERS, help="Selects plausibility bands and the MAA part.")
    protocol: str | None = setting(
        None, help="Standard protocol to compare with: its name or a .json file; by default that of the tracer."
    )
    alignment: str = setting(
        "register",
        choices=("register", "scanner"),
        help="Register the functional image to the CT, or keep the scanner's alignment.",
    )
    registration: RegistrationSettings = setting(RegistrationSettings)
    skeleton: SkeletonSettings = setting(SkeletonSettings)
    level: str | None = setting(None, help="A vertebral level that is known, as L1: all others are named from it.")
    level_z_mm: float | None = setting(None, unit="mm", help="z (LPS) of a place inside that vertebra.")
    red_marrow_sd: float = setting(
        2.5, low=0, high=6, help="Red marrow: uptake above the spine's mean minus this many SD."
    )
    reference: str = setting(
        "blood_pool", help="Region that ratios are stated against first: blood_pool, muscle, liver or a drawn one."
    )
    lesion_sd: float = setting(
        4.0, low=1, high=20, help="Lesion candidates: uptake above the normal bone's mean plus this many SD."
    )
    lesion_min_ml: float = setting(1.0, unit="mL", low=0.1, high=100, help="Smaller candidates are left out.")
    partial_volume: str = setting(
        "none", choices=("none", "gtm"), help="Correct the means of bones, organs and lesions for partial volume."
    )
    psf_fwhm_mm: float | None = setting(
        None, unit="mm", low=1, high=40, help="Resolution of the reconstructed image, for the correction."
    )
    maa: MaaSettings = setting(MaaSettings)
