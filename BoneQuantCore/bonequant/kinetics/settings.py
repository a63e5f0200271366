"""Settings of a kinetic fit: bounds of the parameters, delay, and how the work is shared."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from bonequant.errors import SettingsError
from bonequant.settings import Settings, setting

Interval = tuple[float, float]


@dataclass(frozen=True)
class KineticsSettings(Settings):
    """Bounds are (low, high), inclusive; a voxel that ends on one is flagged, not hidden."""

    ktrans: Interval = setting((0.0, 5.0), unit="1/min", low=0, help="Volume transfer constant.")
    ve: Interval = setting((0.0, 1.0), low=0, high=1, help="Extravascular extracellular volume fraction.")
    vp: Interval = setting((0.0, 1.0), low=0, high=1, help="Plasma volume fraction.")
    ps: Interval = setting((0.0, 5.0), unit="1/min", low=0, help="Permeability-surface product (Patlak, 2CUM, 2CXM).")
    fp: Interval = setting((0.0, 500.0), unit="mL/min/100 mL", low=0, help="Plasma flow (2CUM, 2CXM).")
    k1: Interval = setting((0.0, 5.0), unit="1/min", low=0, help="K1 of the one-tissue model, and of each liver input.")
    vb: Interval = setting((0.0, 1.0), low=0, high=1, help="Blood volume fraction of the one-tissue model.")
    rate: Interval = setting(
        (0.001, 100.0), unit="1/min", low=1e-6, high=1e4, help="Every rate constant that is searched: kep, k2, 1/T."
    )
    fit_delay: bool = setting(False, help="Fit the arrival delay of each curve against the input.")
    delay_s: Interval = setting(
        (-10.0, 10.0), unit="s", low=-60, high=60, help="Range of the delay, resolved to 1/16 s."
    )
    first_s: float | None = setting(
        None, unit="s", help="Frames before this are left out of the fit: Patlak's t*. None: every frame counts."
    )
    standard_errors: bool = setting(False, help="Maps of the standard errors as well.")
    threads: int = setting(0, low=0, high=64, help="0: one per processor core. The result does not depend on it.")

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple) and value[0] > value[1]:
                raise SettingsError(f"KineticsSettings.{field.name} is {value}; give (low, high).")
