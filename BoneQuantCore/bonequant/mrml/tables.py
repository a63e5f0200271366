"""Rows (a list of dictionaries) <-> vtkMRMLTableNode, with unit and description of each column."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bonequant.errors import InputError
from bonequant.mrml.core import embedded


def rows_to_node(
    rows: Sequence[Mapping[str, Any]],
    name: str = "",
    scene: Any = None,
    *,
    units: Mapping[str, str] | None = None,
    descriptions: Mapping[str, str] | None = None,
) -> Any:
    """A new table node, one column per key in order of appearance.

    A column of numbers is stored as double (missing values NaN), one of whole numbers without gaps as integer, any
    other as text (missing values ""). Slicer's table files cannot hold line breaks, tabs or double quotes in a cell:
    they become blanks and single quotes.

    Raises:
        InputError: there is no row, or a unit or description names a column that is not there.
    """
    scene = scene if scene is not None else embedded()
    _columns(rows, name, units, descriptions)
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name or "Table")
    rows_into_node(rows, node, units=units, descriptions=descriptions)
    return node


def rows_into_node(
    rows: Sequence[Mapping[str, Any]],
    node: Any,
    *,
    units: Mapping[str, str] | None = None,
    descriptions: Mapping[str, str] | None = None,
) -> None:
    """Make an existing table node hold ``rows`` and nothing else, with one event; see :func:`rows_to_node`."""
    columns = _columns(rows, node.GetName(), units, descriptions)
    before = node.StartModify()
    try:
        node.RemoveAllColumns()
        for column in columns:
            node.AddColumn(_vtk_column(column, [row.get(column) for row in rows]))
            if units and column in units:
                node.SetColumnUnitLabel(column, units[column])
            if descriptions and column in descriptions:
                node.SetColumnDescription(column, descriptions[column])
    finally:
        node.EndModify(before)


def _columns(
    rows: Sequence[Mapping[str, Any]],
    name: str,
    units: Mapping[str, str] | None,
    descriptions: Mapping[str, str] | None,
) -> list[str]:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    unknown = sorted({*(units or {}), *(descriptions or {})} - set(columns))
    if not columns or unknown:
        problem = f"has no column {', '.join(unknown)}" if unknown else "has no rows"
        raise InputError(f"Table '{name}' {problem}.")
    return columns


def rows_from_node(node: Any) -> list[dict[str, Any]]:
    """The table's rows; numbers as float or int, everything else as text."""
    table = node.GetTable()
    columns = [table.GetColumn(index) for index in range(table.GetNumberOfColumns())]
    values = {column.GetName(): [_python(column, row) for row in range(table.GetNumberOfRows())] for column in columns}
    return [{name: column[row] for name, column in values.items()} for row in range(table.GetNumberOfRows())]


def _vtk_column(name: str, values: Sequence[Any]) -> Any:
    from vtkmodules.vtkCommonCore import vtkDoubleArray, vtkLongLongArray, vtkStringArray

    known = [value for value in values if value is not None]
    numeric = bool(known) and all(hasattr(value, "__float__") and not isinstance(value, (str, bool)) for value in known)
    whole = numeric and len(known) == len(values) and all(hasattr(value, "__index__") for value in known)
    column: Any
    cells: list[Any]
    if whole:
        column, cells = vtkLongLongArray(), [int(value) for value in known]
    elif numeric:
        column, cells = vtkDoubleArray(), [math.nan if value is None else float(value) for value in values]
    else:
        column, cells = vtkStringArray(), [_text(value) for value in values]
    column.SetName(name)
    for cell in cells:
        column.InsertNextValue(cell)
    return column


def _text(value: Any) -> str:
    return "" if value is None else " ".join(str(value).replace('"', "'").split())


def _python(column: Any, row: int) -> Any:
    value = column.GetValue(row)
    return value if isinstance(value, (int, float, str)) else str(value)
