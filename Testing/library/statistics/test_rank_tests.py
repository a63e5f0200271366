"""Exact and asymptotic rank tests against enumeration of every permutation, and SciPy where it has no ties."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.statistics import mann_whitney, wilcoxon
from scipy import stats


def enumerated_mann_whitney(x: list[float], y: list[float]) -> dict[str, float]:
    """p values over all choices of the first sample among the pooled values."""
    ranks = stats.rankdata([*x, *y])
    sums = np.array([ranks[list(chosen)].sum() for chosen in combinations(range(len(ranks)), len(x))])
    found, centre = ranks[: len(x)].sum(), len(x) * (len(ranks) + 1) / 2
    return {
        "two-sided": np.mean(np.abs(sums - centre) >= abs(found - centre) - 1e-9),
        "greater": np.mean(sums >= found - 1e-9),
        "less": np.mean(sums <= found + 1e-9),
    }


@pytest.mark.parametrize(("n1", "n2", "seed"), [(1, 6, 0), (4, 5, 1), (6, 3, 2), (5, 7, 3), (8, 6, 4)])
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_mann_whitney_with_ties_is_the_permutation_test(n1: int, n2: int, seed: int, alternative: str) -> None:
    values = np.random.default_rng(seed).integers(0, 5, n1 + n2).astype(float)
    x, y = values[:n1].tolist(), values[n1:].tolist()
    found = mann_whitney(x, y, alternative=alternative)
    assert found.method == "exact"
    assert found.p_value == pytest.approx(enumerated_mann_whitney(x, y)[alternative], rel=1e-12)


@pytest.mark.parametrize(("n1", "n2"), [(3, 4), (11, 38), (20, 25), (50, 50)])
def test_mann_whitney_without_ties_is_scipys_exact(n1: int, n2: int) -> None:
    random = np.random.default_rng(n1)
    x, y = random.normal(0.4, size=n1), random.normal(size=n2)
    for alternative in ("two-sided", "greater", "less"):
        reference = stats.mannwhitneyu(x, y, alternative=alternative, method="exact")
        found = mann_whitney(x, y, alternative=alternative)
        assert found.statistic == reference.statistic
        assert found.p_value == pytest.approx(reference.pvalue, rel=1e-10)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_mann_whitney_asymptotic_is_scipys(alternative: str) -> None:
    random = np.random.default_rng(8)
    x, y = random.integers(0, 9, 80), random.integers(1, 10, 70)
    reference = stats.mannwhitneyu(x, y, alternative=alternative, method="asymptotic")
    found = mann_whitney(x, y, alternative=alternative)
    assert found.method == "asymptotic"
    assert found.p_value == pytest.approx(reference.pvalue, rel=1e-10)


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.45])
def test_exact_and_asymptotic_meet(shift: float) -> None:
    """At 100 cases, where the normal approximation takes over, its p differs by less than 0.002 (of order 1/N of p)."""
    random = np.random.default_rng(1)
    x, y = np.round(random.normal(shift, size=50), 1), np.round(random.normal(size=50), 1)
    exact, approximate = mann_whitney(x, y), mann_whitney(x, y, method="asymptotic")
    assert exact.method == "exact"
    assert approximate.p_value == pytest.approx(exact.p_value, abs=0.002)


def test_superiority() -> None:
    found = mann_whitney([3, 4, 5], [1, 3])
    assert found.superiority == 5.5 / 6  # 5 pairs won, 1 equal
    assert found.statistic == 5.5
    assert mann_whitney([2, 2], [2, 2, 2]).p_value == 1


def enumerated_wilcoxon(differences: np.ndarray, pratt: bool) -> dict[str, float]:
    kept = differences if pratt else differences[differences != 0]
    ranks = stats.rankdata(np.abs(kept))[kept != 0]
    found = ranks[kept[kept != 0] > 0].sum()
    sums = np.array([np.dot(signs, ranks) for signs in product((0, 1), repeat=len(ranks))])
    centre = ranks.sum() / 2
    return {
        "two-sided": np.mean(np.abs(sums - centre) >= abs(found - centre) - 1e-9),
        "greater": np.mean(sums >= found - 1e-9),
        "less": np.mean(sums <= found + 1e-9),
    }


@pytest.mark.parametrize("zeros", ["wilcox", "pratt"])
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("seed", range(4))
def test_wilcoxon_with_ties_and_zeros_is_the_permutation_test(zeros: str, alternative: str, seed: int) -> None:
    differences = np.random.default_rng(seed).integers(-3, 5, 12).astype(float)
    found = wilcoxon(differences, alternative=alternative, zeros=zeros)
    expected = enumerated_wilcoxon(differences, zeros == "pratt")[alternative]
    assert found.p_value == pytest.approx(expected, rel=1e-12)
    assert found.n_zero == int((differences == 0).sum())


@pytest.mark.parametrize("n", [5, 20, 50])
def test_wilcoxon_without_ties_is_scipys_exact(n: int) -> None:
    random = np.random.default_rng(n)
    x, y = random.normal(0.5, size=n), random.normal(size=n)
    for alternative in ("two-sided", "greater", "less"):
        reference = stats.wilcoxon(x, y, alternative=alternative, method="exact")
        assert wilcoxon(x, y, alternative=alternative).p_value == pytest.approx(reference.pvalue, rel=1e-10)


@pytest.mark.parametrize("zeros", ["wilcox", "pratt"])
def test_wilcoxon_asymptotic_is_scipys(zeros: str) -> None:
    random = np.random.default_rng(3)
    differences = random.integers(-4, 6, 150).astype(float)
    reference = stats.wilcoxon(differences, zero_method=zeros, correction=True, method="approx")
    found = wilcoxon(differences, zeros=zeros)
    assert found.method == "asymptotic"
    assert found.p_value == pytest.approx(reference.pvalue, rel=1e-10)


def test_wilcoxon_published_example() -> None:
    """Depression scores of Hollander & Wolfe (1973), table 3.1: V = 40, one-sided exact p = 0.01953."""
    first = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    second = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    found = wilcoxon(first, second, alternative="greater")
    assert found.statistic == 40
    assert found.p_value == pytest.approx(0.01953, abs=5e-6)


def test_only_zero_differences() -> None:
    same = wilcoxon([1.0, 2, 3], [1.0, 2, 3])
    assert (same.statistic, same.p_value, same.n_zero) == (0, 1, 3)
    assert wilcoxon(np.zeros(200)).p_value == 1


def test_bad_input() -> None:
    with pytest.raises(InputError, match=r"the second sample has 1 missing .* at 0"):
        mann_whitney([1, 2], [float("nan")])
    with pytest.raises(InputError, match="has 0 value"):
        mann_whitney([], [1])
    with pytest.raises(InputError, match="equally long"):
        wilcoxon([1, 2], [1])
    with pytest.raises(InputError, match="alternative"):
        mann_whitney([1], [2], alternative="both")
    with pytest.raises(InputError, match="method"):
        wilcoxon([1], method="normal")
    with pytest.raises(InputError, match="zero differences"):
        wilcoxon([1], zeros="split")


def test_an_exact_test_of_too_many_cases_is_refused() -> None:
    values = np.arange(400.0)
    with pytest.raises(InputError, match="up to 300 cases, not 400"):
        mann_whitney(values[::2], values[1::2], method="exact")
    with pytest.raises(InputError, match="up to 300 cases"):
        wilcoxon(values, method="exact")
    assert mann_whitney(values[::2], values[1::2]).method == "asymptotic"
