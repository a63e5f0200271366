"""The results folder of the cohort evidence: report, JSON and CSV tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bonequant
from bonequant.report import render, results_folder, write_csv, write_json
from bonequant.studies.response_cohort import tables
from bonequant.studies.response_cohort.report import page
from bonequant.studies.response_cohort.result import CohortResult


def write(result: CohortResult, out: str | Path, *, overwrite: bool = False, identified: bool = False) -> Path:
    """Write everything to the folder ``out`` and return the path of the report. All or nothing.

    ``identified``: name the cases by their ids in place of their numbers in the table.

    Raises InputError as :func:`bonequant.report.results_folder`.
    """
    out, shown = Path(out), result.shown_ids(identified)
    with results_folder(out, overwrite=overwrite) as folder:
        write_json(folder / "result.json", summary(result, identified=identified))
        for name, rows in (
            ("changes", tables.measure_rows(result)),
            ("separation", tables.separation_rows(result)),
            ("calls", tables.call_rows(result)),
            ("comparisons", tables.comparison_rows(result)),
            ("cases", tables.case_rows(result, shown)),
            ("discordant", tables.discordant_rows(result, shown)),
        ):
            if rows:
                write_csv(folder / f"{name}.csv", rows)
        html = render(page(result, identified=identified))
        (folder / "report.html").write_text(html, encoding="utf-8")
    return out / "report.html"


def summary(result: CohortResult, *, identified: bool = False) -> dict[str, Any]:
    """The result as plain data: what ``result.json`` holds. No identifier of a case unless ``identified``."""
    shown = result.shown_ids(identified)
    return {
        "job": "response_cohort",
        "disclaimer": bonequant.RESEARCH_USE_ONLY,
        "positive": result.positive,
        "negative": result.negative,
        "cases": tables.case_rows(result, shown),
        "changes": tables.measure_rows(result),
        "separation": tables.separation_rows(result),
        "calls": tables.call_rows(result),
        "comparisons": tables.comparison_rows(result),
        "discordant": tables.discordant_rows(result, shown),
        "warnings": result.warnings,
        "settings": result.settings.to_dict(),
        "provenance": result.provenance,
    }
