"""The record beside a case's results: what they were made from, and the rows that go into the cohort's table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bonequant.batch.jobs import Measured
from bonequant.report import jsonable

RECORD, ROWS = "record.json", "rows.json"
_FORMAT = 1


@dataclass(frozen=True)
class Record:
    """``stamp`` of the input files, ``fingerprint`` of all that the result depends on, the measured ``rows``."""

    stamp: str
    fingerprint: dict[str, Any]
    measured: Measured


def write_record(folder: Path, stamp: str, fingerprint: Mapping[str, Any], measured: Measured) -> None:
    """Write both files into a results folder."""
    rows = json.dumps(jsonable(measured), allow_nan=False, ensure_ascii=False) + "\n"
    record = {
        "format": _FORMAT,
        "stamp": stamp,
        "fingerprint": fingerprint,
        "rows_sha256": hashlib.sha256(rows.encode()).hexdigest(),
    }
    (folder / ROWS).write_bytes(rows.encode())
    (folder / RECORD).write_bytes((json.dumps(record, indent=2) + "\n").encode())


def read_record(folder: Path) -> Record | None:
    """The record of a results folder; None where there is none, or anything of it is damaged: then it is made anew."""
    try:
        record = json.loads((folder / RECORD).read_bytes())
        rows = (folder / ROWS).read_bytes()
        if record["format"] != _FORMAT or hashlib.sha256(rows).hexdigest() != record["rows_sha256"]:
            return None
        return Record(str(record["stamp"]), dict(record["fingerprint"]), Measured(**json.loads(rows)))
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
