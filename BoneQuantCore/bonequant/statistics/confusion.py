"""The four counts of a diagnostic test and what follows from them, each measure with its interval.

Positive is the class looked for (metastasis, treatment failure). Intervals: Wilson, or Clopper-Pearson.
Predictive values at another prevalence: Bayes, with the logit intervals of Mercaldo, Lau & Zhou, Stat Med 2007;26:2170.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy.typing as npt
from scipy.special import expit, logit, ndtri

from bonequant.errors import InputError
from bonequant.statistics.checks import UNDEFINED, Interval, binary, level
from bonequant.statistics.proportions import Proportion, proportion


@dataclass(frozen=True)
class Confusion:
    """True and false positives and negatives. A measure without cases (no negatives, say) is NaN."""

    tp: int
    fn: int
    tn: int
    fp: int
    confidence: float = 0.95
    method: str = "wilson"

    def __post_init__(self) -> None:
        level(self.confidence)
        counts = (self.tp, self.fn, self.tn, self.fp)
        if any(not count >= 0 or count != int(count) for count in counts) or sum(counts) == 0:
            raise InputError(f"TP {self.tp}, FN {self.fn}, TN {self.tn}, FP {self.fp} are not counts of cases.")

    @property
    def total(self) -> int:
        return self.tp + self.fn + self.tn + self.fp

    @property
    def accuracy(self) -> Proportion:
        return self._proportion(self.tp + self.tn, self.total)

    @property
    def sensitivity(self) -> Proportion:
        return self._proportion(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> Proportion:
        return self._proportion(self.tn, self.tn + self.fp)

    @property
    def ppv(self) -> Proportion:
        """Positive predictive value at the prevalence of these cases."""
        return self._proportion(self.tp, self.tp + self.fp)

    @property
    def npv(self) -> Proportion:
        """Negative predictive value at the prevalence of these cases."""
        return self._proportion(self.tn, self.tn + self.fn)

    @property
    def prevalence(self) -> Proportion:
        return self._proportion(self.tp + self.fn, self.total)

    def predictive_values(self, prevalence: float) -> PredictiveValues:
        """PPV and NPV where the disease has another ``prevalence`` (0..1) than among these cases.

        PPV = se p / (se p + (1-sp)(1-p)), NPV = sp (1-p) / ((1-se) p + sp (1-p)).
        The logit interval is (NaN, NaN) where sensitivity or specificity is 0 or 1 and its variance does not exist.
        """
        if not 0 < prevalence < 1:
            raise InputError(f"The prevalence must lie between 0 and 1, not {prevalence}.")
        se, sp = self.sensitivity.value, self.specificity.value
        positive = _ratio(se * prevalence, (1 - sp) * (1 - prevalence))
        negative = _ratio(sp * (1 - prevalence), (1 - se) * prevalence)
        if not (0 < se < 1 and 0 < sp < 1):
            return PredictiveValues(prevalence, positive, UNDEFINED, negative, UNDEFINED)
        diseased, healthy = self.tp + self.fn, self.tn + self.fp
        positive_sd = math.sqrt((1 - se) / se / diseased + sp / (1 - sp) / healthy)
        negative_sd = math.sqrt(se / (1 - se) / diseased + (1 - sp) / sp / healthy)
        return PredictiveValues(
            prevalence, positive, self._around(positive, positive_sd), negative, self._around(negative, negative_sd)
        )

    def _proportion(self, successes: int, total: int) -> Proportion:
        return proportion(successes, total, self.confidence, self.method)

    def _around(self, value: float, logit_sd: float) -> Interval:
        half = ndtri((1 + self.confidence) / 2) * logit_sd
        return float(expit(logit(value) - half)), float(expit(logit(value) + half))


@dataclass(frozen=True)
class PredictiveValues:
    """Predictive values at a stated ``prevalence``."""

    prevalence: float
    ppv: float
    ppv_ci: Interval
    npv: float
    npv_ci: Interval


def confusion(
    labels: npt.ArrayLike, calls: npt.ArrayLike, *, confidence: float = 0.95, method: str = "wilson"
) -> Confusion:
    """Count ``calls`` (0/1) against ``labels`` (0/1), entry by entry."""
    truth, called = binary(labels), binary(calls, "the calls")
    if len(truth) != len(called):
        raise InputError(f"{len(truth)} labels but {len(called)} calls: give one call for each label.")
    return Confusion(
        tp=int((truth & called).sum()),
        fn=int((truth & ~called).sum()),
        tn=int((~truth & ~called).sum()),
        fp=int((~truth & called).sum()),
        confidence=confidence,
        method=method,
    )


def _ratio(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest > 0 else float("nan")
