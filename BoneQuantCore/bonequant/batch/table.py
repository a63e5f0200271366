"""The cohort's tables: tidy rows of all cases in the manifest's order, as CSV and Parquet, and one row per case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bonequant.batch.case import Case
from bonequant.batch.cells import Problem
from bonequant.batch.jobs import Measured
from bonequant.batch.manifest import Manifest
from bonequant.batch.redact import without_cell
from bonequant.batch.task import Outcome
from bonequant.io.files import written_whole
from bonequant.report import write_csv

Rows = list[dict[str, Any]]


def tidy_rows(done: Sequence[tuple[Case, Measured]]) -> Rows:
    """Patient, visit, labels, then the columns of the job; one row per region."""
    return [{**_identity(case), **row} for case, measured in done for row in measured.rows]


def case_rows(manifest: Manifest, outcomes: Mapping[str, Outcome], measured: Mapping[str, Measured]) -> Rows:
    """One row per case, failed ones with their reason, and per line of the manifest that could not run."""
    rows: Rows = []
    for case in manifest.cases:
        found, outcome = measured.get(case.key), outcomes[case.key]
        row = {**_identity(case), "status": "done" if found else "failed"}
        row["reason"] = "" if found else outcome.reason
        if found:
            row |= {"rows": len(found.rows), **found.quality}
            row |= {"warnings": len(found.warnings), "warning_texts": " | ".join(found.warnings)}
        rows.append(row)
    by_row: dict[tuple[int, str], list[Problem]] = {}
    for problem in manifest.problems:
        by_row.setdefault((problem.line, problem.folder), []).append(problem)
    for number, ((line, _), problems) in enumerate(by_row.items(), 1):
        where = f"line {line}" if line else f"folder {number} of those with problems"
        said = "; ".join(f"{problem.column}: {without_cell(problem.text, problem.cell)}" for problem in problems)
        names = {"patient": problems[0].patient, "visit": problems[0].visit}  # those of the row, in all its problems
        rows.append({**names, "status": "not run", "reason": f"manifest, {where}, {said}"})
    return rows


def write_tables(path: Path, rows: Rows) -> None:
    """Write ``path`` with the suffixes .csv and .parquet, each whole or not at all; the same rows, the same bytes."""
    with written_whole(path.with_suffix(".csv"), ".csv") as temporary:
        write_csv(temporary, rows)
    with written_whole(path.with_suffix(".parquet"), ".parquet") as temporary:
        _write_parquet(temporary, rows)


def _write_parquet(path: Path, rows: Rows) -> None:
    import pyarrow
    import pyarrow.parquet

    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    pyarrow.parquet.write_table(pyarrow.table(columns), path, compression="zstd")


def _column(values: list[Any]) -> Any:
    """One type per column: truth, whole numbers, numbers, else text."""
    import pyarrow

    given = [value for value in values if value is not None]
    if given and all(isinstance(value, bool) for value in given):
        return pyarrow.array(values, pyarrow.bool_())
    if given and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in given):
        whole = all(isinstance(value, int) and abs(value) < 2**63 for value in given)
        return pyarrow.array(values if whole else [None if v is None else float(v) for v in values])
    return pyarrow.array([None if value is None else str(value) for value in values], pyarrow.string())


def _identity(case: Case) -> dict[str, Any]:
    labels = {f"label_{name}": text for name, text in case.labels.items()}
    return {"patient": case.patient, "visit": case.visit, **labels}
