"""Decision curve: the net benefit of acting on predictions above a threshold probability.

Source: Vickers & Elkin, Med Decis Making 2006;26:565: net benefit = TP/n - FP/n * pt/(1 - pt).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bonequant.errors import InputError
from bonequant.statistics.checks import Floats, binary, numbers, probabilities


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit (true positives per case) at each threshold, shape (K,); to treat none has net benefit 0."""

    thresholds: Floats
    net_benefit: Floats
    treat_all: Floats
    prevalence: float
    n: int

    @property
    def treat_none(self) -> Floats:
        return np.zeros_like(self.thresholds)


def decision_curve(
    labels: npt.ArrayLike, predicted: npt.ArrayLike, thresholds: npt.ArrayLike | None = None
) -> DecisionCurve:
    """Net benefit of treating where ``predicted`` >= threshold, for 0/1 ``labels`` (N,).

    ``thresholds`` within 0 <= pt < 1; by default 0.01, 0.02, ... 0.99.
    """
    truth = binary(labels)
    p = probabilities(predicted, len(truth))
    pt = np.arange(1, 100) / 100 if thresholds is None else numbers(thresholds, "the thresholds")
    if pt.min() < 0 or pt.max() >= 1:
        raise InputError("Threshold probabilities lie from 0 to below 1: at 1 no false alarm could be outweighed.")
    n, odds = len(truth), pt / (1 - pt)
    # Cases at or above each threshold, counted in the sorted lists.
    tp = truth.sum() - np.searchsorted(np.sort(p[truth]), pt, "left")
    fp = (~truth).sum() - np.searchsorted(np.sort(p[~truth]), pt, "left")
    prevalence = float(truth.mean())
    return DecisionCurve(pt, tp / n - fp / n * odds, prevalence - (1 - prevalence) * odds, prevalence, n)
