"""The evidence in the report: models side by side, cut-offs, calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bonequant.radiomics.model import Performance
from bonequant.radiomics.model.paper import WARNING
from bonequant.report import Notice, Picture, Section, Table, Text
from bonequant.report.page import Block
from bonequant.report.performance_plots import (
    AucRow,
    auc_forest,
    calibration_curves,
    confusion_matrices,
    decision_curves,
    roc_curves,
)
from bonequant.studies.diagnostic_model import tables
from bonequant.studies.diagnostic_model.result import DiagnosticResult
from bonequant.studies.diagnostic_model.texts import ends, p_text, percent, percents


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
    return Section("Models side by side" if len(models) > 1 else "The model judged", blocks)


def _auc_table(result: DiagnosticResult, level: str) -> Table:
    rows = [
        {
            "model": name,
            "judged": how,
            "n": len(found.labels),
            "auc": f"{found.auc.auc:.3f}{ends(found.auc.ci)}",
            "bootstrap": ends(found.bootstrap.ci).strip(" ()") if found.bootstrap else None,
            "brier": f"{found.brier.value:.3f}{ends(found.brier.ci)}",
        }
        for name, how, found in tables.judged(result)
        if how != tables.APPARENT
    ]
    flags: dict[int, Any] = {at: "ok" if row["judged"] == tables.HONEST else "warning" for at, row in enumerate(rows)}
    columns = {"model": "Model", "judged": "Judged", "n": "Lesions", "auc": f"AUC ({level}, DeLong)"}
    columns |= {"bootstrap": f"{level}, bootstrap", "brier": "Brier score"}
    caption = "Green: every step was repeated without the patients that are judged."
    if len(rows) > len(result.models.models):
        caption += " Yellow: too optimistic, see the warning."
    return Table(columns, rows, f"{caption} The bootstrap draws whole patients.", flags)


def _test_table(result: DiagnosticResult) -> Block:
    rows = [
        {
            "pair": f"{row['first']} – {row['second']}",
            "judged": row["judged"],
            "difference": f"{row['difference']:+.3f}{ends((row['difference_low'], row['difference_high']))}",
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
            "ppv": percents(row["ppv"], row["ppv_low"], row["ppv_high"]),
            "npv": percents(row["npv"], row["npv_low"], row["npv_high"]),
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
    blocks.insert(1, _calibration_table(found))
    blocks += [Text(f"{name}: {item.calibration.note}.") for name, item in found.items() if item.calibration.note]
    return Section("Can the probabilities be believed?", blocks)


def _calibration_table(found: Mapping[str, Performance]) -> Table:
    rows = [
        {
            "model": name,
            "slope": f"{item.calibration.slope:.2f}{ends(item.calibration.slope_ci, 2)}",
            "intercept": f"{item.calibration.intercept:.2f}{ends(item.calibration.intercept_ci, 2)}",
            "large": f"{item.calibration.in_the_large:.2f}{ends(item.calibration.in_the_large_ci, 2)}",
            "brier": f"{item.brier.value:.3f}{ends(item.brier.ci)}",
            "scaled": f"{item.brier.scaled:.3f}",
        }
        for name, item in found.items()
    ]
    columns = {"model": "Model", "slope": "Slope (ideal 1)", "intercept": "Intercept (ideal 0)"}
    columns |= {"large": "In the large (ideal 0)", "brier": "Brier score", "scaled": "scaled (ideal 1)"}
    return Table(columns, rows)
