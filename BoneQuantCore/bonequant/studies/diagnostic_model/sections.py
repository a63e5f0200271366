"""The evidence in the report: models side by side, cut-offs, calibration, selection, features."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bonequant.radiomics.model.paper import WARNING
from bonequant.report import Notice, Picture, Section, Table, Text
from bonequant.report.feature_plots import class_boxplots, class_heatmap
from bonequant.report.page import Block
from bonequant.report.performance_plots import (
    AucRow,
    auc_forest,
    calibration_curves,
    confusion_matrices,
    decision_curves,
    roc_curves,
)
from bonequant.report.selection_plots import lasso_plot, selection_frequency
from bonequant.statistics import Proportion
from bonequant.studies.diagnostic_model import tables
from bonequant.studies.diagnostic_model.result import DiagnosticResult

_MOST_BOXES = 20


def models_section(result: DiagnosticResult, best: dict[str, float] | None) -> Section:
    """AUCs with intervals and tests, ROC curves; paper mode beside honest mode with its warning."""
    models = result.models.models
    curves = {name: (model.performance.roc, model.performance.auc) for name, model in models.items()}
    readers = {
        reader.name: (reader.confusion.sensitivity.value, reader.confusion.specificity.value)
        for reader in result.readers
        if reader.confusion is not None
        and not math.isnan(reader.confusion.sensitivity.value + reader.confusion.specificity.value)
    }
    level = f"{100 * result.settings.model.confidence:g} %"
    blocks: list[Block] = [
        Picture(
            roc_curves(curves, readers),
            f"ROC curves of the out-of-fold predictions, AUC with {level} interval (DeLong, "
            + ("lesions clustered in patients)." if result.grouped else "each lesion for itself)."),
            wide=False,
        ),
        _auc_table(result, level),
        _test_table(result),
    ]
    if any(model.paper for model in models.values()):
        blocks.append(Notice("warning", WARNING))
    rows = [
        AucRow(name, how, found.auc, how == tables.HONEST)
        for name, how, found in tables.judged(result)
        if how != tables.APPARENT
    ]
    caption = "AUC by way of judging. Filled: the honest estimate, to be quoted."
    if best:
        caption += " Dotted: the best that any model could reach on this simulated cohort."
    if len(rows) > len(models) or best:
        blocks.append(Picture(auc_forest(rows, best), caption))
    return Section("Models side by side", blocks)


def _auc_table(result: DiagnosticResult, level: str) -> Table:
    rows = []
    for name, how, found in tables.judged(result):
        rows.append(
            {
                "model": name,
                "judged": how,
                "n": len(found.labels),
                "auc": f"{found.auc.auc:.3f}{_ends(found.auc.ci)}",
                "bootstrap": _ends(found.bootstrap.ci).strip() if found.bootstrap else None,
                "brier": f"{found.brier.value:.3f}{_ends(found.brier.ci)}",
                "slope": f"{found.calibration.slope:.2f}{_ends(found.calibration.slope_ci, 2)}",
                "intercept": f"{found.calibration.intercept:.2f}{_ends(found.calibration.intercept_ci, 2)}",
            }
        )
    flags: dict[int, Any] = {
        at: "ok" if row["judged"] == tables.HONEST else "warning"
        for at, row in enumerate(rows)
        if row["judged"] == tables.HONEST or str(row["judged"]).startswith("paper")
    }
    columns = {
        "model": "Model",
        "judged": "Judged",
        "n": "Lesions",
        "auc": f"AUC ({level})",
        "bootstrap": "Bootstrap",
        "brier": "Brier score",
        "slope": "Calibration slope",
        "intercept": "Intercept",
    }
    caption = (
        "Green: every step was repeated without the patients that are judged. Yellow: too optimistic, see the warning. "
        "The bootstrap draws whole patients."
    )
    return Table(columns, rows, caption, flags)


def _test_table(result: DiagnosticResult) -> Block:
    rows = [
        {
            "pair": f"{row['first']} – {row['second']}",
            "judged": row["judged"],
            "difference": f"{row['difference']:+.3f}{_ends((row['difference_low'], row['difference_high']))}",
            "z": row["z"],
            "p": p_text(row["p_value"]),
        }
        for row in tables.comparison_rows(result)
    ]
    if not rows:
        return Text("There is one model only, so nothing to compare.")
    columns = {"pair": "AUC difference", "judged": "Judged", "difference": "Value", "z": "z", "p": "P, DeLong"}
    return Table(columns, rows, "Pairs of models on the same lesions.")


def cutoff_section(result: DiagnosticResult) -> Section:
    """Confusion matrices, accuracy at two cut-offs, and predictive values at other prevalences."""
    models = result.models.models
    rows = []
    for name, model in models.items():
        for point in (model.performance.at_half, model.performance.at_youden):
            rows.append(
                {
                    "model": name,
                    "cutoff": "0.5" if point.rule == "half" else f"Youden, {point.threshold:.3f}",
                    **{measure: percent(getattr(point, measure)) for measure in tables.MEASURES},
                }
            )
    headings = {"accuracy": "Accuracy %", "sensitivity": "Sensitivity %", "specificity": "Specificity %"}
    headings |= {"ppv": "PPV %", "npv": "NPV %"}
    other = [
        {
            "model": row["model"],
            "prevalence": f"{100 * row['prevalence']:g} %",
            "ppv": _percents(row["ppv"], row["ppv_low"], row["ppv_high"]),
            "npv": _percents(row["npv"], row["npv_low"], row["npv_high"]),
        }
        for row in tables.prevalence_rows(result)
    ]
    share = 100 * result.labels.mean()
    blocks: list[Block] = [
        Picture(
            confusion_matrices(
                {name: model.performance.at_half.confusion for name, model in models.items()},
                result.positive,
                result.negative,
            ),
            "Calls at a probability of 0.5, out of fold; shares are of the true class.",
            wide=len(models) > 2,
        ),
        Table(
            {"model": "Model", "cutoff": "Cut-off", **headings},
            rows,
            "Wilson intervals, each lesion for itself. Youden's cut-off was chosen on these very lesions and looks "
            "better than it is; 0.5 was not.",
        ),
        Table(
            {"model": "Model", "prevalence": f"Prevalence of {result.positive}", "ppv": "PPV %", "npv": "NPV %"},
            other,
            f"Predictive values at the cut-off of 0.5 where another share of lesions is {result.positive}; here it was "
            f"{share:.0f} %.",
        ),
    ]
    return Section("At a cut-off", blocks)


def probability_section(result: DiagnosticResult) -> Section:
    """Calibration and decision curves."""
    models = result.models.models
    found = {name: model.performance for name, model in models.items()}
    blocks: list[Block] = [
        Picture(
            calibration_curves({name: (item.calibration, item.predicted, item.labels) for name, item in found.items()}),
            "Calibration, out of fold: groups of equal size with Wilson intervals, and the logistic recalibration. "
            f"Bars: predictions of {result.positive} (above) and {result.negative} (below). A slope under 1 says that "
            "predictions are too extreme.",
            wide=len(models) > 1,
        ),
        Picture(
            decision_curves({name: item.decision for name, item in found.items()}),
            "Decision curve: net benefit of acting on the model, out of fold. The model helps where it lies above both "
            "broken lines.",
        ),
    ]
    blocks += [Text(f"{name}: {item.calibration.note}.") for name, item in found.items() if item.calibration.note]
    return Section("Can the probabilities be believed?", blocks)


def selection_section(result: DiagnosticResult) -> Section:
    """How the features were chosen."""
    models = result.models.models
    columns = {
        "model": "Model",
        "offered": "Usable features",
        "after_correlation": f"After |r| > {result.settings.model.correlation_cutoff:g}",
        "selected": "Kept by the LASSO",
        "lambda_min": "lambda.min",
        "lambda_1se": "lambda.1se",
        "fit": "Regression",
    }
    rule = result.settings.model.lambda_rule
    blocks: list[Block] = [Table(columns, tables.selection_rows(result), f"All lesions; rule: lambda.{rule}.")]
    for name, model in models.items():
        if model.fitted.lasso is not None:
            blocks.append(
                Picture(
                    lasso_plot(model.fitted.lasso, model.fitted.filtered, rule, name),
                    f"{name}: cross-validated deviance (left) and LASSO coefficients (right); the full line is the "
                    f"lambda taken. Warm: speaks for {result.positive}, cool: against; grey: not kept.",
                )
            )
    frequencies = {name: model.honest.selection_frequency for name, model in models.items() if model.honest}
    if frequencies:
        kept = {name: models[name].fitted.selected for name in frequencies}
        blocks.append(
            Picture(
                selection_frequency(frequencies, kept),
                "How often the outer folds chose a feature. Full bars are in the final model; a full bar that is "
                "short was chosen by chance as much as by merit.",
            )
        )
    return Section("How the features were chosen", blocks)


def feature_section(result: DiagnosticResult) -> Section:
    """Coefficients, boxes and the heatmap of the kept features."""
    columns = {
        "model": "Model",
        "feature": "Feature",
        "ibsi_id": "IBSI",
        "coefficient_per_sd": "Coefficient per SD",
        "standard_error": "SE",
        "odds_ratio_per_sd": "Odds ratio per SD",
        "low": "Training from",
        "high": "to",
        "share": "Folds %",
    }
    rows = [
        {**row, "ibsi_id": row["ibsi_id"] or None, "share": 100 * row["share_of_folds"]}
        for row in tables.selected_rows(result)
        if row["in_model"]
    ]
    if not rows:
        return Section("The kept features", [Text("No feature was kept by any model.")])
    caption = "A standard error does not know that the feature was selected; it is too small."
    blocks: list[Block] = [Table(columns, rows, caption)]
    names = list(dict.fromkeys(row["feature"] for row in rows))
    last = list(result.models.models.values())[-1]
    shown = [name for name in names if name in last.fitted.selected] or names
    words = (result.positive, result.negative)
    which = "the combined model" if len(result.models.models) > 1 else "the model"
    values = result.of_columns(tuple(shown[:_MOST_BOXES]))
    blocks.append(
        Picture(
            class_boxplots(values, shown[:_MOST_BOXES], result.labels, words),
            f"Features kept by {which}, by class; boxes to the quartiles, whiskers to 1.5 of their distance.",
            wide=len(shown) > 2,
        )
    )
    values = result.of_columns(tuple(shown))
    z = (values - values.mean(axis=0)) / np.where(values.std(axis=0) > 0, values.std(axis=0), 1.0)
    blocks.append(
        Picture(
            class_heatmap(z, shown, result.labels, last.performance.predicted, words),
            f"The same features of every lesion, with the out-of-fold probability of {which} on top.",
        )
    )
    return Section("The kept features", blocks)


def percent(found: Proportion) -> str:
    """In percent with its interval."""
    return _percents(found.value, *found.ci)


def p_text(value: float) -> str:
    """A p value for the eye."""
    return "–" if math.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _percents(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{100 * value:.1f}" + ("" if math.isnan(low) else f" ({100 * low:.1f} to {100 * high:.1f})")


def _ends(ci: tuple[float, float], digits: int = 3) -> str:
    return "" if math.isnan(ci[0]) else f" ({ci[0]:.{digits}f} to {ci[1]:.{digits}f})"
