"""The final regression where its solution is known in closed form, and separation found."""

from __future__ import annotations

import numpy as np
import pytest
from bonequant.radiomics.model.logistic import fit_logistic, is_separated


def two_by_two(a: int, b: int, c: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """a positive and b negative cases with x = 1, c and d with x = 0."""
    x = np.repeat([1.0, 1.0, 0.0, 0.0], [a, b, c, d])[:, None]
    return x, np.repeat([1.0, 0.0, 1.0, 0.0], [a, b, c, d])


def test_maximum_likelihood_gives_the_log_odds_ratio():
    fit = fit_logistic(*two_by_two(12, 5, 7, 20))
    assert fit.method == "maximum likelihood" and not fit.separated and not fit.note
    assert fit.coefficients[0] == pytest.approx(np.log(12 * 20 / (5 * 7)), abs=1e-6)
    assert fit.intercept == pytest.approx(np.log(7 / 20), abs=1e-6)
    assert fit.standard_errors[0] == pytest.approx(np.sqrt(1 / 12 + 1 / 5 + 1 / 7 + 1 / 20), rel=1e-5)


def test_firth_under_separation_adds_a_half_to_each_cell():
    """For the saturated model of a two-way table Jeffreys' prior is half a case in every cell."""
    fit = fit_logistic(*two_by_two(12, 0, 7, 20))
    assert fit.method == "Firth" and fit.separated and "separate" in fit.note
    assert fit.coefficients[0] == pytest.approx(np.log(12.5 * 20.5 / (0.5 * 7.5)), abs=1e-5)
    assert fit.intercept == pytest.approx(np.log(7.5 / 20.5), abs=1e-5)


def test_separation_is_found_whole_and_but_for_ties():
    x = np.array([[1.0], [2.0], [3.0], [4.0]])
    assert is_separated(x, np.array([False, False, True, True]))
    assert not is_separated(x, np.array([False, True, False, True]))
    tied = np.array([[1.0], [2.0], [2.0], [3.0]])
    assert is_separated(tied, np.array([False, False, True, True]))
    random = np.random.default_rng(0)
    many = random.normal(size=(30, 29))  # 29 features and an intercept part any 30 cases
    assert is_separated(many, random.random(30) < 0.5)


def test_no_feature_and_dependent_features():
    y = np.array([1.0, 1.0, 1.0, 0.0])
    alone = fit_logistic(np.empty((4, 0)), y)
    assert alone.method == "intercept only" and alone.intercept == pytest.approx(np.log(3))
    random = np.random.default_rng(1)
    x = random.normal(size=(50, 1))
    twice = fit_logistic(np.hstack([x, x]), (x[:, 0] + random.normal(size=50) > 0).astype(float))
    assert "dependent" in twice.note
    assert twice.coefficients[0] == pytest.approx(twice.coefficients[1], abs=1e-6)
