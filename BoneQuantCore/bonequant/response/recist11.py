"""RECIST 1.1 with its bone rules: sums of diameters, non-target disease, new lesions.

Source: Eisenhauer et al., Eur J Cancer 2009;45:228, section 4.3 and tables 1 to 3. Bone is one organ; a target there is
lytic or mixed with soft tissue, never blastic; flare and healing are no new lesions.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bonequant.errors import InputError
from bonequant.response.call import FLARE, NE, PROGRESSION, RESPONSE, STABLE, Call, Criterion
from bonequant.response.compare import ABOVE, BELOW, NAN, check_sequence, holds, number, percent, percent_change
from bonequant.response.recist11_targets import Recist11Target, check_targets, unstated
from bonequant.settings import Settings, setting

CRITERION = Criterion(
    name="recist11",
    title="RECIST 1.1",
    source="Eisenhauer et al., Eur J Cancer 2009;45:228",
    categories={"PD": PROGRESSION, "SD": STABLE, "non-CR/non-PD": STABLE, "PR": RESPONSE, "CR": RESPONSE},
    level="patient",
)

NON_TARGET = ("absent", "present", "unequivocal progression")
NEW_LESION = ("none", "unequivocal", "equivocal", "flare", "healing")


@dataclass(frozen=True)
class Recist11Settings(Settings):
    """Thresholds of RECIST 1.1."""

    pr_percent: float = setting(-30.0, unit="%", low=-100, high=0, help="Change from baseline of a partial response.")
    pr_operator: str = setting("<=", choices=BELOW, help="'At least a 30 % decrease' is <=.")
    pd_percent: float = setting(20.0, unit="%", low=0, help="Change from the nadir of progression.")
    pd_mm: float = setting(5.0, unit="mm", low=0, help="Change from the nadir of progression, besides the percentage.")
    pd_operator: str = setting(">=", choices=ABOVE, help="'At least 20 %' and 'at least 5 mm' are >=.")
    normal_node_mm: float = setting(10.0, unit="mm", low=0, help="A node with a smaller short axis is normal.")
    too_small_mm: float = setting(5.0, unit="mm", low=0, help="Value of a target seen but too small to measure.")


@dataclass(frozen=True)
class Recist11Visit:
    """One examination; the first of a series is the baseline.

    Attributes:
        diameters_mm: by target name; 0 is "gone", None "not assessed". Nodes: short axis; all others: longest diameter.
        too_small: targets seen but too small to measure (their value is 5 mm).
        non_target: "absent", "present", "unequivocal progression", or None for "not assessed".
        new_lesion: "none", "unequivocal", "equivocal", "flare" or "healing" (the last two for bone), None for "not
            looked for", which allows no category but PD.
    """

    diameters_mm: Mapping[str, float | None] = field(default_factory=dict)
    too_small: tuple[str, ...] = ()
    non_target: str | None = None
    new_lesion: str | None = None
    scan_date: date | None = None

    def __post_init__(self) -> None:
        for name, known in (("non_target", NON_TARGET), ("new_lesion", NEW_LESION)):
            if getattr(self, name) is not None and getattr(self, name) not in known:
                raise InputError(f"{name} is {getattr(self, name)!r}; choose one of {', '.join(known)}.")


def recist11(
    targets: Sequence[Recist11Target], visits: Sequence[Recist11Visit], settings: Recist11Settings | None = None
) -> Call:
    """The response at the last of ``visits``, whose first is the baseline.

    Progression is measured from the nadir, the smallest complete sum before the last visit, baseline included; response
    from the baseline. Targets not assessed give NE, unless what was assessed is progression already. Patients without
    targets are judged by non-target disease and new lesions (table 2: CR, non-CR/non-PD, PD, NE).

    Raises:
        InputError: targets that the criterion forbids (too small at baseline, too many, blastic, ...), fewer than two
            visits, visits in the wrong order, a diameter of no target or below zero.
    """
    settings = settings or Recist11Settings()
    if len(visits) < 2:
        raise InputError(f"RECIST needs a baseline and a later visit; {len(visits)} given.")
    check_targets([_at_baseline(target, visits[0]) for target in targets])
    _check_diameters(targets, visits)
    check_sequence((f"of visit {place}", visit.scan_date) for place, visit in enumerate(visits, 1))
    last = visits[-1]
    sums = [_sum(targets, visit, settings) for visit in visits]
    nadir = min((value for value in sums[:-1] if not math.isnan(value)), default=NAN)
    partial = sum(value for value in _diameters(targets, last, settings).values() if not math.isnan(value))
    values = {
        "sum_baseline_mm": sums[0],
        "sum_nadir_mm": nadir,
        "sum_mm": sums[-1],
        "sum_of_assessed_mm": partial if targets else NAN,
        "change_from_baseline_percent": percent_change(sums[0], sums[-1]),
        "change_from_nadir_percent": _from_nadir(nadir, partial),
        "change_from_nadir_mm": partial - nadir,
        "non_target": last.non_target,
        "new_lesion": last.new_lesion,
    }
    category, rule = _decide(targets, visits, values, settings)
    warnings = [*unstated(targets), *_contradictions(visits)]
    no_lesion = {"flare": "osteoblastic flare", "healing": "healing of a lesion invisible before"}
    if last.new_lesion in no_lesion:
        warnings.append(f"An apparent new bone lesion was read as {no_lesion[last.new_lesion]}, not as progression.")
    if last.new_lesion == "equivocal":
        warnings.append("An equivocal new lesion is no progression yet; if the next visit confirms it, PD dates here.")
    flags = (FLARE,) if last.new_lesion == "flare" else ()
    return CRITERION.call(category, rule, settings, flags=flags, values=values, warnings=tuple(warnings))


def _at_baseline(target: Recist11Target, baseline: Recist11Visit) -> Recist11Target:
    """The target with the diameter of the baseline visit, where its own was left out."""
    if target.diameter_mm is not None:
        return target
    return dataclasses.replace(target, diameter_mm=baseline.diameters_mm.get(target.name))


def _contradictions(visits: Sequence[Recist11Visit]) -> list[str]:
    if visits[0].non_target == "absent" and visits[-1].non_target == "present":
        return ["Non-target disease is present and was absent at baseline: is it a new lesion, or was it overlooked?"]
    return []


def _check_diameters(targets: Sequence[Recist11Target], visits: Sequence[Recist11Visit]) -> None:
    known = {target.name for target in targets}
    for place, visit in enumerate(visits, 1):
        unknown = [name for name in (*visit.diameters_mm, *visit.too_small) if name not in known]
        if unknown:
            listed = ", ".join(sorted(known)) or "none"
            raise InputError(f"Visit {place} measures {unknown[0]!r}, which is no target. Targets: {listed}.")
        below = [name for name, value in visit.diameters_mm.items() if value is not None and value < 0]
        if below:
            raise InputError(f"Visit {place}: the diameter of {below[0]!r} is below zero.")


def _diameters(targets: Sequence[Recist11Target], visit: Recist11Visit, settings: Recist11Settings) -> dict[str, float]:
    return {
        target.name: settings.too_small_mm
        if target.name in visit.too_small
        else number(visit.diameters_mm.get(target.name))
        for target in targets
    }


def _sum(targets: Sequence[Recist11Target], visit: Recist11Visit, settings: Recist11Settings) -> float:
    """Sum of diameters in mm; NaN where a target was not assessed or there is none."""
    return sum(_diameters(targets, visit, settings).values()) if targets else NAN


def _from_nadir(nadir: float, total: float) -> float:
    """Percent change; what comes back after a nadir of zero has grown without limit."""
    if nadir == 0:
        return math.inf if total > 0 else 0.0
    return percent_change(nadir, total)


def _decide(
    targets: Sequence[Recist11Target],
    visits: Sequence[Recist11Visit],
    values: Mapping[str, Any],
    settings: Recist11Settings,
) -> tuple[str, str]:
    """Category and rule: any progression first, then what is missing, then tables 1 and 2."""
    last = visits[-1]
    if last.new_lesion == "unequivocal":
        return "PD", "unequivocal new lesion: PD"
    if last.non_target == "unequivocal progression":
        return "PD", "unequivocal progression of non-target disease: PD"
    growth, growth_mm = values["change_from_nadir_percent"], values["change_from_nadir_mm"]
    if (
        targets
        and holds(growth, settings.pd_operator, settings.pd_percent)
        and holds(growth_mm, settings.pd_operator, settings.pd_mm)
    ):
        return "PD", (
            f"sum of diameters {percent(growth)} and {growth_mm:+.6g} mm over the nadir, "
            f"{settings.pd_operator} {settings.pd_percent:g} % and {settings.pd_mm:g} mm: PD"
        )
    missing = [name for name, value in _diameters(targets, last, settings).items() if math.isnan(value)]
    if missing:
        return NE, f"targets not assessed: {', '.join(missing)}: NE"
    if last.new_lesion is None:
        return NE, "new lesions were not looked for: NE"
    if not targets:
        return _without_targets(visits)
    if math.isnan(_sum(targets, visits[0], settings)):
        return NE, "the baseline sum of diameters is not complete: NE"
    return _with_targets(targets, last, values, settings)


def _without_targets(visits: Sequence[Recist11Visit]) -> tuple[str, str]:
    if visits[0].non_target != "present":
        return NE, "no target and no non-target disease at baseline: NE"
    state = visits[-1].non_target
    if state is None:
        return NE, "non-target disease not assessed: NE"
    if state == "absent":
        return "CR", "non-target disease only, all of it gone: CR"
    return "non-CR/non-PD", "non-target disease only, still present: non-CR/non-PD"


def _with_targets(
    targets: Sequence[Recist11Target],
    last: Recist11Visit,
    values: Mapping[str, Any],
    settings: Recist11Settings,
) -> tuple[str, str]:
    now = _diameters(targets, last, settings)
    gone = all(
        holds(now[target.name], "<", settings.normal_node_mm) if target.node else now[target.name] == 0
        for target in targets
    )
    if gone and last.non_target == "absent":
        return "CR", f"all targets gone (nodes < {settings.normal_node_mm:g} mm), no non-target disease: CR"
    if gone:
        left = "not assessed" if last.non_target is None else "still present"
        return "PR", f"all targets gone, non-target disease {left}: PR"
    change = values["change_from_baseline_percent"]
    if holds(change, settings.pr_operator, settings.pr_percent):
        return "PR", (
            f"sum of diameters {percent(change)} from baseline, {settings.pr_operator} {settings.pr_percent:g} %: PR"
        )
    growth, growth_mm = values["change_from_nadir_percent"], values["change_from_nadir_mm"]
    return "SD", (
        f"sum of diameters {percent(change)} from baseline and {percent(growth)}, {growth_mm:+.6g} mm "
        "from the nadir: neither PR nor PD: SD"
    )
