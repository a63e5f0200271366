"""The table of a response study.

Columns: ``id``, ``outcome`` (two words, such as failure and success), and any of

- ``patient``: for several lesions of one patient;
- ``<measure>_before`` and ``<measure>_after``, or ``<measure>_change_percent`` (both are compared);
- ``<criterion>_call``: a call made elsewhere, in the words of the outcome, ``NE`` or empty where there is none;
- ``<measure>@<day>``: the percent change of the measure on a day, for the spider plot;
- ``followed_days``, ``failed_day``: for the swimmer plot.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping
from pathlib import Path

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.provenance import hash_files
from bonequant.response.compare import percent_change
from bonequant.studies.response_cohort.inputs import Case, CohortInputs

_FIXED = ("id", "patient", "outcome", "followed_days", "failed_day")
_ENDINGS = ("_before", "_after", "_change_percent", "_call")
_SAME_PERCENT = 0.1  # points: a change that was rounded to one digit is the same


def read_inputs(table: str | os.PathLike[str], *, progress: Progress | None = None) -> CohortInputs:
    """Read the table, a CSV in UTF-8.

    Raises InputError naming the line and column: a file that cannot be read, an unknown column, an id twice, an outcome
    that is missing or a third word, a cell that is no number, a change that does not fit its before and after.
    """
    source = Path(table)
    (progress or no_progress)(0.0, "Reading the table")
    columns, rows = _rows(source)
    kinds = {name: _kind(name, source) for name in columns}
    measures = tuple(dict.fromkeys(kinds[name][1] for name in columns if kinds[name][0] in ("value", "course")))
    calls = tuple(kinds[name][1] for name in columns if kinds[name][0] == "call")
    if not measures and not calls:
        raise InputError(
            f"{source} has neither a measure (vp_before and vp_after, vp_change_percent) nor a call column."
        )
    cases = [_case(row, f"{source}, line {line}", measures, calls, columns) for line, row in rows]
    _check(cases, rows, source)
    return CohortInputs(tuple(cases), measures, calls, source.stem, {"table": hash_files([source])})


def _rows(source: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    try:
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{source} is not a readable CSV file in UTF-8: {error}.") from error
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    columns: list[str] = []
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        for cells in reader:
            if not columns:
                columns = [cell.strip() for cell in cells]
            elif any(cell.strip() for cell in cells):
                if len(cells) > len(columns):
                    raise InputError(
                        f"{source}, line {reader.line_num}: {len(cells)} cells for {len(columns)} columns."
                    )
                cells += [""] * (len(columns) - len(cells))
                rows.append((reader.line_num, dict(zip(columns, (cell.strip() for cell in cells), strict=True))))
    except csv.Error as error:
        raise InputError(f"{source}, line {reader.line_num}: {error}.") from error
    twice = sorted({name for name in columns if columns.count(name) > 1})
    for name in ("id", "outcome"):
        if name not in columns:
            raise InputError(f"{source} has no column {name}; it has: {', '.join(columns) or 'nothing'}.")
    if twice or not rows:
        raise InputError(f"{source} " + (f"has the column {twice[0]} twice." if twice else "lists no case."))
    return columns, rows


def _kind(column: str, source: Path) -> tuple[str, str]:
    """("fixed", ""), ("value", measure), ("course", measure) or ("call", criterion)."""
    if column in _FIXED:
        return "fixed", ""
    measure, at, day = column.partition("@")
    if at and measure and math.isfinite(_number(day)):
        return "course", measure
    for ending in _ENDINGS:
        if column.endswith(ending) and len(column) > len(ending):
            return ("call" if ending == "_call" else "value"), column.removesuffix(ending)
    raise InputError(
        f"{source} has an unknown column {column!r}. Known: {', '.join(_FIXED)}, and names ending in "
        f"{', '.join(_ENDINGS)} or @day."
    )


def _case(
    row: Mapping[str, str], where: str, measures: tuple[str, ...], calls: tuple[str, ...], columns: list[str]
) -> Case:
    if not row["id"] or not row["outcome"]:
        raise InputError(f"{where}: {'id' if not row['id'] else 'outcome'} is empty.")
    before = {m: _cell(row, f"{m}_before", where) for m in measures if row.get(f"{m}_before")}
    after = {m: _cell(row, f"{m}_after", where) for m in measures if row.get(f"{m}_after")}
    change = {}
    for measure in measures:
        computed = percent_change(before.get(measure), after.get(measure))
        given = _cell(row, f"{measure}_change_percent", where)
        if abs(given - computed) > _SAME_PERCENT:
            raise InputError(
                f"{where}: {measure}_change_percent is {given:g}; before and after give {computed:.4g}. Correct one."
            )
        change[measure] = computed if computed == computed else given
    called = {name: row[f"{name}_call"] for name in calls if row[f"{name}_call"] not in ("", "NE")}
    courses: dict[str, tuple[tuple[float, float], ...]] = {}
    for measure in measures:
        days = [(_number(name.partition("@")[2]), name) for name in columns if name.startswith(f"{measure}@")]
        points = tuple((day, _cell(row, name, where)) for day, name in sorted(days) if row[name])
        if points:
            courses[measure] = points
    return Case(
        id=row["id"],
        patient=row.get("patient") or row["id"],
        outcome=row["outcome"],
        before=before,
        after=after,
        change_percent=change,
        calls=called,
        followed_days=_or_none(_cell(row, "followed_days", where)),
        failed_day=_or_none(_cell(row, "failed_day", where)),
        courses=courses,
    )


def _check(cases: list[Case], rows: list[tuple[int, dict[str, str]]], source: Path) -> None:
    seen: set[str] = set()
    outcomes: list[str] = []
    for case, (line, _) in zip(cases, rows, strict=True):
        where = f"{source}, line {line}"
        if case.id in seen:
            raise InputError(f"{where}: the id {case.id} is there twice.")
        seen.add(case.id)
        if case.outcome not in outcomes:
            outcomes.append(case.outcome)
        if len(outcomes) > 2:
            raise InputError(
                f"{where}: outcome {case.outcome!r} is a third word beside {outcomes[0]} and {outcomes[1]}."
            )
    if len(outcomes) < 2:
        raise InputError(f"{source}: every outcome is {outcomes[0]!r}; cases of both outcomes are due.")
    for case, (line, _) in zip(cases, rows, strict=True):
        for name, call in case.calls.items():
            if call not in outcomes:
                raise InputError(
                    f"{source}, line {line}: {name}_call is {call!r}; {outcomes[0]}, {outcomes[1]}, NE or empty is due."
                )


def _cell(row: Mapping[str, str], name: str, where: str) -> float:
    """The number in a cell, NaN where it is empty or absent."""
    text = row.get(name, "")
    if not text:
        return math.nan
    number = _number(text)
    if not math.isfinite(number):
        raise InputError(f"{where}: {name} should be a number, it is {text!r}.")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _or_none(number: float) -> float | None:
    return None if number != number else number
