"""SPINO: local control and progression of a spine metastasis after stereotactic radiotherapy, on serial MRI.

Source: Thibault et al., Lancet Oncol 2015;16:e595. Progression: unequivocal growth, new or progressive epidural tumour,
or neurological decline with equivocal growth (the last recalled: verify against the primary paper). Control: none of
these on 2 to 3 serial MRIs 6 to 8 weeks apart. Pseudoprogression is never called, only suspected. The smallest volume
change that can be told from measurement error is 10.9 %.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bonequant.errors import InputError
from bonequant.response.call import NE, PROGRESSION, PSEUDOPROGRESSION, RESPONSE, UNDETERMINED, Call, Criterion
from bonequant.response.compare import check_order, holds, number, percent, percent_change
from bonequant.settings import Settings, setting

CRITERION = Criterion(
    name="spino",
    title="SPINO (spine, stereotactic radiotherapy)",
    source="Thibault et al., Lancet Oncol 2015;16:e595",
    categories={
        "local progression": PROGRESSION,
        "no progression yet": UNDETERMINED,
        "local control": RESPONSE,
    },
)

GROWTH = ("none", "equivocal", "unequivocal")
EPIDURAL = ("none", "stable", "new", "progressive")


@dataclass(frozen=True)
class SpinoSettings(Settings):
    """Windows and counts of SPINO."""

    control_mris: int = setting(2, low=2, high=3, help="Serial MRIs without progression that make local control.")
    control_weeks: float = setting(6.0, unit="wk", low=0, help="Smallest interval between those MRIs.")
    longest_interval_days: int = setting(93, unit="d", low=1, help="MRI is due every 2 to 3 months.")
    detectable_percent: float = setting(10.9, unit="%", low=0, help="Smallest detectable change of volume.")
    pseudoprogression_days: int = setting(
        180, unit="d", low=0, help="Growth this soon after radiotherapy may be pseudoprogression (project default)."
    )


@dataclass(frozen=True)
class SpinoMri:
    """One follow-up MRI of a treated lesion; None is "not assessed".

    Attributes:
        growth: "none", "equivocal" or "unequivocal"; None with volumes given is derived from them: a rise that can be
            detected is equivocal.
        epidural: "none", "stable", "new" or "progressive".
        neurological_decline: since the MRI before.
        volume_ml: of the lesion.
    """

    scan_date: date
    growth: str | None = None
    epidural: str | None = None
    neurological_decline: bool | None = None
    volume_ml: float | None = None

    def __post_init__(self) -> None:
        for name, known in (("growth", GROWTH), ("epidural", EPIDURAL)):
            if getattr(self, name) is not None and getattr(self, name) not in known:
                raise InputError(f"{name} is {getattr(self, name)!r}; choose one of {', '.join(known)}.")


def spino(
    mris: Sequence[SpinoMri],
    radiotherapy_end: date | None = None,
    baseline_volume_ml: float | None = None,
    settings: SpinoSettings | None = None,
) -> Call:
    """State after the last of ``mris`` (in order, all after radiotherapy).

    Returns:
        "local progression" with its date, "local control", "no progression yet" (too few MRIs so far) or "NE". Growth
        soon after radiotherapy without epidural or neurological signs, and growth that later MRIs do not bear out,
        bring the flag "pseudoprogression suspected"; the category stays what it is.

    Raises:
        InputError: no MRI, MRIs out of order, or one from before the end of radiotherapy.
    """
    settings = SpinoSettings.of(settings)
    if not mris:
        raise InputError("SPINO needs at least one MRI after radiotherapy.")
    for early, late in itertools.pairwise(mris):
        check_order(early.scan_date, late.scan_date, "earlier in the list", "later in the list")
    if radiotherapy_end is not None and mris[0].scan_date < radiotherapy_end:
        raise InputError(f"The MRI of {mris[0].scan_date} is older than the end of radiotherapy, {radiotherapy_end}.")
    changes = [percent_change(baseline_volume_ml, mri.volume_ml) for mri in mris]
    growths = [_growth(mri, change, settings) for mri, change in zip(mris, changes, strict=True)]
    reasons = [_progression(mri, growth) for mri, growth in zip(mris, growths, strict=True)]
    first = next((place for place, reason in enumerate(reasons) if reason), None)
    values = {
        "baseline_volume_ml": number(baseline_volume_ml),
        "volume_change_percent": {mri.scan_date: change for mri, change in zip(mris, changes, strict=True)},
        "growth": {mri.scan_date: growth for mri, growth in zip(mris, growths, strict=True)},
        "progression_date": None if first is None else mris[first].scan_date,
    }
    flags = (PSEUDOPROGRESSION,) if _may_be_pseudoprogression(mris, growths, radiotherapy_end, settings) else ()
    warnings = _warnings(mris, changes, radiotherapy_end, settings)

    def made(category: str, rule: str) -> Call:
        return CRITERION.call(category, f"{rule}: {category}", settings, flags=flags, values=values, warnings=warnings)

    if first is not None:
        return made("local progression", f"{mris[first].scan_date}: {reasons[first]}")
    if growths[-1] is None or mris[-1].epidural is None:
        return made(NE, f"{mris[-1].scan_date}: growth or epidural tumour was not assessed")
    if growths[-1] == "equivocal" and mris[-1].neurological_decline is None:
        return made(NE, f"{mris[-1].scan_date}: equivocal growth, and neurological decline was not assessed")
    calm = _serial_without_progression(mris, growths, settings)
    if calm >= settings.control_mris:
        return made("local control", f"{calm} MRIs at least {settings.control_weeks:g} weeks apart without progression")
    return made("no progression yet", f"{calm} of {settings.control_mris} MRIs without progression so far")


def _growth(mri: SpinoMri, change: float, settings: SpinoSettings) -> str | None:
    if mri.growth is not None or math.isnan(change):
        return mri.growth
    return "equivocal" if holds(change, ">", settings.detectable_percent) else "none"


def _progression(mri: SpinoMri, growth: str | None) -> str:
    """Why this MRI is progression; empty where it is not."""
    if growth == "unequivocal":
        return "unequivocal growth"
    if mri.epidural in ("new", "progressive"):
        return f"{mri.epidural} epidural tumour"
    if growth == "equivocal" and mri.neurological_decline:
        return "neurological decline with equivocal growth"
    return ""


def _serial_without_progression(
    mris: Sequence[SpinoMri], growths: Sequence[str | None], settings: SpinoSettings
) -> int:
    """MRIs without growth or progression up to the last one, counting only those far enough apart."""
    count, latest = 0, None
    for mri, growth in zip(reversed(mris), reversed(growths), strict=True):
        if growth != "none" or mri.epidural is None:
            break
        if latest is None or (latest - mri.scan_date).days >= 7.0 * settings.control_weeks:
            count, latest = count + 1, mri.scan_date
    return count


def _may_be_pseudoprogression(
    mris: Sequence[SpinoMri], growths: Sequence[str | None], end: date | None, settings: SpinoSettings
) -> bool:
    for place, (mri, growth) in enumerate(zip(mris, growths, strict=True)):
        if growth not in ("equivocal", "unequivocal"):
            continue
        other_signs = mri.epidural in ("new", "progressive") or bool(mri.neurological_decline)
        soon = end is not None and 0 <= (mri.scan_date - end).days <= settings.pseudoprogression_days
        if (soon and not other_signs) or "none" in growths[place + 1 :]:
            return True
    return False


def _warnings(
    mris: Sequence[SpinoMri], changes: Sequence[float], end: date | None, settings: SpinoSettings
) -> tuple[str, ...]:
    found = []
    dates = [mri.scan_date for mri in mris]
    for early, late in itertools.pairwise([end, *dates] if end is not None else dates):
        if (late - early).days > settings.longest_interval_days:
            found.append(f"No MRI for {(late - early).days} days before {late}; every 2 to 3 months is due.")
    for mri, change in zip(mris, changes, strict=True):
        small = holds(abs(number(change)), "<=", settings.detectable_percent)
        if mri.growth == "unequivocal" and small:
            found.append(
                f"{mri.scan_date}: growth was read as unequivocal, but the volume changed by {percent(change)}, "
                f"within the {settings.detectable_percent:g} % that cannot be told from measurement error."
            )
    return tuple(found)
