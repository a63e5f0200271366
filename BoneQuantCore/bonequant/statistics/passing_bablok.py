"""Passing-Bablok regression: a robust line between two methods, from the shifted median of all pairwise slopes.

Source: Passing & Bablok, J Clin Chem Clin Biochem 1983;21:709, with their intervals and cusum test of linearity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import kolmogorov, ndtri

from bonequant.errors import InputError
from bonequant.statistics.checks import Floats, Interval, level, paired

_MOST_CASES = 5000  # 12.5 million pairs: about 0.5 GB


@dataclass(frozen=True)
class PassingBablok:
    """second = ``intercept`` + ``slope`` * first. Methods agree where the intervals hold 1 and 0.

    ``linearity_p_value``: small means that the relation is not a straight line, and the rest means little.
    """

    slope: float
    slope_ci: Interval
    intercept: float
    intercept_ci: Interval
    linearity_statistic: float
    linearity_p_value: float
    n: int

    @property
    def methods_agree(self) -> bool:
        """Whether the slope's interval holds 1 and the intercept's 0."""
        return self.slope_ci[0] <= 1 <= self.slope_ci[1] and self.intercept_ci[0] <= 0 <= self.intercept_ci[1]


def passing_bablok(first: npt.ArrayLike, second: npt.ArrayLike, *, confidence: float = 0.95) -> PassingBablok:
    """Line of ``second`` on ``first`` (N >= 4), positively correlated; exchanging the methods gives the inverse line.

    With the N sorted slopes S of all pairs (none for identical points and slope -1; vertical is +infinity) and K the
    number below -1, slope = median of S shifted by K, its limits S(M1 + K), S(M2 + K) with
    C = z sqrt(n(n-1)(2n+5)/18), M1 = (N - C)/2 to the nearest whole number, M2 = N - M1 + 1.
    The intercept is median(y - slope x); its limits follow from the slope's alone and hold a little less than their
    confidence. A limit beyond the list of slopes is infinite: too few cases.
    Raises InputError if no line is determined.
    """
    level(confidence)
    x, y = paired(first, second, minimum=4)
    n = len(x)
    if n > _MOST_CASES:
        raise InputError(f"Passing-Bablok looks at all pairs and takes up to {_MOST_CASES} cases, not {n}: use deming.")
    slopes = _pair_slopes(x, y)
    count, shift = len(slopes), int(np.sum(slopes < -1))
    if count == 0 or not math.isfinite(slope := _at_median(slopes, shift)) or slope <= 0:
        raise InputError("Passing-Bablok needs two lists that vary and rise together; these determine no rising line.")
    half = float(ndtri((1 + confidence) / 2)) * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    first_rank = round((count - half) / 2)
    low, high = _at(slopes, first_rank + shift), _at(slopes, count - first_rank + 1 + shift)
    intercept = float(np.median(y - slope * x))
    statistic, p_value = _cusum(x, y, slope, intercept)
    return PassingBablok(
        slope=slope,
        slope_ci=(low, high),
        intercept=intercept,
        intercept_ci=(_intercept(x, y, high, -math.inf), _intercept(x, y, low, math.inf)),
        linearity_statistic=statistic,
        linearity_p_value=p_value,
        n=n,
    )


def _pair_slopes(x: Floats, y: Floats) -> Floats:
    """Sorted slopes between all pairs of distinct points, without those of exactly -1."""
    i, j = np.triu_indices(len(x), 1)
    dx, dy = x[j] - x[i], y[j] - y[i]
    distinct = (dx != 0) | (dy != 0)
    dx, dy = dx[distinct], dy[distinct]
    slopes = np.divide(dy, dx, out=np.full(len(dx), np.inf), where=dx != 0)
    return np.sort(slopes[slopes != -1])


def _at_median(slopes: Floats, shift: int) -> float:
    """Mean of the one or two middle slopes, counted from ``shift``."""
    count = len(slopes)
    return (_at(slopes, (count + 1) // 2 + shift) + _at(slopes, count // 2 + 1 + shift)) / 2


def _at(slopes: Floats, rank: int) -> float:
    """The slope of ``rank`` (from 1), infinite beyond either end."""
    if rank < 1:
        return -math.inf
    return float(slopes[rank - 1]) if rank <= len(slopes) else math.inf


def _intercept(x: Floats, y: Floats, slope: float, beyond: float) -> float:
    return float(np.median(y - slope * x)) if math.isfinite(slope) else beyond


def _cusum(x: Floats, y: Floats, slope: float, intercept: float) -> tuple[float, float]:
    """Largest |cumulative score| / sqrt(L + 1) along the line, and its p value by Kolmogorov's distribution."""
    residual = (y - slope * x) - intercept  # as the median was taken, so that its own point lies exactly on the line
    above, below = int(np.sum(residual > 0)), int(np.sum(residual < 0))
    if above == 0 or below == 0:
        return 0.0, 1.0
    scores = np.where(residual > 0, math.sqrt(below / above), np.where(residual < 0, -math.sqrt(above / below), 0.0))
    along = (y + x / slope - intercept) / math.sqrt(1 + 1 / slope**2)
    path = np.cumsum(scores[np.argsort(along, kind="stable")])
    statistic = float(np.abs(path).max() / math.sqrt(below + 1))
    return statistic, float(kolmogorov(statistic))
