"""The report of a prediction: each lesion's probability, its parts as a waterfall, and the model behind it."""

from __future__ import annotations

from typing import Any

from bonequant.radiomics import Prediction
from bonequant.report import Facts, Notice, Page, Picture, Section, Table
from bonequant.report.closing import provenance_section
from bonequant.report.feature_plots import contributions
from bonequant.report.page import Block
from bonequant.studies.diagnostic_prediction.job import PredictionResult

_MOST_PICTURES = 24


def page(result: PredictionResult, *, identified: bool = False) -> Page:
    """The page; patients by number unless ``identified``."""
    model, shown = result.inputs.model, result.shown_ids(identified)
    named = [" ".join(part for part in names if part) for names in shown]
    parts = [
        _lesion(item.prediction, name)
        for item, name in zip(result.lesions, named, strict=True)
        if item.prediction is not None
    ][:_MOST_PICTURES]
    judged = result.predictions
    positive = sum(said.called for said in judged)
    notices = [Notice("warning", text) for text in result.warnings]
    if len(judged) > _MOST_PICTURES:
        text = f"Pictures of the first {_MOST_PICTURES} lesions; contributions.csv holds those of all."
        notices.append(Notice("note", text))
    headline: list[tuple[str, Any, str]] = [("Lesions", len(result.lesions), "")]
    if len(result.lesions) == 1:
        headline = [(f"Probability of {model.positive_class}", f"{judged[0].probability:.3f}", "")]
    headline.append((f"Called {model.positive_class}", positive, f"of {len(judged)}"))
    if result.refused:
        headline.append(("Refused", len(result.refused), f"of {len(result.lesions)}"))
    headline.append(("Cut-off", f"{model.threshold:.3f}", ""))
    return Page(
        title="Prediction by a diagnostic model",
        subtitle=f"Model {model.name}: probability of {model.positive_class}",
        headline=headline,
        notices=notices,
        sections=[_table(result, shown), *parts, _model(result), provenance_section(result.provenance)],
    )


def _table(result: PredictionResult, shown: list[tuple[str, str]]) -> Section:
    positive = result.inputs.model.positive_class
    rows = [
        {
            "patient": patient or None,
            "lesion": lesion,
            "level": item.lesion.level or None,
            "probability": said.probability if said else None,
            "log_odds": said.log_odds if said else None,
            "called": "refused" if said is None else positive if said.called else f"not {positive}",
            "warnings": len(said.warnings) if said else None,
            "refused": item.refused or None,
        }
        for (patient, lesion), item in zip(shown, result.lesions, strict=True)
        for said in [item.prediction]
    ]
    columns = {"patient": "Patient", "lesion": "Lesion", "level": "Level", "probability": "Probability"}
    columns |= {"log_odds": "Log odds", "called": "Called", "warnings": "Warnings"}
    note = "Yellow: the model says why it may be wrong."
    if result.refused:
        columns["refused"], note = "Refused because", note + " Red: refused."
    flags: dict[int, Any] = {
        at: "error" if row["refused"] else "warning" for at, row in enumerate(rows) if row["refused"] or row["warnings"]
    }
    return Section("Lesions", [Table(columns, rows, note, flags)])


def _lesion(said: Prediction, name: str) -> Section:
    blocks: list[Block] = [Notice("warning", text) for text in said.warnings]
    blocks.append(
        Picture(
            contributions(said),
            f"{name}: from the average training lesion to this one. Warm: the value speaks for "
            f"{said.positive_class}, cool: against.",
        )
    )
    return Section(f"Lesion {name}", blocks)


def _model(result: PredictionResult) -> Section:
    model = result.inputs.model
    trained = model.training
    honest = trained.get("performance", {}).get("honest", {})
    facts = {
        "Intended use": model.intended_use,
        "Trained on": f"{trained.get('lesions')} lesions, {trained.get('positive')} {model.positive_class}",
        "AUC, out of fold": _with_interval(honest.get("auc"), honest.get("auc_ci")),
        "Calibration slope": honest.get("calibration_slope"),
        "Brier score": honest.get("brier"),
        "Cut-off": f"{model.threshold:.3f} ({model.threshold_rule})",
        "Extraction settings, hash": model.extraction_hash or "not told",
        "SHA-256": model.sha256,
    }
    columns = {"name": "Feature", "ibsi_id": "IBSI", "coefficient": "Coefficient per SD", "mean": "Training mean"}
    columns |= {"sd": "SD", "low": "Range from", "high": "to"}
    rows = [{name: getattr(feature, name) or None for name in columns} for feature in model.features]
    blocks: list[Block] = [Facts(facts)]
    if rows:
        blocks.append(Table(columns, rows, f"Log odds at the training means: {model.intercept:.4f}."))
    blocks += [Notice("note", f"{text[:1].upper()}{text[1:]}") for text in trained.get("warnings", [])]
    return Section("The model", blocks)


def _with_interval(value: float | None, ci: list[float] | None) -> str:
    if value is None:
        return "not known"
    ends = f" ({ci[0]:.3f} to {ci[1]:.3f})" if ci and None not in ci else ""
    return f"{value:.3f}{ends}"
