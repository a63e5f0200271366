"""Settings of the liver job: the same object in the panel, on the command line, in manifests and in the report."""

from __future__ import annotations

from dataclasses import dataclass

from bonequant.errors import SettingsError
from bonequant.kinetics import AifSettings, KineticsSettings, MotionSettings, PreprocessSettings
from bonequant.registration import RegistrationSettings
from bonequant.settings import Settings, setting


@dataclass(frozen=True)
class LiverSettings(Settings):
    """Settings of :func:`bonequant.studies.liver_perfusion.run`."""

    correct_motion: bool = setting(True, help="Bring the frames onto each other before anything is measured.")
    mask_frame: int | None = setting(
        None,
        low=1,
        help="Frame on which the regions were drawn, the first is 1: it stays, all others are brought to it. None: "
        "the frame nearest to the others stays.",
    )
    motion: MotionSettings = setting(MotionSettings)
    baseline_frames: int | None = setting(
        None, low=1, help="Frames before the contrast; None: found by its arrival in the aorta."
    )
    aif: AifSettings = setting(AifSettings, help="What counts as an artery, where no aorta is drawn.")
    preprocess: PreprocessSettings = setting(
        PreprocessSettings(background=False, spatial_fwhm_mm=5.0),
        help="Of the frames that the maps are made of; inputs and the curves of regions are never smoothed.",
    )
    pvp_divisor: str = setting(
        "portal_vein",
        choices=("portal_vein", "aorta"),
        help="Maximum slope: PVP is divided by the peak of the portal vein, or by that of the aorta (Miles 1993).",
    )
    blomley: bool = setting(
        False, help="Maximum slope: take the arterial share off before the portal slope (Blomley 1995)."
    )
    delay: str = setting(
        "liver",
        choices=("liver", "region", "none"),
        help="Arterial delay of the dual-input model: of the liver's curve for all tissue, of each region, or none.",
    )
    delay_s: tuple[float, float] = setting((-2.0, 8.0), unit="s", low=-30, high=30, help="Where it is looked for.")
    portal_delay_s: float = setting(0.0, unit="s", low=-10, high=30, help="Delay from the portal vein to the tissue.")
    input_shape: str = setting(
        "akima",
        choices=("akima", "linear"),
        help="Inputs between the frames: Akima's smooth curve, or straight lines.",
    )
    kinetics: KineticsSettings = setting(KineticsSettings, help="Bounds of the dual-input model.")
    registration: RegistrationSettings = setting(
        RegistrationSettings, help="Of the MAA SPECT, or of its own CT, to the perfusion CT."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kinetics.fit_delay:
            raise SettingsError(
                "LiverSettings.kinetics.fit_delay: two free delays are not told apart in liver CT; use delay and "
                "portal_delay_s."
            )
        if self.delay_s[0] >= self.delay_s[1]:
            raise SettingsError(f"LiverSettings.delay_s is {self.delay_s}; give (low, high).")
