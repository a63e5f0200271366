"""CSV and JSON: full precision, no NaN in JSON, no formula in a spreadsheet."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from bonequant.report import write_csv, write_json
from bonequant.report.tables import cell


@dataclass(frozen=True)
class Row:
    name: str
    value: float
    when: datetime


def test_json_is_strict_and_full(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"r": Row("a", 1 / 3, datetime(2026, 1, 2, 3)), "n": np.float32("nan"), "a": np.arange(2)})
    value = json.loads(path.read_text(), parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))
    assert value == {"r": {"name": "a", "value": 1 / 3, "when": "2026-01-02T03:00:00"}, "n": None, "a": [0, 1]}


def test_csv_keeps_all_digits_and_every_column(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    write_csv(path, [{"a": 1 / 3}, {"b": math.nan, "a": 2}])
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    assert float(rows[0]["a"]) == 1 / 3
    assert rows[1] == {"a": "2", "b": ""}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_spreadsheet_formulae_are_neutralised(text: str) -> None:
    assert cell(text) == "'" + text


def test_negative_numbers_stay_numbers() -> None:
    assert cell(-1.5) == "-1.5"
