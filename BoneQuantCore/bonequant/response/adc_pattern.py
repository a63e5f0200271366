"""Patterns of diffusion-weighted MRI: change of volume, high-b signal and ADC of a bone lesion.

Source: the project's paper 5 (imaging of bone metastases, 2024), table 4, read from the top; section 8 of the response
reference. "Significant" (> 12 %) and "marked" (>= 40 %) are this project's defaults.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from bonequant.errors import InputError
from bonequant.response.call import GAP, NE, PROGRESSION, RESPONSE, STABLE, UNDETERMINED, Call, Criterion
from bonequant.response.compare import ABOVE, NAN, check_order, holds, number, percent, percent_change
from bonequant.settings import Settings, setting

CRITERION = Criterion(
    name="adc_pattern",
    title="DWI/ADC patterns (2024)",
    source="Imaging of bone metastases: detection and response, consensus review (2024), table 4",
    categories={
        "Progression": PROGRESSION,
        "Undetermined": UNDETERMINED,
        "Stability": STABLE,
        "Response": RESPONSE,
    },
)

CHANGES = ("up", "same", "down")
_MOST_FOLD = 100.0  # no tissue's ADC changes by so much; units differ by 1000


@dataclass(frozen=True)
class AdcPatternSettings(Settings):
    """What counts as a change of ADC."""

    significant_percent: float = setting(12.0, unit="%", low=0, help="A larger change of ADC is significant.")
    significant_operator: str = setting(">", choices=ABOVE, help="Change of ADC against 'significant'.")
    marked_percent: float = setting(40.0, unit="%", low=0, help="A rise of ADC from here on is marked.")
    marked_operator: str = setting(">=", choices=ABOVE, help="Rise of ADC against 'marked'.")


@dataclass(frozen=True)
class DwiChange:
    """One lesion between two MRIs; None is "not known".

    Attributes:
        volume, high_b_signal: "up", "same" or "down".
        new_area: is there a new area of high signal?
        adc_before, adc_after: mean ADC in one unit (um2/s).
    """

    volume: str | None
    high_b_signal: str | None
    adc_before: float | None
    adc_after: float | None
    new_area: bool | None = None
    date_before: date | None = None
    date_after: date | None = None

    def __post_init__(self) -> None:
        for name in ("volume", "high_b_signal"):
            if getattr(self, name) is not None and getattr(self, name) not in CHANGES:
                raise InputError(f"{name} is {getattr(self, name)!r}; choose up, same or down.")


def adc_pattern(change: DwiChange, settings: AdcPatternSettings | None = None) -> Call:
    """The pattern of one lesion: "Progression", "Response", "Stability", "Undetermined" or "NE".

    What the table does not list is Undetermined with the flag "gap". A pattern of progression needs no ADC.
    """
    settings = AdcPatternSettings.of(settings)
    check_order(change.date_before, change.date_after)
    before, after = number(change.adc_before), number(change.adc_after)
    two_units = min(before, after) > 0 and max(before, after) > _MOST_FOLD * min(before, after)
    rise = NAN if two_units or after < 0 else percent_change(before, after)
    warnings: tuple[str, ...] = ()
    if two_units:
        warnings = (f"The ADC is {before:g} before and {after:g} after, so it was left out: are both in one unit?",)
    values = {
        "adc_before": number(change.adc_before),
        "adc_after": number(change.adc_after),
        "adc_change_percent": rise,
        "volume": change.volume,
        "high_b_signal": change.high_b_signal,
        "new_area": change.new_area,
    }
    category, rule, flags = _row(change, rise, settings)
    return CRITERION.call(category, f"{rule}: {category}", settings, flags=flags, values=values, warnings=warnings)


def _row(change: DwiChange, rise: float, settings: AdcPatternSettings) -> tuple[str, str, tuple[str, ...]]:
    """The first row of the table that fits."""
    grown = [
        text
        for seen, text in (
            (change.volume == "up", "volume up"),
            (change.new_area, "new area"),
            (change.high_b_signal == "up", "high-b signal up"),
        )
        if seen
    ]
    if grown:
        return "Progression", ", ".join(grown), ()
    if change.volume is None or change.high_b_signal is None or change.new_area is None or math.isnan(rise):
        return NE, "volume, new area, signal or a usable ADC is missing", ()
    significant = holds(abs(rise), settings.significant_operator, settings.significant_percent)
    unchanged = change.volume == "same" and change.high_b_signal == "same"
    adc = f"ADC {percent(rise)}"
    if unchanged and holds(rise, settings.marked_operator, settings.marked_percent):
        return "Response", f"volume and signal unchanged, marked rise of ADC ({adc})", ()
    if change.high_b_signal == "down" and significant and rise > 0:
        return "Response", f"signal down, significant rise of ADC ({adc})", ()
    if unchanged and not significant:
        return "Stability", f"volume and signal unchanged, no significant change of ADC ({adc})", ()
    if change.high_b_signal == "down" and rise < 0:
        return "Undetermined", f"signal down, fall of ADC ({adc}): decide on morphology", ()
    seen = f"volume {change.volume}, signal {change.high_b_signal}, {adc}"
    return "Undetermined", f"{seen}: not in the table", (GAP,)
