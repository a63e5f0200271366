"""AUC with DeLong's interval, and the test of two AUCs measured on the same cases.

Source: DeLong, DeLong & Clarke-Pearson, Biometrics 1988;44:837, in the midrank form of Sun & Xu, IEEE Signal Process
Lett 2014;21:1389. Lesions clustered in patients: Obuchowski, Biometrics 1997;53:567, which without clusters is
DeLong's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from bonequant.errors import InputError
from bonequant.statistics.checks import UNDEFINED, Booleans, Floats, Integers, Interval, codes, level, numbers, scored
from bonequant.statistics.ranks import midranks


@dataclass(frozen=True)
class Auc:
    """Area under the ROC curve; the interval is clipped to 0..1.

    Where the estimated variance is 0 (perfect separation) DeLong's interval does not exist: ``ci`` is (NaN, NaN).
    """

    auc: float
    standard_error: float
    ci: Interval
    n_positive: int
    n_negative: int


@dataclass(frozen=True)
class AucComparison:
    """Two scores on the same cases: ``difference`` = first - second, z and the two-sided p value of no difference."""

    first: Auc
    second: Auc
    difference: float
    standard_error: float
    ci: Interval
    z: float
    p_value: float


@overload
def delong(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    other: None = None,
    *,
    groups: npt.ArrayLike | None = None,
    higher_is_positive: bool = True,
    confidence: float = 0.95,
) -> Auc: ...


@overload
def delong(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    other: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    higher_is_positive: bool = True,
    confidence: float = 0.95,
) -> AucComparison: ...


def delong(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    other: npt.ArrayLike | None = None,
    *,
    groups: npt.ArrayLike | None = None,
    higher_is_positive: bool = True,
    confidence: float = 0.95,
) -> Auc | AucComparison:
    """AUC of ``scores`` (N,) for 0/1 ``labels`` (N,), or, given ``other`` scores of the same cases, their comparison.

    With V10 (V01) the share of negatives below a positive (of positives above a negative), ties one half,
    var(AUC) = s^2(V10)/m + s^2(V01)/n, and z = (A1 - A2)/sqrt(var(A1 - A2)) with the variance of the differences.
    ``groups`` names the patient of each case: sums over patients then take the place of single cases.
    Raises InputError for missing scores, or fewer than two positive or negative cases (or patients having them).
    """
    level(confidence)
    truth, values = scored(labels, scores, each=2)
    patients = codes(groups, len(truth))
    sign = 1.0 if higher_is_positive else -1.0
    first, first_residuals = _placements(truth, sign * values)
    one = _auc(first, _variance(first_residuals, truth, patients), truth, confidence)
    if other is None:
        return one
    others = numbers(other, "the other scores")
    if len(others) != len(truth):
        raise InputError(f"{len(truth)} labels but {len(others)} other scores: both scores must rate the same cases.")
    second, second_residuals = _placements(truth, sign * others)
    two = _auc(second, _variance(second_residuals, truth, patients), truth, confidence)
    difference = first - second
    error = math.sqrt(_variance(first_residuals - second_residuals, truth, patients))
    if error > 0:
        z = difference / error
        p_value, ci = float(2 * ndtr(-abs(z))), _interval(difference, error, confidence, (-1.0, 1.0))
    else:  # the same ranking twice differs by nothing; anything else without variance cannot be judged
        z, p_value, ci = (0.0, 1.0, (0.0, 0.0)) if difference == 0 else (float("nan"), float("nan"), UNDEFINED)
    return AucComparison(one, two, difference, error, ci, z, p_value)


def _placements(truth: Booleans, values: Floats) -> tuple[float, Floats]:
    """AUC, and each case's placement value less the AUC: V10 at the positives, V01 at the negatives."""
    ranks = midranks(values)
    placement = np.empty(len(values))
    placement[truth] = (ranks[truth] - midranks(values[truth])) / (~truth).sum()
    placement[~truth] = 1 - (ranks[~truth] - midranks(values[~truth])) / truth.sum()
    area = float(placement[truth].mean())
    return area, placement - area


def _variance(residuals: Floats, truth: Booleans, patients: Integers) -> float:
    """Obuchowski's S10/m + S01/n + 2 S11/(m n) of the placement residuals summed within patients."""
    groups = int(patients.max()) + 1
    sums, owners = [], []
    for members in (truth, ~truth):
        sums.append(np.bincount(patients[members], residuals[members], groups) / members.sum())
        owners.append(len(np.unique(patients[members])))
    if min(owners) < 2:
        raise InputError("Fewer than two patients have positive cases, or negative ones: the variance is unknown.")
    own = sum(count / (count - 1) * float(np.sum(part**2)) for part, count in zip(sums, owners, strict=True))
    shared = 2 * groups / (groups - 1) * float(np.sum(sums[0] * sums[1]))
    return max(own + shared, 0.0)


def _auc(area: float, variance: float, truth: Booleans, confidence: float) -> Auc:
    error = math.sqrt(variance)
    ci = _interval(area, error, confidence, (0.0, 1.0)) if error > 0 else UNDEFINED
    return Auc(area, error, ci, int(truth.sum()), int((~truth).sum()))


def _interval(value: float, error: float, confidence: float, limits: Interval) -> Interval:
    half = float(ndtri((1 + confidence) / 2)) * error
    return max(value - half, limits[0]), min(value + half, limits[1])
