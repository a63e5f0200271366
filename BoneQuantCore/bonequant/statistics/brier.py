"""The Brier score of predicted probabilities: their mean squared error.

Source: Brier, Mon Weather Rev 1950;78:1; scaled as in Steyerberg et al., Epidemiology 2010;21:128.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy.typing as npt
from scipy.special import ndtri

from bonequant.statistics.checks import UNDEFINED, Interval, binary, level, probabilities


@dataclass(frozen=True)
class Brier:
    """``value`` 0 is perfect; ``scaled`` = 1 - value/(prevalence (1 - prevalence)), NaN where one class is absent.

    ``ci`` is the large-sample normal interval of the mean squared error, NaN for a single case.
    """

    value: float
    ci: Interval
    scaled: float
    n: int


def brier(labels: npt.ArrayLike, predicted: npt.ArrayLike, *, confidence: float = 0.95) -> Brier:
    """Mean of (p - y)^2 over N cases with 0/1 ``labels`` and ``predicted`` probabilities of label 1."""
    level(confidence)
    truth = binary(labels)
    errors = (probabilities(predicted, len(truth)) - truth) ** 2
    value, prevalence, n = float(errors.mean()), float(truth.mean()), len(truth)
    ci = UNDEFINED
    if n > 1:
        half = float(ndtri((1 + confidence) / 2)) * float(errors.std(ddof=1)) / math.sqrt(n)
        ci = (max(value - half, 0.0), min(value + half, 1.0))
    reference = prevalence * (1 - prevalence)
    return Brier(value, ci, 1 - value / reference if reference > 0 else float("nan"), n)
