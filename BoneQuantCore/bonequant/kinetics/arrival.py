"""When the contrast arrives: a flat line, then a rising one, fitted up to the peak.

Cheong, Koh and Hou, Phys Med Biol 2003;48:N83. Every frame is tried as the break, and the one with the least squares
wins. Vectorised over curves.
"""

from __future__ import annotations

import numpy as np


def arrival_index(times_s: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Index (N,) of the last frame before the rise of ``curves`` (N, T); frames 0 to it are the baseline.

    -1 where a curve has no rise: its peak is its first frame, or it holds values that are not finite.
    """
    times = np.asarray(times_s, dtype=np.float64)
    data = np.atleast_2d(np.asarray(curves, dtype=np.float64))
    fine = np.asarray(np.isfinite(data).all(axis=1))
    y = np.where(fine[:, None], data, 0.0)
    peak = y.argmax(axis=1)
    # Sums over frames b+1 .. peak are differences of running sums, so that every break costs one pass over the curves.
    sums, moments = np.cumsum(y, axis=1), np.cumsum(times * y, axis=1)
    rows = np.arange(len(y))
    total, moment = sums[rows, peak], moments[rows, peak]
    count = peak + 1.0
    best, index = np.full(len(y), np.inf), np.full(len(y), -1)
    for b in range(len(times) - 1):
        rise = np.maximum(times - times[b], 0.0)
        sx, sxx = np.cumsum(rise)[peak], np.cumsum(rise * rise)[peak]
        sxy = (moment - moments[:, b]) - times[b] * (total - sums[:, b])
        determinant = count * sxx - sx * sx
        usable = (peak > b) & (determinant > 1e-12 * count * sxx)
        safe = np.where(usable, determinant, 1.0)
        slope = (count * sxy - sx * total) / safe
        level = (sxx * total - sx * sxy) / safe
        residual = -(level * total + slope * sxy)  # up to the sum of squares, which is the same for every break
        better = usable & (slope > 0.0) & (residual < best)
        best[better], index[better] = residual[better], b
    return np.where(fine, index, -1)


def baseline_frames(times_s: np.ndarray, curve: np.ndarray) -> int:
    """Number of frames before the contrast arrives in one curve (T,), at least 1: the baseline of its series."""
    return max(int(arrival_index(times_s, curve)[0]) + 1, 1)
