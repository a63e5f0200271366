"""Curves of known tissues: exact convolution of a finely sampled input, then sampled or averaged at the frames.

Inputs live on a grid of 0.1 s and are straight lines between its points; on them the convolution is exact, so that a
curve is true to the step of the input alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bonequant.kinetics import convolve_exponential, population_aif, spgr_signal
from bonequant.volume import Curve

FINE_STEP_S = 0.1


@dataclass(frozen=True)
class Tissue:
    """Extended Tofts kinetics of one tissue: ``ktrans`` and ``kep`` per minute, ``vp`` as a fraction, arrival delay."""

    ktrans: float
    kep: float
    vp: float
    delay_s: float = 0.0

    @property
    def ve(self) -> float:
        return self.ktrans / self.kep if self.kep else float("nan")


def fine_times(end_s: float, start_s: float = 0.0) -> np.ndarray:
    """Every 0.1 s from ``start_s`` to at least ``end_s``."""
    count = int(np.ceil((end_s - start_s) / FINE_STEP_S - 1e-9)) + 1
    return start_s + FINE_STEP_S * np.arange(count)


def parker_input(end_s: float, arrival_s: float, hematocrit: float) -> Curve:
    """Parker's population AIF on the fine grid, plasma mM, the bolus arriving at ``arrival_s``."""
    return population_aif(fine_times(end_s), "parker", hematocrit, arrival_s)


def tissue_curve(times_s: np.ndarray, aif: Curve, tissue: Tissue) -> np.ndarray:
    """Concentration (T,) in the unit of ``aif`` (plasma, finely sampled) at ``times_s``."""
    at = np.asarray(times_s, dtype=np.float64) - tissue.delay_s
    spread = convolve_exponential(aif.times_s, aif.values, tissue.kep, at)
    return tissue.ktrans * spread + tissue.vp * at_times(aif, at)


def at_times(curve: Curve, times_s: np.ndarray) -> np.ndarray:
    """The piecewise-linear curve at ``times_s``; 0 before its first sample."""
    return np.interp(times_s, curve.times_s, curve.values, left=0.0)


def frame_means(curve: Curve, starts_s: np.ndarray, durations_s: np.ndarray) -> np.ndarray:
    """Mean of a piecewise-linear curve over each frame (T,), exact."""
    t, v = curve.times_s, curve.values
    total = np.concatenate([[0.0], np.cumsum(np.diff(t) * (v[1:] + v[:-1]) / 2.0)])

    def integral(at: np.ndarray) -> np.ndarray:
        place = np.clip(at, t[0], t[-1])
        k = np.clip(np.searchsorted(t, place, side="right") - 1, 0, len(t) - 2)
        return total[k] + (place - t[k]) * (v[k] + np.interp(place, t, v)) / 2.0

    starts, durations = np.asarray(starts_s, dtype=float), np.asarray(durations_s, dtype=float)
    return (integral(starts + durations) - integral(starts)) / durations


def spgr(
    concentration: np.ndarray,
    t10_s: float | np.ndarray,
    *,
    tr_s: float,
    flip_angle_deg: float,
    relaxivity: float,
    s0: float | np.ndarray = 1.0,
) -> np.ndarray:
    """Spoiled gradient echo signal of tissue with ``concentration`` (mM); ``relaxivity`` in 1/(mM s)."""
    r1 = 1.0 / np.asarray(t10_s) + relaxivity * np.asarray(concentration)
    return np.asarray(spgr_signal(r1, tr_s, flip_angle_deg, s0))


def magnitude(signal: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Magnitude image with Gaussian noise of ``sigma`` in both channels (Rician), float32."""
    real = rng.standard_normal(signal.shape, dtype=np.float32)
    real *= sigma
    real += signal
    imaginary = rng.standard_normal(signal.shape, dtype=np.float32)
    imaginary *= sigma
    return np.hypot(real, imaginary)
