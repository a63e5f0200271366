"""T1 from spoiled gradient echoes at several flip angles.

Start: the straight line S/sin(a) = E1 S/tan(a) + S0 (1 - E1) (Fram 1987; DESPOT1, Deoni et al., Magn Reson Med
2003;49:515), which weights noise wrongly. Then the non-linear least squares fit of S itself: S0 is linear, so only
ln R1 is searched (variable projection, Levenberg-Marquardt steps), for all voxels at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bonequant.errors import InputError
from bonequant.kinetics.spgr import spgr_signal

R1_RANGE_PER_S = (0.02, 200.0)  # T1 from 5 ms to 50 s; an optimum on an end is a failure, not a T1
_ITERATIONS = 60
_BLOCK = 1 << 16


@dataclass(frozen=True, eq=False)
class T1Fit:
    """(N,) arrays, NaN where no T1 explains the signals; ``n_failed`` counts those."""

    t1_s: np.ndarray
    s0: np.ndarray
    rss: np.ndarray
    n_failed: int

    @property
    def r1_per_s(self) -> np.ndarray:
        return 1.0 / self.t1_s


def t1_from_flip_angles(
    signals: np.ndarray, flip_angles_deg: np.ndarray, tr_s: float | np.ndarray, b1: float | np.ndarray = 1.0
) -> T1Fit:
    """T1 and S0 of N voxels.

    Args:
        signals: (N, A) or (A,), one column per flip angle.
        flip_angles_deg: (A,) nominal flip angles, at least two of them different.
        tr_s: a number, or (A,).
        b1: factor of the flip angle, a number or (N,).

    Raises:
        InputError: fewer than two flip angles, shapes that do not fit, or a TR that is not positive.
    """
    data = np.atleast_2d(np.asarray(signals, dtype=np.float64))
    angles = np.asarray(flip_angles_deg, dtype=np.float64)
    tr = np.broadcast_to(np.asarray(tr_s, dtype=np.float64), angles.shape)
    if angles.ndim != 1 or len(np.unique(angles)) < 2:
        raise InputError(f"T1 needs at least two different flip angles; {np.unique(angles).tolist()} given.")
    if data.shape[1] != len(angles):
        raise InputError(f"Signals of shape {np.shape(signals)} do not fit {len(angles)} flip angles; give (N, A).")
    if np.any(tr <= 0.0):
        raise InputError(f"TR is {np.min(tr)} s; it must be positive (5 ms is 0.005).")
    factor = np.broadcast_to(np.asarray(b1, dtype=np.float64), len(data))
    results = np.full((3, len(data)), np.nan)
    usable = np.flatnonzero(np.isfinite(data).all(axis=1) & (data > 0.0).any(axis=1) & (factor > 0.0))
    for start in range(0, len(usable), _BLOCK):
        part = usable[start : start + _BLOCK]
        results[:, part] = _fit(data[part].T, angles[:, None], tr[:, None], factor[part])
    t1, s0, rss = results
    return T1Fit(t1, s0, rss, int(np.isnan(t1).sum()))


def _fit(
    signals: np.ndarray, angles: np.ndarray, tr: np.ndarray, b1: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(T1, S0, rss) of ``signals`` (A, B)."""
    low, high = np.log(R1_RANGE_PER_S)
    u = np.clip(np.log(_linear_r1(signals, angles, tr, b1)), low + 1e-3, high - 1e-3)
    s0, rss = np.empty(u.shape), np.empty(u.shape)
    # Voxels that have arrived leave the arrays, so that the few slow ones cost little.
    moving, place = np.arange(len(u)), u.copy()
    best_s0, rest, slope = _project(signals, angles, tr, b1, place)
    energy = np.sum(rest * rest, axis=0)
    damping = np.full(u.shape, 1e-3)
    for _ in range(_ITERATIONS):
        step = np.sum(slope * rest, axis=0) / (np.sum(slope * slope, axis=0) * (1.0 + damping) + 1e-300)
        trial = np.clip(place + np.clip(step, -1.0, 1.0), low, high)
        other_s0, other_rest, other_slope = _project(signals[:, moving], angles, tr, b1[moving], trial)
        other = np.sum(other_rest * other_rest, axis=0)
        better = other < energy
        moved = np.where(better, np.abs(trial - place), 0.0)
        place, best_s0, energy = (
            np.where(better, a, b) for a, b in ((trial, place), (other_s0, best_s0), (other, energy))
        )
        rest, slope = np.where(better, other_rest, rest), np.where(better, other_slope, slope)
        damping = np.where(better, damping / 5.0, damping * 5.0)
        u[moving], s0[moving], rss[moving] = place, best_s0, energy
        going = (moved > 1e-10) | (~better & (damping < 1e6))
        if not going.any():
            break
        moving, place, best_s0, energy, damping = (a[going] for a in (moving, place, best_s0, energy, damping))
        rest, slope = rest[:, going], slope[:, going]
    failed = (u <= low + 1e-6) | (u >= high - 1e-6) | (s0 <= 0.0)
    t1, s0, rss = (np.where(failed, np.nan, value) for value in (np.exp(-u), s0, rss))
    return t1, s0, rss


def _project(
    signals: np.ndarray, angles: np.ndarray, tr: np.ndarray, b1: np.ndarray, u: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best S0 for ln R1 = u, the residual, and the slope of the prediction in u free of S0's direction."""
    r1 = np.exp(u)
    shape = spgr_signal(r1, tr, angles, 1.0, b1)
    e1 = np.exp(-tr * r1)
    cosine, sine = np.cos(np.deg2rad(angles) * b1), np.sin(np.deg2rad(angles) * b1)
    slope = sine * (1.0 - cosine) * e1 * tr * r1 / (1.0 - e1 * cosine) ** 2
    norm = np.sum(shape * shape, axis=0)
    s0 = np.sum(shape * signals, axis=0) / norm
    slope = s0 * (slope - shape * (np.sum(shape * slope, axis=0) / norm))
    return s0, signals - s0 * shape, slope


def _linear_r1(signals: np.ndarray, angles: np.ndarray, tr: np.ndarray, b1: np.ndarray) -> np.ndarray:
    """DESPOT1's R1 with the mean TR; 1/s where the line gives none."""
    angle = np.deg2rad(angles) * b1
    y, x = signals / np.sin(angle), signals / np.tan(angle)
    y, x = y - y.mean(axis=0), x - x.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        e1 = np.sum(x * y, axis=0) / np.sum(x * x, axis=0)
        r1 = -np.log(e1) / tr.mean()
    return np.where((e1 > 0.0) & (e1 < 1.0), r1, 1.0)
