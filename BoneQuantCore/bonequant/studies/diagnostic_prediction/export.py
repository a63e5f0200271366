"""The results folder of a prediction: report, JSON, predictions and contributions as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bonequant
from bonequant.report import render, results_folder, write_csv, write_json
from bonequant.studies.diagnostic_prediction.job import PredictionResult
from bonequant.studies.diagnostic_prediction.report import page


def write(result: PredictionResult, out: str | Path, *, overwrite: bool = False, identified: bool = False) -> Path:
    """Write ``report.html``, ``result.json``, ``predictions.csv`` and ``contributions.csv``; return the report's path.

    All or nothing. Raises InputError as :func:`bonequant.report.results_folder`.
    """
    out = Path(out)
    with results_folder(out, overwrite=overwrite) as folder:
        write_json(folder / "result.json", summary(result, identified=identified))
        write_csv(folder / "predictions.csv", _prediction_rows(result, identified))
        parts = _contribution_rows(result, identified)
        if parts:
            write_csv(folder / "contributions.csv", parts)
        (folder / "report.html").write_text(render(page(result, identified=identified)), encoding="utf-8")
    return out / "report.html"


def summary(result: PredictionResult, *, identified: bool = False) -> dict[str, Any]:
    """The result as plain data: what ``result.json`` holds. Patients by number unless ``identified``."""
    model = result.inputs.model
    return {
        "job": "diagnostic_prediction",
        "disclaimer": bonequant.RESEARCH_USE_ONLY,
        "model": {
            "name": model.name,
            "positive_class": model.positive_class,
            "sha256": model.sha256,
            "extraction_hash": model.extraction_hash,
            "intended_use": model.intended_use,
        },
        "predictions": _prediction_rows(result, identified),
        "contributions": _contribution_rows(result, identified),
        "warnings": result.warnings,
        "settings": {"centre": result.inputs.centre},
        "provenance": result.provenance,
    }


def _prediction_rows(result: PredictionResult, identified: bool) -> list[dict[str, Any]]:
    return [
        {
            "patient": patient,
            "lesion": lesion,
            "level": item.lesion.level,
            "probability": said.probability if said else None,
            "log_odds": said.log_odds if said else None,
            "threshold": result.inputs.model.threshold,
            "called_positive": said.called if said else None,
            "positive_class": result.inputs.model.positive_class,
            "warnings": list(said.warnings) if said else [],
            "refused": item.refused,
        }
        for (patient, lesion), item in zip(result.shown_ids(identified), result.lesions, strict=True)
        for said in [item.prediction]
    ]


def _contribution_rows(result: PredictionResult, identified: bool) -> list[dict[str, Any]]:
    return [
        {
            "patient": patient,
            "lesion": lesion,
            "feature": part.feature,
            "value": part.value,
            "z": part.z,
            "coefficient_per_sd": part.coefficient,
            "log_odds": part.log_odds,
        }
        for (patient, lesion), item in zip(result.shown_ids(identified), result.lesions, strict=True)
        for part in (item.prediction.contributions if item.prediction else ())
    ]
