"""EORTC 1999 criteria for FDG PET: change of SUV (max or mean) and of the extent of uptake of a lesion.

Source: Young et al., Eur J Cancer 1999;35:1773. The text leaves open a rise of exactly 25 % and, after more than one
cycle, a fall of 15 to 25 %: both are SMD with the flag "gap".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from bonequant.errors import InputError
from bonequant.response.call import GAP, NE, PROGRESSION, RESPONSE, STABLE, Call, Criterion
from bonequant.response.compare import check_order, equals, holds, not_below_zero, number, percent, percent_change
from bonequant.settings import Settings, setting

CRITERION = Criterion(
    name="eortc",
    title="EORTC 1999 (FDG PET)",
    source="Young et al., Eur J Cancer 1999;35:1773",
    categories={"PMD": PROGRESSION, "SMD": STABLE, "PMR": RESPONSE, "CMR": RESPONSE},
)


@dataclass(frozen=True)
class EortcSettings(Settings):
    """Thresholds of the EORTC criteria."""

    pmr_first_percent: float = setting(
        -15.0, unit="%", low=-100, high=0, help="PMR after one cycle: this fall or more."
    )
    pmr_percent: float = setting(-25.0, unit="%", low=-100, high=0, help="PMR after more cycles: more than this fall.")
    pmd_percent: float = setting(25.0, unit="%", low=0, help="PMD: more than this rise.")
    extent_percent: float = setting(20.0, unit="%", low=0, help="PMD: the extent of uptake grew by more.")


@dataclass(frozen=True)
class EortcScan:
    """One lesion on one scan: SUV of ``measure`` ("SUVmax", "SUVmean", ...), extent of uptake (mm)."""

    suv: float | None
    extent_mm: float | None = None
    measure: str = "SUVmax"
    scan_date: date | None = None

    def __post_init__(self) -> None:
        not_below_zero("", suv=self.suv, extent_mm=self.extent_mm)


def eortc(
    before: EortcScan,
    after: EortcScan,
    *,
    cycles: int | None,
    new_lesion: bool | None,
    at_background: bool | None = None,
    settings: EortcSettings | None = None,
) -> Call:
    """Metabolic response of one lesion.

    Args:
        cycles: of chemotherapy between the scans; decides what a fall of 15 to 25 % means.
        new_lesion: new FDG uptake in another lesion; None is "not looked for".
        at_background: is uptake indistinguishable from the surrounding normal tissue? That is CMR.

    Returns:
        "CMR", "PMR", "SMD", "PMD" or "NE".

    Raises:
        InputError: dates in the wrong order, two different measures of uptake, or no cycle of therapy.
    """
    settings = EortcSettings.of(settings)
    check_order(before.scan_date, after.scan_date)
    if before.measure != after.measure:
        raise InputError(f"{before.measure} before and {after.measure} after cannot be compared: use one measure.")
    if cycles is not None and cycles < 1:
        raise InputError(f"{cycles} cycles of therapy between the scans: 1 or more are due.")
    change = percent_change(before.suv, after.suv)
    extent = percent_change(before.extent_mm, after.extent_mm)
    values = {
        "suv_before": number(before.suv),
        "suv_after": number(after.suv),
        "suv_change_percent": change,
        "extent_before_mm": number(before.extent_mm),
        "extent_after_mm": number(after.extent_mm),
        "extent_change_percent": extent,
        "cycles": cycles,
    }
    warnings = ("The extent of uptake was not given at both dates, so it was not checked.",) if extent != extent else ()

    def made(category: str, rule: str, *flags: str) -> Call:
        return CRITERION.call(category, f"{rule}: {category}", settings, flags=flags, values=values, warnings=warnings)

    rise, fall, first = settings.pmd_percent, settings.pmr_percent, settings.pmr_first_percent
    what = f"{before.measure} {percent(change)}"
    if new_lesion:
        return made("PMD", "new FDG uptake in another lesion")
    if holds(change, ">", rise):
        return made("PMD", f"{what}, > {rise:g} %")
    if holds(extent, ">", settings.extent_percent):
        return made("PMD", f"extent of uptake {percent(extent)}, > {settings.extent_percent:g} %")
    if new_lesion is None:
        return made(NE, "new lesions were not looked for")
    if at_background:
        return made("CMR", "uptake indistinguishable from surrounding tissue")
    if math.isnan(change):
        return made(NE, "uptake is missing at a date, or not above zero before")
    if equals(change, rise):
        return made("SMD", f"{what}, exactly the limit that neither SMD nor PMD covers", GAP)
    if not holds(change, "<=", first):
        return made("SMD", f"{what}, a rise below {rise:g} % or a fall below {-first:g} %")
    if holds(change, "<", fall):
        return made("PMR", f"{what}, a fall of more than {-fall:g} %")
    if cycles is None:
        return made(NE, f"{what}: PMR after one cycle, in the gap after more, and the number of cycles is not known")
    if cycles <= 1:
        return made("PMR", f"{what} after one cycle, a fall of {-first:g} % or more")
    return made("SMD", f"{what} after {cycles} cycles, a fall of {-first:g} to {-fall:g} % that nothing covers", GAP)
