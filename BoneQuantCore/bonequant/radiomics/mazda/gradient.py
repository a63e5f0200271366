"""Absolute gradient of the 4-bit image over pixels whose whole cross of neighbours lies in the region.

Source: Materka & Strzelecki, COST B11 report 1998, section 2.2: the root of the sum of squared differences of the two
neighbours along each axis, one pixel (3x3) or two pixels (5x5) away.
"""

from __future__ import annotations

import numpy as np

from bonequant.radiomics.mazda.histogram import moments


def absolute_gradient(levels: np.ndarray, mask: np.ndarray, reach: int) -> dict[str, float] | None:
    """Features of levels (y, x) within the mask; ``reach`` is 2 for 5x5. None where no pixel has its neighbours."""
    if min(levels.shape) <= 2 * reach:
        return None
    inner = slice(reach, -reach)
    left, right = np.s_[inner, : -2 * reach], np.s_[inner, 2 * reach :]
    above, below = np.s_[: -2 * reach, inner], np.s_[2 * reach :, inner]
    whole = mask[inner, inner] & mask[left] & mask[right] & mask[above] & mask[below]
    if not whole.any():
        return None
    across, along = levels[right] - levels[left], levels[below] - levels[above]
    values = np.sqrt((across**2 + along**2)[whole].astype(np.float64))
    mean, variance, skewness, kurtosis = moments(values)
    return {
        "GrMean": mean,
        "GrVariance": variance,
        "GrSkewness": skewness,
        "GrKurtosis": kurtosis,
        "GrNonZeros": float((values > 0).mean()),
    }
