"""The numbers by which a model is judged, from its predictions and the truth: plain data for tables and plots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from bonequant.radiomics.model.settings import ModelSettings
from bonequant.statistics.bootstrap import Bootstrap, cluster_bootstrap
from bonequant.statistics.brier import Brier, brier
from bonequant.statistics.calibration import Calibration, calibration
from bonequant.statistics.checks import Booleans, Floats, Integers
from bonequant.statistics.confusion import Confusion, confusion
from bonequant.statistics.decision_curve import DecisionCurve, decision_curve
from bonequant.statistics.delong import Auc, AucComparison, delong
from bonequant.statistics.proportions import Proportion
from bonequant.statistics.roc import Roc, roc
from bonequant.statistics.youden import youden


@dataclass(frozen=True)
class OperatingPoint:
    """Lesions called positive at a probability >= ``threshold``, and what follows, each with its Wilson interval."""

    rule: str  # "youden" or "half"
    threshold: float
    confusion: Confusion
    accuracy: Proportion
    sensitivity: Proportion
    specificity: Proportion
    ppv: Proportion
    npv: Proportion

    @classmethod
    def of(cls, rule: str, threshold: float, counts: Confusion) -> OperatingPoint:
        return cls(
            rule,
            threshold,
            counts,
            counts.accuracy,
            counts.sensitivity,
            counts.specificity,
            counts.ppv,
            counts.npv,
        )


@dataclass(frozen=True, eq=False)
class Performance:
    """How ``predicted`` probabilities (n,) of the lesions in ``rows`` (n,) fit their ``labels`` (n,).

    ``auc`` has DeLong's interval, lesions clustered in patients (Obuchowski) where the patients count; ``bootstrap``
    the percentile interval over patients, None where it was not asked for. The Youden cut-off was chosen on these very
    lesions.
    """

    rows: Integers
    labels: Booleans
    predicted: Floats
    roc: Roc
    auc: Auc
    bootstrap: Bootstrap | None
    at_youden: OperatingPoint
    at_half: OperatingPoint
    calibration: Calibration
    brier: Brier
    decision: DecisionCurve


@dataclass(frozen=True)
class ModelComparison:
    """DeLong's test of two models on the same lesions."""

    first: str
    second: str
    result: AucComparison


def judge(
    rows: Integers,
    labels: Booleans,
    predicted: Floats,
    patients: Integers | None,
    settings: ModelSettings,
    *,
    resampled: bool = False,
) -> Performance:
    """All numbers; ``patients`` (n,) clusters the AUC's interval, ``resampled`` adds the bootstrap over them."""
    level = settings.confidence
    best = youden(labels, predicted, confidence=level)
    half = confusion(labels, predicted >= 0.5, confidence=level)
    bootstrap = None
    if resampled:
        bootstrap = cluster_bootstrap(
            lambda truth, scores: roc(truth, scores).auc,
            labels,
            predicted,
            groups=patients,
            resamples=settings.resamples,
            confidence=level,
            seed=settings.seed,
        )
    return Performance(
        rows=rows,
        labels=labels,
        predicted=predicted,
        roc=roc(labels, predicted),
        auc=delong(labels, predicted, groups=patients, confidence=level),
        bootstrap=bootstrap,
        at_youden=OperatingPoint.of("youden", best.threshold, best.confusion),
        at_half=OperatingPoint.of("half", 0.5, half),
        calibration=calibration(labels, predicted, confidence=level),
        brier=brier(labels, predicted, confidence=level),
        decision=decision_curve(labels, predicted),
    )


def compare(
    labels: Booleans, predictions: Mapping[str, Floats], patients: Integers | None, settings: ModelSettings
) -> tuple[ModelComparison, ...]:
    """Every pair of models on the same lesions, the pairs in order of the names given."""
    return tuple(
        ModelComparison(
            first,
            second,
            delong(
                labels,
                predictions[first],
                predictions[second],
                groups=patients,
                confidence=settings.confidence,
            ),
        )
        for first, second in combinations(predictions, 2)
    )
