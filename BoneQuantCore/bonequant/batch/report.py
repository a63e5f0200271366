"""The report of a cohort: how it went, distributions, unusual cases, failures with their reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bonequant.batch.jobs import Job
from bonequant.batch.outliers import LEAST, THRESHOLD, modified_z
from bonequant.batch.pace import what_are
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
    counted = f"{len(cases)} {what_are(row['patient'] for row in cases)}"
    flagged, assessed = _outliers(job, rows, cases)
    notices = []
    if failed:
        notices.append(Notice("error", f"{len(failed)} of {counted} have no result; see Failures."))
    if flagged:
        notices.append(Notice("warning", f"{len(flagged)} unusual values; see Unusual cases."))
    return Page(
        title=f"Cohort: {job.title.lower()}",
        subtitle=counted,
        headline=[
            ("Done", summary["done"], ""),
            ("Failed", len(failed), ""),
            ("Unusual values", len(flagged) if assessed else "not assessed", ""),
            ("Rows in the table", summary["rows"], ""),
        ],
        notices=notices,
        sections=[
            *([_failures(failed)] if failed else []),
            *_distributions(job, rows),
            _unusual(flagged, assessed, cases),
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
        kind = _kind_of_values(rows, job.group, values, column)
        heading = f"{label} ({', '.join(sorted(units))})" if units else label
        blocks.append(
            Picture(boxes(values, heading), f"{title_of(heading)}: quartiles, and every {kind.lower()} a dot.")
        )
        if len(units) > 1:
            blocks.append(Notice("warning", "Patients differ in unit: their values do not compare."))
        columns = {"name": title_of(job.group), "n": f"{kind}s", "median": "Median", "q1": "25 %", "q3": "75 %"}
        table = [_summary(name, numbers) for name, numbers in values.items()]
        blocks.append(Table({**columns, "low": "Lowest", "high": "Highest"}, table, title_of(heading)))
    return [Section("Distributions", blocks)] if blocks else []


def _summary(name: str, numbers: np.ndarray) -> dict[str, Any]:
    q1, median, q3 = (float(part) for part in np.percentile(numbers, (25, 50, 75)))
    ends = {"low": float(numbers.min()), "high": float(numbers.max())}
    return {"name": name.replace("_", " "), "n": len(numbers), "median": median, "q1": q1, "q3": q3, **ends}


def _kind_of_values(rows: Rows, group: str, groups: Mapping[str, Any], column: str) -> str:
    """What one value of a group is: a "Patient", a "Visit" where patients have several, a "Value" where visits do."""
    chosen = [row for row in rows if str(row.get(group)) in groups and _is_number(row.get(column))]
    for kind, keys in (("Patient", ("patient",)), ("Visit", ("patient", "visit"))):
        if max(Counter((row[group], *(row[key] for key in keys)) for row in chosen).values(), default=0) <= 1:
            return kind
    return "Value"


def _outliers(job: Job, rows: Rows, cases: Rows) -> tuple[list[dict[str, Any]], bool]:
    """Flagged values, the farthest first, and whether there were enough values of anything to flag any."""
    found: list[dict[str, Any]] = []
    assessed = False
    for chosen, column, what in _quantities(job, rows, cases):
        assessed = assessed or sum(_is_number(row.get(column)) for row in chosen) >= LEAST
        found += _flag(chosen, column, what)
    return sorted(found, key=lambda row: -abs(row["z"])), assessed


def _quantities(job: Job, rows: Rows, cases: Rows) -> Iterator[tuple[Rows, str, str]]:
    """Rows, column and name of the job's first value in every region, and of every measure of quality."""
    first = next(iter(job.values))
    for name in dict.fromkeys(str(row.get(job.group)) for row in rows):
        chosen = [row for row in rows if str(row.get(job.group)) == name]
        yield chosen, first, f"{job.values[first]} of {name.replace('_', ' ')}"
    done = [row for row in cases if row["status"] == "done"]
    for measure in dict.fromkeys(key for row in done for key in row if key not in _NOT_QUALITY):
        if not measure.startswith("label_"):
            yield done, measure, measure.replace("_", " ")


def _flag(rows: Rows, column: str, what: str) -> list[dict[str, Any]]:
    values = [row.get(column) for row in rows]
    scores = modified_z([value if isinstance(value, (int, float)) else None for value in values])
    return [
        {"patient": row["patient"], "visit": row["visit"], "what": what, "value": row[column], "z": float(z)}
        for row, z in zip(rows, scores, strict=True)
        if abs(z) > THRESHOLD
    ]


def _unusual(flagged: list[dict[str, Any]], assessed: bool, cases: Rows) -> Section:
    rule = (
        f"Modified z-score above {THRESHOLD} (Iglewicz and Hoaglin 1993), in what has at least {LEAST} values. "
        "A reason to look at the patient's own report, never to leave him out."
    )
    if not assessed:
        done = [row["patient"] for row in cases if row["status"] == "done"]
        notice = Notice("note", f"Not assessed, {len(done)} {what_are(done)} ({LEAST} needed).")
        return Section("Unusual cases", [Text(rule), notice])
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
    """Warnings of the jobs with the number of patients or visits, the most frequent first."""
    counts = Counter(text for row in cases for text in str(row.get("warning_texts") or "").split(" | ") if text)
    if not counts:
        return []
    rows = [{"text": text, "n": count} for text, count in counts.most_common(_MOST_ROWS)]
    what = title_of(what_are(row["patient"] for row in cases).split()[0])
    return [Section("Warnings", [Table({"n": what, "text": "Warning"}, rows)], folded=True)]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and bool(np.isfinite(value))


def _numbers(rows: Rows, group: str, name: str, column: str) -> np.ndarray:
    values = (row.get(column) for row in rows if str(row.get(group)) == name)
    return np.array([value for value in values if isinstance(value, (int, float))], dtype=float)
