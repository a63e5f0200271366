"""Curve descriptions that need no model: arrival, peak, time to peak, steepest slope, area under the curve, washout."""

from __future__ import annotations

import numpy as np

from bonequant.errors import InputError
from bonequant.kinetics.arrival import arrival_index

DESCRIPTIVE_UNITS = {
    "arrival_s": "s",
    "peak": "",
    "time_of_peak_s": "s",
    "time_to_peak_s": "s",
    "max_slope": "1/s",
    "auc": "s",
    "iauc60": "s",
}


def descriptive(times_s: np.ndarray, curves: np.ndarray) -> dict[str, np.ndarray]:
    """Describe ``curves`` (N, T) of concentration or enhancement.

    Each result is (N,); amounts are in the curves' unit times that of ``DESCRIPTIVE_UNITS``:

    - ``arrival_s``: break of a flat and a rising line, on the clock of ``times_s``;
    - ``peak``, ``time_of_peak_s``: the highest frame; ``time_to_peak_s``: from arrival to it;
    - ``max_slope``: steepest rise between neighbouring frames, per second;
    - ``auc``: trapezoids over the whole curve; ``iauc60``: over 60 s from arrival, NaN where the frames end before.

    NaN where a curve is not finite; arrival and what follows from it NaN where a curve never rises.
    """
    times = np.asarray(times_s, dtype=np.float64)
    data = np.atleast_2d(np.asarray(curves, dtype=np.float64))
    fine = np.asarray(np.isfinite(data).all(axis=1))
    filled = np.where(fine[:, None], data, 0.0)
    index = arrival_index(times, data)
    arrival = np.where(index >= 0, times[np.maximum(index, 0)], np.nan)
    top = filled.argmax(axis=1)
    result = {
        "arrival_s": arrival,
        "peak": filled.max(axis=1),
        "time_of_peak_s": times[top],
        "time_to_peak_s": times[top] - arrival,
        "max_slope": (np.diff(filled, axis=1) / np.diff(times)).max(axis=1),
        "auc": (np.diff(times) * (filled[:, 1:] + filled[:, :-1])).sum(axis=1) / 2.0,
        "iauc60": _area_from(times, filled, arrival, 60.0),
    }
    return {name: np.where(fine, value, np.nan) for name, value in result.items()}


def early_late_ratio(
    times_s: np.ndarray, curves: np.ndarray, early_s: tuple[float, float], late_s: tuple[float, float]
) -> np.ndarray:
    """Mean over the early window divided by that over the late one, (N,).

    Counts must be decay-corrected to one time. NaN where the late mean is not positive. Raises InputError where a
    window holds no frame.
    """
    early, late = _window_mean(times_s, curves, early_s), _window_mean(times_s, curves, late_s)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(late > 0.0, early / late, np.nan)


def washout(
    times_s: np.ndarray, curves: np.ndarray, early_s: tuple[float, float], late_s: tuple[float, float]
) -> np.ndarray:
    """Washout in percent of the early mean, 100 (early - late) / early, (N,). NaN and errors as for the ratio."""
    early, late = _window_mean(times_s, curves, early_s), _window_mean(times_s, curves, late_s)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(early > 0.0, 100.0 * (early - late) / early, np.nan)


def clearance_rate(times_s: np.ndarray, curves: np.ndarray, window_s: tuple[float, float]) -> np.ndarray:
    """Rate k (1/min) of a mono-exponential fall in a window, from the slope of the logarithm, (N,).

    For colloid in blood: k = liver flow x extraction / blood volume. NaN where a value in the window is not positive.
    Raises InputError where the window holds fewer than two frames.
    """
    times = np.asarray(times_s, dtype=np.float64) / 60.0
    data = np.atleast_2d(np.asarray(curves, dtype=np.float64))
    inside = _inside(times_s, window_s)
    if inside.sum() < 2:
        raise InputError(f"{int(inside.sum())} frames lie in {window_s[0]:g} to {window_s[1]:g} s; a slope needs two.")
    t, y = times[inside] - times[inside].mean(), data[:, inside]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.log(y) @ t / (t @ t)
    return np.where((y > 0.0).all(axis=1), -slope, np.nan)


def _inside(times_s: np.ndarray, window_s: tuple[float, float]) -> np.ndarray:
    times = np.asarray(times_s, dtype=np.float64)
    return (times >= window_s[0]) & (times <= window_s[1])


def _window_mean(times_s: np.ndarray, curves: np.ndarray, window_s: tuple[float, float]) -> np.ndarray:
    inside = _inside(times_s, window_s)
    if not inside.any():
        raise InputError(f"No frame lies in {window_s[0]:g} to {window_s[1]:g} s; choose a window within the series.")
    return np.atleast_2d(np.asarray(curves, dtype=np.float64))[:, inside].mean(axis=1)


def _area_from(times: np.ndarray, curves: np.ndarray, start: np.ndarray, length: float) -> np.ndarray:
    """Exact area of the piecewise-linear curve from each one's own start, which is a frame time."""
    area = np.full(len(curves), np.nan)
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero(start + length <= times[-1])
    steps = np.diff(times)
    running = np.zeros(curves.shape)
    np.cumsum(steps * (curves[:, 1:] + curves[:, :-1]) / 2.0, axis=1, out=running[:, 1:])
    end = start[rows] + length
    last = np.clip(np.searchsorted(times, end, side="right") - 1, 0, len(times) - 2)
    beyond = end - times[last]
    slope = (curves[rows, last + 1] - curves[rows, last]) / steps[last]
    until_end = running[rows, last] + beyond * (curves[rows, last] + slope * beyond / 2.0)
    area[rows] = until_end - running[rows, np.searchsorted(times, start[rows])]
    return area
