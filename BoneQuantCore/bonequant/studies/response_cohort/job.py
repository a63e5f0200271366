"""The evidence of a response study: group tests, ROC with cut-offs, accuracy of every call, comparison of calls."""

from __future__ import annotations

import itertools

import numpy as np

from bonequant.errors import InputError, SettingsError
from bonequant.progress import Progress, no_progress, part_of
from bonequant.provenance import Provenance
from bonequant.response.compare import holds
from bonequant.statistics import (
    Confusion,
    McNemar,
    delong,
    mann_whitney,
    mcnemar,
    roc,
    summarise,
    wilcoxon,
    youden_optimism,
)
from bonequant.studies.response_cohort.inputs import Case, CohortInputs
from bonequant.studies.response_cohort.result import CallEvidence, CohortResult, Comparison, MeasureEvidence
from bonequant.studies.response_cohort.settings import CohortSettings


def run(inputs: CohortInputs, settings: CohortSettings | None = None, progress: Progress | None = None) -> CohortResult:
    """All evidence that the table gives.

    A change above the cut-off is called positive (failure of treatment); higher changes speak for the positive outcome.

    Raises:
        SettingsError: the positive outcome, the primary measure or that of a cut-off is not in the table.
        InputError: no measure and no call has cases of both outcomes.
    """
    settings = CohortSettings.of(settings)
    report = progress or no_progress
    outcomes = list(dict.fromkeys(case.outcome for case in inputs.cases))
    if settings.positive not in outcomes:
        raise SettingsError(f"positive is {settings.positive!r}; the table's outcomes are {' and '.join(outcomes)}.")
    if settings.primary and settings.primary not in inputs.measures:
        raise SettingsError(
            f"primary is {settings.primary!r}; the measures are {', '.join(inputs.measures) or 'none'}."
        )
    settings.check_measures(inputs.measures)
    negative = next(outcome for outcome in outcomes if outcome != settings.positive)
    warnings = _warnings(inputs, settings)
    measures = {}
    for place, name in enumerate(inputs.measures):
        step = part_of(report, place / len(inputs.measures), (place + 1) / len(inputs.measures))
        found = _measure(name, inputs, settings, negative, step)
        if found is None:
            warnings.append(f"{name}: too few changes of both outcomes; it was left out.")
        else:
            measures[name] = found
            if found.missing:
                warnings.append(f"{name}: {found.missing} of {len(inputs.cases)} cases have no percent change.")
    calls = _calls(inputs, settings, warnings)
    if not measures and not calls:
        raise InputError("No measure and no call has cases of both outcomes; there is nothing to judge.")
    comparisons = tuple(
        _compare(one, other, inputs, settings.positive) for one, other in itertools.combinations(calls.values(), 2)
    )
    report(1.0, "Done")
    provenance = Provenance("response_cohort", inputs.sha256, settings.to_dict())
    return CohortResult(inputs, settings, negative, measures, calls, comparisons, warnings, provenance)


def _warnings(inputs: CohortInputs, settings: CohortSettings) -> list[str]:
    found = []
    patients = {case.patient for case in inputs.cases}
    if len(patients) < len(inputs.cases):
        found.append(
            f"{len(inputs.cases)} cases come from {len(patients)} patients: the AUC and the bootstrap take that into "
            "account, the rank tests, McNemar's test and the intervals of proportions do not."
        )
    called_by = set(inputs.calls) & set(settings.cutoffs) & set(inputs.measures)
    found += [f"{name} is called by the table and by the cut-off; both are shown." for name in sorted(called_by)]
    return found


def _measure(
    name: str, inputs: CohortInputs, settings: CohortSettings, negative: str, progress: Progress
) -> MeasureEvidence | None:
    cases = [case for case in inputs.cases if np.isfinite(case.change_percent.get(name, np.nan))]
    change = np.array([case.change_percent[name] for case in cases])
    labels = np.array([case.outcome == settings.positive for case in cases], int)
    if min(labels.sum(), (1 - labels).sum()) < 2:
        return None
    groups = np.unique([case.patient for case in cases], return_inverse=True)[1]
    clustered = len(np.unique(groups)) < len(groups)
    of_outcome = {settings.positive: labels == 1, negative: labels == 0}
    return MeasureEvidence(
        name=name,
        missing=len(inputs.cases) - len(cases),
        groups={outcome: summarise(change[rows]) for outcome, rows in of_outcome.items()},
        between=mann_whitney(change[labels == 1], change[labels == 0], method=settings.test_method),
        within={
            outcome: wilcoxon(*pairs, method=settings.test_method)
            for outcome in of_outcome
            if len((pairs := _pairs(name, inputs.cases, outcome))[0])
        },
        auc=delong(labels, change, groups=groups if clustered else None, confidence=settings.confidence),
        roc=roc(labels, change),
        youden=youden_optimism(
            labels,
            change,
            groups=groups,
            resamples=settings.resamples,
            confidence=settings.confidence,
            seed=settings.seed,
            progress=progress,
        ),
    )


def _pairs(name: str, cases: tuple[Case, ...], outcome: str) -> tuple[list[float], list[float]]:
    """Values after and before of the cases of one outcome that have both."""
    both = [case for case in cases if case.outcome == outcome and name in case.before and name in case.after]
    return [case.after[name] for case in both], [case.before[name] for case in both]


def _calls(inputs: CohortInputs, settings: CohortSettings, warnings: list[str]) -> dict[str, CallEvidence]:
    """Calls by cut-off, then those of the table, by the name that reports show."""
    found = {}
    for name, cutoff in settings.cutoffs.items():
        if name in inputs.measures:
            rule = f"change of {name} {settings.cutoff_operator} {cutoff:g} %"
            called = {
                case.id: holds(change, settings.cutoff_operator, cutoff)
                for case in inputs.cases
                if np.isfinite(change := case.change_percent.get(name, np.nan))
            }
            found[f"{name} {cutoff:+g} %"] = (rule, called)
    for name in inputs.calls:
        found[f"{name} (table)" if name in inputs.measures else name] = (
            f"{name}_call of the table",
            {case.id: case.calls[name] == settings.positive for case in inputs.cases if name in case.calls},
        )
    result = {}
    for title, (rule, called) in found.items():
        if not called:
            warnings.append(f"{title}: no case was called; it was left out.")
            continue
        result[title] = CallEvidence(
            title, rule, _confusion(called, inputs, settings), len(inputs.cases) - len(called), called
        )
    return result


def _confusion(called: dict[str, bool], inputs: CohortInputs, settings: CohortSettings) -> Confusion:
    counts = {(truth, call): 0 for truth in (True, False) for call in (True, False)}
    for case in inputs.cases:
        if case.id in called:
            counts[case.outcome == settings.positive, called[case.id]] += 1
    return Confusion(
        tp=counts[True, True],
        fn=counts[True, False],
        tn=counts[False, False],
        fp=counts[False, True],
        confidence=settings.confidence,
        method=settings.interval,
    )


def _compare(one: CallEvidence, other: CallEvidence, inputs: CohortInputs, positive: str) -> Comparison:
    both = [case for case in inputs.cases if case.id in one.called and case.id in other.called]
    truth = np.array([case.outcome == positive for case in both], bool)
    right = [np.array([call.called[case.id] for case in both], bool) == truth for call in (one, other)]
    discordant = tuple(case.id for case in both if one.called[case.id] != other.called[case.id])
    return Comparison(
        first=one.name,
        second=other.name,
        sensitivity=_mcnemar(right[0][truth], right[1][truth]),
        specificity=_mcnemar(right[0][~truth], right[1][~truth]),
        accuracy=_mcnemar(right[0], right[1]),
        discordant=discordant,
        n=len(both),
    )


def _mcnemar(first: np.ndarray, second: np.ndarray) -> McNemar:
    both, neither = int((first & second).sum()), int((~first & ~second).sum())
    return mcnemar([[both, int((first & ~second).sum())], [int((~first & second).sum()), neither]])
