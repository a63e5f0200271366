"""Agreement of two readers beyond chance: Cohen's kappa and weighted kappa, with large-sample interval.

Source: Cohen, Psychol Bull 1968;70:213; variance of Fleiss, Cohen & Everitt, Psychol Bull 1969;72:323.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from bonequant.errors import InputError
from bonequant.statistics.checks import UNDEFINED, Floats, Integers, Interval, level, table


@dataclass(frozen=True)
class Kappa:
    """``value`` 1 is perfect agreement, 0 what chance gives; ``observed`` and ``expected`` (weighted) agreement.

    NaN where chance alone agrees fully (both readers used one and the same category).
    """

    value: float
    standard_error: float
    ci: Interval
    observed: float
    expected: float
    weights: str
    n: int


def kappa(
    first: npt.ArrayLike,
    second: npt.ArrayLike | None = None,
    *,
    categories: Sequence[Any] | None = None,
    confidence: float = 0.95,
) -> Kappa:
    """Cohen's unweighted kappa; arguments as in :func:`weighted_kappa`."""
    return weighted_kappa(first, second, weights="none", categories=categories, confidence=confidence)


def weighted_kappa(
    first: npt.ArrayLike,
    second: npt.ArrayLike | None = None,
    *,
    weights: str = "linear",
    categories: Sequence[Any] | None = None,
    confidence: float = 0.95,
) -> Kappa:
    """Two lists of ordered categories for the same cases, or (``first`` alone) their square table of counts.

    kappa = (po - pe)/(1 - pe) with agreement weights 1 - |i-j|/(k-1) ("linear"), 1 - (i-j)^2/(k-1)^2 ("quadratic") or
    i = j ("none"). ``categories`` gives the order of the grades, by default sorted as found; with "linear" and
    "quadratic" a grade that nobody used changes the weights and belongs in the list.
    """
    level(confidence)
    counts = table(first, square=True) if second is None else _cross_table(first, second, categories)
    n, size = int(counts.sum()), len(counts)
    p = counts / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    w = _weights(weights, size)
    observed, expected = float(np.sum(w * p)), float(rows @ w @ columns)
    if expected >= 1:
        return Kappa(float("nan"), float("nan"), UNDEFINED, observed, expected, weights, n)
    value = (observed - expected) / (1 - expected)
    mean_weights = (w @ columns)[:, None] + (rows @ w)[None, :]
    spread = float(np.sum(p * (w - mean_weights * (1 - value)) ** 2)) - (value - expected * (1 - value)) ** 2
    error = math.sqrt(max(spread, 0.0) / n) / (1 - expected)
    half = float(ndtri((1 + confidence) / 2)) * error
    return Kappa(value, error, (max(value - half, -1.0), min(value + half, 1.0)), observed, expected, weights, n)


def _weights(name: str, size: int) -> Floats:
    distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) / (size - 1)
    choices = {"none": (distance == 0).astype(np.float64), "linear": 1 - distance, "quadratic": 1 - distance**2}
    if name not in choices:
        raise InputError(f"Kappa's weights are one of {', '.join(choices)}, not {name!r}.")
    return choices[name]


def _cross_table(first: npt.ArrayLike, second: npt.ArrayLike, categories: Sequence[Any] | None) -> Integers:
    lists = np.asarray(first), np.asarray(second)
    if any(found.ndim != 1 for found in lists):
        raise InputError("Two readers give one rating for each case: two plain lists are due, or one table of counts.")
    one, two = (found.tolist() for found in lists)
    if len(one) != len(two) or not one:
        raise InputError(f"Two readers rate the same cases: {len(one)} and {len(two)} ratings do not pair up.")
    missing = [at for at, pair in enumerate(zip(one, two, strict=True)) if any(v is None or v != v for v in pair)]
    if missing:
        raise InputError(f"Ratings {missing[:8]} (counted from 0) are missing; leave those cases out for both readers.")
    order = sorted({*one, *two}) if categories is None else list(categories)
    unknown = sorted({*map(str, {*one, *two} - set(order))})
    if unknown or len(set(order)) != len(order):
        raise InputError(f"The categories {order} must be distinct and cover every rating; not covered: {unknown}.")
    place = {category: index for index, category in enumerate(order)}
    counts = np.zeros((max(len(order), 2),) * 2, dtype=np.int64)
    for left, right in zip(one, two, strict=True):
        counts[place[left], place[right]] += 1
    return counts
