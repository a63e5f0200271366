"""Mann-Whitney and Wilcoxon signed-rank tests: exact permutation distributions with ties, and the normal approximation.

The exact distribution of a sum of midranks is counted by dynamic programming (ranks doubled to whole numbers), which
ties do not disturb; tables and SciPy's "exact" assume that there are none.
Source: Mann & Whitney, Ann Math Stat 1947;18:50; Wilcoxon, Biometrics Bull 1945;1:80; Pratt, J Am Stat Assoc
1959;54:655; Streitberg & Roehmel, Stat Softw Newsl 1986;12:10 (shift algorithm). Equality is exact: nothing is rounded
before ranking.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from bonequant.errors import InputError
from bonequant.statistics.checks import Floats, Integers, numbers, paired
from bonequant.statistics.ranks import midranks, tie_term

EXACT_UP_TO = 100  # cases; beyond it "auto" takes the normal approximation
_MOST_CASES = 300  # of an exact test, for which they cost 0.15 GB and some seconds; they grow with the third power
_ALTERNATIVES = ("two-sided", "greater", "less")


@dataclass(frozen=True)
class MannWhitney:
    """``statistic`` is U of the first sample; ``superiority`` = U/(n1 n2) = P(first > second) + P(equal)/2, an AUC."""

    statistic: float
    p_value: float
    superiority: float
    method: str  # "exact" or "asymptotic"
    alternative: str
    n: tuple[int, int]


@dataclass(frozen=True)
class Wilcoxon:
    """``statistic`` is the sum of the ranks of positive differences, first - second."""

    statistic: float
    p_value: float
    median_difference: float
    method: str  # "exact" or "asymptotic"
    alternative: str
    zeros: str  # the rule for zero differences
    n: int  # pairs
    n_zero: int


def mann_whitney(
    first: npt.ArrayLike, second: npt.ArrayLike, *, alternative: str = "two-sided", method: str = "auto"
) -> MannWhitney:
    """Test that neither of two independent samples tends to larger values.

    ``method``: "exact", "asymptotic" (ties and continuity corrected), or "auto": exact up to 100 cases.
    ``alternative``: "two-sided", or the first sample is "greater" or "less". The exact two-sided p is the probability
    of a U at least as far from n1 n2/2 as the one found. All values equal give p = 1.
    """
    x, y = numbers(first, "the first sample"), numbers(second, "the second sample")
    pooled = np.concatenate([x, y])
    method = _method(method, alternative, len(pooled))
    ranks = midranks(pooled)
    n1, n2, total = len(x), len(y), len(pooled)
    rank_sum = float(ranks[:n1].sum())
    u = rank_sum - n1 * (n1 + 1) / 2
    if method == "exact":
        doubled = np.rint(2 * ranks).astype(np.int64)
        sums, chances = _subset_sums(doubled, n1)
        p_value = _exact_p(sums, chances, round(2 * rank_sum), n1 * (total + 1), alternative)
    else:
        variance = n1 * n2 / 12 * (total + 1 - tie_term(pooled) / (total * max(total - 1, 1)))
        p_value = _normal_p(u - n1 * n2 / 2, variance, alternative)
    return MannWhitney(u, p_value, u / (n1 * n2), method, alternative, (n1, n2))


def wilcoxon(
    first: npt.ArrayLike,
    second: npt.ArrayLike | None = None,
    *,
    alternative: str = "two-sided",
    method: str = "auto",
    zeros: str = "wilcox",
) -> Wilcoxon:
    """Signed-rank test that paired differences first - second (or ``first`` alone as differences) are centred on 0.

    ``zeros``: "wilcox" drops zero differences before ranking (Wilcoxon; the default of R and SciPy), "pratt" ranks them
    and then drops their ranks. ``method`` and ``alternative`` as in :func:`mann_whitney`. Only zeros give p = 1.
    """
    if second is None:
        differences = numbers(first, "the differences")
    else:
        x, y = paired(first, second)
        differences = x - y
    if zeros not in ("wilcox", "pratt"):
        raise InputError(f"The rule for zero differences is 'wilcox' or 'pratt', not {zeros!r}.")
    method = _method(method, alternative, len(differences))
    ranked = differences if zeros == "pratt" else differences[differences != 0]
    ranks = midranks(np.abs(ranked))
    kept = ranked != 0
    ranks, positive = ranks[kept], ranked[kept] > 0
    statistic = float(ranks[positive].sum())
    if method == "exact":
        doubled = np.rint(2 * ranks).astype(np.int64)
        sums, chances = _signed_sums(doubled)
        p_value = _exact_p(sums, chances, round(2 * statistic), int(doubled.sum()) / 2, alternative)
    else:
        p_value = _normal_p(statistic - float(ranks.sum()) / 2, float(np.sum(ranks**2)) / 4, alternative)
    return Wilcoxon(
        statistic=statistic,
        p_value=p_value,
        median_difference=float(np.median(differences)),
        method=method,
        alternative=alternative,
        zeros=zeros,
        n=len(differences),
        n_zero=int((differences == 0).sum()),
    )


def _method(method: str, alternative: str, cases: int) -> str:
    if alternative not in _ALTERNATIVES:
        raise InputError(f"The alternative is one of {', '.join(_ALTERNATIVES)}, not {alternative!r}.")
    if method not in ("auto", "exact", "asymptotic"):
        raise InputError(f"The method is 'auto', 'exact' or 'asymptotic', not {method!r}.")
    if method == "auto":
        return "exact" if cases <= EXACT_UP_TO else "asymptotic"
    if method == "exact" and cases > _MOST_CASES:
        raise InputError(f"The exact test takes up to {_MOST_CASES} cases, not {cases}: use 'asymptotic', or 'auto'.")
    return method


def _subset_sums(values: Integers, size: int) -> tuple[Integers, Floats]:
    """Every possible sum of ``size`` of the whole numbers ``values``, and its chance if all subsets are equally
    likely.
    """
    complement = size > len(values) - size
    picks = len(values) - size if complement else size
    highest = int(np.sort(values)[len(values) - picks :].sum())
    ways = np.zeros((picks + 1, highest + 1))
    ways[0, 0] = 1
    for value in values.tolist():
        ways[1:, value:] += ways[:-1, : highest + 1 - value].copy()
    sums = np.flatnonzero(ways[picks])
    chances = ways[picks, sums] / ways[picks].sum()
    return (int(values.sum()) - sums if complement else sums), chances


def _signed_sums(values: Integers) -> tuple[Integers, Floats]:
    """Every possible sum of a subset, of any size, of ``values``, and its chance if each is in with probability 1/2."""
    chances = np.zeros(int(values.sum()) + 1)
    chances[0] = 1
    for value in values.tolist():
        chances[value:] += chances[: len(chances) - value].copy()
        chances /= 2
    sums = np.flatnonzero(chances)
    return sums, chances[sums]


def _exact_p(sums: Integers, chances: Floats, found: int, centre: float, alternative: str) -> float:
    extreme = {
        "two-sided": np.abs(sums - centre) >= abs(found - centre),
        "greater": sums >= found,
        "less": sums <= found,
    }[alternative]
    return min(1.0, float(chances[extreme].sum()))


def _normal_p(deviation: float, variance: float, alternative: str) -> float:
    """p of a statistic's deviation from its mean, with continuity correction 1/2 towards the mean."""
    if variance <= 0:
        return 1.0
    sd = math.sqrt(variance)
    if alternative == "greater":
        return float(ndtr(-(deviation - 0.5) / sd))
    if alternative == "less":
        return float(ndtr((deviation + 0.5) / sd))
    return min(1.0, float(2 * ndtr(-max(abs(deviation) - 0.5, 0.0) / sd)))
