"""Spoiled gradient echo: signal from R1, and R1 and concentration from signal, exactly.

S = S0 sin(a) (1 - E1) / (1 - E1 cos(a)), E1 = exp(-TR R1), R1 = R10 + r1 C (steady state, T2* neglected; Haase et al.,
J Magn Reson 1986;67:258). The inverse has no approximation: concentrations that come out negative in noise stay so, as
clamping would bias every fit; a signal that no R1 can give (zero, negative, or at or above S0 sin(a)) is NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bonequant.errors import InputError

Values = Any  # a number, or an array that broadcasts against the others
Frames = int | tuple[int, int]


def spgr_signal(r1_per_s: Values, tr_s: Values, flip_angle_deg: Values, s0: Values = 1.0, b1: Values = 1.0) -> Any:
    """Signal for R1 (1/s). ``b1`` multiplies the nominal flip angle."""
    angle = np.deg2rad(flip_angle_deg) * b1
    e1 = np.exp(-np.asarray(tr_s) * r1_per_s)
    return s0 * np.sin(angle) * (1.0 - e1) / (1.0 - e1 * np.cos(angle))


def spgr_r1(signal: Values, tr_s: Values, flip_angle_deg: Values, s0: Values = 1.0, b1: Values = 1.0) -> np.ndarray:
    """R1 (1/s) from the signal; NaN for a signal that no R1 can give."""
    angle = np.deg2rad(flip_angle_deg) * b1
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.asarray(signal, dtype=np.float64) / (s0 * np.sin(angle))
        # R1 = -ln(E1) / TR with E1 = (1 - x) / (1 - x cos a); log1p keeps the digits of small signals
        r1 = -np.log1p(-x * (1.0 - np.cos(angle)) / (1.0 - x * np.cos(angle))) / tr_s
    return np.where((x > 0.0) & (x < 1.0), r1, np.nan)


def signal_to_concentration(
    signal: np.ndarray,
    *,
    tr_s: float,
    flip_angle_deg: float,
    t1_s: Values,
    relaxivity: float,
    baseline: Frames,
    b1: Values = 1.0,
) -> np.ndarray:
    """Concentration (mM) of curves of signal, S0 taken from the frames before the contrast arrives.

    Args:
        signal: (..., T), time last.
        tr_s, flip_angle_deg: of the dynamic sequence.
        t1_s: T1 before contrast, a number or (...,).
        relaxivity: r1 of the agent, 1/s per mM; see :func:`bonequant.kinetics.relaxivity`.
        baseline: number of leading frames, or (first, stop).
        b1: factor of the flip angle, a number or (...,).

    Returns:
        (..., T); NaN where the signal is impossible or T1 is not positive. Count them with ``np.isnan``.

    Raises:
        InputError: a physical quantity is not positive, or there are no baseline frames.
    """
    check_sequence(tr_s, flip_angle_deg, relaxivity)
    signal = np.asarray(signal, dtype=np.float64)
    before = signal[..., baseline_slice(baseline, signal.shape[-1])].mean(axis=-1)
    r10, s0 = rest_state(before, tr_s, flip_angle_deg, t1_s, b1)
    factor = np.asarray(b1, dtype=np.float64)[..., None]
    return (spgr_r1(signal, tr_s, flip_angle_deg, s0[..., None], factor) - r10[..., None]) / relaxivity


def rest_state(
    before: np.ndarray, tr_s: float, flip_angle_deg: float, t1_s: Values, b1: Values
) -> tuple[np.ndarray, np.ndarray]:
    """(R10, S0) from the mean signal before contrast and T1; NaN where T1 or the signal is not positive."""
    t1 = np.broadcast_to(np.asarray(t1_s, dtype=np.float64), before.shape)
    valid = (t1 > 0.0) & (before > 0.0)
    r10 = 1.0 / np.where(valid, t1, np.nan)
    return r10, before / spgr_signal(r10, tr_s, flip_angle_deg, 1.0, b1)


def baseline_slice(baseline: Frames, count: int) -> slice:
    """Raises InputError where no frame is left."""
    first, stop = (0, baseline) if isinstance(baseline, int) else baseline
    if not 0 <= first < stop <= count:
        raise InputError(f"Baseline frames {first} to {stop} of {count}: give at least one frame before the contrast.")
    return slice(first, stop)


def check_sequence(tr_s: float, flip_angle_deg: float, relaxivity: float) -> None:
    """Raises InputError where a quantity cannot be."""
    if not tr_s > 0.0:
        raise InputError(f"TR is {tr_s} s; it must be positive (5 ms is 0.005).")
    if not 0.0 < flip_angle_deg < 180.0:
        raise InputError(f"The flip angle is {flip_angle_deg} degrees; it must lie between 0 and 180.")
    if not relaxivity > 0.0:
        raise InputError(f"The relaxivity is {relaxivity} /mM/s; it must be positive.")
