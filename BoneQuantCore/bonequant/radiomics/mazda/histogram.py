"""Histogram of the 8-bit grey levels: mean, variance, skewness, excess kurtosis and five percentiles.

Source: Materka & Strzelecki, COST B11 report 1998, section 2.1. A percentile is the lowest level at or below which that
share of the region lies.
"""

from __future__ import annotations

import numpy as np

PERCENTILES = (1, 10, 50, 90, 99)


def histogram(levels: np.ndarray) -> dict[str, float]:
    """Features of the levels (N,) of the region."""
    mean, variance, skewness, kurtosis = moments(levels.astype(np.float64))
    cumulative = np.cumsum(np.bincount(levels)) / len(levels)
    at = np.searchsorted(cumulative, np.array(PERCENTILES) / 100.0 - 1e-12)
    return {
        "Mean": mean,
        "Variance": variance,
        "Skewness": skewness,
        "Kurtosis": kurtosis,
        **{f"Perc.{share:02d}%": float(level) for share, level in zip(PERCENTILES, at, strict=True)},
    }


def moments(values: np.ndarray) -> tuple[float, float, float, float]:
    """Mean, variance (over N), skewness and kurtosis minus 3; the last two are NaN for equal values."""
    mean = float(values.mean())
    centred = values - mean
    variance = float((centred**2).mean())
    if values.min() == values.max():
        return mean, 0.0, float("nan"), float("nan")
    return mean, variance, float((centred**3).mean() / variance**1.5), float((centred**4).mean() / variance**2 - 3.0)
