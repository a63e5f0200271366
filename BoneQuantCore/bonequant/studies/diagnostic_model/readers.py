"""Readers beside the models: accuracy and AUC on the same lesions, McNemar's and DeLong's tests, kappa between readers.

The AUCs' intervals and their test let lesions of one patient count as a cluster; McNemar's test, the proportions and
kappa take each lesion for itself.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from bonequant.errors import InputError
from bonequant.radiomics import ModelReport
from bonequant.statistics import Auc, AucComparison, confusion, delong, mcnemar, weighted_kappa
from bonequant.statistics.checks import Booleans, Floats, Integers
from bonequant.studies.diagnostic_model.classes import Calls
from bonequant.studies.diagnostic_model.result import BesideModel, ReaderAgreement, ReaderEvidence

_MODEL_CALLS = 0.5  # not chosen on these lesions, unlike Youden's cut-off


def reader_evidence(calls: Calls, models: ModelReport, grouped: bool, confidence: float) -> ReaderEvidence:
    """One reader on the lesions that he or she judged, beside the out-of-fold predictions of every model."""
    rows = np.array(calls.rows)
    truth = models.labels[rows]
    groups = models.patients[rows] if grouped else None
    counts = None
    if calls.called is not None:
        counts = confusion(truth, calls.called, confidence=confidence)
    beside = []
    for name, model in models.models.items():
        if model.honest is None:
            continue
        predicted = model.honest.performance.predicted[rows]
        sensitivity = specificity = None
        if calls.called is not None:
            said = predicted >= _MODEL_CALLS
            if truth.any():
                sensitivity = mcnemar(calls.called[truth], said[truth])
            if not truth.all():
                specificity = mcnemar(~calls.called[~truth], ~said[~truth])
        beside.append(BesideModel(name, _compare(truth, calls.grades, predicted, groups, confidence), sensitivity,
                                  specificity))  # fmt: skip
    return ReaderEvidence(
        name=calls.reader,
        judged=len(rows),
        graded=calls.graded,
        called=calls.cutoff,
        auc=_auc(truth, calls.grades, groups, confidence),
        confusion=counts,
        beside=tuple(beside),
    )


def agreement_of(all_calls: list[Calls], confidence: float) -> tuple[ReaderAgreement, ...]:
    """Kappa of every pair of readers that gave the same kind of answer to at least two lesions."""
    found = []
    for one, other in combinations(all_calls, 2):
        if one.graded != other.graded:
            continue
        first, second = (dict(zip(calls.rows, calls.grades.tolist(), strict=True)) for calls in (one, other))
        both = [row for row in first if row in second]
        if len(both) < 2:
            continue
        pairs = [first[row] for row in both], [second[row] for row in both]
        grades = _scale([*one.grades.tolist(), *other.grades.tolist()]) if one.graded else [0.0, 1.0]
        kappa = weighted_kappa(*pairs, weights="linear", categories=grades, confidence=confidence)
        found.append(ReaderAgreement(one.reader, other.reader, kappa, tuple(f"{grade:g}" for grade in grades)))
    return tuple(found)


def _scale(grades: list[float]) -> list[float]:
    """All grades between the lowest and the highest used: one that nobody used still lies between its neighbours."""
    if all(grade == int(grade) for grade in grades):
        return [float(grade) for grade in range(int(min(grades)), int(max(grades)) + 1)]
    return sorted(set(grades))


def _auc(truth: Booleans, grades: Floats, groups: Integers | None, confidence: float) -> Auc | None:
    try:
        return delong(truth, grades, groups=groups, confidence=confidence)
    except InputError:  # fewer than two lesions, or patients, of a class
        return None


def _compare(
    truth: Booleans, grades: Floats, predicted: Floats, groups: Integers | None, confidence: float
) -> AucComparison | None:
    try:
        return delong(truth, grades, predicted, groups=groups, confidence=confidence)
    except InputError:
        return None
