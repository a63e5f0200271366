"""From the cells of one row to a checked case, with every problem of the row."""

from __future__ import annotations

import copy
import json
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bonequant.batch.case import Case
from bonequant.batch.jobs import Column, Job
from bonequant.errors import BoneQuantError, InputError
from bonequant.io import Overrides
from bonequant.io.csv_table import CsvRow
from bonequant.io.typed_text import fact_from_text
from bonequant.settings import Settings, put_text
from bonequant.volume import Acquisition

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # safe as a folder on every system, in a cell, in a log
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # no folder of this name on Windows
_GROUPS = ("fact.", "set.", "label.")


@dataclass(frozen=True)
class Problem:
    """What is wrong with one cell (or row) of a manifest; line 0 is a patient's folder, which ``folder`` names then.

    ``cell`` is what is written there; ``patient`` and ``visit`` are the row's, where those cells are sound.
    """

    line: int
    column: str
    text: str
    cell: str = ""
    folder: str = ""
    patient: str = ""
    visit: str = ""

    def __str__(self) -> str:
        return f"{f'line {self.line}' if self.line else self.folder}, {self.column}: {self.text}"


def sound_names(cells: Mapping[str, str]) -> dict[str, str]:
    """``patient`` and ``visit`` of a row, those left out that are no pseudonym."""
    return {name: text for name in ("patient", "visit") if _is_name(text := cells.get(name, ""))}


def check_case(
    row: CsvRow, job: Job, base: Path, settings: Mapping[str, Any], facts: Mapping[str, Any]
) -> tuple[Case | None, list[Problem]]:
    """The case, None where it cannot run, and its problems. ``base``: folder from which relative paths count."""
    problems: list[Problem] = []
    names = sound_names(row.cells)

    def wrong(column: str, text: object) -> None:
        folder, said = "" if row.line else row.where, " ".join(str(text).split())
        problems.append(Problem(row.line, column, said, row.cells.get(column, ""), folder, **names))

    columns = {column.name: column for column in job.columns}
    for name in row.cells:
        if name not in columns and name not in ("patient", "visit", "job", "settings") and not name.startswith(_GROUPS):
            known = ", ".join(("patient", "visit", *columns, "settings", "fact.NAME", "set.NAME", "label.NAME"))
            wrong(name, f"there is no such column; known are {known}")
    if row.extra:
        wrong("row", f"{row.extra} more cells than columns")
    for name in ("patient", "visit"):
        text = row.cells.get(name, "")
        if (text or name == "patient") and name not in names:
            wrong(name, f"{text!r} is due as 1 to 64 letters, digits, points, dashes or underscores: a pseudonym")
    paths: dict[str, tuple[Path, ...]] = {}
    texts: dict[str, str] = {}
    for name, column in columns.items():
        text = row.cells.get(name, "")
        if not text:
            if column.required:
                wrong(name, "is empty")
            continue
        try:
            if column.kind in ("path", "paths"):
                parts = [part.strip() for part in text.split(";")] if column.kind == "paths" else [text]
                paths[name] = tuple(_path(part, base) for part in parts if part)
            else:
                texts[name] = _text(text, column)
        except InputError as error:
            wrong(name, error)
    chosen = _settings(row, job, base, settings, wrong)
    given = {**facts}
    for name, text in _group(row, "fact.").items():
        try:
            given[name] = fact_from_text(name, text, name)
        except BoneQuantError as error:
            wrong(f"fact.{name}", error)
    try:
        Acquisition().with_typed(**Overrides.of(given).facts)
    except BoneQuantError as error:
        wrong("fact", error)
    if problems or chosen is None:
        return None, problems
    case = Case(
        patient=row.cells["patient"],
        visit=row.cells.get("visit", ""),
        line=row.line,
        paths=paths,
        texts=texts,
        facts=given,
        settings=chosen,
        labels=_group(row, "label."),
    )
    for name, doubt in job.check(case):
        wrong(name, doubt)
    return (None if problems else case), problems


def _is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text)) and not _RESERVED.fullmatch(text) and not text.endswith(".")


def _group(row: CsvRow, prefix: str) -> dict[str, str]:
    return {name[len(prefix) :]: text for name, text in row.cells.items() if name.startswith(prefix)}


def _settings(
    row: CsvRow, job: Job, base: Path, common: Mapping[str, Any], wrong: Callable[[str, object], None]
) -> Settings | None:
    """Common settings, those of the row's file, and the row's own cells, the later before the earlier."""
    try:
        values = _of_file(row, base, common)
        chosen = job.settings().from_dict(values)
    except BoneQuantError as error:
        wrong("settings", error)
        return None
    for name, text in _group(row, "set.").items():
        laid_over = copy.deepcopy(values)
        try:
            put_text(laid_over, name, text, f"set.{name}")
            chosen = job.settings().from_dict(laid_over)
        except BoneQuantError as error:  # the next cell may be wrong too
            wrong(f"set.{name}", error)
        else:
            values = laid_over
    return chosen


def _of_file(row: CsvRow, base: Path, common: Mapping[str, Any]) -> dict[str, Any]:
    values = copy.deepcopy(dict(common))
    if "settings" in row.cells:
        path = _path(row.cells["settings"], base)
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"{path.name} is not readable JSON: {error}") from error
        if not isinstance(read, dict):
            raise InputError(f"{path.name} must hold one JSON object of settings")
        values = _over(values, read)
    return values


def _over(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """``above`` laid over ``below``, groups by groups."""
    merged = dict(below)
    for name, value in above.items():
        former = merged.get(name)
        merged[name] = _over(former, value) if isinstance(former, dict) and isinstance(value, dict) else value
    return merged


def _text(text: str, column: Column) -> str:
    choices = column.choices or (("yes", "no", "true", "false", "1", "0") if column.kind == "flag" else ())
    if choices and text.lower() not in choices:
        raise InputError(f"{text!r}: choose {', '.join(choices)}")
    if column.kind == "numbers":
        try:
            if not all(math.isfinite(float(part)) for part in text.split()):
                raise ValueError
        except ValueError:
            raise InputError(f"{text[:80]!r} is due as numbers parted by blanks") from None
    return text.lower() if choices else text


def _path(text: str, base: Path) -> Path:
    """An absolute path that exists and can be read; a relative one counts from ``base`` and stays below it."""
    if "\0" in text:
        raise InputError("a path cannot hold a NUL character")
    given = Path(text)
    if not given.is_absolute() and ".." in given.parts:
        raise InputError(f"{text} leads out of the manifest's folder; write it as an absolute path if that is meant")
    path = Path(os.path.normpath(base / given))
    try:
        if not path.exists():
            raise InputError(f"{text} does not exist")
        if not (path.is_file() or path.is_dir()):
            raise InputError(f"{text} is neither a file nor a folder")
        if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
            raise InputError(f"{text} cannot be read: permission denied")
        if path.is_dir() and not any(path.iterdir()):
            raise InputError(f"{text} is an empty folder")
    except OSError as error:
        raise InputError(f"{text} cannot be read: {error.strerror}") from error
    return path
