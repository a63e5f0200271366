"""From a fit to the model file's content: features with their IBSI identifiers, scaling, training summary."""

from __future__ import annotations

from typing import Any

from bonequant.errors import InputError
from bonequant.provenance import versions
from bonequant.radiomics.describe import describe_feature
from bonequant.radiomics.model.evidence import Performance
from bonequant.radiomics.model.model_file import CentreCorrection, DiagnosticModel, ModelFeature, plain
from bonequant.radiomics.model.pipeline import Fitted
from bonequant.radiomics.model.report import HonestEvidence, PaperEvidence
from bonequant.radiomics.model.settings import ModelSettings
from bonequant.radiomics.model.table import SEPARATOR, Cohort, modality_of

UNKNOWN = "no name of a radiomics feature known here"


def describe_model(
    name: str,
    fitted: Fitted,
    cohort: Cohort,
    settings: ModelSettings,
    *,
    honest: HonestEvidence | None,
    paper: PaperEvidence | None,
    extraction: dict[str, Any],
    positive_class: str,
    intended_use: str,
    grouped: bool,
    warnings: tuple[str, ...],
) -> DiagnosticModel:
    """The model as ``save`` writes it; its threshold is Youden's on the honest out-of-fold predictions, if any."""
    modalities = {modality_of(column) for column in fitted.names}
    named = {key: value for key, value in extraction.items() if key in modalities}
    performance = {} if honest is None else {"honest": _summary(honest.performance)}
    if paper is not None:
        parts = {"train": paper.train, "validation": paper.validation, "cross_validated": paper.cross_validated}
        performance |= {f"paper_{part}": _summary(found) for part, found in parts.items()}
    lasso = fitted.lasso
    return DiagnosticModel(
        name=name,
        positive_class=positive_class,
        features=tuple(_features(fitted)),
        intercept=fitted.logistic.intercept,
        threshold=honest.performance.at_youden.threshold if honest else 0.5,
        threshold_rule="youden, honest out-of-fold predictions" if honest else "half",
        harmonisation=_correction(fitted),
        extraction=plain(named or extraction),
        training=plain(
            {
                "lesions": len(cohort.labels),
                "patients": int(cohort.patients.max()) + 1 if grouped else None,
                "positive": int(cohort.labels.sum()),
                "features_offered": len(fitted.names),
                "features_after_filter": len(fitted.filtered),
                "features_selected": len(fitted.selected),
                "lambda_min": lasso.lambda_min if lasso else None,
                "lambda_1se": lasso.lambda_1se if lasso else None,
                "fit": fitted.logistic.method,
                "performance": performance,
                "selection_frequency": honest.selection_frequency if honest else None,
                "warnings": list(warnings),
            }
        ),
        model_settings=settings.to_dict(),
        intended_use=intended_use,
        versions=versions(),
    )


def identity(column: str) -> tuple[str, str]:
    """IBSI identifier ("" where there is none) and status of a column's feature, its modality's prefix left aside."""
    feature = column.partition(SEPARATOR)[2] if SEPARATOR in column else column
    try:
        info = describe_feature(feature)
    except InputError:
        return "", UNKNOWN
    return info.ibsi_id, info.status


def _features(fitted: Fitted) -> list[ModelFeature]:
    rows = zip(
        fitted.selected,
        fitted.scaling.mean.tolist(),
        fitted.scaling.sd.tolist(),
        fitted.logistic.coefficients.tolist(),
        fitted.logistic.standard_errors.tolist()[: len(fitted.selected)],
        fitted.low.tolist(),
        fitted.high.tolist(),
        strict=True,
    )
    return [ModelFeature(name, *identity(name), *numbers) for name, *numbers in rows]


def _correction(fitted: Fitted) -> CentreCorrection | None:
    combat = fitted.combat
    if combat is None:
        return None
    place = {int(column): at for at, column in enumerate(fitted.combat_columns)}
    at = [place[int(column)] for column in fitted.columns]
    return CentreCorrection(
        mean=tuple(combat.mean[at].tolist()),
        sd=tuple(combat.sd[at].tolist()),
        location={name: tuple(combat.location[row, at].tolist()) for row, name in enumerate(combat.centres)},
        scale={name: tuple(combat.scale[row, at].tolist()) for row, name in enumerate(combat.centres)},
    )


def _summary(found: Performance) -> dict[str, Any]:
    """The few numbers that a file should carry."""
    return {
        "auc": found.auc.auc,
        "auc_ci": list(found.auc.ci),
        "auc_bootstrap_ci": list(found.bootstrap.ci) if found.bootstrap else None,
        "brier": found.brier.value,
        "calibration_slope": found.calibration.slope,
        "calibration_intercept": found.calibration.intercept,
        "youden_threshold": found.at_youden.threshold,
        "sensitivity": found.at_youden.sensitivity.value,
        "specificity": found.at_youden.specificity.value,
    }
