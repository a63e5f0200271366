"""The report of the training: how well, at what cut-off, by which features, beside whom, and how far to believe it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bonequant.report import Facts, Notice, Page, Section, Table, Text
from bonequant.report.closing import provenance_section, settings_section, title_of
from bonequant.report.page import Block
from bonequant.studies.diagnostic_model import sections
from bonequant.studies.diagnostic_model.card import card
from bonequant.studies.diagnostic_model.checklists import AUTHORS, sheet_rows
from bonequant.studies.diagnostic_model.people_sections import fact_section, reader_section
from bonequant.studies.diagnostic_model.result import DiagnosticResult
from bonequant.studies.diagnostic_model.truth import PlantedTruth, truth_section


def page(result: DiagnosticResult, *, truth: PlantedTruth | None = None) -> Page:
    """The page; ``truth`` of a simulated cohort is shown beside what was found. It names no patient and no lesion."""
    models = result.models
    parts = [
        sections.models_section(result, truth.best_auc if truth else None),
        *([truth_section(result, truth)] if truth else []),
        sections.cutoff_section(result),
        sections.probability_section(result),
        sections.selection_section(result),
        sections.feature_section(result),
        *([reader_section(result)] if result.readers else []),
        fact_section(result),
        card_section(result),
        *sheet_sections(result),
        *([_dropped(models.dropped)] if models.dropped else []),
        settings_section(result.settings),
        provenance_section(result.provenance),
    ]
    patients = f" of {models.n_patients} patients" if result.grouped else ""
    return Page(
        title="Diagnostic model",
        subtitle=f"{result.positive} against {result.negative}: {models.n_lesions} lesions{patients}, "
        f"{models.n_positive} {result.positive}",
        headline=_headline(result),
        notices=[Notice("warning", text) for text in result.warnings],
        sections=parts,
    )


def card_section(result: DiagnosticResult) -> Section:
    """Model cards, the last model's in full."""
    blocks: list[Block] = []
    for model in reversed(result.models.models.values()):
        facts = card(result, model)
        told = {title_of(name): value for name, value in facts.items() if name not in ("limits", "model")}
        blocks += [Text(facts["model"]), Facts(told)]
        blocks += [Notice("note", text) for text in facts["limits"]]
    return Section("Model card", blocks)


def sheet_sections(result: DiagnosticResult) -> list[Section]:
    """METRICS and CLEAR, folded; what is left to the authors is marked."""
    rows = sheet_rows(result)
    sources = {
        "METRICS": "Kocak et al., Insights Imaging 2024;15:8",
        "CLEAR": "Kocak et al., Insights Imaging 2023;14:75",
    }
    columns = {"item": "No.", "section": "Section", "asked": "Asked for", "answer": "Answer"}
    found = []
    for sheet, source in sources.items():
        own: list[dict[str, Any]] = [row for row in rows if row["sheet"] == sheet]
        filled = sum(row["answered_by"] == "program" for row in own)
        flags: dict[int, Any] = {at: "warning" for at, row in enumerate(own) if AUTHORS in row["answer"]}
        caption = (
            f"Items in our own words, by the numbers of {source}; {filled} of {len(own)} answered by the program. "
            "Yellow: left to the authors."
        )
        found.append(Section(f"{sheet} sheet, pre-filled", [Table(columns, own, caption, flags)], folded=True))
    return found


def _headline(result: DiagnosticResult) -> list[tuple[str, Any, str]]:
    cards: list[tuple[str, Any, str]] = []
    for name, model in result.models.models.items():
        low, high = model.performance.auc.ci
        cards.append((f"AUC, {name}", f"{model.performance.auc.auc:.3f}", f"{low:.3f} to {high:.3f}"))
    last = list(result.models.models.values())[-1]
    cards.append((f"Brier score, {last.name}", f"{last.performance.brier.value:.3f}", ""))
    cards.append((f"Calibration slope, {last.name}", f"{last.performance.calibration.slope:.2f}", ""))
    return cards


def _dropped(dropped: Mapping[str, str]) -> Section:
    reasons: dict[str, list[str]] = {}
    for name, reason in dropped.items():
        reasons.setdefault(reason, []).append(name)
    rows = [
        {"reason": reason, "count": len(names), "columns": ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")}
        for reason, names in sorted(reasons.items(), key=lambda item: -len(item[1]))
    ]
    columns = {"reason": "Reason", "count": "Columns", "columns": "Which"}
    return Section(f"{len(dropped)} columns no model could use", [Table(columns, rows)], folded=True)
