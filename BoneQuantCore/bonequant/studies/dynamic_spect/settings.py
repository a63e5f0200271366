"""Settings of the dynamic SPECT job: the same object in the panel, on the command line and in the report."""

from __future__ import annotations

from dataclasses import dataclass

from bonequant.errors import SettingsError
from bonequant.kinetics import KineticsSettings
from bonequant.settings import Settings, setting


@dataclass(frozen=True)
class DynamicSpectSettings(Settings):
    """Settings of :func:`bonequant.studies.dynamic_spect.run`."""

    decay: str = setting(
        "auto",
        choices=("auto", "correct", "corrected", "frame_start"),
        help="auto: by the file. correct: the frames are not corrected. corrected: all frames are, to one time. "
        "frame_start: each frame is, to its own start.",
    )
    calibration_cps_per_mbq: float | None = setting(
        None, unit="cps/MBq", low=1e-6, high=1e6, help="Of the whole camera: counts become Bq/mL; rates need it not."
    )
    scan_start_s: float | None = setting(
        None, unit="s", low=0, help="Start of the first frame after the injection; None: by the file, else 0."
    )
    input_region: str = setting("blood_pool", help="Region that gives the blood curve, where no curve is given.")
    one_tissue: bool = setting(True, help="One-tissue model: K1, k2, vB.")
    patlak: bool = setting(True, help="Patlak: Ki and V, of irreversible uptake.")
    patlak_from_s: float = setting(0.0, unit="s", low=0, help="Patlak's t*: frames before it do not count.")
    early_s: tuple[float, float] | None = setting(
        None, unit="s", low=0, help="Early window of early/late ratio and washout; None: the first fifth of the scan."
    )
    late_s: tuple[float, float] | None = setting(
        None, unit="s", low=0, help="Late window, by the middles of the frames; None: the last fifth of the scan."
    )
    clearance_s: tuple[float, float] | None = setting(
        None, unit="s", low=0, help="Window of the mono-exponential clearance of the blood; None: not given."
    )
    kinetics: KineticsSettings = setting(KineticsSettings, help="Bounds of the parameters.")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("early_s", "late_s", "clearance_s"):
            window = getattr(self, name)
            if window is not None and window[0] >= window[1]:
                raise SettingsError(f"DynamicSpectSettings.{name} is {window}; give (start, end).")
        if self.kinetics.first_s is not None:
            raise SettingsError("DynamicSpectSettings.kinetics.first_s: Patlak's t* is patlak_from_s here.")
