"""Confidence intervals of a proportion: Wilson (the default everywhere) and Clopper-Pearson (exact).

Source: Wilson, J Am Stat Assoc 1927;22:209; Clopper & Pearson, Biometrika 1934;26:404; computed by SciPy.
"""

from __future__ import annotations

from dataclasses import dataclass

from bonequant.errors import InputError
from bonequant.statistics.checks import UNDEFINED, Interval, level


@dataclass(frozen=True)
class Proportion:
    """``successes`` of ``total``, its value (0..1) and interval; NaN where ``total`` is 0."""

    successes: int
    total: int
    value: float
    ci: Interval
    method: str  # "wilson" or "clopper_pearson"


def wilson(successes: int, total: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval (low, high) of ``successes / total``.

    (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), without continuity correction; (NaN, NaN) for no cases.
    """
    return _interval(successes, total, confidence, "wilson")


def clopper_pearson(successes: int, total: int, confidence: float = 0.95) -> Interval:
    """Clopper and Pearson's exact interval (low, high): the beta quantiles of the binomial tails."""
    return _interval(successes, total, confidence, "exact")


def proportion(successes: int, total: int, confidence: float = 0.95, method: str = "wilson") -> Proportion:
    """``successes / total`` with its interval by ``method``: "wilson" or "clopper_pearson"."""
    intervals = {"wilson": wilson, "clopper_pearson": clopper_pearson}
    if method not in intervals:
        raise InputError(f"There is no interval {method!r} for a proportion; choose {' or '.join(intervals)}.")
    ci = intervals[method](successes, total, confidence)
    return Proportion(int(successes), int(total), successes / total if total else float("nan"), ci, method)


def _interval(successes: int, total: int, confidence: float, method: str) -> Interval:
    level(confidence)
    if not 0 <= successes <= total or successes != int(successes) or total != int(total):
        raise InputError(f"{successes} of {total} is not a proportion: whole numbers, 0 <= successes <= total.")
    if total == 0:
        return UNDEFINED
    from scipy.stats import binomtest

    found = binomtest(int(successes), int(total)).proportion_ci(confidence_level=confidence, method=method)
    return float(found.low), float(found.high)
