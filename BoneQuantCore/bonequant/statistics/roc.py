"""The empirical ROC curve, every distinct score a threshold, ties counted one half.

Source: Hanley & McNeil, Radiology 1982;143:29; Fawcett, Pattern Recognit Lett 2006;27:861.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bonequant.statistics.checks import Floats, scored


@dataclass(frozen=True, eq=False)
class Roc:
    """Points of the curve from (0, 0) to (1, 1), shape (K+1,) for K distinct scores.

    A case is called positive if its score is >= the threshold (<= where low scores are positive); the first threshold
    is infinite: nobody is called. ``auc`` is the trapezoidal area, equal to the Mann-Whitney probability.
    """

    fpr: Floats
    tpr: Floats
    thresholds: Floats
    auc: float
    n_positive: int
    n_negative: int
    higher_is_positive: bool

    @property
    def sensitivity(self) -> Floats:
        return self.tpr

    @property
    def specificity(self) -> Floats:
        return 1 - self.fpr


def roc(labels: npt.ArrayLike, scores: npt.ArrayLike, *, higher_is_positive: bool = True) -> Roc:
    """ROC curve of ``scores`` (N,) for ``labels`` (N,) of 0/1, 1 being the class looked for.

    The direction is the caller's and never chosen from the data: an AUC below 0.5 is shown as such.
    Raises InputError if a score is missing or one class is absent.
    """
    truth, values = scored(labels, scores)
    sign = 1.0 if higher_is_positive else -1.0
    distinct, inverse = np.unique(-sign * values, return_inverse=True)
    positive = np.bincount(inverse.reshape(-1), truth, len(distinct))
    negative = np.bincount(inverse.reshape(-1), ~truth, len(distinct))
    tp = np.concatenate([[0.0], np.cumsum(positive)])
    fp = np.concatenate([[0.0], np.cumsum(negative)])
    area = float(np.sum(np.diff(fp) * (tp[1:] + tp[:-1])) / 2 / (tp[-1] * fp[-1]))
    return Roc(
        fpr=fp / fp[-1],
        tpr=tp / tp[-1],
        thresholds=np.concatenate([[sign * np.inf], -sign * distinct]),
        auc=area,
        n_positive=int(tp[-1]),
        n_negative=int(fp[-1]),
        higher_is_positive=higher_is_positive,
    )
