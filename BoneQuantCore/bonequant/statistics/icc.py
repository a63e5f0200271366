"""Intraclass correlation of n subjects measured by k readers (or scans): the six forms of Shrout and Fleiss.

Source: Shrout & Fleiss, Psychol Bull 1979;86:420, with their F intervals; notation of McGraw & Wong, Psychol Methods
1996;1:30.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy.typing as npt
from scipy.special import fdtrc, fdtri

from bonequant.errors import InputError
from bonequant.statistics.checks import UNDEFINED, Floats, Interval, level, numbers

FORMS = ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")


@dataclass(frozen=True)
class MeanSquares:
    """Two-way analysis of variance of a complete (n, k) table: between subjects, between columns, residual, within."""

    subjects: float
    columns: float
    residual: float
    within: float
    n: int
    k: int


@dataclass(frozen=True)
class Icc:
    """One form of the ICC with its interval, and the F test that the subjects do not differ.

    NaN where the table, or for the mean of k the subjects' means, do not vary. May be negative: readers then disagree
    more than the subjects differ.
    """

    form: str
    value: float
    ci: Interval
    f: float
    p_value: float
    n: int
    k: int


def icc(ratings: npt.ArrayLike, form: str = "2,1", confidence: float = 0.95) -> Icc:
    """ICC of ``ratings`` of shape (n subjects, k readers), n >= 2, k >= 2, complete.

    ``form``: "1,1" each subject by other readers (one-way random); "2,1" the same readers, drawn from many, absolute
    agreement; "3,1" these readers only, consistency; "1,k", "2,k", "3,k" for the mean of the k readers.
    """
    if form not in FORMS:
        raise InputError(f"The form of the ICC is one of {'; '.join(FORMS)}, not {form!r}.")
    level(confidence)
    ms = mean_squares(numbers(ratings, "the ratings", 2, dimensions=2))
    model, mean_of_k = form[0], form[2] == "k"
    value, ci = {"1": _one_way, "2": _absolute, "3": _consistency}[model](ms, confidence)
    if mean_of_k:  # Spearman and Brown: monotone, so that the limits follow the value
        value, ci = _stepped_up(value, ms.k), (_stepped_up(ci[0], ms.k), _stepped_up(ci[1], ms.k))
    error, freedom = (ms.within, ms.n * (ms.k - 1)) if model == "1" else (ms.residual, (ms.n - 1) * (ms.k - 1))
    f = _over(ms.subjects, error)
    return Icc(form, value, ci, f, float(fdtrc(ms.n - 1, freedom, f)), ms.n, ms.k)


def mean_squares(ratings: Floats) -> MeanSquares:
    """Mean squares of a complete (n, k) table."""
    n, k = ratings.shape
    if k < 2:
        raise InputError(
            f"Each subject needs at least 2 measurements, not {k}: one row a subject, one column a reader."
        )
    ratings = ratings - ratings[0, 0]  # a constant table becomes exactly 0, whatever its value
    grand, rows, columns = ratings.mean(), ratings.mean(axis=1), ratings.mean(axis=0)
    residual = ratings - rows[:, None] - columns[None, :] + grand
    return MeanSquares(
        subjects=float(k * ((rows - grand) ** 2).sum() / (n - 1)),
        columns=float(n * ((columns - grand) ** 2).sum() / (k - 1)),
        residual=float((residual**2).sum() / ((n - 1) * (k - 1))),
        within=float(((ratings - rows[:, None]) ** 2).sum() / (n * (k - 1))),
        n=n,
        k=k,
    )


def _one_way(ms: MeanSquares, confidence: float) -> tuple[float, Interval]:
    return _from_f(_over(ms.subjects, ms.within), ms.n - 1, ms.n * (ms.k - 1), ms.k, confidence)


def _consistency(ms: MeanSquares, confidence: float) -> tuple[float, Interval]:
    return _from_f(_over(ms.subjects, ms.residual), ms.n - 1, (ms.n - 1) * (ms.k - 1), ms.k, confidence)


def _from_f(f: float, between: int, error: int, k: int, confidence: float) -> tuple[float, Interval]:
    """ICC = (F - 1)/(F + k - 1), its limits the same function of F over and times the F quantiles."""
    tail = (1 + confidence) / 2
    low, high = f / float(fdtri(between, error, tail)), f * float(fdtri(error, between, tail))
    return _icc_of(f, k), (_icc_of(low, k), _icc_of(high, k))


def _absolute(ms: MeanSquares, confidence: float) -> tuple[float, Interval]:
    n, k, subjects, columns, residual = ms.n, ms.k, ms.subjects, ms.columns, ms.residual
    scale = subjects + (k - 1) * residual + k * (columns - residual) / n
    if scale == 0:
        return float("nan"), UNDEFINED
    value = (subjects - residual) / scale
    if residual == 0:  # then the interval's F ratio of columns to residual does not exist
        return value, (1.0, 1.0) if columns == 0 else UNDEFINED
    f = columns / residual
    spread = n * (1 + (k - 1) * value) - k * value
    freedom = _ratio((k - 1) * (n - 1) * (k * value * f + spread) ** 2, (n - 1) * (k * value * f) ** 2 + spread**2)
    tail = (1 + confidence) / 2
    lower, upper = float(fdtri(n - 1, freedom, tail)), float(fdtri(freedom, n - 1, tail))
    rest = k * columns + (k * n - k - n) * residual
    return value, (
        _ratio(n * (subjects - lower * residual), lower * rest + n * subjects),
        _ratio(n * (upper * subjects - residual), rest + n * upper * subjects),
    )


def _icc_of(f: float, k: int) -> float:
    return 1.0 if math.isinf(f) else (f - 1) / (f + k - 1)


def _stepped_up(value: float, k: int) -> float:
    return _ratio(k * value, 1 + (k - 1) * value)


def _ratio(value: float, scale: float) -> float:
    return value / scale if scale != 0 else float("nan")


def _over(value: float, error: float) -> float:
    if error > 0:
        return value / error
    return float("inf") if value > 0 else float("nan")
