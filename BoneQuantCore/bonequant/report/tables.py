"""CSV and JSON as they leave the program: full precision, valid everywhere, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from bonequant.spreadsheet import not_a_formula


def jsonable(value: Any) -> Any:
    """Plain JSON values of dataclasses, arrays and dates; NaN and infinity, which JSON lacks, become null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: jsonable(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(item) for item in value]
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return value.name
    return value


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON in UTF-8."""
    text = json.dumps(jsonable(value), indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with the union of their keys as columns, in order of appearance.

    Numbers keep full precision; NaN is left empty. A text that a spreadsheet would run as a formula is prefixed with
    an apostrophe (OWASP, CSV injection).
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([cell(column) for column in columns])
        writer.writerows([[cell(row.get(column)) for column in columns] for row in rows])


def cell(value: Any) -> str:
    """One CSV cell."""
    value = jsonable(value)
    if value is None:
        return ""
    if isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, list):
        return "; ".join(cell(item) for item in value)
    return not_a_formula(str(value))
