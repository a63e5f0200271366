"""Midranks: tied values share the mean of the ranks they occupy."""

from __future__ import annotations

import numpy as np

from bonequant.statistics.checks import Floats


def midranks(values: Floats) -> Floats:
    """Ranks from 1 of the N values, shape (N,), ties at their mean rank; O(N log N)."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((2 * last - counts + 1) / 2)[inverse.reshape(-1)]


def tie_term(values: Floats) -> float:
    """Sum of t^3 - t over the groups of t tied values: the correction of rank variances."""
    counts = np.unique(values, return_counts=True)[1].astype(np.float64)
    return float((counts**3 - counts).sum())
