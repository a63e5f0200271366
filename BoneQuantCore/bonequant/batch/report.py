"""The report of a cohort: how it went, distributions, unusual cases, failures with their reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bonequant.batch.jobs import Job
from bonequant.batch.outliers import LEAST, THRESHOLD, modified_z
from bonequant.batch.plots import boxes
from bonequant.report import Facts, Notice, Page, Picture, Section, Table, Text
from bonequant.report.closing import title_of
from bonequant.report.page import Block

_MOST_GROUPS, _MOST_ROWS = 24, 200
_NOT_QUALITY = {"patient", "visit", "status", "reason", "rows", "warnings", "warning_texts"}

Rows = Sequence[Mapping[str, Any]]


def page(job: Job, rows: Rows, cases: Rows, summary: Mapping[str, Any]) -> Page:
    """The page of a cohort from its two tables (see :mod:`bonequant.batch.table`)."""
    failed = [row for row in cases if row["status"] != "done"]  # those that could not run included
    flagged = _outliers(job, rows, cases)
    notices = []
    if failed:
        notices.append(Notice("error", f"{len(failed)} of {len(cases)} patients have no result; see Failures."))
    if flagged:
        notices.append(Notice("warning", f"{len(flagged)} unusual values; see Unusual cases."))
    return Page(
        title=f"Cohort: {job.title.lower()}",
        subtitle=f"{len(cases)} patients and visits",
        headline=[
            ("Done", summary["done"], ""),
            ("Failed", len(failed), ""),
            ("Unusual values", len(flagged), ""),
            ("Rows in the table", summary["rows"], ""),
        ],
        notices=notices,
        sections=[
            *([_failures(failed)] if failed else []),
            *_distributions(job, rows),
            _unusual(flagged),
            *_warnings(cases),
            Section(
                "Where the numbers come from",
                [
                    Text("Each patient's folder holds its own report, maps, regions, settings and hashes of inputs."),
                    Facts({"SHA-256 of the code": summary["code"], **summary["versions"]}),
                ],
                folded=True,
            ),
        ],
    )


def _distributions(job: Job, rows: Rows) -> list[Section]:
    """A picture and a table for each of the job's values, over the regions that most patients have."""
    counts = Counter(str(row[job.group]) for row in rows if job.group in row)
    least = max(max(counts.values(), default=0) / 4, 2)  # what few patients have (numbered lesions) is no distribution
    groups = [name for name, count in counts.items() if count >= least][:_MOST_GROUPS]
    blocks: list[Block] = []
    for column, label in job.values.items():
        units = {row["unit"] for row in rows if row.get("unit")} if column != "volume_ml" else set()
        values = {name: _numbers(rows, job.group, name, column) for name in groups}
        values = {name: numbers for name, numbers in values.items() if len(numbers)}
        if not values:
            continue
        heading = f"{label} ({', '.join(sorted(units))})" if units else label
        blocks.append(Picture(boxes(values, heading), f"{title_of(heading)}: quartiles, and every patient a dot."))
        if len(units) > 1:
            blocks.append(Notice("warning", "Patients differ in unit: their values do not compare."))
        columns = {"name": "Region", "n": "Patients", "median": "Median", "q1": "25 %", "q3": "75 %"}
        table = [_summary(name, numbers) for name, numbers in values.items()]
        blocks.append(Table({**columns, "low": "Lowest", "high": "Highest"}, table, title_of(heading)))
    return [Section("Distributions", blocks)] if blocks else []


def _summary(name: str, numbers: np.ndarray) -> dict[str, Any]:
    q1, median, q3 = (float(part) for part in np.percentile(numbers, (25, 50, 75)))
    ends = {"low": float(numbers.min()), "high": float(numbers.max())}
    return {"name": name.replace("_", " "), "n": len(numbers), "median": median, "q1": q1, "q3": q3, **ends}


def _outliers(job: Job, rows: Rows, cases: Rows) -> list[dict[str, Any]]:
    """Flagged values of the job's first value in every region, and of every measure of quality; the farthest first."""
    found = []
    first = next(iter(job.values))
    for name in dict.fromkeys(str(row.get(job.group)) for row in rows):
        chosen = [row for row in rows if str(row.get(job.group)) == name]
        found += _flag(chosen, first, f"{job.values[first]} of {name.replace('_', ' ')}")
    done = [row for row in cases if row["status"] == "done"]
    measures = dict.fromkeys(key for row in done for key in row if key not in _NOT_QUALITY)
    for measure in measures:
        if not measure.startswith("label_"):
            found += _flag(done, measure, measure.replace("_", " "))
    return sorted(found, key=lambda row: -abs(row["z"]))


def _flag(rows: Rows, column: str, what: str) -> list[dict[str, Any]]:
    values = [row.get(column) for row in rows]
    scores = modified_z([value if isinstance(value, (int, float)) else None for value in values])
    return [
        {"patient": row["patient"], "visit": row["visit"], "what": what, "value": row[column], "z": float(z)}
        for row, z in zip(rows, scores, strict=True)
        if abs(z) > THRESHOLD
    ]


def _unusual(flagged: list[dict[str, Any]]) -> Section:
    rule = (
        f"Modified z-score above {THRESHOLD} (Iglewicz and Hoaglin 1993), in what at least {LEAST} patients have. "
        "A reason to look at the patient's own report, never to leave him out."
    )
    if not flagged:
        return Section("Unusual cases", [Text(rule), Notice("ok", "None.")])
    columns = {"patient": "Patient", "visit": "Visit", "what": "Quantity", "value": "Value", "z": "z"}
    more = f" The {_MOST_ROWS} farthest of {len(flagged)}." if len(flagged) > _MOST_ROWS else ""
    return Section("Unusual cases", [Text(rule + more), Table(columns, flagged[:_MOST_ROWS])])


def _failures(failed: Rows) -> Section:
    columns = {"patient": "Patient", "visit": "Visit", "status": "Status", "reason": "Reason"}
    more = [Text(f"The first {_MOST_ROWS}; patients.csv holds all.")] if len(failed) > _MOST_ROWS else []
    return Section("Failures", [Table(columns, failed[:_MOST_ROWS]), *more])


def _warnings(cases: Rows) -> list[Section]:
    """Warnings of the jobs with the number of patients, the most frequent first."""
    counts = Counter(text for row in cases for text in str(row.get("warning_texts") or "").split(" | ") if text)
    if not counts:
        return []
    rows = [{"text": text, "n": count} for text, count in counts.most_common(_MOST_ROWS)]
    return [Section("Warnings", [Table({"n": "Patients", "text": "Warning"}, rows)], folded=True)]


def _numbers(rows: Rows, group: str, name: str, column: str) -> np.ndarray:
    values = (row.get(column) for row in rows if str(row.get(group)) == name)
    return np.array([value for value in values if isinstance(value, (int, float))], dtype=float)
