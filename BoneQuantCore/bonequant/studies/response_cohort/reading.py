"""The table of a response study.

Columns: ``id``, ``outcome`` (two words, such as failure and success), and any of

- ``patient``: for several lesions of one patient;
- ``<measure>_before`` and ``<measure>_after``, or ``<measure>_change_percent`` (both are compared);
- ``<criterion>_call``: a call made elsewhere, in the words of the outcome, ``NE`` or empty where there is none;
- ``<measure>@<day>``: the percent change of the measure on a day, for the spider plot;
- ``followed_days``, ``failed_day``: for the swimmer plot.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

from bonequant.errors import InputError
from bonequant.io.csv_table import CsvTable, read_csv_table
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
    found = _rows(source)
    columns = found.columns
    kinds = {name: _kind(name, source) for name in columns}
    measures = tuple(dict.fromkeys(kinds[name][1] for name in columns if kinds[name][0] in ("value", "course")))
    calls = tuple(kinds[name][1] for name in columns if kinds[name][0] == "call")
    if not measures and not calls:
        raise InputError(
            f"{source} has neither a measure (vp_before and vp_after, vp_change_percent) nor a call column."
        )
    cases = [_case(row.cells, row.where, measures, calls, columns) for row in found.rows]
    _check(cases, found)
    return CohortInputs(tuple(cases), measures, calls, source.stem, {"table": hash_files([source])})


def _rows(source: Path) -> CsvTable:
    table = read_csv_table(source)
    for name in ("id", "outcome"):
        if name not in table.columns:
            raise InputError(f"{source} has no column {name}; it has: {', '.join(table.columns) or 'nothing'}.")
    if not table.rows:
        raise InputError(f"{source} lists no case.")
    return table


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
    row: Mapping[str, str], where: str, measures: tuple[str, ...], calls: tuple[str, ...], columns: tuple[str, ...]
) -> Case:
    for name in ("id", "outcome"):
        if name not in row:
            raise InputError(f"{where}: {name} is empty.")
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
    called = {name: row[f"{name}_call"] for name in calls if row.get(f"{name}_call", "NE") != "NE"}
    followed, failed = _days(row, where)
    courses: dict[str, tuple[tuple[float, float], ...]] = {}
    for measure in measures:
        days = [(_number(name.partition("@")[2]), name) for name in columns if name.startswith(f"{measure}@")]
        points = tuple((day, _cell(row, name, where)) for day, name in sorted(days) if name in row)
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
        followed_days=followed,
        failed_day=failed,
        courses=courses,
    )


def _days(row: Mapping[str, str], where: str) -> tuple[float | None, float | None]:
    """Days followed, and the day of failure."""
    followed, failed = (_cell(row, name, where) for name in ("followed_days", "failed_day"))
    if followed < 0 or failed < 0:
        raise InputError(f"{where}: followed_days and failed_day count from the first scan; below zero there are none.")
    if failed > followed:
        raise InputError(f"{where}: failed_day {failed:g} lies after the {followed:g} days that the case was followed.")
    return _or_none(followed), _or_none(failed)


def _check(cases: list[Case], table: CsvTable) -> None:
    seen: set[str] = set()
    outcomes: list[str] = []
    for case, row in zip(cases, table.rows, strict=True):
        where = row.where
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
        raise InputError(f"{table.path}: every outcome is {outcomes[0]!r}; cases of both outcomes are due.")
    for case, row in zip(cases, table.rows, strict=True):
        for name, call in case.calls.items():
            if call not in outcomes:
                raise InputError(
                    f"{row.where}: {name}_call is {call!r}; {outcomes[0]}, {outcomes[1]}, NE or empty is due."
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
