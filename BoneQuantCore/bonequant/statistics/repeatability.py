"""Test-retest precision: within-subject SD, wCV, repeatability (RC) and reproducibility (RDC) coefficients.

Source: Bland & Altman, BMJ 1996;312:1654; Raunig et al. (QIBA), Stat Methods Med Res 2015;24:27; Obuchowski & Bullen,
Stat Methods Med Res 2018;27:3139. RC = 1.96 sqrt(2) wSD: two measurements of an unchanged subject differ by less in 95
%.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri, ndtri

from bonequant.statistics.checks import Interval, level, numbers
from bonequant.statistics.icc import mean_squares


@dataclass(frozen=True)
class Repeatability:
    """``wsd`` and ``rc`` in the unit of the measurement, ``wcv`` and ``rc_percent`` relative (fraction and %).

    Intervals by the chi-square distribution with ``degrees_of_freedom`` = n (k - 1). ``wcv`` is the root mean square of
    the subjects' SD/mean; it and ``rc_percent`` are NaN unless every subject's mean is above 0.
    """

    n: int
    k: int
    degrees_of_freedom: int
    wsd: float
    wsd_ci: Interval
    rc: float
    rc_ci: Interval
    wcv: float
    wcv_ci: Interval
    rc_percent: float
    rc_percent_ci: Interval


@dataclass(frozen=True)
class Reproducibility:
    """RDC = 1.96 sqrt(2) sqrt(variance between conditions + residual variance), in the unit of the measurement.

    The sum is estimated without bias by (MSC + (n - 1) MSE)/n, its interval after Graybill & Wang (J Am Stat Assoc
    1980;75:869). ``condition_variance`` by itself, (MSC - MSE)/n, counts 0 where that is negative.
    """

    n: int
    k: int
    condition_variance: float
    residual_variance: float
    rdc: float
    rdc_ci: Interval


def repeatability(measurements: npt.ArrayLike, *, confidence: float = 0.95) -> Repeatability:
    """Precision of ``measurements`` of shape (n subjects, k repeats under the same conditions), n >= 2, k >= 2."""
    level(confidence)
    values = numbers(measurements, "the measurements", 2, dimensions=2)
    ms = mean_squares(values)
    freedom = ms.n * (ms.k - 1)
    wsd = math.sqrt(ms.within)
    means = values.mean(axis=1)
    wcv = float("nan")
    if means.min() > 0:
        wcv = math.sqrt(float(np.mean(values.var(axis=1, ddof=1) / means**2)))
    low, high = _sd_factors(freedom, confidence)
    pair = _pair_factor()

    def scaled(value: float) -> Interval:
        return value * low, value * high

    return Repeatability(
        n=ms.n,
        k=ms.k,
        degrees_of_freedom=freedom,
        wsd=wsd,
        wsd_ci=scaled(wsd),
        rc=pair * wsd,
        rc_ci=scaled(pair * wsd),
        wcv=wcv,
        wcv_ci=scaled(wcv),
        rc_percent=100 * pair * wcv,
        rc_percent_ci=scaled(100 * pair * wcv),
    )


def reproducibility(measurements: npt.ArrayLike, *, confidence: float = 0.95) -> Reproducibility:
    """Precision across conditions (readers, scanners): ``measurements`` of shape (n subjects, k conditions).

    One measurement per subject and condition: the residual holds the repeat error and subject-by-condition effects.
    """
    level(confidence)
    ms = mean_squares(numbers(measurements, "the measurements", 2, dimensions=2))
    shares = ((ms.columns / ms.n, ms.k - 1), (ms.residual * (ms.n - 1) / ms.n, (ms.n - 1) * (ms.k - 1)))
    total, below, above = sum(share for share, _ in shares), 0.0, 0.0
    for share, freedom in shares:
        low, high = _sd_factors(freedom, confidence)
        below += (share * (1 - low**2)) ** 2
        above += (share * (high**2 - 1)) ** 2
    rdc, low, high = (
        _pair_factor() * math.sqrt(max(variance, 0.0))
        for variance in (total, total - math.sqrt(below), total + math.sqrt(above))
    )
    between = max((ms.columns - ms.residual) / ms.n, 0.0)
    return Reproducibility(ms.n, ms.k, between, ms.residual, rdc, (low, high))


def _pair_factor() -> float:
    """1.96 sqrt(2): from one measurement's SD to 95 % of the differences of two."""
    return float(ndtri(0.975)) * math.sqrt(2)


def _sd_factors(freedom: int, confidence: float) -> Interval:
    """What an SD with so many degrees of freedom is multiplied by for its chi-square limits."""
    tail = (1 - confidence) / 2
    return math.sqrt(freedom / float(chdtri(freedom, tail))), math.sqrt(freedom / float(chdtri(freedom, 1 - tail)))
