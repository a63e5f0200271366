"""The exact recursion against closed forms, quadrature and its own limits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.kinetics import convolve_exponential, convolve_exponentials
from bonequant.kinetics.convolution import integral_at, step_weights
from scipy.integrate import quad

UNEVEN_S = np.array([0.0, 3.0, 4.5, 11.0, 12.0, 30.0, 31.5, 60.0, 95.0])
RATES = np.array([0.0, 1e-9, 1e-4, 0.03, 0.7, 6.0, 80.0])  # 1/min


def test_a_ramp_has_its_closed_form():
    """c = t: y = t/k - (1 - exp(-kt))/k^2; the recursion is exact, so only rounding is left."""
    t = UNEVEN_S / 60.0
    for k in RATES[RATES > 1e-3]:
        expected = t / k + np.expm1(-k * t) / k**2
        assert np.allclose(convolve_exponential(UNEVEN_S, t, k), expected, rtol=1e-11, atol=1e-15)


def test_any_curve_against_quadrature():
    values = np.random.default_rng(0).uniform(-1.0, 3.0, len(UNEVEN_S))
    at = np.array([0.0, 2.0, 11.0, 47.3, 95.0])
    result = convolve_exponential(UNEVEN_S, values, RATES, at)
    minutes = UNEVEN_S / 60.0
    pieces = list(pairwise(minutes))

    def integrand(s: float, k: float, end: float) -> float:
        return np.interp(s, minutes, values) * np.exp(-k * (end - s))

    for row, k in zip(result, RATES, strict=True):
        for found, end in zip(row, at / 60.0, strict=True):
            expected = sum(quad(integrand, a, min(b, end), args=(k, end))[0] for a, b in pieces if a < end)
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_weights_join_where_the_series_takes_over():
    """Just below and above the switch at 0.05 the two forms agree to rounding (the subtraction loses 1e-13)."""
    series, closed = step_weights(np.nextafter([0.05], 0.0)), step_weights(np.array([0.05]))
    for below, above in zip(series, closed, strict=True):
        assert below[0] == pytest.approx(above[0], rel=1e-12)
    x = np.array([0.0, 1e-300, 1e-12])
    decay, start, end = step_weights(x)
    assert np.allclose(decay, 1.0) and np.allclose(start, 0.5) and np.allclose(end, 0.5)


def test_rate_zero_is_the_integral_and_the_input_ends_with_its_samples():
    values = np.arange(len(UNEVEN_S), dtype=float)
    whole = np.sum(np.diff(UNEVEN_S) * (values[1:] + values[:-1]) / 2.0) / 60.0
    assert convolve_exponential(UNEVEN_S, values, 0.0)[-1] == pytest.approx(whole)
    assert integral_at(UNEVEN_S, values, np.array([1e9]))[0] == pytest.approx(60.0 * whole)
    end, later = convolve_exponential(UNEVEN_S, values, 2.0, np.array([95.0, 125.0]))
    assert later == pytest.approx(end * np.exp(-2.0 * 0.5))
    assert convolve_exponential(UNEVEN_S, values, 2.0, np.array([-1.0]))[0] == 0.0


def test_a_rectangular_sum_would_not_pass():
    """What the recursion is for: on 5 s frames the sum is off by about k-independent dt/2 times the input."""
    t = np.arange(0.0, 300.0, 5.0)
    values = np.exp(-(((t - 30.0) / 8.0) ** 2))
    exact = convolve_exponential(t, values, 0.5)
    rectangular = np.convolve(values, np.exp(-0.5 * t / 60.0))[: len(t)] * 5.0 / 60.0
    assert np.abs(rectangular - exact).max() == pytest.approx(0.5 * 5.0 / 60.0 * values.max(), rel=0.05)


def test_several_exponentials_add():
    values = np.linspace(0.0, 1.0, len(UNEVEN_S))
    both = convolve_exponentials(UNEVEN_S, values, [2.0, -0.5], [0.3, 4.0])
    one, other = convolve_exponential(UNEVEN_S, values, np.array([0.3, 4.0]))
    assert np.allclose(both, 2.0 * one - 0.5 * other, rtol=1e-14)


@pytest.mark.parametrize(
    ("times", "values", "rate", "message"),
    [
        ([0.0, 1.0, 1.0], [0.0, 1.0, 2.0], 1.0, "strictly increasing"),
        ([0.0, np.nan, 2.0], [0.0, 1.0, 2.0], 1.0, "strictly increasing"),
        ([0.0, 1.0], [0.0, 1.0, 2.0], 1.0, "one value per time"),
        ([0.0, 1.0], [0.0, 1.0], -1.0, "negative"),
    ],
)
def test_bad_input_is_refused(times, values, rate, message):
    with pytest.raises(InputError, match=message):
        convolve_exponential(np.array(times), np.array(values), rate)
