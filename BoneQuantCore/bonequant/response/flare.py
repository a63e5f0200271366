"""Is it flare? Warnings about early rises of uptake, by imaging method and drug.

Source: the project's paper 5 (imaging of bone metastases, 2024) and PCWG3 (Scher et al., J Clin Oncol 2016;34:1402). A
rise or apparent new lesions on a bone scan up to 12 weeks after the start are flare or unconfirmed progression: scan
again after 6 weeks. FDG flares 7 to 10 days after tamoxifen or fulvestrant, and marrow is diffusely avid after G-CSF.
NaF PET has no agreed window. Whole-body MRI does not flare.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from bonequant.errors import InputError
from bonequant.response.call import DESCRIPTION, FLARE, NE, PDU, Call, Criterion
from bonequant.settings import Settings, setting

CRITERION = Criterion(
    name="flare",
    title="Flare",
    source="Imaging of bone metastases: detection and response, consensus review (2024)",
    categories={"flare-or-PDu": DESCRIPTION, "not flare": DESCRIPTION},
    level="patient",
)

METHODS = ("bone scan", "FDG PET", "NaF PET", "WB-MRI")
FDG_FLARE_DRUGS = ("tamoxifen", "fulvestrant")


@dataclass(frozen=True)
class FlareSettings(Settings):
    """Windows of flare."""

    bone_scan_weeks: float = setting(12.0, unit="wk", low=0, help="Bone scans may show flare up to this time.")
    rescan_weeks: float = setting(6.0, unit="wk", low=0, help="Scan again no earlier than this.")
    fdg_first_day: int = setting(7, unit="d", low=0, help="First day of FDG flare after hormonal drugs.")
    fdg_last_day: int = setting(10, unit="d", low=0, help="Last day of FDG flare after hormonal drugs.")


@dataclass(frozen=True)
class FlareFindings:
    """What a scan shows against the one before; None is "not known".

    Attributes:
        method: "bone scan", "FDG PET", "NaF PET" or "WB-MRI".
        rise: uptake rose (for MRI: the signs of activity).
        new_lesions: lesions appear that were not seen before.
        drugs: given ("tamoxifen", "fulvestrant", "g-csf", ...), in any case.
        diffuse_marrow: diffuse marrow uptake.
        uptake_fell, lytic_growth: uptake fell while lytic lesions grew on CT.
    """

    method: str
    scan_date: date | None
    treatment_start: date | None
    rise: bool = False
    new_lesions: bool = False
    drugs: tuple[str, ...] = ()
    diffuse_marrow: bool = False
    uptake_fell: bool = False
    lytic_growth: bool = False

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"No imaging method {self.method!r} for flare; choose one of {', '.join(METHODS)}.")
        object.__setattr__(self, "drugs", tuple(drug.strip().lower() for drug in self.drugs))


def flare(findings: FlareFindings, settings: FlareSettings | None = None) -> Call:
    """The category "flare-or-PDu" where a rise or new lesions may be flare, "not flare", or "NE".

    NE where a date is missing or no flare window is known for the method.

    ``values["rescan_from"]`` is the first day on which a scan can decide.
    """
    settings = FlareSettings.of(settings)
    worse = findings.rise or findings.new_lesions
    days = None
    if findings.scan_date is not None and findings.treatment_start is not None:
        days = (findings.scan_date - findings.treatment_start).days
        if days < 0:
            raise InputError(f"The scan ({findings.scan_date}) is older than treatment ({findings.treatment_start}).")
    category, rule = _decide(findings, worse, days, settings)
    suspected = category == "flare-or-PDu"
    rescan = None
    if suspected and findings.scan_date is not None:
        rescan = findings.scan_date + timedelta(days=7 * settings.rescan_weeks)
    return CRITERION.call(
        category,
        f"{rule}: {category}",
        settings,
        flags=(FLARE, PDU) if suspected else (),
        values={"days_after_start": days, "rescan_from": rescan},
        warnings=_warnings(findings, rescan),
    )


def _decide(findings: FlareFindings, worse: bool, days: int | None, settings: FlareSettings) -> tuple[str, str]:
    if findings.method == "WB-MRI":
        return "not flare", "whole-body MRI is not affected by flare"
    if not worse:
        return "not flare", "neither a rise of uptake nor new lesions"
    if findings.method == "NaF PET":
        return NE, "no flare window is agreed for NaF PET"
    if findings.method == "FDG PET" and not set(findings.drugs) & set(FDG_FLARE_DRUGS):
        return "not flare", "FDG flare is known for tamoxifen and fulvestrant"
    if days is None:
        return NE, "the date of the scan or the start of treatment is missing"
    if findings.method == "FDG PET":
        first, last = settings.fdg_first_day, settings.fdg_last_day
        rule = f"day {days} after the start; FDG flares on day {first} to {last}"
        return "flare-or-PDu" if first <= days <= last else "not flare", rule
    inside = days <= 7.0 * settings.bone_scan_weeks
    where = "within" if inside else "after"
    rule = f"day {days} after the start, {where} the {settings.bone_scan_weeks:g} weeks of flare on bone scans"
    return "flare-or-PDu" if inside else "not flare", rule


def _warnings(findings: FlareFindings, rescan: date | None) -> tuple[str, ...]:
    found = []
    if rescan is not None:
        found.append(f"Scan again on {rescan} or later before calling progression.")
    if findings.uptake_fell and findings.lytic_growth:
        found.append("Uptake fell while lytic lesions grew: that may be progression.")
    if findings.method == "FDG PET" and findings.diffuse_marrow and "g-csf" in findings.drugs:
        found.append("Diffuse marrow uptake after G-CSF is expected and no sign of tumour.")
    if findings.method == "NaF PET" and (findings.rise or findings.new_lesions):
        found.append("NaF PET flares too, but bone scan windows do not apply to it.")
    return tuple(found)
