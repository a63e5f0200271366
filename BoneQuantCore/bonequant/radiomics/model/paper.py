"""Paper mode: the order of steps as published in paper 3, whose numbers are too good to be believed.

Features are selected on all lesions; only the logistic regression is then trained on 70 % of the lesions and validated
on 30 %, and cross-validated. The labels of the validation lesions have had their say in the selection, and lesions of
one patient may stand on both sides. It is here to reproduce such papers and to show by how much they are optimistic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bonequant.progress import Progress
from bonequant.radiomics.model.folds import stratified_folds, stratified_split
from bonequant.radiomics.model.honest import moved
from bonequant.radiomics.model.logistic import fit_logistic
from bonequant.radiomics.model.pipeline import Fitted, fit_model
from bonequant.radiomics.model.scaling import probability
from bonequant.radiomics.model.settings import ModelSettings
from bonequant.radiomics.model.table import Cohort
from bonequant.statistics.checks import Booleans, Floats

WARNING = (
    "Paper mode: the features were selected on all lesions, those that validate the model included, and lesions were "
    "split without regard to patients. These numbers are too optimistic; use those of honest mode for any claim."
)


@dataclass(frozen=True, eq=False)
class PaperRun:
    """What the published order gives: ``fitted`` on all lesions, the split and the probabilities.

    ``train`` (N,) says which lesions trained; ``split_predicted`` (N,) are that model's probabilities for all lesions;
    ``cv_predicted`` (N,) those of the cross-validated regression on the features already selected;
    ``straddling`` counts the patients with lesions on both sides of the split.
    """

    fitted: Fitted
    train: Booleans
    split_predicted: Floats
    cv_predicted: Floats
    straddling: int


def judge_as_published(
    cohort: Cohort, names: Sequence[str], settings: ModelSettings, progress: Progress | None = None
) -> PaperRun:
    """Selection on all lesions, each lesion for itself, then the split and the cross-validation."""
    x, labels = cohort.columns(names), cohort.labels
    alone = np.arange(len(labels))
    fitted = fit_model(x, names, labels, alone, cohort.centres, settings, settings.seed, progress)
    z = fitted.z_scores(x, cohort.centres)
    train = stratified_split(labels, settings.train_share, settings.seed)
    split = probability(_log_odds(z, labels, train))
    cv = np.empty(len(labels))
    fold = stratified_folds(labels, alone, settings.folds, settings.seed)
    for k in range(settings.folds):
        log_odds = _log_odds(z, labels, fold != k)
        cv[fold == k] = probability(moved(log_odds, labels[fold != k], labels))[fold == k]
    both = np.intersect1d(cohort.patients[train], cohort.patients[~train])
    return PaperRun(fitted, train, split, cv, len(both))


def _log_odds(z: Floats, labels: Booleans, train: Booleans) -> Floats:
    """Log odds of all lesions by the regression on the ``train`` ones."""
    fit = fit_logistic(z[train], labels[train].astype(np.float64))
    return z @ fit.coefficients + fit.intercept
