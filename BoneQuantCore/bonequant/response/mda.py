"""MD Anderson (MDA) bone criteria of 2004: CT or radiograph, MRI and bone scan, each judged, then joined.

Source: Hamaoka et al., J Clin Oncol 2004;22:2942. Of its thresholds, PR at a fall of 50 % and PD at a rise of 25 % of
the sum of products are recalled: verify against the primary paper. How the modalities are joined is this project's
default: PD in any is PD, CR needs CR in all that were assessed, CR or PR in any is PR, else SD.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bonequant.errors import InputError
from bonequant.response.call import FLARE, NE, PROGRESSION, RESPONSE, STABLE, Call, Criterion
from bonequant.response.compare import ABOVE, BELOW, holds, not_below_zero, number, percent, percent_change
from bonequant.settings import Settings, setting

CRITERION = Criterion(
    name="mda",
    title="MDA bone criteria 2004",
    source="Hamaoka et al., J Clin Oncol 2004;22:2942",
    categories={"PD": PROGRESSION, "SD": STABLE, "PR": RESPONSE, "CR": RESPONSE},
    level="patient",
)

BONE_MODIFYING_AGENT = "bone-modifying agent"

# What is seen on CT or radiographs, and the category that each finding argues for.
CT_FINDINGS = {
    "complete sclerotic fill-in of lytic lesions": "CR",
    "normalised bone density": "CR",
    "sclerotic rim": "PR",
    "partial sclerotic fill-in": "PR",
    "sclerosis of previously undetected lesions": "PR",
    "decrease of blastic lesions": "PR",
    "new isolated sclerotic lesion": "SD",  # no progression by itself
    "new lesion": "PD",
    "increase of lytic lesions": "PD",
    "increase of blastic lesions": "PD",
}


@dataclass(frozen=True)
class MdaSettings(Settings):
    """Thresholds of the MDA criteria (recalled; verify against the primary paper)."""

    pr_percent: float = setting(-50.0, unit="%", low=-100, high=0, help="Fall of a partial response.")
    pr_operator: str = setting("<=", choices=BELOW, help="'At least a 50 % decrease' is <=.")
    pd_percent: float = setting(25.0, unit="%", low=0, help="Rise of progression.")
    pd_operator: str = setting(">=", choices=ABOVE, help="Publications differ between > and >= 25 %.")
    judge_under_bone_agents: bool = setting(False, help="Give a category although a bone-modifying agent was given.")


@dataclass(frozen=True)
class MdaFindings:
    """What one follow-up shows against the one before; None is "not assessed".

    Attributes:
        ct: findings on CT or radiographs, of ``CT_FINDINGS``; () is "no change".
        products_before_mm2, products_after_mm2: sums of products of perpendicular diameters of measurable lesions.
        mri_signal_gone: has the tumour's signal gone from MRI?
        scan_uptake_normal: is uptake normal on the bone scan?
        scan_uptake_percent: subjective change of uptake.
        scan_new_lesion: a new lesion on the bone scan.
        flare_excluded: may a rise or a new lesion on the bone scan no longer be flare?
        bone_modifying_agent: is a bisphosphonate or denosumab given? Not known is warned of.
    """

    ct: tuple[str, ...] | None = None
    products_before_mm2: float | None = None
    products_after_mm2: float | None = None
    mri_signal_gone: bool | None = None
    scan_uptake_normal: bool | None = None
    scan_uptake_percent: float | None = None
    scan_new_lesion: bool | None = None
    flare_excluded: bool | None = None
    bone_modifying_agent: bool | None = None

    def __post_init__(self) -> None:
        unknown = [finding for finding in self.ct or () if finding not in CT_FINDINGS]
        if unknown:
            raise InputError(f"No CT finding {', '.join(map(repr, unknown))}. Known: {', '.join(CT_FINDINGS)}.")
        not_below_zero("", products_before_mm2=self.products_before_mm2, products_after_mm2=self.products_after_mm2)


def mda(findings: MdaFindings, settings: MdaSettings | None = None) -> Call:
    """Response of bone disease: "CR", "PR", "SD", "PD", or "NE".

    A rise or new lesion on the bone scan counts only once flare is excluded; else it brings the flag "flare" and the
    bone scan is left out. Under a bone-modifying agent the criteria do not hold: NE, and the rule says what they would
    have said.
    """
    settings = MdaSettings.of(settings)
    size = percent_change(findings.products_before_mm2, findings.products_after_mm2)
    values = {
        "products_before_mm2": number(findings.products_before_mm2),
        "products_after_mm2": number(findings.products_after_mm2),
        "products_change_percent": size,
        "scan_uptake_change_percent": number(findings.scan_uptake_percent),
    }
    parts = {
        name: CRITERION.call(category, rule, settings)
        for name, (category, rule) in (
            ("CT or radiograph", _ct(findings, size, settings)),
            ("MRI", _mri(findings)),
            ("bone scan", _bone_scan(findings, settings)),
        )
        if rule
    }
    flags, warnings = [], []
    if _may_be_flare(findings, settings):
        flags.append(FLARE)
        warnings.append("The bone scan's rise or new lesion may be flare: scan again after 6 weeks or more.")
    category, rule = _join({name: part.category for name, part in parts.items()})
    if category != NE:
        rule = "; ".join([part.rule for part in parts.values() if part.category != NE] + [rule])
    if findings.bone_modifying_agent is None:
        warnings.append("Not stated, so not checked: bone-modifying agent.")
    if findings.bone_modifying_agent:
        flags.append(BONE_MODIFYING_AGENT)
        warnings.append("A bone-modifying agent changes density and uptake of its own.")
        if not settings.judge_under_bone_agents:
            rule = f"not assessable under a bone-modifying agent (without it: {rule}): NE"
            category = NE
    return CRITERION.call(
        category, rule, settings, flags=tuple(flags), values=values, warnings=tuple(warnings), parts=parts
    )


def _ct(findings: MdaFindings, size: float, settings: MdaSettings) -> tuple[str, str]:
    """Category and rule of CT or radiograph; an empty rule where it was not assessed."""
    if findings.ct is None and math.isnan(size):
        return NE, ""
    seen = list(findings.ct or ())
    if holds(size, settings.pd_operator, settings.pd_percent):
        return "PD", f"sum of products {percent(size)}, {settings.pd_operator} {settings.pd_percent:g} %"
    progressive = _first(seen, "PD")
    if progressive:
        return "PD", f"CT: {progressive}"
    complete = _first(seen, "CR")
    if complete and not _first(seen, "PR"):
        return "CR", f"CT: {complete}"
    if holds(size, settings.pr_operator, settings.pr_percent):
        return "PR", f"sum of products {percent(size)}, {settings.pr_operator} {settings.pr_percent:g} %"
    partial = _first(seen, "PR")
    if partial:
        return "PR", f"CT: {partial}"
    if _first(seen, "SD"):
        return "SD", "CT: a new isolated sclerotic lesion is no progression by itself"
    return "SD", "CT: no change that counts" if math.isnan(size) else f"sum of products {percent(size)}"


def _mri(findings: MdaFindings) -> tuple[str, str]:
    if findings.mri_signal_gone is None:
        return NE, ""
    return ("CR", "MRI: tumour signal gone") if findings.mri_signal_gone else ("SD", "MRI: tumour signal persists")


def _bone_scan(findings: MdaFindings, settings: MdaSettings) -> tuple[str, str]:
    uptake = number(findings.scan_uptake_percent)
    if findings.scan_uptake_normal is None and findings.scan_new_lesion is None and math.isnan(uptake):
        return NE, ""
    if _may_be_flare(findings, settings):
        return NE, "bone scan: rise or new lesion, flare not excluded"
    if findings.scan_new_lesion:
        return "PD", "bone scan: new lesion, flare excluded"
    if holds(uptake, settings.pd_operator, settings.pd_percent):
        return "PD", f"bone scan: uptake {percent(uptake)}, flare excluded"
    if findings.scan_uptake_normal:
        return "CR", "bone scan: uptake normal"
    if holds(uptake, settings.pr_operator, settings.pr_percent):
        return "PR", f"bone scan: uptake {percent(uptake)}, {settings.pr_operator} {settings.pr_percent:g} %"
    return "SD", "bone scan: no change that counts"


def _may_be_flare(findings: MdaFindings, settings: MdaSettings) -> bool:
    rise = holds(number(findings.scan_uptake_percent), settings.pd_operator, settings.pd_percent)
    return bool((rise or findings.scan_new_lesion) and not findings.flare_excluded)


def _first(seen: Iterable[str], category: str) -> str:
    return next((finding for finding in seen if CT_FINDINGS[finding] == category), "")


def _join(found: dict[str, str]) -> tuple[str, str]:
    judged = [category for category in found.values() if category != NE]
    if not judged:
        return NE, "no modality could be judged: NE"
    if "PD" in judged:
        return "PD", "progression in any modality: PD"
    if all(category == "CR" for category in judged):
        return "CR", "complete in every modality assessed: CR"
    if "CR" in judged or "PR" in judged:
        return "PR", "response in a modality, progression in none: PR"
    return "SD", "no change that counts in any modality: SD"
