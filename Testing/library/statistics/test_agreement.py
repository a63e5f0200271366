"""Bland-Altman, repeatability, ICC, concordance and kappa against their published examples and their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.statistics import (
    bland_altman,
    concordance,
    icc,
    kappa,
    repeatability,
    reproducibility,
    weighted_kappa,
)
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

# Peak expiratory flow (L/min) of 17 subjects, twice by each meter: Bland & Altman, Lancet 1986;i:307, table 1.
WRIGHT = np.array(
    [
        (494, 490), (395, 397), (516, 512), (434, 401), (476, 470), (557, 611), (413, 415), (442, 431), (650, 638),
        (433, 429), (417, 420), (656, 633), (267, 275), (478, 492), (178, 165), (423, 372), (427, 421),
    ]
)  # fmt: skip
MINI = np.array(
    [
        (512, 525), (430, 415), (520, 508), (428, 444), (500, 500), (600, 625), (364, 460), (380, 390), (658, 642),
        (445, 432), (432, 420), (626, 605), (260, 227), (477, 467), (259, 268), (350, 370), (451, 443),
    ]
)  # fmt: skip
# Shrout & Fleiss, Psychol Bull 1979;86:420, table 2: six targets, four judges.
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Marital sexual satisfaction, husband by wife: Agresti, Categorical Data Analysis.
COUPLES = [[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]]


def test_lancet_1986() -> None:
    found = bland_altman(WRIGHT[:, 0], MINI[:, 0])
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    # Printed -22.0 to 17.8, worked out by hand from the rounded mean -2.1, SE 9.4 and t 2.12.
    assert found.bias_ci == pytest.approx((-22.0, 17.8), abs=0.06)
    # The paper takes 2 SD (-79.7, 75.5); the limits here are those with the exact normal quantile.
    assert found.limits == pytest.approx((-2.1176 - 1.959964 * 38.7651, -2.1176 + 1.959964 * 38.7651), abs=1e-3)
    assert bland_altman(WRIGHT[:, 0], MINI[:, 0], agreement=0.9545).limits == pytest.approx((-79.7, 75.5), abs=0.15)


def test_interval_of_the_limits_as_published_in_1999() -> None:
    """Blood pressure, n 85: bias -16.29, SD 19.61, limits -54.7 to 22.1 with intervals (-61.9, -47.5), (14.9, 29.3)."""
    random = np.random.default_rng(0)
    differences = random.normal(size=85)
    differences = (differences - differences.mean()) / differences.std(ddof=1) * 19.61 - 16.29
    second = random.normal(130, 20, 85)
    found = bland_altman(second + differences, second)
    assert found.limits == pytest.approx((-54.7, 22.1), abs=0.06)
    assert found.bias_ci == pytest.approx((-20.5, -12.1), abs=0.06)
    # Bland and Altman work from limits and standard error (3.64) already rounded: up to 0.05 + 2 x 0.005 + 0.05.
    assert found.lower_ci == pytest.approx((-61.9, -47.5), abs=0.11)
    assert found.upper_ci == pytest.approx((14.9, 29.3), abs=0.11)


def test_ratios_are_differences_of_logarithms() -> None:
    first, second = WRIGHT[:, 0], MINI[:, 0]
    ratio, logs = bland_altman(first, second, scale="ratio"), bland_altman(np.log(first), np.log(second))
    assert ratio.bias == pytest.approx(math.exp(logs.bias))
    for name in ("bias_ci", "limits", "lower_ci", "upper_ci"):
        assert getattr(ratio, name) == pytest.approx(np.exp(getattr(logs, name)))
    np.testing.assert_allclose(ratio.differences, first / second)
    np.testing.assert_allclose(ratio.means, np.sqrt(first * second))
    assert bland_altman(2.5 * second, second, scale="ratio").limits == pytest.approx((2.5, 2.5))


def test_proportional_bias_is_the_regression_on_the_means() -> None:
    from scipy.stats import linregress

    first, second = WRIGHT[:, 0] * 1.2, MINI[:, 0]
    found = bland_altman(first, second)
    reference = linregress((first + second) / 2, first - second)
    assert found.slope == pytest.approx(reference.slope, rel=1e-10)
    assert found.slope_p_value == pytest.approx(reference.pvalue, rel=1e-9)
    assert math.isnan(bland_altman([1, 2, 3], [3, 2, 1]).slope)


def test_repeatability_of_the_peak_flow_meters() -> None:
    """1986: SD of the differences of repeats 21.6 (Wright) and 28.2 (mini), coefficients 43.2 and 56.4 with 2 SD."""
    for meter, sd in ((WRIGHT, 21.6), (MINI, 28.2)):
        found = repeatability(meter)
        assert math.sqrt(2) * found.wsd == pytest.approx(sd, abs=0.06)
        assert found.rc == pytest.approx(1.959964 * sd, abs=0.12)
        assert found.wsd == pytest.approx(math.sqrt(np.mean(np.diff(meter) ** 2) / 2), rel=1e-12)
        relative = np.std(meter, axis=1, ddof=1) / meter.mean(axis=1)
        assert found.rc_percent == pytest.approx(100 * 1.959964 * math.sqrt(2 * np.mean(relative**2)), rel=1e-6)


def test_repeatability_interval_covers() -> None:
    """The chi-square interval of RC holds the truth in 95 % of 2,000 simulated studies (3 SD of the count: 1.5 %)."""
    random, held = np.random.default_rng(2), 0
    for _ in range(2000):
        subjects = random.normal(50, 10, (12, 1))
        low, high = repeatability(subjects + random.normal(0, 2, (12, 3))).rc_ci
        held += low <= 1.959964 * math.sqrt(2) * 2 <= high
    assert held / 2000 == pytest.approx(0.95, abs=0.015)
    assert math.isnan(repeatability([[1.0, -1.0], [2.0, 3.0]]).wcv)


def test_reproducibility_recovers_planted_variances() -> None:
    random, found = np.random.default_rng(6), []
    for _ in range(400):
        conditions = random.normal(0, 3, 8)
        found.append(reproducibility(random.normal(50, 10, (20, 1)) + conditions + random.normal(0, 2, (20, 8))))
    # Means of 400 estimates: their standard errors are 2.5 % and 0.6 %.
    assert np.mean([one.condition_variance for one in found]) == pytest.approx(9, rel=0.1)
    assert np.mean([one.residual_variance for one in found]) == pytest.approx(4, rel=0.02)
    truth = 1.959964 * math.sqrt(2) * math.sqrt(9 + 4)
    # 3 SD of the count are 3.3 %.
    assert np.mean([one.rdc_ci[0] <= truth <= one.rdc_ci[1] for one in found]) == pytest.approx(0.95, abs=0.033)
    one = found[0]
    assert one.rdc == pytest.approx(1.959964 * math.sqrt(2 * (one.condition_variance + one.residual_variance)))


@pytest.mark.parametrize(
    ("form", "value", "ci"),
    [
        # Values of Shrout & Fleiss; intervals as R's psych and irr print them, to 3 decimals.
        ("1,1", 0.1657, (-0.133, 0.723)),
        ("2,1", 0.2898, (0.019, 0.761)),
        ("3,1", 0.7148, (0.342, 0.946)),
        ("1,k", 0.4428, (-0.884, 0.912)),
        ("2,k", 0.6201, (0.071, 0.927)),
        ("3,k", 0.9093, (0.676, 0.986)),
    ],
)
def test_shrout_and_fleiss(form: str, value: float, ci: tuple[float, float]) -> None:
    found = icc(JUDGES, form)
    assert found.value == pytest.approx(value, abs=5e-5)
    assert found.ci == pytest.approx(ci, abs=6e-4)
    assert (found.n, found.k) == (6, 4)
    # F tests printed in the paper: 1.79 (one-way), 11.03 (two-way).
    assert found.f == pytest.approx(1.79 if form[0] == "1" else 11.03, abs=5e-3)


def test_icc_intervals_cover() -> None:
    """Each single-measure interval holds its truth in 95 % of 1,500 tables drawn from its own model (3 SD: 1.7 %)."""
    random, held = np.random.default_rng(4), dict.fromkeys(("1,1", "2,1", "3,1"), 0)
    for _ in range(1500):
        subjects, error = random.normal(0, 2, (15, 1)), random.normal(0, 1, (15, 3))
        readers = random.normal(0, 1, 3)
        for form, table, truth in (
            ("1,1", subjects + error, 4 / 5),
            ("2,1", subjects + readers + error, 4 / 6),
            ("3,1", subjects + np.array([0, 5, -9]) + error, 4 / 5),
        ):
            low, high = icc(table, form).ci
            held[form] += low <= truth <= high
    # (2,1) is Satterthwaite's approximation, allowed a further 2 %.
    assert [held[form] / 1500 for form in ("1,1", "3,1")] == pytest.approx([0.95, 0.95], abs=0.017)
    assert held["2,1"] / 1500 == pytest.approx(0.95, abs=0.037)


def test_icc_at_the_edges() -> None:
    same = np.repeat([[1.1], [2.3], [3.7]], 2, axis=1)
    for form in ("1,1", "2,1", "3,1", "2,k"):
        assert icc(same, form).value == pytest.approx(1, abs=1e-12)
        assert icc(same, form).ci == pytest.approx((1, 1), abs=1e-12)
        assert math.isnan(icc(np.full((4, 3), 0.1), form).value)
    opposed = [[1.0, 2.0], [2.0, 1.0]]  # readers who only contradict each other: the subjects' means are equal
    assert icc(opposed, "1,1").value == -1
    assert math.isnan(icc(opposed, "1,k").value)
    shifted = same + np.array([0.0, 1.0])
    assert icc(shifted, "3,1").value == pytest.approx(1, abs=1e-12)
    assert icc(shifted, "2,1").value < 0.9
    for bad, message in (([[1.0, 2.0]], "at least 2"), ([[1.0], [2.0]], "at least 2 measurements"), ([1, 2], "2 dim")):
        with pytest.raises(InputError, match=message):
            icc(bad)
    with pytest.raises(InputError, match=r"at \(1, 0\)"):
        icc([[1, 2], [float("nan"), 3]])
    with pytest.raises(InputError, match="form"):
        icc(JUDGES, "4,1")


def test_concordance_of_the_peak_flow_meters() -> None:
    """rho_c = 0.943, nearly all of it precision (r 0.943): the meters scatter, but about the line of identity."""
    first, second = WRIGHT[:, 0], MINI[:, 0]
    found = concordance(first, second)
    moments = np.cov(first, second, bias=True)
    shift = first.mean() - second.mean()
    assert found.value == pytest.approx(2 * moments[0, 1] / (np.trace(moments) + shift**2), rel=1e-12)
    assert found.value == pytest.approx(0.943, abs=5e-4)
    assert found.value == pytest.approx(found.precision * found.accuracy, rel=1e-12)
    assert found.precision == pytest.approx(np.corrcoef(first, second)[0, 1], rel=1e-12)


@pytest.mark.parametrize(("shift", "scale", "r"), [(0.0, 1.0, 0.8), (0.7, 1.4, 0.9), (1.5, 0.6, 0.5), (0.5, 1.0, 0.0)])
def test_concordance_variance_is_the_delta_method(shift: float, scale: float, r: float) -> None:
    """Lin's corrected variance is derived anew: numerical gradient times the moments' covariance for normal data."""
    n = 400
    random = np.random.default_rng(1)
    raw = random.normal(size=(n, 2))
    raw = (raw - raw.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T, bias=True))).T
    first = raw[:, 0] + shift
    second = scale * (r * raw[:, 0] + math.sqrt(1 - r**2) * raw[:, 1])
    found = concordance(first, second)

    def ccc(moments: np.ndarray) -> float:
        m1, m2, v1, v2, c = moments
        return 2 * c / (v1 + v2 + (m1 - m2) ** 2)

    v1, v2, c = 1.0, scale**2, r * scale
    at = np.array([shift, 0.0, v1, v2, c])
    steps = 1e-6 * np.eye(5)
    gradient = np.array([(ccc(at + step) - ccc(at - step)) / 2e-6 for step in steps])
    covariance = np.zeros((5, 5))  # of the sample moments of a bivariate normal, times n
    covariance[:2, :2] = [[v1, c], [c, v2]]
    covariance[2:, 2:] = [[2 * v1**2, 2 * c**2, 2 * v1 * c], [2 * c**2, 2 * v2**2, 2 * v2 * c],
                          [2 * v1 * c, 2 * v2 * c, v1 * v2 + c**2]]  # fmt: skip
    error = math.sqrt(gradient @ covariance @ gradient / (n - 2))
    half = 1.959963984540054 * error / (1 - found.value**2)
    expected = np.tanh([math.atanh(found.value) - half, math.atanh(found.value) + half])
    assert found.ci == pytest.approx(expected, abs=1e-8)  # the accuracy of the numerical gradient
    assert found.location_shift == pytest.approx(shift / math.sqrt(scale))
    assert found.scale_shift == pytest.approx(1 / scale)


def test_concordance_at_the_edges() -> None:
    perfect = concordance([1, 2, 3, 4], [1, 2, 3, 4])
    assert (perfect.value, perfect.ci) == (pytest.approx(1), pytest.approx((1, 1)))
    assert concordance([1, 2, 3], [1, 2, 4]).n == 3
    with pytest.raises(InputError, match="vary"):
        concordance([0.1, 0.1, 0.1], [1, 2, 3])
    with pytest.raises(InputError, match="at least 3"):
        bland_altman([1, 2], [1, 2])
    with pytest.raises(InputError, match="above 0"):
        bland_altman([1, 2, 0], [1, 2, 3], scale="ratio")
    with pytest.raises(InputError, match="scale"):
        bland_altman([1, 2, 0], [1, 2, 3], scale="percent")


def test_kappa_of_agresti() -> None:
    assert kappa(COUPLES).value == pytest.approx(0.12933, abs=5e-6)
    linear, quadratic = weighted_kappa(COUPLES), weighted_kappa(COUPLES, weights="quadratic")
    assert linear.value == pytest.approx(0.23738, abs=5e-6)
    assert linear.ci == pytest.approx((0.0839, 0.3909), abs=5e-5)
    assert quadratic.value == pytest.approx(0.33205, abs=5e-6)


@pytest.mark.parametrize(("weights", "theirs"), [("none", None), ("linear", "linear"), ("quadratic", "quadratic")])
def test_kappa_agrees_with_scikit_learn_and_statsmodels(weights: str, theirs: str | None) -> None:
    random = np.random.default_rng(9)
    first = random.integers(1, 5, 90)
    second = np.clip(first + random.integers(-1, 2, 90), 1, 4)
    found = weighted_kappa(first, second, weights=weights)
    assert found.value == pytest.approx(cohen_kappa_score(first, second, weights=theirs), rel=1e-12)
    table = np.zeros((4, 4))
    np.add.at(table, (first - 1, second - 1), 1)
    assert weighted_kappa(table, weights=weights) == found
    reference = cohens_kappa(table, wt=theirs)
    assert found.standard_error == pytest.approx(math.sqrt(reference.var_kappa), rel=1e-10)


def test_an_unused_grade_counts_in_the_weights() -> None:
    first, second = ["low", "low", "high", "high"], ["low", "high", "high", "low"]
    grades = ["low", "middle", "high"]
    assert weighted_kappa(first, second, categories=grades, weights="linear").observed == pytest.approx(0.5)
    mixed = ["low", "middle", "high", "high"]
    assert weighted_kappa(first, mixed, categories=grades).observed == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    with pytest.raises(InputError, match="middle"):
        weighted_kappa(first, mixed, categories=["low", "high"])


def test_kappa_at_the_edges() -> None:
    with pytest.raises(InputError, match="two plain lists"):
        weighted_kappa(COUPLES, COUPLES)
    assert math.isnan(kappa([1, 1, 1], [1, 1, 1]).value)
    assert kappa([1, 2, 1], [1, 2, 1]).value == 1
    with pytest.raises(InputError, match=r"\[1\] .* missing"):
        kappa([1, float("nan")], [1, 2])
    with pytest.raises(InputError, match="pair up"):
        kappa([1, 2], [1])
    with pytest.raises(InputError, match="square"):
        kappa([[1, 2, 3], [1, 2, 3]])
    with pytest.raises(InputError, match="weights"):
        weighted_kappa(COUPLES, weights="cubic")
