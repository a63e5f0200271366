"""Brier score, calibration and decision curve against analytic values, statsmodels and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from bonequant.errors import InputError
from bonequant.statistics import brier, calibration, decision_curve, wilson
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss


def predictions(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    eta = random.normal(-0.3, 1.2, n)
    return random.random(n) < expit(eta), expit(0.4 + 1.8 * eta)  # overconfident and too high


def test_brier_by_hand() -> None:
    found = brier([1, 0, 1, 0], [0.9, 0.2, 0.6, 0.5])
    assert found.value == pytest.approx((0.01 + 0.04 + 0.16 + 0.25) / 4)
    assert found.scaled == pytest.approx(1 - found.value / 0.25)
    assert brier([1, 0, 1], [1, 0, 1]).value == 0
    assert brier([1, 0], [0.5, 0.5]).scaled == 0  # the prevalence itself explains nothing
    assert math.isnan(brier([1, 1], [0.7, 0.9]).scaled)
    assert math.isnan(brier([1], [0.7]).ci[0])


def test_brier_agrees_with_scikit_learn_and_its_interval_covers() -> None:
    labels, p = predictions(0)
    assert brier(labels, p).value == pytest.approx(brier_score_loss(labels, p), rel=1e-13)
    random, held = np.random.default_rng(1), 0
    for _ in range(1000):
        q = random.random(100)
        # With p the truth the expected score is E p(1-p) = 1/6 for uniform p.
        low, high = brier(random.random(100) < q, q).ci
        held += low <= 1 / 6 <= high
    assert held / 1000 == pytest.approx(0.95, abs=0.021)  # 3 SD of the count


@pytest.mark.parametrize("seed", range(3))
def test_calibration_agrees_with_statsmodels(seed: int) -> None:
    labels, p = predictions(seed)
    found, x = calibration(labels, p), logit(p)
    reference = sm.Logit(labels.astype(float), sm.add_constant(x)).fit(disp=0, tol=1e-12)
    limits = reference.conf_int()
    assert [found.intercept, found.slope] == pytest.approx(reference.params, rel=1e-7)
    assert found.intercept_ci == pytest.approx(limits[0], rel=1e-6)
    assert found.slope_ci == pytest.approx(limits[1], rel=1e-6)
    offset = sm.GLM(labels.astype(float), np.ones(len(x)), family=sm.families.Binomial(), offset=x).fit(tol=1e-12)
    assert found.in_the_large == pytest.approx(offset.params[0], rel=1e-7)
    assert found.in_the_large_ci == pytest.approx(offset.conf_int()[0], rel=1e-6)
    assert found.note == ""


def test_a_perfectly_calibrated_table() -> None:
    """Exactly 20 of 100 at 0.2, 50 at 0.5, 80 at 0.8: slope 1 and intercepts 0 but for rounding."""
    p = np.repeat([0.2, 0.5, 0.8], 100)
    labels = np.concatenate([np.arange(100) < count for count in (20, 50, 80)])
    found = calibration(labels, p, bins=3)
    assert (found.slope, found.intercept, found.in_the_large) == pytest.approx((1, 0, 0), abs=1e-9)
    doubled = calibration(labels, expit(2 * logit(p) + 1))
    assert (doubled.slope, doubled.intercept) == pytest.approx((0.5, -0.5), abs=1e-9)
    assert [one.predicted for one in found.bins] == pytest.approx([0.2, 0.5, 0.8])
    assert [one.observed.value for one in found.bins] == pytest.approx([0.2, 0.5, 0.8])
    assert found.bins[0].observed.ci == wilson(20, 100)


def test_bins_hold_every_case_once_and_never_split_ties() -> None:
    labels, p = predictions(4)
    rounded = np.round(p, 1).clip(0.05, 0.95)
    found = calibration(labels, rounded, bins=7)
    assert sum(one.observed.total for one in found.bins) == 300
    means = [one.predicted for one in found.bins]
    assert means == sorted(means)
    equal = calibration(labels, p, bins=10)
    assert [one.observed.total for one in equal.bins] == [30] * 10
    np.testing.assert_allclose([one.predicted for one in equal.bins], np.sort(p).reshape(10, 30).mean(axis=1))


def test_ties_go_where_their_middle_belongs() -> None:
    """Ranks 2-5 of six are tied: their middle, half-way, opens the upper of two groups."""
    found = calibration([0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.2, 0.2, 0.2, 0.9], bins=2)
    assert [one.observed.total for one in found.bins] == [1, 5]


def test_calibration_that_does_not_exist() -> None:
    separated = calibration([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9], bins=2)
    assert math.isnan(separated.slope) and "separate" in separated.note
    assert math.isfinite(separated.in_the_large)
    constant = calibration([0, 1, 1], [0.4, 0.4, 0.4])
    assert math.isnan(constant.slope) and "equal" in constant.note
    assert constant.in_the_large == pytest.approx(logit(2 / 3) - logit(0.4))
    certain = calibration([0, 1, 1], [0.0, 0.4, 1.0])
    assert math.isnan(certain.in_the_large) and "0 or 1" in certain.note
    assert sum(one.observed.total for one in certain.bins) == 3


def test_calibration_of_extreme_predictions_converges() -> None:
    random = np.random.default_rng(8)
    eta = random.normal(0, 1, 400)
    labels, p = random.random(400) < expit(eta), expit(8 * eta)
    found = calibration(labels, p)
    plain = calibration(labels, expit(eta))
    assert found.slope == pytest.approx(plain.slope / 8, rel=1e-7)
    assert found.intercept == pytest.approx(plain.intercept, rel=1e-6)


def test_decision_curve_by_hand() -> None:
    """Four of ten ill; at pt 0.2 the model finds all 4 with 2 false alarms: 0.4 - 0.2 x 0.25."""
    labels = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    p = [0.9, 0.8, 0.6, 0.3, 0.7, 0.2, 0.1, 0.1, 0.05, 0.01]
    found = decision_curve(labels, p, [0.0, 0.2, 0.5, 0.95])
    assert found.net_benefit == pytest.approx([0.4 - 0.6 * 0, 0.4 - 0.2 / 4, 0.3 - 0.1, 0.0])
    assert found.treat_all == pytest.approx([0.4, 0.4 - 0.6 / 4, 0.4 - 0.6, 0.4 - 0.6 * 19])
    assert found.treat_none.tolist() == [0, 0, 0, 0]


def test_decision_curve_is_its_definition() -> None:
    labels, p = predictions(2)
    found = decision_curve(labels, np.round(p, 2))  # predictions equal to thresholds are treated
    for pt, benefit in zip(found.thresholds, found.net_benefit, strict=True):
        called = np.round(p, 2) >= pt
        expected = np.mean(called & labels) - np.mean(called & ~labels) * pt / (1 - pt)
        assert benefit == pytest.approx(expected, abs=1e-13)
    assert len(found.thresholds) == 99
    useless = decision_curve(labels, np.full(300, 0.999))
    np.testing.assert_allclose(useless.net_benefit, useless.treat_all, atol=1e-13)


def test_bad_input() -> None:
    with pytest.raises(InputError, match="entries 1 "):
        brier([0, 1], [0.2, 1.2])
    with pytest.raises(InputError, match="one for each"):
        brier([0, 1], [0.2])
    with pytest.raises(InputError, match="positive and 0 negative"):
        calibration([1, 1], [0.2, 0.3])
    with pytest.raises(InputError, match="group"):
        calibration([0, 1], [0.2, 0.3], bins=0)
    with pytest.raises(InputError, match="below 1"):
        decision_curve([0, 1], [0.2, 0.3], [0.5, 1.0])
