"""How the features were chosen, and what the kept ones look like."""

from __future__ import annotations

import numpy as np

from bonequant.report import Picture, Section, Table, Text
from bonequant.report.feature_plots import class_boxplots, class_heatmap
from bonequant.report.page import Block
from bonequant.report.selection_plots import lasso_plot, selection_frequency
from bonequant.studies.diagnostic_model import tables
from bonequant.studies.diagnostic_model.result import DiagnosticResult

_MOST_BOXES = 20


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
                "How often the outer folds chose a feature. Full bars are in the final model; a short "
                "full bar says that other folds did without the feature.",
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
