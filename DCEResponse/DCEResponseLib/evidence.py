"""Evidence of other criteria as it is kept in the scene: JSON rows of id, criterion and nested plain values."""

from __future__ import annotations

import json
from datetime import date
from typing import Any


def evidence_rows(text: str) -> list[Any]:
    """Rows for :func:`bonequant.response.calls_of`."""
    from bonequant.response import EvidenceRow

    return [EvidenceRow(one["id"], one["criterion"], one["evidence"], one["id"]) for one in json.loads(text or "[]")]


def judged(text: str) -> list[tuple[Any, Any]]:
    """Pairs of row and call."""
    from bonequant.response import calls_of

    rows = evidence_rows(text)
    return list(zip(rows, calls_of(rows).values(), strict=True))


def add_cells(text: str, criterion: str, cells: dict[str, str]) -> str:
    """One more row from flat cells; its id counts the rows of that criterion. Raises what its call raises."""
    from bonequant.response import call_from, unflatten

    evidence = unflatten(cells)
    call_from(criterion, evidence)
    rows = json.loads(text or "[]")
    number = 1 + sum(one["criterion"] == criterion for one in rows)
    return json.dumps([*rows, {"id": f"typed {number}", "criterion": criterion, "evidence": evidence}])


def add_file(text: str, path: str) -> str:
    """The rows of a CSV or JSON table, judged once so that an error is shown now."""
    from bonequant.errors import InputError
    from bonequant.response import calls_of, read_evidence

    if not str(path).strip():
        raise InputError("No table is selected: choose a CSV or JSON file with one call per row.")
    found = read_evidence(path)
    calls_of(found)
    rows = json.loads(text or "[]")
    known = {(one["id"], one["criterion"]) for one in rows}
    twice = sorted(row.id for row in found if (row.id, row.criterion) in known)
    if twice:
        raise InputError(f"{path}: {twice[0]} is kept already; forget all first, or name it differently.")
    return json.dumps([*rows, *({"id": r.id, "criterion": r.criterion, "evidence": r.evidence} for r in found)])


def as_day(text: str, label: str) -> date | None:
    """The day that was typed; None where nothing was. Raises InputError that names the field."""
    from bonequant.errors import InputError

    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(f"{label}: {text!r} is not a day written as 2026-01-31.") from error
