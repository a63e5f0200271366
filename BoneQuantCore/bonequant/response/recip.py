"""RECIP 1.0: change of the whole-patient PSMA tumour volume together with new lesions.

Source: Gafita et al., J Nucl Med 2022;63:1651. PR needs a fall of at least 30 % and no new lesion, PD a rise of at
least 20 % and a new lesion, CR no PSMA uptake; everything else is SD.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bonequant.errors import InputError
from bonequant.response.call import NE, PROGRESSION, RESPONSE, STABLE, Call, Criterion
from bonequant.response.compare import ABOVE, BELOW, holds, number, percent, percent_change
from bonequant.settings import Settings, setting

CRITERION = Criterion(
    name="recip",
    title="RECIP 1.0",
    source="Gafita et al., J Nucl Med 2022;63:1651",
    categories={"PD": PROGRESSION, "SD": STABLE, "PR": RESPONSE, "CR": RESPONSE},
    level="patient",
)


@dataclass(frozen=True)
class RecipSettings(Settings):
    """Thresholds of RECIP 1.0."""

    pr_percent: float = setting(-30.0, unit="%", low=-100, high=0, help="Fall of PSMA-TV of a partial response.")
    pr_operator: str = setting("<=", choices=BELOW, help="'At least 30 %' is <=.")
    pd_percent: float = setting(20.0, unit="%", low=0, help="Rise of PSMA-TV of progression.")
    pd_operator: str = setting(">=", choices=ABOVE, help="'At least 20 %' is >=.")


def recip(
    volume_before_ml: float | None,
    volume_after_ml: float | None,
    *,
    new_lesion: bool | None,
    settings: RecipSettings | None = None,
) -> Call:
    """Response by PSMA-TV in mL: "CR" (no volume left, no new lesion), "PR", "SD", "PD" or "NE".

    NE where a volume is missing, the volume before is not above zero, or an unknown ``new_lesion`` would decide.
    """
    settings = RecipSettings.of(settings)
    before, after = number(volume_before_ml), number(volume_after_ml)
    if before < 0 or after < 0:
        raise InputError(f"A tumour volume cannot be negative: {before:g} mL before, {after:g} mL after.")
    change = percent_change(before, after)
    values = {
        "volume_before_ml": before,
        "volume_after_ml": after,
        "volume_change_percent": change,
        "new_lesion": new_lesion,
    }
    category, rule = _decide(change, after, new_lesion, settings)
    return CRITERION.call(category, f"{rule}: {category}", settings, values=values)


def _decide(change: float, after: float, new_lesion: bool | None, settings: RecipSettings) -> tuple[str, str]:
    if math.isnan(change):
        return NE, "PSMA-TV is missing at a date, or not above zero before"
    what = f"PSMA-TV {percent(change)}"
    fell = holds(change, settings.pr_operator, settings.pr_percent)
    rose = holds(change, settings.pd_operator, settings.pd_percent)
    if new_lesion is None:
        if fell or rose:
            return NE, f"{what}, and new lesions were not looked for"
        return "SD", f"{what}, within the limits whether or not there is a new lesion"
    lesions = "a new lesion" if new_lesion else "no new lesion"
    if after == 0 and not new_lesion:
        return "CR", "no PSMA uptake left"
    if fell and not new_lesion:
        return "PR", f"{what}, {settings.pr_operator} {settings.pr_percent:g} %, and no new lesion"
    if rose and new_lesion:
        return "PD", f"{what}, {settings.pd_operator} {settings.pd_percent:g} %, and a new lesion"
    return "SD", f"{what} with {lesions}: neither PR nor PD"
