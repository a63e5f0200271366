"""Wilson and Clopper-Pearson intervals and the measures of a confusion table, against published numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.statistics import Confusion, clopper_pearson, confusion, proportion, wilson
from scipy.special import betainc


def test_published_81_of_263() -> None:
    # Newcombe, Stat Med 1998;17:857, printed to 5 (4) decimals.
    assert wilson(81, 263) == pytest.approx((0.25529, 0.36621), abs=5e-6)
    assert clopper_pearson(81, 263) == pytest.approx((0.25274, 0.36762), abs=5e-6)


@pytest.mark.parametrize(("successes", "total"), [(0, 7), (7, 7), (1, 33), (10, 11), (500, 1000)])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_limits_satisfy_their_defining_equations(successes: int, total: int, confidence: float) -> None:
    from scipy.stats import norm

    z, p = norm.ppf((1 + confidence) / 2), successes / total
    for limit in wilson(successes, total, confidence):  # the score test at the limit gives exactly z
        # Squared form, so that limits at 0 and 1 pass too; rounding only.
        assert (p - limit) ** 2 == pytest.approx(z**2 * limit * (1 - limit) / total, abs=1e-12)
    low, high = clopper_pearson(successes, total, confidence)
    tail = (1 - confidence) / 2
    if successes > 0:  # P(X >= successes | low) is the tail
        assert betainc(successes, total - successes + 1, low) == pytest.approx(tail, rel=1e-8)
    if successes < total:
        assert 1 - betainc(successes + 1, total - successes, high) == pytest.approx(tail, rel=1e-8)


def test_no_cases_is_undefined_and_nonsense_an_error() -> None:
    assert all(math.isnan(limit) for limit in wilson(0, 0))
    assert math.isnan(proportion(0, 0).value)
    for successes, total in [(3, 2), (-1, 4), (1.5, 4), (float("nan"), 4)]:
        with pytest.raises(InputError, match="not a proportion"):
            wilson(successes, total)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="confidence"):
        wilson(1, 2, confidence=95)
    with pytest.raises(InputError, match="wald"):
        proportion(1, 2, method="wald")


def test_vp_cohort_of_paper_4() -> None:
    """Cut-off -40 % of Vp: TP/FN/TN/FP 10/1/33/5; limits in percent to one decimal."""
    vp = Confusion(tp=10, fn=1, tn=33, fp=5)
    assert 100 * vp.sensitivity.value == pytest.approx(90.9, abs=0.05)
    assert 100 * vp.specificity.value == pytest.approx(86.8, abs=0.05)
    assert [100 * limit for limit in vp.sensitivity.ci] == pytest.approx([62.3, 98.4], abs=0.05)
    assert [100 * limit for limit in vp.specificity.ci] == pytest.approx([72.7, 94.2], abs=0.05)
    assert (vp.ppv.value, vp.npv.value) == (10 / 15, 33 / 34)
    assert (vp.accuracy.value, vp.prevalence.value) == (43 / 49, 11 / 49)


def test_size_cohort_of_paper_4() -> None:
    """Cut-off -10 % of area: 9/2/18/20; the printed 37-67 for specificity is the interval of 20/38, not of 18/38."""
    area = Confusion(tp=9, fn=2, tn=18, fp=20)
    assert 100 * area.sensitivity.value == pytest.approx(81.8, abs=0.05)
    assert 100 * area.specificity.value == pytest.approx(47.4, abs=0.05)
    assert [100 * limit for limit in area.sensitivity.ci] == pytest.approx([52.3, 94.9], abs=0.05)
    assert [100 * limit for limit in area.specificity.ci] == pytest.approx([32.5, 62.7], abs=0.05)
    assert [100 * limit for limit in wilson(20, 38)] == pytest.approx([37, 67], abs=0.6)


def test_counts_from_labels_and_calls() -> None:
    labels, calls = [1, 1, 1, 0, 0, 0, 0], [1, 0, 1, 0, 1, 0, 0]
    found = confusion(labels, calls, confidence=0.9, method="clopper_pearson")
    assert (found.tp, found.fn, found.tn, found.fp) == (2, 1, 3, 1)
    assert found.sensitivity.ci == clopper_pearson(2, 3, 0.9)
    assert found == confusion(np.array(labels, bool), np.array(calls, float), confidence=0.9, method="clopper_pearson")


def test_predictive_values_at_another_prevalence() -> None:
    counts = Confusion(tp=90, fn=10, tn=160, fp=40)
    own = counts.predictive_values(counts.prevalence.value)
    assert (own.ppv, own.npv) == pytest.approx((counts.ppv.value, counts.npv.value), rel=1e-14)
    screening = counts.predictive_values(0.01)
    assert screening.ppv == pytest.approx(0.9 * 0.01 / (0.9 * 0.01 + 0.2 * 0.99), rel=1e-14)
    assert screening.npv == pytest.approx(0.8 * 0.99 / (0.8 * 0.99 + 0.1 * 0.01), rel=1e-14)


def test_predictive_value_intervals_cover() -> None:
    """The logit intervals hold the true values in about 95 % of simulated studies (2,000; 3 SD of the count is 1.5
    %).
    """
    random, se, sp, prevalence = np.random.default_rng(3), 0.85, 0.75, 0.1
    ppv = se * prevalence / (se * prevalence + (1 - sp) * (1 - prevalence))
    npv = sp * (1 - prevalence) / (sp * (1 - prevalence) + (1 - se) * prevalence)
    held = np.zeros(2)
    for tp, tn in zip(random.binomial(80, se, 2000), random.binomial(120, sp, 2000), strict=True):
        found = Confusion(int(tp), 80 - int(tp), int(tn), 120 - int(tn)).predictive_values(prevalence)
        held += [found.ppv_ci[0] <= ppv <= found.ppv_ci[1], found.npv_ci[0] <= npv <= found.npv_ci[1]]
    assert held / 2000 == pytest.approx(0.95, abs=0.02)


def test_measures_without_cases_are_nan() -> None:
    only_positive = Confusion(tp=3, fn=1, tn=0, fp=0)
    assert math.isnan(only_positive.specificity.value)
    assert math.isnan(only_positive.predictive_values(0.2).ppv)
    perfect = Confusion(tp=3, fn=0, tn=4, fp=0).predictive_values(0.2)
    assert (perfect.ppv, perfect.npv) == (1, 1)
    assert math.isnan(perfect.ppv_ci[0])


def test_bad_counts_and_lists() -> None:
    with pytest.raises(InputError, match="counts"):
        Confusion(tp=-1, fn=1, tn=1, fp=1)
    with pytest.raises(InputError, match="prevalence"):
        Confusion(1, 1, 1, 1).predictive_values(1.0)
    with pytest.raises(InputError, match="one call for each"):
        confusion([1, 0], [1])
    with pytest.raises(InputError, match=r"entries 1 .counted from 0."):
        confusion([1, 2], [1, 0])
    with pytest.raises(InputError, match="entries 0"):
        confusion([float("nan"), 1], [1, 0])
    with pytest.raises(InputError, match="the calls"):
        confusion([0, 1], ["yes", "no"])
