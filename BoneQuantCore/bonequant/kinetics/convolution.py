"""Exact convolution of a piecewise-linear curve with exponentials, at any times, and its integral.

Between two samples the input is a straight line, so y(t) = integral of c(s) exp(-k (t - s)) ds obeys an exact recursion
(Flouri, Lesnic and Mayo, Magn Reson Med 2016;76:998, eq. 24 in this form): over a step h, with x = k h,

    y(t + h) = y(t) exp(-x) + h [c(t) (f(x) - g(x)) + c(t + h) g(x)],  f = (1 - exp(-x)) / x,  g = (1 - f) / x.

A rectangular sum would leak Ktrans h / 2 out of vp. Frame times may be uneven. The curve is 0 before its first sample.
"""

from __future__ import annotations

import numpy as np

from bonequant.errors import InputError

_SMALL = 0.05  # below this g loses digits as (1 - f) / x; nine terms of its series are exact to 1e-17


def step_weights(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """exp(-x), the weight of the step's start, and that of its end, for x = k h >= 0; weights are per unit of h."""
    x = np.asarray(x, dtype=np.float64)
    decay = np.exp(-x)
    small = x < _SMALL
    safe = np.where(small, 1.0, x)
    whole = np.where(small, 0.0, -np.expm1(-safe) / safe)
    end = np.where(small, 0.0, (1.0 - whole) / safe)
    if small.any():
        t = np.where(small, x, 0.0)
        series_whole, series_end = np.zeros_like(t), np.zeros_like(t)
        term = np.ones_like(t)
        for n in range(1, 10):  # term = (-x)^(n-1) / n!
            term = term / n if n == 1 else term * -t / n
            series_whole += term
            series_end += term / (n + 1)
        whole = np.where(small, series_whole, whole)
        end = np.where(small, series_end, end)
    return decay, whole - end, end


def convolve_at_knots(times: np.ndarray, values: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """y at the curve's own times, shape (T, K), for ``rates`` (K,) in 1/unit of ``times`` (T,)."""
    steps = np.diff(times)
    result = np.zeros((len(times), len(rates)))
    weights: dict[float, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    even = len(steps) > 0 and np.ptp(steps) < 1e-9 * steps.mean()  # clock rounding, 1e-9 of a step, is no unevenness
    for i, own in enumerate(steps):
        h = float(steps[0] if even else own)
        if h not in weights:
            if len(weights) == 8:  # frame times that all differ: nothing to reuse, and K may be a whole block
                weights.clear()
            decay, start, end = step_weights(rates * h)
            weights[h] = (decay, start * h, end * h)
        decay, start, end = weights[h]
        np.multiply(result[i], decay, out=result[i + 1])
        result[i + 1] += values[i] * start + values[i + 1] * end
    return result


def convolve_at(
    times: np.ndarray, values: np.ndarray, rates: np.ndarray, at: np.ndarray, knots: np.ndarray | None = None
) -> np.ndarray:
    """y at the times ``at`` (M,), shape (M, K); ``knots`` is what :func:`convolve_at_knots` gave, if at hand.

    Before the first sample y is 0; after the last the input is 0, and y decays.
    """
    if knots is None:
        knots = convolve_at_knots(times, values, rates)
    if len(at) == len(times) and np.array_equal(at, times):
        return knots
    before = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 1)
    h = np.maximum(at - times[before], 0.0)
    decay, start, end = step_weights(h[:, None] * rates)
    value = value_at(times, values, at)
    inside = (at <= times[-1])[:, None]
    result = knots[before] * decay
    result += np.where(inside, h[:, None] * (values[before, None] * start + value[:, None] * end), 0.0)
    result[at < times[0]] = 0.0
    return result


def value_at(times: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The piecewise-linear curve at ``at``; 0 outside its samples."""
    return np.interp(at, times, values, left=0.0, right=0.0)


def integral_at(times: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Integral of the piecewise-linear curve from its first sample to ``at`` (M,), exact."""
    total = np.concatenate([[0.0], np.cumsum(np.diff(times) * (values[1:] + values[:-1]) / 2.0)])
    place = np.clip(at, times[0], times[-1])
    before = np.clip(np.searchsorted(times, place, side="right") - 1, 0, len(times) - 1)
    return total[before] + (place - times[before]) * (values[before] + np.interp(place, times, values)) / 2.0


def convolve_exponential(
    times_s: np.ndarray, values: np.ndarray, rates_per_min: np.ndarray | float, at_s: np.ndarray | None = None
) -> np.ndarray:
    """Convolution of a curve with exp(-k t), exact for the straight lines between its samples.

    Args:
        times_s: (T,) strictly increasing seconds.
        values: (T,) the curve, 0 before its first sample.
        rates_per_min: k, a number or (K,), >= 0; k = 0 is the integral.
        at_s: (M,) where to evaluate; the curve's own times by default.

    Returns:
        (K, M), or (M,) for one rate, in the unit of ``values`` times minutes.

    Raises:
        InputError: times are not strictly increasing, lengths differ, or a rate is negative.
    """
    times = np.asarray(times_s, dtype=np.float64) / 60.0
    values = np.asarray(values, dtype=np.float64)
    rates = np.atleast_1d(np.asarray(rates_per_min, dtype=np.float64))
    if times.ndim != 1 or times.shape != values.shape:
        raise InputError(f"{times.shape} times for {values.shape} values; give one value per time.")
    if np.any(~(np.diff(times) > 0)):
        raise InputError("Times must be strictly increasing; sort the frames and remove repeated ones.")
    if np.any(~(rates >= 0)):
        raise InputError("A rate constant is negative or not a number; rates are 0 or more, per minute.")
    at = times if at_s is None else np.asarray(at_s, dtype=np.float64) / 60.0
    result = convolve_at(times, values, rates, at).T
    return result[0] if np.ndim(rates_per_min) == 0 else result


def convolve_exponentials(
    times_s: np.ndarray, values: np.ndarray, amplitudes: np.ndarray, rates_per_min: np.ndarray
) -> np.ndarray:
    """Convolution with sum_i amplitudes[i] exp(-rates[i] t): (T,), in the unit of values x amplitudes x minutes."""
    return np.asarray(amplitudes, dtype=np.float64) @ convolve_exponential(
        times_s, values, np.atleast_1d(rates_per_min)
    )
