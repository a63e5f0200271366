"""Bland and Altman's limits of agreement of two methods on the same cases, as differences or as ratios.

Source: Bland & Altman, Lancet 1986;i:307 and Stat Methods Med Res 1999;8:135: limits bias -+ 1.96 SD, their standard
error SD sqrt(1/n + z^2/(2(n-1))), intervals with Student's t.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtr, stdtrit

from bonequant.errors import InputError
from bonequant.statistics.checks import Floats, Interval, level, paired


@dataclass(frozen=True, eq=False)
class BlandAltman:
    """Bias and limits of agreement, first - second; for "ratio" all of them are ratios first/second (1 is agreement).

    ``sd`` is of the differences, for "ratio" of the natural logarithms of the ratios. ``means`` and ``differences``
    (N,) are the points of the plot; for "ratio" the geometric means and the ratios. ``slope`` is the regression of
    the differences on the means (of the logarithms for "ratio") with p of no trend: NaN if the means are all equal.
    """

    scale: str
    n: int
    bias: float
    bias_ci: Interval
    sd: float
    limits: Interval
    lower_ci: Interval
    upper_ci: Interval
    slope: float
    slope_p_value: float
    means: Floats
    differences: Floats


def bland_altman(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    scale: str = "difference",
    agreement: float = 0.95,
    confidence: float = 0.95,
) -> BlandAltman:
    """Agreement of paired measurements ``first`` and ``second`` (N >= 3) in one unit.

    ``agreement`` is the share of differences the limits should hold (0.95: 1.96 SD), ``confidence`` that of the
    intervals. ``scale`` "ratio" works on the logarithms, for differences that grow with the value; it needs values
    above 0.
    """
    level(confidence), level(agreement)
    x, y = paired(first, second, minimum=3)
    if scale not in ("difference", "ratio"):
        raise InputError(f"The scale is 'difference' or 'ratio', not {scale!r}.")
    ratio = scale == "ratio"
    if ratio and min(x.min(), y.min()) <= 0:
        raise InputError("Ratios need values above 0 in both lists; use scale='difference', or leave those cases out.")
    if ratio:
        x, y = np.log(x), np.log(y)
    differences, means = x - y, (x + y) / 2
    n, bias, sd = len(x), float(differences.mean()), float(differences.std(ddof=1))
    z = float(ndtri((1 + agreement) / 2))
    t = float(stdtrit(n - 1, (1 + confidence) / 2))
    bias_half = t * sd / math.sqrt(n)
    limit_half = t * sd * math.sqrt(1 / n + z**2 / (2 * (n - 1)))
    slope, p_value = _trend(means, differences)

    def back(low: float, high: float) -> Interval:
        return (math.exp(low), math.exp(high)) if ratio else (low, high)

    return BlandAltman(
        scale=scale,
        n=n,
        bias=math.exp(bias) if ratio else bias,
        bias_ci=back(bias - bias_half, bias + bias_half),
        sd=sd,
        limits=back(bias - z * sd, bias + z * sd),
        lower_ci=back(bias - z * sd - limit_half, bias - z * sd + limit_half),
        upper_ci=back(bias + z * sd - limit_half, bias + z * sd + limit_half),
        slope=slope,
        slope_p_value=p_value,
        means=np.exp(means) if ratio else means,
        differences=np.exp(differences) if ratio else differences,
    )


def _trend(means: Floats, differences: Floats) -> tuple[float, float]:
    """Least-squares slope of the differences on the means, and its two-sided p value by Student's t."""
    if np.ptp(means) == 0:
        return float("nan"), float("nan")
    centred = means - means.mean()
    spread = float(centred @ centred)
    slope = float(centred @ differences) / spread
    residual = differences - differences.mean() - slope * centred
    freedom = len(means) - 2
    error = math.sqrt(float(residual @ residual) / freedom / spread)
    if error == 0:
        return slope, 1.0 if slope == 0 else 0.0
    return slope, float(2 * stdtr(freedom, -abs(slope / error)))
