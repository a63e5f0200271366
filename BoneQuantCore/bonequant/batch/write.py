"""What stands in the cohort's folder at the end: tables, report, summary."""

from __future__ import annotations

from pathlib import Path

import bonequant
from bonequant.batch import output
from bonequant.batch.case import Case
from bonequant.batch.fingerprint import code_hash
from bonequant.batch.jobs import Measured, job_named
from bonequant.batch.manifest import Manifest
from bonequant.batch.record import read_record
from bonequant.batch.report import page
from bonequant.batch.table import case_rows, tidy_rows, write_tables
from bonequant.batch.task import Outcome
from bonequant.io.files import written_whole
from bonequant.provenance import versions
from bonequant.report import render, write_json


def write_cohort(out: Path, manifest: Manifest, outcomes: tuple[Outcome, ...]) -> Path:
    """Write ``cohort.csv``/``.parquet`` (tidy), ``patients.csv``/``.parquet``, ``result.json`` and ``report.html``.

    Returns the path of the report. Raises InputError where they cannot be written.
    """
    by_key = {outcome.key: outcome for outcome in outcomes}
    done: list[tuple[Case, Measured]] = []
    for case in manifest.cases:
        if by_key[case.key].status in ("done", "unchanged"):
            record = read_record(out / output.PATIENTS / case.key)
            if record is None:
                by_key[case.key] = Outcome(case.key, "failed", "its record was removed while the cohort ran")
            else:
                done.append((case, record.measured))
    rows = tidy_rows(done)
    cases = case_rows(manifest, by_key, {case.key: measured for case, measured in done})
    write_tables(out / "cohort", rows)
    write_tables(out / "patients", cases)
    summary = {
        "job": manifest.job,
        "disclaimer": bonequant.RESEARCH_USE_ONLY,
        "cases": len(manifest.cases),
        "done": len(done),
        "failed": len(manifest.cases) - len(done),
        "not_run": sum(row["status"] == "not run" for row in cases),
        "rows": len(rows),
        "code": code_hash(),
        "versions": versions(),
    }
    with written_whole(out / "result.json", ".json") as temporary:
        write_json(temporary, summary)
    with written_whole(out / "report.html", ".html") as temporary:
        html = render(page(job_named(manifest.job), rows, cases, summary))
        temporary.write_text(html, encoding="utf-8")
    return out / "report.html"
