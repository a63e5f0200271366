"""Lytic, blastic or mixed: a bone lesion's type on CT, against the patient's own normal trabecular bone.

There is no consensus threshold. This project's default: a voxel is lytic below mean - 2 sd of normal trabecular bone
and blastic above mean + 2 sd; two thirds of one type among these is pure, else mixed; a lesion in which they are less
than a fifth is unremarkable. Denosumab raises normal bone by 18 to 23 % (the project's paper 5, 2024): a drift is
warned of.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bonequant.errors import InputError
from bonequant.response.call import DESCRIPTION, NE, Call, Criterion
from bonequant.response.compare import NAN, holds, percent, percent_change
from bonequant.settings import Settings, setting

CRITERION = Criterion(
    name="ct_typing",
    title="CT type (own normal bone, 2 sd)",
    source="this project's default; no consensus threshold exists",
    categories=dict.fromkeys(("lytic", "mixed", "blastic", "unremarkable"), DESCRIPTION),
)


@dataclass(frozen=True)
class CtTypingSettings(Settings):
    """Thresholds of CT typing."""

    sd: float = setting(2.0, low=0, help="Standard deviations of normal bone beyond which a voxel is lytic or blastic.")
    pure: float = setting(2 / 3, low=0.5, high=1, help="Share of one type among lytic and blastic voxels that is pure.")
    remarkable: float = setting(
        0.2, low=0, high=1, help="Share of lytic and blastic voxels below which there is no type."
    )
    least_voxels: int = setting(20, low=1, help="A smaller lesion is not typed.")
    drift_percent: float = setting(10.0, unit="%", low=0, help="Warn where normal bone changed by more between dates.")


@dataclass(frozen=True)
class NormalBone:
    """Mean and standard deviation, HU, of the patient's normal trabecular bone, lesions and cortex left out."""

    mean_hu: float
    sd_hu: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.mean_hu) and self.sd_hu >= 0):
            raise InputError(
                f"Normal trabecular bone of {self.mean_hu:g} HU, sd {self.sd_hu:g}, is no measurement: draw its region."
            )


def ct_typing(
    hu: npt.ArrayLike,
    normal: NormalBone,
    *,
    normal_before: NormalBone | None = None,
    settings: CtTypingSettings | None = None,
) -> Call:
    """The type "lytic", "blastic", "mixed" or "unremarkable"; "NE" for a lesion of too few voxels.

    Args:
        hu: the lesion's voxels inside the cortex, any shape; NaN is left out.
        normal_before: normal bone at the earlier date, to notice a drift.
    """
    settings = CtTypingSettings.of(settings)
    lytic, blastic = voxel_fractions(hu, normal, settings)
    drift = NAN if normal_before is None else percent_change(normal_before.mean_hu, normal.mean_hu)
    values = {
        "normal_mean_hu": normal.mean_hu,
        "normal_sd_hu": normal.sd_hu,
        "lytic_fraction": lytic,
        "blastic_fraction": blastic,
        "normal_drift_percent": drift,
    }
    warnings: tuple[str, ...] = ()
    if holds(abs(drift), ">", settings.drift_percent):
        warnings = (
            f"Normal trabecular bone changed by {percent(drift)} between the dates; denosumab raises it by 18 to 23 %.",
        )
    category, rule = _type(lytic, blastic, settings)
    return CRITERION.call(category, f"{rule}: {category}", settings, values=values, warnings=warnings)


def voxel_fractions(hu: npt.ArrayLike, normal: NormalBone, settings: CtTypingSettings) -> tuple[float, float]:
    """Fractions of lytic and of blastic voxels, 0..1; NaN for fewer voxels than ``least_voxels``."""
    values = np.asarray(hu, dtype=np.float64).ravel()
    values = values[np.isfinite(values)]
    if len(values) < settings.least_voxels:
        return NAN, NAN
    reach = settings.sd * normal.sd_hu
    return float((values < normal.mean_hu - reach).mean()), float((values > normal.mean_hu + reach).mean())


def _type(lytic: float, blastic: float, settings: CtTypingSettings) -> tuple[str, str]:
    if np.isnan(lytic):
        return NE, f"fewer than {settings.least_voxels} voxels"
    seen = f"{100 * lytic:.6g} % of voxels lytic, {100 * blastic:.6g} % blastic"
    typed = lytic + blastic
    if typed == 0 or holds(typed, "<", settings.remarkable):
        return "unremarkable", f"{seen}, together below {100 * settings.remarkable:g} %"
    if holds(lytic / typed, ">=", settings.pure):
        return "lytic", f"{seen}: {100 * lytic / typed:.6g} % of these lytic"
    if holds(blastic / typed, ">=", settings.pure):
        return "blastic", f"{seen}: {100 * blastic / typed:.6g} % of these blastic"
    return "mixed", f"{seen}: neither makes {100 * settings.pure:.3g} % of these"
