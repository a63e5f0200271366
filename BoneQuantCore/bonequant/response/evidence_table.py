"""A table of evidence, CSV or JSON, and the call of each of its rows.

CSV: one row per call; the columns ``criterion`` (unless given) and ``id`` are ours, all others are evidence, nested by
dots (``before.vp``, ``visits.0.scan_date``), lists parted by semicolons (``-`` is a list of none, an empty cell is "not
known"), names and values as ``T1=12; T2=8``.
JSON: a list of objects ``{"id": ..., "criterion": ..., "evidence": {...}}``.
"""

from __future__ import annotations

import difflib
import inspect
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bonequant.errors import InputError
from bonequant.io.csv_table import read_csv_table
from bonequant.response.call import Call
from bonequant.response.evidence import call_from, unflatten
from bonequant.response.registry import criteria, function_of


@dataclass(frozen=True)
class EvidenceRow:
    """One row: its id, the criterion, the evidence as nested plain values, and where it stands in the file."""

    id: str
    criterion: str
    evidence: Mapping[str, Any]
    where: str


def read_evidence(path: str | os.PathLike[str], criterion: str = "") -> list[EvidenceRow]:
    """Rows of a CSV or JSON file. ``criterion`` is that of rows that do not name one.

    Raises InputError for a file that cannot be read, an empty one, a row without criterion, an id twice, an unknown
    column.
    """
    source = Path(path)
    rows = _json_rows(source) if source.suffix.lower() == ".json" else _csv_rows(source)
    if not rows:
        raise InputError(f"{source} holds no row.")
    found: list[EvidenceRow] = []
    for number, (where, record) in enumerate(rows, 1):
        name = str(record.pop("criterion", "") or criterion)
        key = str(record.pop("id", "") or f"row {number}")
        if not name:
            raise InputError(f"{where}: the criterion is not named; add a column criterion.")
        if key in {row.id for row in found if row.criterion == name}:
            raise InputError(f"{where}: the id {key} is there twice for {name}.")
        evidence = record.get("evidence", record)
        if source.suffix.lower() != ".json":
            _check_columns(name, evidence, where)
        found.append(EvidenceRow(key, name, evidence, where))
    return found


def calls_of(rows: list[EvidenceRow]) -> dict[tuple[str, str], Call]:
    """Calls by (id, criterion). Raises InputError that names the row and the field."""
    return {(row.id, row.criterion): call_from(row.criterion, row.evidence, row.where) for row in rows}


def _check_columns(criterion: str, evidence: Mapping[str, Any], where: str) -> None:
    """Raise for a column of no field. Said here, where the columns of the table itself are known, too."""
    if criterion not in criteria():
        return  # said with the call
    known = ["criterion", "id", *inspect.signature(function_of(criterion)).parameters]
    unknown = [name for name in evidence if name not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"; near: {near[0]}" if near else ""
        raise InputError(
            f"{where}: {criterion}: there is no field {unknown[0]}{hint}. Known: {', '.join(known)}; fields of a group "
            "are named with dots, as before.vp."
        )


def _csv_rows(source: Path) -> list[tuple[str, dict[str, Any]]]:
    rows = []
    for row in read_csv_table(source).rows:
        try:
            rows.append((row.where, unflatten(row.cells)))
        except InputError as error:
            raise InputError(f"{row.where}: {error}") from error
    return rows


def _json_rows(source: Path) -> list[tuple[str, dict[str, Any]]]:
    try:
        records = json.loads(source.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise InputError(f"{source} does not exist.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{source} is not a readable text file in UTF-8: {error}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not valid JSON: {error}.") from error
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise InputError(f"{source} must hold a list of objects, one per call.")
    return [(f"{source}, entry {place}", dict(record)) for place, record in enumerate(records, 1)]
