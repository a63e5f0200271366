"""Lin's concordance correlation coefficient: precision and accuracy about the line of identity.

Source: Lin, Biometrics 1989;45:255, standard error as corrected in Biometrics 2000;56:324; interval by Fisher's z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from bonequant.errors import InputError
from bonequant.statistics.checks import UNDEFINED, Interval, level, paired


@dataclass(frozen=True)
class Concordance:
    """``value`` = ``precision`` (Pearson's r) x ``accuracy`` (Cb, 1 without shift of location or scale)."""

    value: float
    ci: Interval
    precision: float
    accuracy: float
    location_shift: float  # (mean first - mean second) / sqrt(sd first * sd second)
    scale_shift: float  # sd first / sd second
    n: int


def concordance(first: npt.ArrayLike, second: npt.ArrayLike, *, confidence: float = 0.95) -> Concordance:
    """CCC = 2 s12/(s1^2 + s2^2 + (m1 - m2)^2) of paired measurements (N >= 3), moments with 1/N as Lin has them.

    Perfect concordance has the interval (1, 1). Raises InputError if a list does not vary.
    """
    level(confidence)
    x, y = paired(first, second, minimum=3)
    n, sx, sy = len(x), float(x.std()), float(y.std())
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise InputError("Concordance needs two lists that vary; in one of them all values are equal.")
    shift, covariance = float(x.mean() - y.mean()), float(np.mean((x - x.mean()) * (y - y.mean())))
    r = min(max(covariance / (sx * sy), -1.0), 1.0)
    accuracy = 2 * sx * sy / (sx**2 + sy**2 + shift**2)
    value, u = r * accuracy, shift / math.sqrt(sx * sy)
    # Lin's formula with c/r written as accuracy, which stays finite at r = 0.
    spread = (1 - r**2) * accuracy**2 * (1 - value**2)
    spread += 2 * accuracy * value**2 * (1 - value) * u**2 - accuracy**2 * value**2 * u**4 / 2
    if abs(value) == 1:
        ci = (value, value)
    elif n < 4:
        ci = UNDEFINED
    else:
        error = math.sqrt(max(spread, 0.0) / (n - 2)) / (1 - value**2)
        half = float(ndtri((1 + confidence) / 2)) * error
        ci = (math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half))
    return Concordance(value, ci, r, accuracy, u, sx / sy, n)
