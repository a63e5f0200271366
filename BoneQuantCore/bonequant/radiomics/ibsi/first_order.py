"""Intensity statistics and the intensity histogram.

Source: IBSI reference manual, sections 3.3 and 3.4. Kurtosis is the excess one (pyradiomics adds 3). Entropy and
uniformity of the discretised intensities stand with the statistics under pyradiomics' names as well.
"""

from __future__ import annotations

import numpy as np


def statistics(values: np.ndarray, levels: np.ndarray, voxel_volume_mm3: float) -> dict[str, float]:
    """Statistics of intensities (N,); entropy and uniformity of their grey levels (N,)."""
    share = np.bincount(levels)[1:] / len(levels)
    energy = float((values**2).sum())
    return {
        **_moments_and_spread(values),
        "Energy": energy,
        "TotalEnergy": energy * voxel_volume_mm3,
        "RootMeanSquared": float(np.sqrt((values**2).mean())),
        "Entropy": _entropy(share),
        "Uniformity": float((share**2).sum()),
    }


def histogram(levels: np.ndarray) -> dict[str, float]:
    """The same of grey levels (N,), with the mode and the steepest slopes of the histogram."""
    counts = np.bincount(levels, minlength=int(levels.max()) + 1)[1:]
    counts = counts[int(levels.min()) - 1 :]  # empty levels below the first are not part of the histogram
    first = int(levels.min())
    share = counts / len(levels)
    mode = np.flatnonzero(counts == counts.max()) + first
    slope = np.gradient(counts.astype(np.float64)) if len(counts) > 1 else np.full(1, np.nan)
    return {
        **_moments_and_spread(levels.astype(np.float64)),
        "Mode": float(mode[np.argmin(np.abs(mode - levels.mean()))]),  # of several, the one nearest to the mean
        "Entropy": _entropy(share),
        "Uniformity": float((share**2).sum()),
        "MaximumGradient": float(slope.max()),
        "MaximumGradientLevel": float(first + slope.argmax()) if len(counts) > 1 else np.nan,
        "MinimumGradient": float(slope.min()),
        "MinimumGradientLevel": float(first + slope.argmin()) if len(counts) > 1 else np.nan,
    }


def _moments_and_spread(values: np.ndarray) -> dict[str, float]:
    mean = values.mean()
    centred = values - mean
    square = centred * centred  # ten times faster than a power of 3 or 4
    variance = square.mean()
    constant = values.min() == values.max()
    p10, p25, median, p75, p90 = np.percentile(values, (10, 25, 50, 75, 90))
    robust = values[(values >= p10) & (values <= p90)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "Mean": float(mean),
            "Variance": float(variance),
            "Skewness": np.nan if constant else float((square * centred).mean() / variance**1.5),
            "Kurtosis": np.nan if constant else float((square * square).mean() / variance**2 - 3.0),
            "Median": float(median),
            "Minimum": float(values.min()),
            "10Percentile": float(p10),
            "90Percentile": float(p90),
            "Maximum": float(values.max()),
            "InterquartileRange": float(p75 - p25),
            "Range": float(values.max() - values.min()),
            "MeanAbsoluteDeviation": float(np.abs(centred).mean()),
            "RobustMeanAbsoluteDeviation": float(np.abs(robust - robust.mean()).mean()) if len(robust) else np.nan,
            "MedianAbsoluteDeviation": float(np.abs(values - median).mean()),
            "CoefficientOfVariation": float(np.float64(variance**0.5) / mean),
            "QuartileCoefficientOfDispersion": float(np.float64(p75 - p25) / (p75 + p25)),
        }


def _entropy(share: np.ndarray) -> float:
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum()) + 0.0
