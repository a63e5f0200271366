"""The cut-off of highest Youden index J = sensitivity + specificity - 1, and how optimistic it is.

Source: Youden, Cancer 1950;3:32. A cut-off chosen on the cases it is judged by looks too good; the bootstrap estimates
by how much (Harrell, Lee & Mark, Stat Med 1996;15:361): optimism = mean of J(draw's cut-off on the draw) - J(the same
on all cases).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.statistics.bootstrap import percentiles, require_usable, resample
from bonequant.statistics.checks import Booleans, Floats, Interval, level, scored
from bonequant.statistics.confusion import Confusion
from bonequant.statistics.roc import roc


@dataclass(frozen=True)
class Cutoff:
    """Positive is a score >= ``threshold`` (<= where low scores are positive); ``confusion`` holds every measure."""

    threshold: float
    j: float
    confusion: Confusion
    higher_is_positive: bool

    @property
    def operator(self) -> str:
        """Of a score against ``threshold``, for a positive call."""
        return ">=" if self.higher_is_positive else "<="

    @property
    def sensitivity(self) -> float:
        return self.confusion.sensitivity.value

    @property
    def specificity(self) -> float:
        return self.confusion.specificity.value


@dataclass(frozen=True)
class YoudenOptimism:
    """Apparent and optimism-corrected J, and the percentile interval of the cut-off over the draws."""

    apparent: Cutoff
    optimism: float
    corrected_j: float
    threshold_ci: Interval
    failed: int  # draws that held one class only


def youden(
    labels: npt.ArrayLike, scores: npt.ArrayLike, *, higher_is_positive: bool = True, confidence: float = 0.95
) -> Cutoff:
    """The observed score that maximises J; of equal ones the most specific.

    Raises InputError for missing scores or an absent class.
    """
    level(confidence)
    truth, values = scored(labels, scores)
    threshold, j = _best(truth, values, higher_is_positive)
    called = values >= threshold if higher_is_positive else values <= threshold
    counts = Confusion(
        tp=int((truth & called).sum()),
        fn=int((truth & ~called).sum()),
        tn=int((~truth & ~called).sum()),
        fp=int((~truth & called).sum()),
        confidence=confidence,
    )
    return Cutoff(threshold, j, counts, higher_is_positive)


def youden_optimism(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    higher_is_positive: bool = True,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> YoudenOptimism:
    """Optimism of the Youden cut-off by the bootstrap over ``groups`` (patients), or over the cases without groups."""
    truth, values = scored(labels, scores)
    apparent = youden(truth, values, higher_is_positive=higher_is_positive, confidence=confidence)
    report = progress or no_progress
    thresholds, optimism = [], []
    for done, rows in enumerate(resample(len(truth), groups, resamples, seed)):
        report(done / resamples, "Bootstrap of the cut-off")
        try:
            threshold, j = _best(truth[rows], values[rows], higher_is_positive)
        except InputError:
            continue
        thresholds.append(threshold)
        optimism.append(j - _j(truth, values, threshold, higher_is_positive))
    require_usable(len(thresholds), resamples)
    mean = float(np.mean(optimism))
    return YoudenOptimism(
        apparent, mean, apparent.j - mean, percentiles(np.array(thresholds), confidence), resamples - len(thresholds)
    )


def _best(truth: Booleans, values: Floats, higher_is_positive: bool) -> tuple[float, float]:
    curve = roc(truth, values, higher_is_positive=higher_is_positive)
    # Counts, not rates, are compared: equal J must tie exactly. The first, infinite, threshold calls nobody.
    tp, fp = np.rint(curve.tpr * curve.n_positive), np.rint(curve.fpr * curve.n_negative)
    gain = (tp * curve.n_negative - fp * curve.n_positive)[1:]
    at = int(np.argmax(gain))
    return float(curve.thresholds[at + 1]), float(gain[at] / (curve.n_positive * curve.n_negative))


def _j(truth: Booleans, values: Floats, threshold: float, higher_is_positive: bool) -> float:
    called = values >= threshold if higher_is_positive else values <= threshold
    return float(called[truth].mean() - called[~truth].mean())
