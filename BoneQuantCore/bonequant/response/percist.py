"""PERCIST 1.0: change of SULpeak of the hottest lesion of each FDG PET scan, which need not be the same lesion.

Source: Wahl et al., J Nucl Med 2009;50(Suppl 1):122S, table 7. SULpeak is the highest mean of a 1 mL sphere, normalised
by lean body mass (``roi.measure(...).peak`` of an SUVlbm volume).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from bonequant.response.call import GAP, NE, PROGRESSION, RESPONSE, STABLE, Call, Criterion
from bonequant.response.compare import (
    ABOVE,
    BELOW,
    NAN,
    check_order,
    holds,
    not_below_zero,
    number,
    percent,
    percent_change,
)
from bonequant.settings import Settings, setting

CRITERION = Criterion(
    name="percist",
    title="PERCIST 1.0",
    source="Wahl et al., J Nucl Med 2009;50(Suppl 1):122S",
    categories={"PMD": PROGRESSION, "SMD": STABLE, "PMR": RESPONSE, "CMR": RESPONSE},
    level="patient",
)


@dataclass(frozen=True)
class PercistSettings(Settings):
    """Thresholds of PERCIST 1.0; publications differ in > and >=."""

    pmr_percent: float = setting(-30.0, unit="%", low=-100, high=0, help="Fall of SULpeak of a partial response.")
    pmr_sul: float = setting(-0.8, unit="g/mL", high=0, help="Fall in SUL units, besides the percentage.")
    pmr_operator: str = setting("<=", choices=BELOW, help="Is a fall of exactly 30 % and 0.8 a response (<=)?")
    pmd_percent: float = setting(30.0, unit="%", low=0, help="Rise of SULpeak of progression.")
    pmd_sul: float = setting(0.8, unit="g/mL", low=0, help="Rise in SUL units, besides the percentage.")
    tlg_percent: float = setting(75.0, unit="%", low=0, help="Rise of total lesion glycolysis of progression.")
    pmd_operator: str = setting(">", choices=ABOVE, help="Is a rise of exactly 30 % progression (>=)?")
    growth_percent: float = setting(30.0, unit="%", low=0, help="A lesion that grew by more is no response.")
    liver_factor: float = setting(1.5, low=0, help="Baseline eligibility: factor of the liver mean, + 2 SD.")
    aorta_factor: float = setting(2.0, low=0, help="Baseline eligibility with a diseased liver: of the aorta, + 2 SD.")
    eligibility_operator: str = setting(">=", choices=ABOVE, help="Baseline SULpeak against its threshold.")
    reference_percent: float = setting(20.0, unit="%", low=0, help="Largest change of the reference's mean.")
    reference_sul: float = setting(0.3, unit="g/mL", low=0, help="Largest change of the reference's mean, in SUL.")
    uptake_min: float = setting(15.0, unit="min", low=0, help="Largest difference of uptake times.")
    most_lesions: int = setting(5, low=1, help="Lesions in the secondary sum.")
    most_per_organ: int = setting(2, low=1, help="Lesions of one organ in the secondary sum.")


@dataclass(frozen=True)
class PetLesion:
    """One lesion on one scan: SULpeak (g/mL), TLG (SUL mL), longest diameter (mm); None is "not known"."""

    name: str
    sul_peak: float | None
    organ: str = "bone"
    tlg: float | None = None
    longest_mm: float | None = None

    def __post_init__(self) -> None:
        not_below_zero(f"{self.name}: ", sul_peak=self.sul_peak, tlg=self.tlg, longest_mm=self.longest_mm)


@dataclass(frozen=True)
class PercistScan:
    """One scan. No lesions means that none is seen.

    Attributes:
        liver_mean, liver_sd: SUL in a 3 cm sphere in the right lobe.
        aorta_mean, aorta_sd: SUL in a 1 x 2 cm cylinder in the descending aorta, used where the liver is diseased.
        uptake_min: from injection to scan.
    """

    lesions: tuple[PetLesion, ...] = ()
    liver_mean: float | None = None
    liver_sd: float | None = None
    aorta_mean: float | None = None
    aorta_sd: float | None = None
    liver_diseased: bool = False
    uptake_min: float | None = None
    scan_date: date | None = None


def percist(
    before: PercistScan,
    after: PercistScan,
    *,
    new_lesion: bool | None,
    at_background: bool | None = None,
    settings: PercistSettings | None = None,
) -> Call:
    """Metabolic response of the patient.

    Args:
        new_lesion: a new FDG-avid lesion typical of cancer; None is "not looked for".
        at_background: is every lesion indistinguishable from its surroundings? Needed for CMR.

    Returns:
        "CMR", "PMR", "SMD", "PMD", or "NE": baseline not hot enough, scans not comparable, or an input missing that
        decides. A new lesion is PMD whatever the rest. The secondary measure, the sum of up to five lesions, is in
        ``values`` and decides nothing. The flag "gap" marks what the criterion does not settle.
    """
    settings = PercistSettings.of(settings)
    check_order(before.scan_date, after.scan_date)
    values = _values(before, after, settings)
    flags: list[str] = []
    warnings: list[str] = []
    if math.isnan(values["largest_growth_percent"]):
        warnings.append("No lesion has a diameter on both scans: growth was not checked.")
    if before.lesions and after.lesions and math.isnan(values["tlg_change_percent"]):
        warnings.append("TLG is not known of every lesion on both scans: its rise was not checked.")

    def made(category: str, rule: str) -> Call:
        return CRITERION.call(
            category, f"{rule}: {category}", settings, flags=tuple(flags), values=values, warnings=tuple(warnings)
        )

    if new_lesion:
        return made("PMD", "new FDG-avid lesion")
    reason = _not_eligible(values, settings) or _not_comparable(values, settings)
    if reason:
        return made(NE, reason)
    change, change_sul = values["sul_peak_change_percent"], values["sul_peak_change"]
    up, down = settings.pmd_operator, settings.pmr_operator
    fell = holds(change, down, settings.pmr_percent) and holds(change_sul, down, settings.pmr_sul)
    what = f"SULpeak of the hottest lesion {percent(change)} and {change_sul:+.6g}"
    if holds(change, up, settings.pmd_percent) and holds(change_sul, up, settings.pmd_sul):
        return made("PMD", f"{what}, {up} {settings.pmd_percent:g} % and {settings.pmd_sul:g}")
    tlg = values["tlg_change_percent"]
    if holds(tlg, up, settings.tlg_percent):
        if change < 0:
            flags.append(GAP)
            warnings.append("TLG rose while SULpeak fell; the primary paper asks for no decline of SUL (verify).")
        return made("PMD", f"TLG {percent(tlg)}, {up} {settings.tlg_percent:g} %")
    if new_lesion is None:
        return made(NE, "new lesions were not looked for")
    reference = values["reference_mean_after"]
    organ = "aorta" if before.liver_diseased or after.liver_diseased else "liver"
    cool = not after.lesions or values["sul_peak_after"] < reference
    if cool and at_background:
        return made("CMR", f"every lesion below the mean of the {organ} and at background")
    if not after.lesions or math.isnan(change):
        return made(NE, "SULpeak after therapy is missing, and uptake is not said to be at background")
    if cool and at_background is None:
        warnings.append(
            f"All lesions are below the mean of the {organ}; whether they are at background (CMR) was not stated."
        )
    if not fell:
        return made("SMD", f"{what}: neither PMR nor PMD")
    growth = values["largest_growth_percent"]
    if holds(growth, ">", settings.growth_percent):
        flags.append(GAP)
        return made("SMD", f"{what}, but a lesion grew by {percent(growth)}, > {settings.growth_percent:g} %")
    return made("PMR", f"{what}, {down} {settings.pmr_percent:g} % and {settings.pmr_sul:g}")


def _values(before: PercistScan, after: PercistScan, settings: PercistSettings) -> dict[str, float]:
    diseased = before.liver_diseased or after.liver_diseased
    factor = settings.aorta_factor if diseased else settings.liver_factor
    mean_before = number(before.aorta_mean if diseased else before.liver_mean)
    sd_before = number(before.aorta_sd if diseased else before.liver_sd)
    mean_after = number(after.aorta_mean if diseased else after.liver_mean)
    hottest = [_hottest(scan) for scan in (before, after)]
    sums = [_sum_of_hottest(scan, settings) for scan in (before, after)]
    tlg = [_total_tlg(scan) for scan in (before, after)]
    early = {lesion.name: lesion.longest_mm for lesion in before.lesions}
    growth = [percent_change(early.get(lesion.name), lesion.longest_mm) for lesion in after.lesions]
    return {
        "sul_peak_before": hottest[0],
        "sul_peak_after": hottest[1],
        "sul_peak_change": hottest[1] - hottest[0],
        "sul_peak_change_percent": percent_change(*hottest),
        "eligibility_threshold": factor * mean_before + 2.0 * sd_before,
        "reference_mean_before": mean_before,
        "reference_mean_after": mean_after,
        "reference_change": mean_after - mean_before,
        "reference_change_percent": percent_change(mean_before, mean_after),
        "uptake_difference_min": number(after.uptake_min) - number(before.uptake_min),
        "tlg_before": tlg[0],
        "tlg_after": tlg[1],
        "tlg_change_percent": percent_change(*tlg),
        "largest_growth_percent": max((value for value in growth if not math.isnan(value)), default=NAN),
        "sum_before": sums[0],
        "sum_after": sums[1],
        "sum_change_percent": percent_change(*sums),
    }


def _hottest(scan: PercistScan) -> float:
    """SULpeak of the hottest lesion; NaN where there is none or one was not measured."""
    peaks = [number(lesion.sul_peak) for lesion in scan.lesions]
    return max(peaks) if peaks and not any(math.isnan(peak) for peak in peaks) else NAN


def _total_tlg(scan: PercistScan) -> float:
    return sum(number(lesion.tlg) for lesion in scan.lesions) if scan.lesions else NAN


def _sum_of_hottest(scan: PercistScan, settings: PercistSettings) -> float:
    """Sum of SULpeak of the hottest lesions, five at most and two an organ."""
    if math.isnan(_hottest(scan)):
        return NAN
    taken: list[PetLesion] = []
    for lesion in sorted(scan.lesions, key=lambda item: -number(item.sul_peak)):
        room = sum(other.organ == lesion.organ for other in taken) < settings.most_per_organ
        if room and len(taken) < settings.most_lesions:
            taken.append(lesion)
    return sum(number(lesion.sul_peak) for lesion in taken)


def _not_eligible(values: dict[str, float], settings: PercistSettings) -> str:
    peak, threshold = values["sul_peak_before"], values["eligibility_threshold"]
    if math.isnan(peak) or math.isnan(threshold):
        return "baseline SULpeak, or mean and SD of its reference, are missing"
    if not holds(peak, settings.eligibility_operator, threshold):
        return f"baseline SULpeak {peak:.6g} is below the threshold {threshold:.6g} of measurable disease"
    return ""


def _not_comparable(values: dict[str, float], settings: PercistSettings) -> str:
    change, change_percent = values["reference_change"], values["reference_change_percent"]
    minutes = values["uptake_difference_min"]
    if any(math.isnan(value) for value in (change, change_percent, minutes)):
        return "the reference's mean after therapy, or an uptake time, is missing: comparability not shown"
    if holds(abs(change_percent), ">", settings.reference_percent) or holds(abs(change), ">", settings.reference_sul):
        return f"scans not comparable: the reference changed by {percent(change_percent)}, {change:+.6g} SUL"
    if holds(abs(minutes), ">", settings.uptake_min):
        return f"scans not comparable: uptake times differ by {abs(minutes):.6g} min"
    return ""
