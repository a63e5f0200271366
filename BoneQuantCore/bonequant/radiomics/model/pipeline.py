"""All steps from a table to a fitted model, in paper 3's order, on whichever lesions they are given.

ComBat by centre (an option), constant features out, z-score, correlation filter, LASSO with cross-validated deviance,
logistic regression on the features kept. Honest mode runs this inside every fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bonequant.progress import Progress
from bonequant.radiomics.model.combat import Combat, fit_combat
from bonequant.radiomics.model.folds import feasible_folds, stratified_folds
from bonequant.radiomics.model.lasso_cv import LassoCv, cross_validate
from bonequant.radiomics.model.logistic import LogisticFit, fit_logistic
from bonequant.radiomics.model.scaling import Scaling, varies
from bonequant.radiomics.model.settings import ModelSettings
from bonequant.statistics.checks import Booleans, Floats, Integers
from bonequant.statistics.correlation_filter import find_correlation


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted model and the way to it.

    Attributes:
        names: the features offered, P of them.
        dropped: feature to the reason why it did not reach the LASSO.
        filtered: the features that did, in the order of ``lasso.path.coefficients``' columns.
        lasso: path and cross-validation, None where no feature was left.
        selected: the features of the final model, k of them, and their ``columns`` among ``names``.
        scaling: mean and SD of the selected features, after ComBat.
        low, high: their range in the training lesions, before ComBat.
        logistic: coefficients (k,) on z-scores, intercept.
        combat: estimates for all offered features that vary, None without harmonisation.
        combat_columns: where those features stand among ``names``.
        notes: what a reader must know: no feature survived, separation, fewer folds than asked for.
    """

    names: tuple[str, ...]
    dropped: dict[str, str]
    filtered: tuple[str, ...]
    lasso: LassoCv | None
    selected: tuple[str, ...]
    columns: Integers
    scaling: Scaling
    low: Floats
    high: Floats
    logistic: LogisticFit
    combat: Combat | None
    combat_columns: Integers
    notes: tuple[str, ...]

    def z_scores(self, x: Floats, centres: Sequence[str] | None = None) -> Floats:
        """Selected features (N, k) of ``x`` (N, P), harmonised and scaled as in training."""
        if self.combat is not None and centres is not None:
            x = np.array(x)
            x[:, self.combat_columns] = self.combat.apply(x[:, self.combat_columns], centres)
        return self.scaling.apply(x[:, self.columns])

    def log_odds(self, x: Floats, centres: Sequence[str] | None = None) -> Floats:
        """Log odds of the positive class (N,) for features ``x`` (N, P) in the order of ``names``."""
        return self.z_scores(x, centres) @ self.logistic.coefficients + self.logistic.intercept


def fit_model(
    x: Floats,
    names: Sequence[str],
    labels: Booleans,
    patients: Integers,
    centres: Sequence[str] | None,
    settings: ModelSettings,
    seed: int,
    progress: Progress | None = None,
) -> Fitted:
    """Run every step on ``x`` (N, P) finite, 0/1 ``labels`` (N,); LASSO folds keep ``patients`` (N,) together."""
    y = labels.astype(np.float64)
    notes: list[str] = []
    usable = np.flatnonzero(varies(x))
    dropped = {names[at]: "constant in the training lesions" for at in np.flatnonzero(~varies(x)).tolist()}
    combat, harmonised = None, np.array(x)
    if settings.harmonise and centres is not None:
        combat = fit_combat(x[:, usable], centres)
        harmonised[:, usable] = combat.apply(x[:, usable], centres)
        if combat.skipped:
            notes.append(f"too few lesions for ComBat, left as they are: centre {', '.join(combat.skipped)}")
    combat_columns = usable
    usable = usable[varies(harmonised[:, usable])]
    z = Scaling.of(harmonised[:, usable]).apply(harmonised[:, usable])
    kept, correlated = _uncorrelated(z, settings)
    reason = f"|r| > {settings.correlation_cutoff:g} with a feature kept"
    dropped |= {names[at]: reason for at in usable[correlated].tolist()}
    filtered = usable[kept]

    lasso, chosen = None, np.empty(0, dtype=np.int64)
    if len(filtered):
        folds = feasible_folds(labels, patients, settings.lasso_folds)
        if folds < settings.lasso_folds:
            notes.append(f"{folds} LASSO folds instead of {settings.lasso_folds}: too few patients of the rarer class")
        fold = stratified_folds(labels, _renumbered(patients), folds, seed)
        lasso = cross_validate(
            z[:, kept],
            y,
            fold,
            count=settings.lambda_count,
            min_ratio=settings.lambda_min_ratio,
            progress=progress,
        )
        chosen = filtered[lasso.path.coefficients[lasso.at(settings.lambda_rule)] != 0]
    if not len(chosen):
        notes.append("no feature survived: the model is its intercept alone and predicts the same for every lesion")
    scaling = Scaling.of(harmonised[:, chosen])
    logistic = fit_logistic(scaling.apply(harmonised[:, chosen]), y)
    if logistic.note:
        notes.append(logistic.note)
    return Fitted(
        names=tuple(names),
        dropped=dropped,
        filtered=tuple(names[at] for at in filtered.tolist()),
        lasso=lasso,
        selected=tuple(names[at] for at in chosen.tolist()),
        columns=chosen,
        scaling=scaling,
        low=x[:, chosen].min(axis=0),
        high=x[:, chosen].max(axis=0),
        logistic=logistic,
        combat=combat,
        combat_columns=combat_columns,
        notes=tuple(notes),
    )


def _uncorrelated(z: Floats, settings: ModelSettings) -> tuple[Integers, Integers]:
    """Columns that stay and columns that go for their correlation."""
    count = z.shape[1]
    if count < 2:
        return np.arange(count), np.empty(0, dtype=np.int64)
    gone = find_correlation(z.T @ z / len(z), settings.correlation_cutoff, settings.correlation_exact)
    return np.setdiff1d(np.arange(count), gone), np.array(sorted(gone), dtype=np.int64)


def _renumbered(patients: Integers) -> Integers:
    """Codes 0..G-1 without gaps, for a part of the lesions."""
    return np.unique(patients, return_inverse=True)[1].reshape(-1)
