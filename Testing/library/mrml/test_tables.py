"""Tables: columns typed by what they hold, units and descriptions beside them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bonequant import mrml
from bonequant.errors import InputError

ROWS = [
    {"region": "L1", "volume_ml": 1 / 3, "voxels": 5, "note": None},
    {"region": "L2", "volume_ml": np.float32(2.5), "voxels": np.int64(7), "note": "tab\tand\nline", "extra": True},
    {"region": "L3", "volume_ml": None, "voxels": 0, "note": "", "extra": False},
]


def test_round_trip(scene):
    rows = mrml.from_node(mrml.to_node(ROWS, "Regions"))
    assert [row["region"] for row in rows] == ["L1", "L2", "L3"]
    assert [row["volume_ml"] for row in rows[:2]] == [1 / 3, 2.5]
    assert math.isnan(rows[2]["volume_ml"])
    assert [row["voxels"] for row in rows] == [5, 7, 0]
    assert [row["note"] for row in rows] == ["", "tab and line", ""]
    assert [row["extra"] for row in rows] == ["", "True", "False"]


def test_columns_carry_unit_and_description(scene):
    node = mrml.rows_to_node(
        ROWS, "Regions", units={"volume_ml": "mL"}, descriptions={"volume_ml": "Volume of the mask"}
    )
    assert node.GetColumnUnitLabel("volume_ml") == "mL"
    assert node.GetColumnDescription("volume_ml") == "Volume of the mask"


def test_errors(scene):
    with pytest.raises(InputError, match="has no column volume"):
        mrml.rows_to_node(ROWS, "Regions", units={"volume": "mL"})
    with pytest.raises(InputError, match="has no rows"):
        mrml.to_node([], "Regions")
