"""Scales: z-scores with the mean and SD of the training lesions, features that have none, log odds to probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from bonequant.statistics.checks import Booleans, Floats

_ROUNDING = 1e-12  # a spread below this share of the values is rounding, not measurement


@dataclass(frozen=True, eq=False)
class Scaling:
    """Mean and SD (divisor n, as the LASSO's scale) of each of P columns."""

    mean: Floats
    sd: Floats

    @classmethod
    def of(cls, x: Floats) -> Scaling:
        return cls(x.mean(axis=0), x.std(axis=0))

    def apply(self, x: Floats) -> Floats:
        return (x - self.mean) / self.sd


def varies(x: Floats) -> Booleans:
    """Which columns of ``x`` (N, P) are not constant."""
    return np.ptp(x, axis=0) > _ROUNDING * np.abs(x).max(axis=0)


def probability(log_odds: Floats) -> Floats:
    """Probabilities held within 1e-9 of 0 and 1, where a logit still exists for recalibration."""
    return np.clip(expit(log_odds), 1e-9, 1 - 1e-9)
