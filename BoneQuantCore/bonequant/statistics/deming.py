"""Deming regression: a straight line where both methods have measurement error.

Source: Deming, Statistical Adjustment of Data, 1943; Linnet, Clin Chem 1993;39:424 (jackknife standard errors).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from bonequant.errors import InputError
from bonequant.statistics.checks import Floats, Interval, level, paired


@dataclass(frozen=True)
class Deming:
    """second = ``intercept`` + ``slope`` * first, intervals by jackknife and Student's t with n - 2 degrees of
    freedom.
    """

    slope: float
    slope_ci: Interval
    slope_error: float
    intercept: float
    intercept_ci: Interval
    intercept_error: float
    error_ratio: float
    n: int


def deming(
    first: npt.ArrayLike, second: npt.ArrayLike, *, error_ratio: float = 1.0, confidence: float = 0.95
) -> Deming:
    """Line of ``second`` on ``first`` (N >= 4), the reference method being ``first``.

    ``error_ratio`` = error variance of ``second`` / error variance of ``first`` (1: orthogonal regression), and
    slope = (s22 - d s11 + sqrt((s22 - d s11)^2 + 4 d s12^2)) / (2 s12) with d = ``error_ratio``.
    Raises InputError if the lists are uncorrelated or do not vary: then no line is determined.
    """
    level(confidence)
    if not (error_ratio > 0 and math.isfinite(error_ratio)):
        raise InputError(f"The ratio of error variances must be above 0, not {error_ratio}.")
    x, y = paired(first, second, minimum=4)
    n = len(x)
    # Subtracting the means first keeps the leave-one-out sums below accurate for values far from 0.
    dx, dy = x - x.mean(), y - y.mean()
    moments = np.array([dx @ dx, dy @ dy, dx @ dy])
    slope = float(_slopes(moments[:, None], error_ratio)[0])
    if np.ptp(x) == 0 or np.ptp(y) == 0 or not math.isfinite(slope):
        raise InputError("The two lists are uncorrelated or do not vary: Deming regression determines no line.")
    intercept = float(y.mean() - slope * x.mean())
    # Leaving case i out takes n/(n-1) d_i d_i' from the sums of squares and products.
    left_out = moments[:, None] - n / (n - 1) * np.stack([dx**2, dy**2, dx * dy])
    slopes = _slopes(left_out, error_ratio)
    intercepts = (y.mean() - dy / (n - 1)) - slopes * (x.mean() - dx / (n - 1))
    slope_error, intercept_error = _jackknife(slopes), _jackknife(intercepts)
    t = float(stdtrit(n - 2, (1 + confidence) / 2))
    return Deming(
        slope=slope,
        slope_ci=(slope - t * slope_error, slope + t * slope_error),
        slope_error=slope_error,
        intercept=intercept,
        intercept_ci=(intercept - t * intercept_error, intercept + t * intercept_error),
        intercept_error=intercept_error,
        error_ratio=error_ratio,
        n=n,
    )


def _slopes(moments: Floats, ratio: float) -> Floats:
    """Slopes of columns of (s11, s22, s12); NaN where s12 is 0."""
    s11, s22, s12 = moments
    half = (s22 - ratio * s11) / 2
    root = np.sqrt(half**2 + ratio * s12**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        # The two forms are equal; each is taken where it does not subtract nearly equal numbers.
        return np.where(s12 == 0, np.nan, np.where(half >= 0, (half + root) / s12, ratio * s12 / (root - half)))


def _jackknife(left_out: Floats) -> float:
    n = len(left_out)
    return math.sqrt((n - 1) / n * float(np.sum((left_out - left_out.mean()) ** 2)))
