"""The report of the training: how well, at what cut-off, by which features, beside whom, and how far to believe it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bonequant.radiomics.model.paper import WARNING
from bonequant.report import Facts, Notice, Page, Section, Table
from bonequant.report.closing import provenance_section, settings_section, title_of
from bonequant.report.page import Block
from bonequant.studies.diagnostic_model import sections, selection_sections
from bonequant.studies.diagnostic_model.card import card
from bonequant.studies.diagnostic_model.checklists import AUTHORS, sheet_rows
from bonequant.studies.diagnostic_model.people_sections import fact_section, reader_section
from bonequant.studies.diagnostic_model.result import DiagnosticResult
from bonequant.studies.diagnostic_model.texts import ends
from bonequant.studies.diagnostic_model.truth import PlantedTruth, truth_section


def page(result: DiagnosticResult, *, truth: PlantedTruth | None = None) -> Page:
    """The page; ``truth`` of a simulated cohort is shown beside what was found. It names no patient and no lesion."""
    models = result.models
    parts = [
        sections.models_section(result, truth.best_auc if truth else None),
        *([truth_section(result, truth)] if truth else []),
        sections.cutoff_section(result),
        sections.probability_section(result),
        selection_sections.selection_section(result),
        selection_sections.feature_section(result),
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
        notices=[Notice("warning", text) for text in result.warnings if text != WARNING],  # said where paper mode is
        sections=parts,
    )


def card_section(result: DiagnosticResult) -> Section:
    """What all models share, then each model's own line and limits."""
    cards = [card(result, model) for model in result.models.models.values()]
    own = ("model", "features", "performance", "cut_off", "file", "sha256", "limits")
    shared = {title_of(name): value for name, value in cards[0].items() if name not in own}
    columns = {name: title_of(name) for name in own if name not in ("limits", "sha256")}
    limits = list(dict.fromkeys(text for facts in cards for text in facts["limits"]))
    blocks: list[Block] = [Facts(shared), Table(columns, cards, "SHA-256 of each file is in result.json.")]
    for text in limits:
        whose = [facts["model"] for facts in cards if text in facts["limits"]]
        of = "" if len(whose) == len(cards) else f"{', '.join(whose)}: "
        blocks.append(Notice("note", of + text))
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
        cards.append((f"AUC, {name}", f"{model.performance.auc.auc:.3f}", ends(model.performance.auc.ci).strip(" ()")))
    last = list(result.models.models.values())[-1]
    cards.append((f"Brier score, {last.name}", f"{last.performance.brier.value:.3f}", ""))
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
