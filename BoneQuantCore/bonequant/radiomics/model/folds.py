"""Folds and splits that keep a patient's lesions together and the classes in balance, the same for one seed.

Groups are taken in random order, those with the most uneven classes first, and each goes to the fold that it leaves
the most balanced: the idea of scikit-learn's StratifiedGroupKFold.
"""

from __future__ import annotations

import numpy as np

from bonequant.errors import InputError
from bonequant.statistics.checks import Booleans, Integers

LEAST_PATIENTS = 3  # of each class: one is tested, and the LASSO's own cross-validation parts the other two


def stratified_folds(labels: Booleans, patients: Integers, folds: int, seed: int) -> Integers:
    """Fold 0..folds-1 of each of the N lesions; ``patients`` (N,) are codes 0..G-1 that never straddle folds.

    Raises InputError where fewer patients than folds have a lesion of one of the classes: some training or test fold
    would lack the class.
    """
    counts = _class_counts(labels, patients)
    rarest = int((counts > 0).sum(axis=0).min())
    if rarest < folds:
        which = "positive" if (counts[:, 1] > 0).sum() == rarest else "negative"
        way_out = f"Set folds and lasso_folds to at most {rarest}, or add" if rarest >= LEAST_PATIENTS else "Add"
        raise InputError(
            f"Only {rarest} patient(s) have {which} lesions: too few for {folds} folds. {way_out} patients of that "
            f"class; {LEAST_PATIENTS} are the least."
        )
    return _assign(counts, folds, seed)[patients]


def feasible_folds(labels: Booleans, patients: Integers, folds: int) -> int:
    """``folds``, or as many as there are patients with lesions of the rarer class, whichever is less."""
    return min(folds, int((_class_counts(labels, patients) > 0).sum(axis=0).min()))


def stratified_split(labels: Booleans, share: float, seed: int) -> Booleans:
    """True for the training lesions: ``share`` of each class, drawn without regard to patients (paper 3's split)."""
    random = np.random.default_rng([seed, 73])
    chosen = np.zeros(len(labels), dtype=bool)
    for value in (False, True):
        rows = np.flatnonzero(labels == value)
        take = round(share * len(rows))
        if not 2 <= take <= len(rows) - 2:  # an interval of the AUC needs two of each class
            raise InputError(
                f"{len(rows)} lesion(s) of one class cannot be split {share:.0%} to {1 - share:.0%}: add lesions, or "
                "use honest mode, which has no split."
            )
        chosen[random.permutation(rows)[:take]] = True
    return chosen


def _class_counts(labels: Booleans, patients: Integers) -> Integers:
    """Lesions of the negative and positive class of each patient, shape (G, 2)."""
    groups = int(patients.max()) + 1
    return np.column_stack([np.bincount(patients[labels == value], minlength=groups) for value in (False, True)])


def _assign(counts: Integers, folds: int, seed: int) -> Integers:
    """Fold of each group."""
    order = np.random.default_rng([seed, 41]).permutation(len(counts))
    order = order[np.argsort(-counts[order].std(axis=1), kind="stable")]
    totals = counts.sum(axis=0)
    filled, fold = np.zeros((folds, 2)), np.empty(len(counts), dtype=np.int64)
    for group in order:
        shares = np.repeat((filled / totals)[None], folds, axis=0)
        shares[np.arange(folds), np.arange(folds)] += counts[group] / totals
        spread = shares.std(axis=1).mean(axis=1)
        # Of equally balanced folds the one with the fewest lesions, then the first: no draw decides.
        best = np.flatnonzero(np.isclose(spread, spread.min(), rtol=0, atol=1e-12))
        at = int(best[filled[best].sum(axis=1).argmin()])
        filled[at] += counts[group]
        fold[group] = at
    return fold
