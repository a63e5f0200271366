"""Pearson's and Spearman's correlation with interval.

Source: Fisher, Metron 1921;1:3 (z transformation, SE 1/sqrt(n-3)); Bonett & Wright, Psychometrika 2000;65:23 (Spearman,
SE sqrt((1 + rho^2/2)/(n-3))). p values by Student's t with n - 2 degrees of freedom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtr

from bonequant.errors import InputError
from bonequant.statistics.checks import UNDEFINED, Floats, Interval, level, paired
from bonequant.statistics.ranks import midranks


@dataclass(frozen=True)
class Correlation:
    """``value`` -1..1 with interval (NaN below 4 cases) and two-sided p value of no correlation."""

    value: float
    ci: Interval
    p_value: float
    n: int
    method: str  # "pearson" or "spearman"


def pearson(first: npt.ArrayLike, second: npt.ArrayLike, *, confidence: float = 0.95) -> Correlation:
    """Product-moment correlation of paired lists (N >= 3). Raises InputError if one of them does not vary."""
    x, y = paired(first, second, minimum=3)
    r = _product_moment(x, y)
    return _with_interval(r, len(x), 1.0, confidence, "pearson")


def spearman(first: npt.ArrayLike, second: npt.ArrayLike, *, confidence: float = 0.95) -> Correlation:
    """Rank correlation of paired lists (N >= 3), ties by midranks. Raises InputError if one of them does not vary."""
    x, y = paired(first, second, minimum=3)
    rho = _product_moment(midranks(x), midranks(y))
    return _with_interval(rho, len(x), 1 + rho**2 / 2, confidence, "spearman")


def _product_moment(x: Floats, y: Floats) -> float:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise InputError("Correlation needs two lists that vary; in one of them all values are equal.")
    dx, dy = x - x.mean(), y - y.mean()
    scale = math.sqrt(float(dx @ dx) * float(dy @ dy))  # one root: equal lists give exactly 1
    return min(max(float(dx @ dy) / scale, -1.0), 1.0)


def _with_interval(r: float, n: int, inflation: float, confidence: float, method: str) -> Correlation:
    level(confidence)
    if abs(r) == 1:
        return Correlation(r, (r, r) if n > 3 else UNDEFINED, 0.0, n, method)
    p_value = float(2 * stdtr(n - 2, -abs(r) * math.sqrt((n - 2) / (1 - r**2))))
    ci = UNDEFINED
    if n > 3:
        half = float(ndtri((1 + confidence) / 2)) * math.sqrt(inflation / (n - 3))
        ci = (math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half))
    return Correlation(r, ci, p_value, n, method)
