"""Rows of the result: performance, predictions, chosen features, comparisons, readers, groups. Numbers in full."""

from __future__ import annotations

import math
from typing import Any

from bonequant.radiomics.model import OperatingPoint, Performance
from bonequant.studies.diagnostic_model.result import DiagnosticResult

MEASURES = ("accuracy", "sensitivity", "specificity", "ppv", "npv")
HONEST, TRAIN, VALIDATION, CROSS = (
    "honest, out of fold",
    "paper, training part",
    "paper, validation part",
    "paper, cross-validated",
)
APPARENT = "apparent, on its own training lesions"


def judged(result: DiagnosticResult) -> list[tuple[str, str, Performance]]:
    """(model, way of judging, performance), honest first, model by model."""
    found = []
    for name, model in result.models.models.items():
        if model.honest is not None:
            found.append((name, HONEST, model.honest.performance))
        if model.paper is not None:
            found += [
                (name, TRAIN, model.paper.train),
                (name, VALIDATION, model.paper.validation),
                (name, CROSS, model.paper.cross_validated),
            ]
        found.append((name, APPARENT, model.apparent))
    return found


def performance_rows(result: DiagnosticResult) -> list[dict[str, Any]]:
    """One row per model and way of judging: AUC, Brier, calibration, and both cut-offs with counts and intervals."""
    rows = []
    for name, how, found in judged(result):
        row: dict[str, Any] = {"model": name, "judged": how, "lesions": len(found.labels)}
        row |= {"positive": int(found.labels.sum()), "auc": found.auc.auc}
        row |= _interval("auc", found.auc.ci)
        row |= _interval("auc_bootstrap", found.bootstrap.ci if found.bootstrap else (math.nan, math.nan))
        row |= {"brier": found.brier.value, **_interval("brier", found.brier.ci), "brier_scaled": found.brier.scaled}
        fit = found.calibration
        row |= {"calibration_slope": fit.slope, **_interval("calibration_slope", fit.slope_ci)}
        row |= {"calibration_intercept": fit.intercept, **_interval("calibration_intercept", fit.intercept_ci)}
        for point in (found.at_half, found.at_youden):
            row |= _point(point)
        rows.append(row)
    return rows


def comparison_rows(result: DiagnosticResult) -> list[dict[str, Any]]:
    """One row per pair of models and way of judging: DeLong's test."""
    rows = []
    for how, pairs in ((HONEST, result.models.comparisons), (VALIDATION, result.models.paper_comparisons)):
        for pair in pairs:
            found = pair.result
            rows.append(
                {
                    "first": pair.first,
                    "second": pair.second,
                    "judged": how,
                    "first_auc": found.first.auc,
                    "second_auc": found.second.auc,
                    "difference": found.difference,
                    **_interval("difference", found.ci),
                    "z": found.z,
                    "p_value": found.p_value,
                }
            )
    return rows


def prediction_rows(result: DiagnosticResult, shown: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """One row per lesion: truth, fold, and each model's probability of a model that never saw the patient."""
    rows = []
    for at, (patient, lesion) in enumerate(shown):
        row: dict[str, Any] = {"patient": patient, "lesion": lesion, "label": result.inputs.lesions[at].label}
        row["positive"] = bool(result.labels[at])
        for name, model in result.models.models.items():
            if model.honest is not None:
                row.setdefault("fold", int(model.honest.run.fold[at]))
                row[f"{name}_probability"] = float(model.honest.performance.predicted[at])
        row |= {f"{name}_call": result.inputs.lesions[at].readers.get(name, "") for name in result.inputs.readers}
        rows.append(row)
    return rows


def selected_rows(result: DiagnosticResult) -> list[dict[str, Any]]:
    """One row per model and feature: coefficient, scaling, range; those chosen in some folds only without them."""
    rows = []
    for name, model in result.models.models.items():
        frequency = model.honest.selection_frequency if model.honest else {}
        for feature in sorted(model.model.features, key=lambda feature: -abs(feature.coefficient)):
            rows.append(
                {
                    "model": name,
                    "feature": feature.name,
                    "ibsi_id": feature.ibsi_id,
                    "status": feature.status,
                    "in_model": True,
                    "coefficient_per_sd": feature.coefficient,
                    "standard_error": feature.standard_error,
                    "odds_ratio_per_sd": math.exp(feature.coefficient),
                    "mean": feature.mean,
                    "sd": feature.sd,
                    "low": feature.low,
                    "high": feature.high,
                    "share_of_folds": frequency.get(feature.name, 0.0 if model.honest else math.nan),
                }
            )
        kept = {feature.name for feature in model.model.features}
        rows += [
            {"model": name, "feature": feature, "in_model": False, "share_of_folds": share}
            for feature, share in frequency.items()
            if feature not in kept
        ]
    return rows


def selection_rows(result: DiagnosticResult) -> list[dict[str, Any]]:
    """One row per model: how many features were left after each step."""
    return [
        {
            "model": name,
            "offered": len(model.features),
            "after_correlation": len(model.fitted.filtered),
            "selected": len(model.fitted.selected),
            "lambda_min": model.fitted.lasso.lambda_min if model.fitted.lasso else math.nan,
            "lambda_1se": model.fitted.lasso.lambda_1se if model.fitted.lasso else math.nan,
            "fit": model.fitted.logistic.method,
        }
        for name, model in result.models.models.items()
    ]


def reader_rows(result: DiagnosticResult) -> list[dict[str, Any]]:
    """One row per reader and model beside which he or she stands."""
    rows = []
    for reader in result.readers:
        row: dict[str, Any] = {"reader": reader.name, "lesions": reader.judged}
        row |= {"auc": reader.auc.auc if reader.auc else math.nan}
        row |= _interval("auc", reader.auc.ci if reader.auc else (math.nan, math.nan))
        for measure in MEASURES if reader.confusion else ():
            found = getattr(reader.confusion, measure)
            row |= {measure: found.value, **_interval(measure, found.ci)}
        for beside in reader.beside:
            rows.append(
                row
                | {
                    "model": beside.model,
                    "model_auc": beside.auc.second.auc if beside.auc else math.nan,
                    "auc_difference": beside.auc.difference if beside.auc else math.nan,
                    "delong_p": beside.auc.p_value if beside.auc else math.nan,
                    "mcnemar_sensitivity_p": beside.sensitivity.p_value if beside.sensitivity else math.nan,
                    "mcnemar_specificity_p": beside.specificity.p_value if beside.specificity else math.nan,
                }
            )
    return rows


def agreement_rows(result: DiagnosticResult) -> list[dict[str, Any]]:
    """One row per pair of readers."""
    return [
        {
            "first": found.first,
            "second": found.second,
            "lesions": found.kappa.n,
            "weighted_kappa": found.kappa.value,
            **_interval("weighted_kappa", found.kappa.ci),
            "observed_agreement": found.kappa.observed,
            "categories": list(found.categories),
        }
        for found in result.agreement
    ]


def fact_rows(result: DiagnosticResult) -> list[dict[str, Any]]:
    """One row per fact."""
    return [
        {
            "fact": found.fact,
            "unit": found.unit,
            "positive": found.positive,
            "negative": found.negative,
            "missing": found.missing,
            "test": found.test,
            "rule": found.rule,
            "p_value": found.p_value,
        }
        for found in result.facts
    ]


def prevalence_rows(result: DiagnosticResult) -> list[dict[str, Any]]:
    """One row per model and prevalence: predictive values at the cut-off of 0.5."""
    rows = []
    for name, model in result.models.models.items():
        counts = model.performance.at_half.confusion
        for prevalence in result.settings.prevalences:
            found = counts.predictive_values(prevalence)
            rows.append(
                {
                    "model": name,
                    "prevalence": prevalence,
                    "ppv": found.ppv,
                    **_interval("ppv", found.ppv_ci),
                    "npv": found.npv,
                    **_interval("npv", found.npv_ci),
                }
            )
    return rows


def _point(point: OperatingPoint) -> dict[str, Any]:
    counts = point.confusion
    row: dict[str, Any] = {"threshold": point.threshold}
    row |= {"tp": counts.tp, "fn": counts.fn, "tn": counts.tn, "fp": counts.fp}
    for measure in MEASURES:
        found = getattr(point, measure)
        row |= {measure: found.value, **_interval(measure, found.ci)}
    return {f"{point.rule}_{key}": value for key, value in row.items()}


def _interval(name: str, ci: tuple[float, float]) -> dict[str, float]:
    return {f"{name}_low": ci[0], f"{name}_high": ci[1]}
