"""Honest mode: nested cross-validation by patient. Each lesion is judged by a model that never saw its patient.

Every step, harmonisation and filters included, runs inside each outer fold (Varma & Simon, BMC Bioinformatics
2006;7:91). Out-of-fold predictions are pooled. Where more positives are left to train on, fewer are left to test:
pooled as they are, even the predictions of an intercept alone would rank the wrong way round (Parker, Gunter & Bedo,
BMC Bioinformatics 2007;8:326). So each fold's log odds are moved from its training prevalence to that of the cohort.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from bonequant.errors import InputError
from bonequant.progress import Progress, part_of
from bonequant.radiomics.model.folds import feasible_folds, stratified_folds
from bonequant.radiomics.model.pipeline import fit_model
from bonequant.radiomics.model.scaling import probability
from bonequant.radiomics.model.settings import ModelSettings
from bonequant.radiomics.model.table import Cohort
from bonequant.statistics.checks import Booleans, Floats, Integers
from bonequant.statistics.roc import roc


@dataclass(frozen=True, eq=False)
class FoldRecord:
    """One outer fold: how many lesions tested it, what its own steps selected, its lambda (NaN: none), its notes."""

    lesions: int
    selected: tuple[str, ...]
    penalty: float
    method: str
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class HonestRun:
    """Out-of-fold probabilities (N,), the fold of each lesion (N,), and a record of each fold.

    ``auc_within_folds``: lesions compared only with those of the same fold, weighted by the pairs compared; a check
    of the pooling that needs no common scale of the folds.
    """

    predicted: Floats
    fold: Integers
    records: tuple[FoldRecord, ...]
    auc_within_folds: float

    @property
    def selection_frequency(self) -> dict[str, float]:
        """Share of the outer folds in which each feature was selected, the most frequent first."""
        counts: dict[str, int] = {}
        for record in self.records:
            for name in record.selected:
                counts[name] = counts.get(name, 0) + 1
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return {name: count / len(self.records) for name, count in ordered}


def outer_folds(cohort: Cohort, settings: ModelSettings) -> Integers:
    """The outer fold of each lesion, the same for all models that are compared.

    Raises InputError where a fold leaves fewer than two patients of a class to train on: the LASSO's own
    cross-validation needs them.
    """
    fold = stratified_folds(cohort.labels, cohort.patients, settings.folds, settings.seed)
    for k in range(settings.folds):
        left = fold != k
        if feasible_folds(cohort.labels[left], cohort.patients[left], 2) < 2:
            raise InputError(
                f"With {settings.folds} folds one of them leaves a single patient of a class to train on, and the "
                "LASSO needs two: set folds higher, or add patients of that class."
            )
    return fold


def judge_honestly(
    cohort: Cohort,
    names: Sequence[str],
    fold: Integers,
    settings: ModelSettings,
    progress: Progress | None = None,
) -> HonestRun:
    """Nested cross-validation of the model of features ``names``."""
    x, labels, centres = cohort.columns(names), cohort.labels, cohort.centres
    folds = int(fold.max()) + 1
    predicted, records = np.empty(len(labels)), []
    for k in range(folds):
        test, train = fold == k, fold != k
        fitted = fit_model(
            x[train],
            names,
            labels[train],
            cohort.patients[train],
            _some(centres, train),
            settings,
            seed=settings.seed * 1009 + k + 1,
            progress=part_of(progress, k / folds, (k + 1) / folds),
        )
        tested = _some(centres, test)
        predicted[test] = probability(moved(fitted.log_odds(x[test], tested), labels[train], labels))
        notes = list(fitted.notes)
        if fitted.combat is not None and tested is not None and (new := fitted.combat.unseen(tested)):
            notes.append(f"centre {', '.join(new)} was not in the training lesions: its lesions were not harmonised")
        penalty = float("nan")
        if fitted.lasso is not None:
            penalty = float(fitted.lasso.path.lambdas[fitted.lasso.at(settings.lambda_rule)])
        records.append(FoldRecord(int(test.sum()), fitted.selected, penalty, fitted.logistic.method, tuple(notes)))
    return HonestRun(predicted, fold, tuple(records), _within(cohort, predicted, fold))


def moved(log_odds: Floats, train: Booleans, everyone: Booleans) -> Floats:
    """Log odds moved from the prevalence of the training labels to that of all; those of an intercept become equal."""
    return (log_odds - logit(train.mean())) + logit(everyone.mean())


def _within(cohort: Cohort, predicted: Floats, fold: Integers) -> float:
    areas, pairs = [], []
    for k in np.unique(fold):
        truth = cohort.labels[fold == k]
        positive = int(truth.sum())
        if 0 < positive < len(truth):
            areas.append(roc(truth, predicted[fold == k]).auc)
            pairs.append(positive * (len(truth) - positive))
    return float(np.average(areas, weights=pairs)) if areas else float("nan")


def _some(centres: tuple[str, ...] | None, rows: np.ndarray) -> list[str] | None:
    return None if centres is None else [centre for centre, row in zip(centres, rows, strict=True) if row]
