"""MET-RADS-P: response of bone on whole-body MRI, 1 (highly likely responding) to 5 (highly likely progressing).

Source: Padhani et al., Eur Urol 2017;71:81, table 3. Category 2 from ADC asks for a rise of more than 12 % (this
project's default). Recalled, verify against the primary paper: parts of categories 4 and 5, the list of regions, and
how lesions make a region's primary and secondary category. The text leaves open an ADC of exactly 1400 and a rise of
exactly 25 %.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bonequant.errors import InputError
from bonequant.response.call import GAP, HETEROGENEOUS, NE, PROGRESSION, RESPONSE, STABLE, Call, Criterion
from bonequant.response.compare import ABOVE, equals, holds, number, percent, percent_change
from bonequant.settings import Settings, setting

CRITERION = Criterion(
    name="met_rads",
    title="MET-RADS-P (bone)",
    source="Padhani et al., Eur Urol 2017;71:81",
    categories={"5": PROGRESSION, "4": PROGRESSION, "3": STABLE, "2": RESPONSE, "1": RESPONSE},
    level="patient",
)

REGIONS = (
    "primary tumour",
    *("skull", "cervical spine", "thoracic spine", "lumbosacral spine", "pelvis", "thorax", "limbs"),
    *("pelvic nodes", "retroperitoneal nodes", "other nodes"),
    *("lung", "liver", "other viscera"),
)
CHANGES = ("up", "same", "down")
NEW_LESION = ("none", "equivocal", "unequivocal")
_LEAST_ADC = 10.0  # um2/s; below lie numbers in mm2/s and 0.001 mm2/s


@dataclass(frozen=True)
class MetRadsSettings(Settings):
    """ADC limits of MET-RADS-P."""

    viable_um2_s: float = setting(1400.0, unit="um2/s", low=0, help="ADC above this is no longer viable tumour.")
    cellular_um2_s: float = setting(1000.0, unit="um2/s", low=0, help="Category 2 starts from this ADC or less.")
    lowest_new_um2_s: float = setting(600.0, unit="um2/s", low=0, help="Lowest ADC of a new high signal in category 5.")
    marked_percent: float = setting(40.0, unit="%", low=0, help="Rise of ADC of category 1.")
    marked_operator: str = setting(">=", choices=ABOVE, help="Rise of ADC against 'marked'.")
    partial_percent: float = setting(25.0, unit="%", low=0, help="Rise of ADC of category 2: more than this.")
    significant_percent: float = setting(12.0, unit="%", low=0, help="A smaller rise of ADC is no change.")


@dataclass(frozen=True)
class MetRadsLesion:
    """One bone lesion between two MRIs; None is "not known".

    Attributes:
        size: "up", "same" or "down".
        high_b_signal: "up", "same" or "down".
        adc_before, adc_after: um2/s.
        regression: morphological regression (normal marrow back, fat, dense sclerosis, diffuse to focal).
        new_lesion: "none", "equivocal" or "unequivocal".
        focal_to_diffuse, more_soft_tissue: as seen.
        new_high_b_signal: a new region of high signal within or at the lesion.
        critical_fracture: confirmed critical fracture or cord compression by tumour.
    """

    size: str | None = None
    high_b_signal: str | None = None
    adc_before: float | None = None
    adc_after: float | None = None
    regression: bool = False
    new_lesion: str = "none"
    focal_to_diffuse: bool = False
    more_soft_tissue: bool = False
    new_high_b_signal: bool = False
    critical_fracture: bool = False

    def __post_init__(self) -> None:
        for name, known in (("size", CHANGES), ("high_b_signal", CHANGES), ("new_lesion", NEW_LESION)):
            value = getattr(self, name)
            if value not in known and not (value is None and name != "new_lesion"):
                raise InputError(f"{name} is {value!r}; choose one of {', '.join(known)}.")
        for name in ("adc_before", "adc_after"):
            if 0 < number(getattr(self, name)) < _LEAST_ADC:
                raise InputError(
                    f"{name} is {getattr(self, name):g}, which is no ADC in um2/s: 0.001 mm2/s is 1000 um2/s."
                )


def met_rads(lesions: Mapping[str, Sequence[MetRadsLesion]], settings: MetRadsSettings | None = None) -> Call:
    """Categories of the patient's bone from the lesions of each region.

    A region's primary category is the one most of its lesions have, the secondary the next; ties go to the higher, and
    a region of one pattern has it twice. The patient's are found likewise over all lesions.

    Args:
        lesions: by region, of ``REGIONS``.

    Returns:
        The patient's primary category, "1" to "5", or "NE"; ``values`` has the secondary, ``parts`` the regions and, in
        them, the lesions. "heterogeneous" where some lesions respond (1, 2) and others progress (4, 5).
    """
    settings = MetRadsSettings.of(settings)
    unknown = [region for region in lesions if region not in REGIONS]
    if unknown:
        raise InputError(f"No MET-RADS-P region {', '.join(map(repr, unknown))}. Known: {', '.join(REGIONS)}.")
    regions = {}
    for region, found in lesions.items():
        calls = {f"{region} {number_ + 1}": met_rads_lesion(lesion, settings) for number_, lesion in enumerate(found)}
        regions[region] = _pattern(calls, settings)
    everything = {name: call for region in regions.values() for name, call in region.parts.items()}
    overall = _pattern(everything, settings)
    return CRITERION.call(
        overall.category,
        overall.rule,
        settings,
        flags=overall.flags,
        values=overall.values,
        warnings=overall.warnings,
        parts=regions,
    )


def met_rads_lesion(lesion: MetRadsLesion, settings: MetRadsSettings | None = None) -> Call:
    """Category of one lesion, progression looked for first."""
    settings = MetRadsSettings.of(settings)
    rise = percent_change(lesion.adc_before, lesion.adc_after)
    values = {
        "adc_before_um2_s": number(lesion.adc_before),
        "adc_after_um2_s": number(lesion.adc_after),
        "adc_change_percent": rise,
        "size": lesion.size,
        "high_b_signal": lesion.high_b_signal,
        "new_lesion": lesion.new_lesion,
    }
    category, rule, flags = (
        _progressing(lesion, settings) or _responding(lesion, rise, settings) or _unchanged(lesion, rise, settings)
    )
    warnings: tuple[str, ...] = ()
    if category == "1" and _crossed(lesion, settings) and not holds(rise, ">", settings.significant_percent):
        warnings = (f"The ADC crossed {settings.viable_um2_s:g} um2/s by a rise of only {percent(rise)}.",)
    return CRITERION.call(category, f"{rule}: {category}", settings, flags=flags, values=values, warnings=warnings)


Verdict = tuple[str, str, tuple[str, ...]]


def _progressing(lesion: MetRadsLesion, settings: MetRadsSettings) -> Verdict | None:
    adc, viable = number(lesion.adc_after), settings.viable_um2_s
    cellular = holds(adc, ">=", settings.lowest_new_um2_s) and holds(adc, "<=", settings.cellular_um2_s)
    for seen, text in (
        (lesion.new_lesion == "unequivocal", "unequivocal new lesion"),
        (lesion.size == "up", "larger"),
        (lesion.focal_to_diffuse, "focal to diffuse"),
        (lesion.more_soft_tissue, "more soft tissue"),
        (lesion.critical_fracture, "confirmed critical fracture or compression"),
        (lesion.new_high_b_signal and cellular, f"new high-b signal with ADC {adc:.6g}"),
    ):
        if seen:
            return "5", text, ()
    if lesion.new_lesion == "equivocal":
        return "4", "equivocal new lesion", ()
    if lesion.size == "same" and lesion.high_b_signal == "up" and adc < viable and not equals(adc, viable):
        return "4", f"same size, rising high-b signal, ADC {adc:.6g} < {viable:g}", ()
    return None


def _responding(lesion: MetRadsLesion, rise: float, settings: MetRadsSettings) -> Verdict | None:
    before, after, viable = number(lesion.adc_before), number(lesion.adc_after), settings.viable_um2_s
    falling = lesion.high_b_signal == "down"
    if lesion.regression or lesion.size == "down":
        return "1", "morphological regression", ()
    if lesion.size is None:
        return None  # growth is not ruled out
    if _crossed(lesion, settings):
        return "1", f"ADC from {before:.6g} to {after:.6g}, <= {viable:g} to > {viable:g}", ()
    if falling and holds(rise, settings.marked_operator, settings.marked_percent):
        return "1", f"ADC {percent(rise)} with falling high-b signal", ()
    significant = holds(rise, ">", settings.significant_percent)
    if holds(before, "<=", settings.cellular_um2_s) and holds(after, "<", viable) and significant:
        return "2", f"ADC from {before:.6g} to {after:.6g} ({percent(rise)}), still < {viable:g}", ()
    if falling and holds(rise, ">", settings.partial_percent):
        return "2", f"ADC {percent(rise)} with falling high-b signal", ()
    return None


def _crossed(lesion: MetRadsLesion, settings: MetRadsSettings) -> bool:
    """Did the ADC rise above that of viable tumour?"""
    viable = settings.viable_um2_s
    return holds(number(lesion.adc_before), "<=", viable) and holds(number(lesion.adc_after), ">", viable)


def _unchanged(lesion: MetRadsLesion, rise: float, settings: MetRadsSettings) -> Verdict:
    if lesion.size is None or lesion.high_b_signal is None or math.isnan(rise):
        return NE, "size, high-b signal or ADC is missing, and nothing else decides", ()
    after = number(lesion.adc_after)
    changed = holds(abs(rise), ">", settings.significant_percent) or lesion.high_b_signal != "same"
    seen = f"high-b signal {lesion.high_b_signal}, ADC {percent(rise)}"
    if equals(after, settings.viable_um2_s):
        return "3", f"{seen}, ADC exactly {settings.viable_um2_s:g}, which no category covers", (GAP,)
    if equals(rise, settings.partial_percent) or changed or lesion.new_high_b_signal:
        return "3", f"{seen}: a change that no category covers", (GAP,)
    return "3", "no change", ()


def _pattern(calls: Mapping[str, Call], settings: MetRadsSettings) -> Call:
    """Primary and secondary category of some lesions."""
    counts = Counter(call.category for call in calls.values() if call.category != NE)
    if not counts:
        return CRITERION.call(NE, "no lesion could be judged: NE", settings, parts=calls)
    ranked = sorted(counts, key=lambda category: (-counts[category], -int(category)))
    primary, secondary = ranked[0], ranked[1] if len(ranked) > 1 else ranked[0]
    flags = tuple(dict.fromkeys(flag for call in calls.values() for flag in call.flags if flag != NE))
    if counts.keys() & {"1", "2"} and counts.keys() & {"4", "5"}:
        flags += (HETEROGENEOUS,)
    unknown = [name for name, call in calls.items() if call.category == NE]
    rule = ", ".join(
        [*(f"{counts[category]} of category {category}" for category in ranked)]
        + [f"{len(unknown)} not evaluable"] * bool(unknown)
    )
    warnings = (f"Not evaluable, so left out: {', '.join(unknown)}.",) if unknown else ()
    values = {"primary": primary, "secondary": secondary, "lesions": {key: counts[key] for key in sorted(counts)}}
    return CRITERION.call(
        primary,
        f"{rule}: primary {primary}, secondary {secondary}",
        settings,
        flags=flags,
        values=values,
        warnings=warnings,
        parts=calls,
    )
