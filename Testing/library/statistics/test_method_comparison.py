"""Deming and Passing-Bablok regression, and correlation, against geometry, definitions and R's mcr."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.statistics import deming, passing_bablok, pearson, spearman
from scipy import stats
from scipy.optimize import minimize


def methods(seed: int, n: int = 40, slope: float = 1.2, intercept: float = -3.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.uniform(10, 60, n)
    return truth + random.normal(0, 2, n), intercept + slope * truth + random.normal(0, 2, n)


@pytest.mark.parametrize("ratio", [0.25, 1.0, 3.0])
@pytest.mark.parametrize("slope", [1.2, -0.7])
def test_deming_minimises_its_criterion(ratio: float, slope: float) -> None:
    """Sum of squared residuals in x and, divided by the error ratio, in y: (y - a - bx)^2 / (ratio + b^2) by search."""
    x, y = methods(1, slope=slope)
    found = deming(x, y, error_ratio=ratio)

    def criterion(line: np.ndarray) -> float:
        return float(np.sum((y - line[0] - line[1] * x) ** 2) / (ratio + line[1] ** 2))

    best = minimize(criterion, [0.0, slope], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12})
    # The search stops at its own accuracy: the criterion is flat to 1e-12 of 1e2 around the minimum.
    assert [found.intercept, found.slope] == pytest.approx(best.x, rel=1e-5)
    assert criterion(np.array([found.intercept, found.slope])) <= best.fun + 1e-9


def test_orthogonal_regression_is_the_first_principal_axis() -> None:
    x, y = methods(2)
    axis = np.linalg.svd(np.column_stack([x - x.mean(), y - y.mean()]))[2][0]
    assert deming(x, y).slope == pytest.approx(axis[1] / axis[0], rel=1e-12)
    # Exchanging the methods inverts the line.
    assert deming(y, x, error_ratio=0.5).slope == pytest.approx(1 / deming(x, y, error_ratio=2).slope, rel=1e-12)


def test_deming_by_hand() -> None:
    """x = 0 0 2 2, y = 0 1 2 3 (deviations -1 -1 1 1 and -1.5 -.5 .5 1.5): s11 4, s22 5, s12 4, b = (1 + sqrt 65)/8."""
    found = deming([0, 0, 2, 2], [0, 1, 2, 3])
    assert found.slope == pytest.approx((1 + math.sqrt(65)) / 8, rel=1e-14)
    assert found.intercept == pytest.approx(1.5 - found.slope, rel=1e-13)
    exact = deming([1, 2, 3, 4], [5, 7, 9, 11])
    assert (exact.slope, exact.intercept) == (pytest.approx(2), pytest.approx(3))
    assert exact.slope_error == pytest.approx(0, abs=1e-12)


def test_deming_jackknife_is_its_definition() -> None:
    x, y = methods(3, n=15)
    left_out = [deming(np.delete(x, at), np.delete(y, at), error_ratio=2.0) for at in range(15)]
    found = deming(x, y, error_ratio=2.0)
    for name in ("slope", "intercept"):
        values = np.array([getattr(one, name) for one in left_out])
        error = math.sqrt(14 / 15 * np.sum((values - values.mean()) ** 2))
        assert getattr(found, f"{name}_error") == pytest.approx(error, rel=1e-10)
        half = stats.t.ppf(0.975, 13) * error
        value = getattr(found, name)
        assert getattr(found, f"{name}_ci") == pytest.approx((value - half, value + half), rel=1e-10)


@pytest.mark.parametrize("regression", [deming, passing_bablok])
def test_intervals_hold_the_true_line(regression) -> None:
    """Slope and intercept intervals each hold the truth in 95 % of 500 simulated comparisons (3 SD: 2.9 %)."""
    held = np.zeros(2)
    for seed in range(500):
        random = np.random.default_rng(seed)
        truth = random.uniform(10, 60, 40)
        found = regression(truth + random.normal(0, 2, 40), truth + 3 + random.normal(0, 2, 40))
        held += [found.slope_ci[0] <= 1 <= found.slope_ci[1], found.intercept_ci[0] <= 3 <= found.intercept_ci[1]]
    assert held[0] / 500 == pytest.approx(0.95, abs=0.03)
    # Passing and Bablok take the intercept's limits from the slope's alone, which leaves out some scatter: 5 % more.
    assert held[1] / 500 == pytest.approx(0.95, abs=0.03 if regression is deming else 0.05)


def test_passing_bablok_as_rs_mcr() -> None:
    """Twenty pairs for which mcreg(method.reg="PaBa") gives slope 1.0050 and intercept 0.0125."""
    y = [1.03, 2.05, 2.79, 3.67, 5.00, 5.82, 7.16, 7.69, 8.53, 10.38]
    y += [11.11, 12.17, 13.47, 13.83, 15.15, 16.12, 16.94, 18.09, 19.13, 19.54]
    found = passing_bablok(np.arange(1, 21), y)
    assert found.slope == pytest.approx(1.0050, abs=5e-5)
    assert found.intercept == pytest.approx(0.0125, abs=5e-5)
    # mcr interpolates its limits, so they differ in the fourth digit of slopes and the second of intercepts.
    assert found.slope_ci == pytest.approx((0.9848077, 1.0265805), abs=0.0015)
    assert found.methods_agree


def test_passing_bablok_by_hand() -> None:
    """x 1 2 3 4, y 1 3 2 5: slopes 2 1/2 4/3 -1(left out) 1 3, median 4/3; y - 4/3 x = -1/3 1/3 -2 -1/3, median
    -1/3.
    """
    found = passing_bablok([1, 2, 3, 4], [1, 3, 2, 5])
    assert found.slope == pytest.approx(4 / 3, rel=1e-14)
    assert found.intercept == pytest.approx(-1 / 3, rel=1e-14)
    # N 5, C = 1.96 sqrt(4 3 13/18) = 5.77 > 5: four cases are too few for limits.
    assert (found.slope_ci, found.intercept_ci) == ((-math.inf, math.inf), (-math.inf, math.inf))


def test_passing_bablok_limits_by_definition() -> None:
    x, y = methods(4, n=25, slope=1.0)
    slopes = sorted((y[j] - y[i]) / (x[j] - x[i]) for i in range(25) for j in range(i + 1, 25))
    below = sum(slope < -1 for slope in slopes)
    c = 1.959964 * math.sqrt(25 * 24 * 55 / 18)
    m1 = int((300 - c) / 2 + 0.5)
    found = passing_bablok(x, y)
    assert found.slope == pytest.approx((slopes[149 + below] + slopes[150 + below]) / 2, rel=1e-14)
    low, high = slopes[m1 - 1 + below], slopes[300 - m1 + below]
    assert found.slope_ci == pytest.approx((low, high), rel=1e-14)
    assert found.intercept_ci == pytest.approx((np.median(y - high * x), np.median(y - low * x)), rel=1e-14)


def test_passing_bablok_is_symmetric_and_ignores_the_order() -> None:
    random = np.random.default_rng(12)
    x = random.integers(1, 30, 41).astype(float)  # ties: vertical, horizontal and identical pairs
    y = np.round(x + random.normal(0, 2, 41))
    one, other, shuffled = passing_bablok(x, y), passing_bablok(y, x), np.random.default_rng(0).permutation(41)
    again = passing_bablok(x[shuffled], y[shuffled])
    assert (again.slope, again.slope_ci) == (one.slope, one.slope_ci)
    # The median of 1/b is 1/median(b) but for the mean of two middle slopes, here equal.
    assert other.slope == pytest.approx(1 / one.slope, rel=1e-12)
    outlier = y.copy()
    outlier[0] = 500
    assert passing_bablok(x, outlier).slope == pytest.approx(one.slope, abs=0.1)


def test_linearity_is_told_from_a_curve() -> None:
    x = np.linspace(1, 20, 60)
    noise = np.random.default_rng(5).normal(0, 0.3, 60)
    assert passing_bablok(x, x + noise).linearity_p_value > 0.05
    assert passing_bablok(x, x**2 / 10 + noise).linearity_p_value < 0.01
    assert passing_bablok(x, 2 * x).linearity_p_value == 1


def test_cusum_by_hand() -> None:
    """Residual signs + - - + along the line: L = l = 2, scores 1 -1 -1 1, path 1 0 -1 0, largest 1/sqrt 3."""
    x = np.array([1.0, 2, 3, 4])
    found = passing_bablok(x, [1.2, 1.9, 2.9, 4.2])
    residual = np.array([1.2, 1.9, 2.9, 4.2]) - found.intercept - found.slope * x
    assert np.sign(residual).tolist() == [1, -1, -1, 1]
    assert found.linearity_statistic == pytest.approx(1 / math.sqrt(3), rel=1e-12)


def test_cusum_is_its_definition() -> None:
    """Unequal numbers above and below: scores sqrt(L/l) and -sqrt(l/L), summed in order along the line."""
    random = np.random.default_rng(8)
    x = np.arange(1.0, 41)
    y = x + random.choice([-2, -1, 0, 3], 40, p=[0.2, 0.1, 0.5, 0.2])  # half of the points lie on the line
    found = passing_bablok(x, y)
    assert (found.slope, found.intercept) == (1, 0)
    residual = y - x
    above, below = int((residual > 0).sum()), int((residual < 0).sum())
    assert above != below
    path, largest = 0.0, 0.0
    for at in np.argsort(x / found.slope + y):
        path += {1: math.sqrt(below / above), 0: 0.0, -1: -math.sqrt(above / below)}[int(np.sign(residual[at]))]
        largest = max(largest, abs(path))
    assert found.linearity_statistic == pytest.approx(largest / math.sqrt(below + 1), rel=1e-9)
    assert found.linearity_p_value == pytest.approx(stats.kstwobign.sf(found.linearity_statistic), rel=1e-9)


@pytest.mark.parametrize("regression", [deming, passing_bablok])
def test_no_line(regression) -> None:
    with pytest.raises(InputError, match="line"):
        regression([1, 1, 1, 1], [1, 2, 3, 4])
    with pytest.raises(InputError, match="line"):
        regression([0.1, 0.2, 0.3, 0.4], [0.1, 0.1, 0.1, 0.1])
    with pytest.raises(InputError, match="at least 4"):
        regression([1, 2, 3], [1, 2, 3])
    with pytest.raises(InputError, match="missing"):
        regression([1, 2, 3, float("nan")], [1, 2, 3, 4])


def test_conditions_of_the_regressions() -> None:
    with pytest.raises(InputError, match="rise together"):
        passing_bablok([1, 2, 3, 4, 5], [9, 7, 5, 3, 1])
    with pytest.raises(InputError, match="ratio"):
        deming([1, 2, 3, 4], [1, 2, 3, 5], error_ratio=0)
    with pytest.raises(InputError, match="5000"):
        passing_bablok(np.arange(5001.0), np.arange(5001.0))


@pytest.mark.parametrize(("ours", "theirs"), [(pearson, stats.pearsonr), (spearman, stats.spearmanr)])
def test_correlation_agrees_with_scipy(ours, theirs) -> None:
    random = np.random.default_rng(3)
    x = random.integers(0, 8, 30)
    y = x + random.integers(-4, 5, 30)
    found, reference = ours(x, y), theirs(x, y)
    assert found.value == pytest.approx(reference.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(reference.pvalue, rel=1e-9)
    if ours is pearson:
        assert found.ci == pytest.approx(tuple(reference.confidence_interval()), rel=1e-10)
    else:  # Bonett and Wright's standard error on Fisher's z
        half = 1.959963984540054 * math.sqrt((1 + found.value**2 / 2) / 27)
        assert np.arctanh(found.ci) == pytest.approx(math.atanh(found.value) + np.array([-half, half]), rel=1e-10)


def test_paper_2_correlations() -> None:
    """r(MAA, PVP) = -0.381 has P .081 and r(MAA, TLP) = 0.039 P .862 with 22 lesions."""
    for r, p_value in ((-0.381, 0.081), (0.039, 0.862)):
        random = np.random.default_rng(1)
        x = random.normal(size=22)
        x = (x - x.mean()) / x.std()
        noise = random.normal(size=22)
        noise -= noise.mean() + x * (noise @ x) / 22
        y = r * x + math.sqrt(1 - r**2) * noise / noise.std()
        assert pearson(x, y).value == pytest.approx(r, rel=1e-10)
        assert pearson(x, y).p_value == pytest.approx(p_value, abs=1.5e-3)  # r is printed to three digits


def test_correlation_at_the_edges() -> None:
    assert math.isnan(pearson([1, 2, 3], [1, 3, 2]).ci[0])
    assert (spearman([1, 2, 3, 4], [1, 4, 9, 16]).value, spearman([1, 2, 3, 4], [1, 4, 9, 16]).p_value) == (1, 0)
    with pytest.raises(InputError, match="vary"):
        pearson([0.1, 0.1, 0.1], [1, 2, 3])
    with pytest.raises(InputError, match="confidence"):
        spearman([1, 2, 3], [1, 3, 2], confidence=1)
