"""The manifest of a cohort: a CSV with one row per patient and visit, or a folder whose tree says the same.

Columns: ``patient`` (a pseudonym), ``visit``, those of the job (``spect``, ``ct`` ...), ``fact.NAME`` for what the
files do not say, ``set.NAME`` for settings of one row, ``settings`` for a JSON file of them, ``label.NAME`` to be
carried to the tables, and ``job``. Everything is checked before the first patient starts, and every problem is listed.

A folder has one sub-folder per patient, holding what the job's path columns name (``SPECT``, ``CT``, ``spect.nrrd``),
or one more level of folders, one per visit.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bonequant.batch.case import Case
from bonequant.batch.cells import Problem, check_case, sound_names
from bonequant.batch.jobs import Job, job_named
from bonequant.errors import InputError
from bonequant.io.csv_table import CsvRow, read_csv_table
from bonequant.io.series import stem


class ManifestError(InputError):
    """A manifest that cannot run as it is. ``problems`` holds them all."""

    def __init__(self, source: Path, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        listed = "; ".join(str(problem) for problem in problems)
        super().__init__(f"{source}: {len(problems)} problem{'s' * (len(problems) > 1)}: {listed}")


@dataclass(frozen=True)
class Manifest:
    """Checked cases of one job, and the problems of the rows that are left out."""

    job: str
    cases: tuple[Case, ...]
    source: Path
    problems: tuple[Problem, ...] = ()

    def checked(self) -> Manifest:
        """Itself. Raises ManifestError where there are problems."""
        if self.problems:
            raise ManifestError(self.source, self.problems)
        return self


def read_manifest(
    path: str | Path,
    job: str | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Manifest:
    """Read and check a manifest; its problems are listed in the result (see :meth:`Manifest.checked`).

    Args:
        path: CSV (comma, semicolon or tab), or a folder.
        job: its name; may stand in the column ``job`` instead.
        settings: common to all rows, as plain values; a row's own come before them.
        facts: common to all rows.

    Raises InputError where there is no manifest, no row, or no job; SettingsError for common settings that are none.
    """
    source = Path(path)
    problems: list[Problem] = []
    if source.is_dir():
        if job is None:
            raise InputError(f"{source}: say which job is to run (--job).")
        adapter = job_named(job)
        rows, problems = _rows_of_tree(source, adapter)
    else:
        rows = read_csv_table(source, extra_cells=True).rows
        if not rows:
            raise InputError(f"{source} holds no row below its heading.")
        adapter = _job_of(rows, job, source)
    adapter.settings().from_dict(dict(settings or {}))  # wrong for all rows: said once
    base = source.resolve() if source.is_dir() else source.resolve().parent
    unclear = {problem.folder for problem in problems}
    cases: list[Case] = []
    for row in rows:
        case, found = check_case(row, adapter, base, settings or {}, facts or {})
        problems += found
        if case is not None and (row.line or row.where not in unclear):
            cases.append(case)
    keys = Counter(case.key.casefold() for case in cases)
    for case in cases:
        if keys[case.key.casefold()] > 1:
            text = f"{case.key} stands there more than once; number the visits"
            problems.append(Problem(case.line, "patient", text, case.patient, case.key, case.patient, case.visit))
    sound = tuple(case for case in cases if keys[case.key.casefold()] == 1)
    return Manifest(adapter.name, sound, source, tuple(sorted(problems, key=lambda problem: problem.line)))


def _job_of(rows: Sequence[CsvRow], job: str | None, source: Path) -> Job:
    named = {row.cells["job"] for row in rows if row.cells.get("job")} | ({job} if job else set())
    if not named:
        raise InputError(f"{source}: say which job is to run, with --job or in a column job.")
    if len(named) > 1:
        raise InputError(f"{source} names several jobs ({', '.join(sorted(named))}); write one manifest for each.")
    return job_named(named.pop())


def _rows_of_tree(root: Path, job: Job) -> tuple[tuple[CsvRow, ...], list[Problem]]:
    """Rows of the folder convention, in order of names, and entries that would be the same column."""
    rows: list[CsvRow] = []
    problems: list[Problem] = []
    for folder in _folders(root):
        visits = [folder] if _entries(folder, job) else _folders(folder)
        for visit in visits or [folder]:  # one without anything is a problem, too
            cells, where = {"patient": folder.name}, f"folder {visit.relative_to(root)}"
            if visit is not folder:
                cells["visit"] = visit.name
            for name, entries in _entries(visit, job).items():
                cells[name] = str(entries[0].absolute())
                if len(entries) > 1:
                    text = f"two entries would be this: {entries[0].name}, {entries[1].name}"
                    problems.append(Problem(0, name, text, "", where, **sound_names(cells)))
            rows.append(CsvRow(0, cells, where))
    if not any(len(row.cells) > 1 + ("visit" in row.cells) for row in rows):
        names = ", ".join(column.name for column in job.paths())
        raise InputError(f"{root} holds no folder of a patient with {names} in it.")
    return tuple(rows), problems


def _entries(folder: Path, job: Job) -> dict[str, list[Path]]:
    """Path columns found in a folder by the names of its entries, whatever their case."""
    names = {column.name for column in job.paths()}
    found: dict[str, list[Path]] = {}
    try:
        for entry in sorted(folder.iterdir()):
            if stem(entry).lower() in names:
                found.setdefault(stem(entry).lower(), []).append(entry)
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}.") from error
    return found


def _folders(root: Path) -> list[Path]:
    with os.scandir(root) as entries:
        return sorted(Path(entry) for entry in entries if entry.is_dir() and not entry.name.startswith("."))
