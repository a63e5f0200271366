"""The results folder of the training: report, model files, predictions, tables, sheets."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bonequant
from bonequant.report import render, results_folder, write_csv, write_json
from bonequant.studies.diagnostic_model import tables
from bonequant.studies.diagnostic_model.card import card, file_name
from bonequant.studies.diagnostic_model.checklists import sheet_rows
from bonequant.studies.diagnostic_model.report import page
from bonequant.studies.diagnostic_model.result import DiagnosticResult
from bonequant.studies.diagnostic_model.truth import PlantedTruth, kept_rows, truth_rows


def write(
    result: DiagnosticResult,
    out: str | Path,
    *,
    truth: PlantedTruth | None = None,
    attachments: Mapping[str, Path] | None = None,
    overwrite: bool = False,
    identified: bool = False,
) -> Path:
    """Write everything to the folder ``out`` and return the path of the report. All or nothing.

    - ``model_<name>.json``: one per feature set, for ``bonequant predict``.
    - ``predictions.csv``: out of fold; lesions by their number in the tables, by their ids where ``identified``.
    - ``performance.csv``, ``comparisons.csv``, ``selected_features.csv``, ``predictive_values.csv``, ``readers.csv``,
      ``agreement.csv``, ``groups.csv``, ``metrics_and_clear.csv``, ``planted.csv``.

    ``attachments``: name to a folder that is moved beside the results. Raises InputError as
    :func:`bonequant.report.results_folder`.
    """
    out = Path(out)
    with results_folder(out, overwrite=overwrite) as folder:
        write_json(folder / "result.json", summary(result, truth=truth))
        for name, rows in (
            ("predictions", tables.prediction_rows(result, result.shown_ids(identified))),
            ("performance", tables.performance_rows(result)),
            ("comparisons", tables.comparison_rows(result)),
            ("selected_features", tables.selected_rows(result)),
            ("predictive_values", tables.prevalence_rows(result)),
            ("readers", tables.reader_rows(result)),
            ("agreement", tables.agreement_rows(result)),
            ("groups", tables.fact_rows(result)),
            ("metrics_and_clear", sheet_rows(result)),
            ("planted", truth_rows(result, truth) if truth else []),
        ):
            if rows:
                write_csv(folder / f"{name}.csv", rows)
        for name, model in result.models.models.items():
            model.model.save(folder / file_name(name))
        for name, path in (attachments or {}).items():
            shutil.move(path, folder / name)
        (folder / "report.html").write_text(render(page(result, truth=truth)), encoding="utf-8")
    return out / "report.html"


def summary(result: DiagnosticResult, *, truth: PlantedTruth | None = None) -> dict[str, Any]:
    """The result as plain data: what ``result.json`` holds. No patient and no lesion is named."""
    models = result.models
    found = {
        "job": "diagnostic_model",
        "disclaimer": bonequant.RESEARCH_USE_ONLY,
        "positive": result.positive,
        "negative": result.negative,
        "lesions": models.n_lesions,
        "patients": models.n_patients if result.grouped else None,
        "positives": models.n_positive,
        "performance": tables.performance_rows(result),
        "comparisons": tables.comparison_rows(result),
        "selection": tables.selection_rows(result),
        "selected_features": tables.selected_rows(result),
        "predictive_values": tables.prevalence_rows(result),
        "readers": tables.reader_rows(result),
        "agreement": tables.agreement_rows(result),
        "groups": tables.fact_rows(result),
        "cards": {name: card(result, model) for name, model in models.models.items()},
        "model_warnings": {name: model.warnings for name, model in models.models.items()},
        "dropped": models.dropped,
        "unstable": result.unstable,
        "warnings": result.warnings,
        "settings": result.settings.to_dict(),
        "provenance": result.provenance,
    }
    if truth is not None:
        found["planted"] = {"models": truth_rows(result, truth), "kept_features": kept_rows(result, truth)}
    return found
