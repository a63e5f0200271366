"""The arterial input of one date as nodes: its curve over time with the tissue's, and shifted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from bonequant.kinetics import AIF
from bonequant.mrml.charts import PALETTE, Series
from bonequant.mrml.dce_nodes import rise
from bonequant.mrml.hierarchy import place
from bonequant.mrml.response_nodes import FOLDER, anatomy_to_node
from bonequant.mrml.response_tables import fill_chart, fill_table
from bonequant.mrml.result_nodes import ResultNodes
from bonequant.mrml.volumes import volume_to_node
from bonequant.roi import region_curves
from bonequant.studies.treatment_response import DateInputs
from bonequant.studies.treatment_response.alignment import anatomy_of
from bonequant.volume import Volume

INPUT, SHIFTED = "input", "input, shifted"


def images_of_date(one: DateInputs) -> tuple[Volume, Volume]:
    """Image before contrast, and rise of the signal, of one date. Touches no node: may run beside the interface."""
    assert one.dce is not None
    return anatomy_of(one)[1], rise(one.dce.series)


def images_to_nodes(nodes: ResultNodes, name: str, images: tuple[Volume, Volume]) -> tuple[Any, Any]:
    """Nodes of :func:`images_of_date` for the date ``name``: to draw lesions and arteries on."""
    anatomy = anatomy_to_node(nodes, name, images[0])
    node = nodes.get(f"rise.{name}")
    if node is None:
        node = nodes.put(f"rise.{name}", volume_to_node(images[1], f"Rise {name}", nodes.scene))
        place([node], FOLDER, name)
    node.SetAndObserveTransformNodeID(anatomy.GetTransformNodeID())
    return anatomy, node


def input_to_nodes(
    nodes: ResultNodes, one: DateInputs, aif: AIF, shift_s: float, images: tuple[Volume, Volume] | None = None
) -> None:
    """Roles ``table.input.<date>`` and ``chart.input.<date>``: the input, the same shifted, and each lesion's signal.

    Signals are relative to their first frame and scaled to the input's peak, so that arrivals can be compared.
    """
    images_to_nodes(nodes, one.name, images or images_of_date(one))
    rows = _rows(one, aif)
    table = fill_table(nodes, f"table.input.{one.name}", f"Input {one.name}", rows, None, {"time": "s"})
    shift_input(nodes, one.name, shift_s)
    place([table], FOLDER, one.name)


def shift_input(nodes: ResultNodes, date_name: str, shift_s: float) -> None:
    """Move the shifted input in the plot of a date; nothing where no input was found yet."""
    from vtkmodules.vtkCommonCore import vtkDoubleArray

    table = nodes.get(f"table.input.{date_name}")
    if table is None:
        return
    columns = [table.GetColumnName(index) for index in range(table.GetNumberOfColumns())]
    times, values = (_column(table, name) for name in ("time", INPUT))
    array = vtkDoubleArray()
    array.SetName(SHIFTED)
    for value in np.interp(times - shift_s, times, values):
        array.InsertNextValue(value)
    if SHIFTED in columns:
        table.RemoveColumn(columns.index(SHIFTED))
    table.AddColumn(array)
    tissue = [name for name in columns if name not in ("time", INPUT, SHIFTED)]
    series = [
        Series(INPUT, "time", "dashed", INPUT, PALETTE[0]),
        Series(SHIFTED, "time", "line", SHIFTED, PALETTE[4]),
        *(Series(name, "time", "points and line", name) for name in tissue),
    ]
    unit = table.GetAttribute("BoneQuant.Unit") or "mM"
    chart = fill_chart(
        nodes, f"chart.input.{date_name}", table, series, f"Arterial input {date_name}", f"Plasma ({unit})"
    )
    place([chart], FOLDER, date_name)


def _rows(one: DateInputs, aif: AIF) -> list[dict[str, float]]:
    assert one.dce is not None
    times = one.dce.series.times_s
    columns = {"time": times, INPUT: np.interp(times, aif.times_s, aif.values)}
    found = region_curves(one.dce.series, one.lesions) if one.lesions else {}
    for name, region in found.items():
        change = region.curve.values - region.curve.values[0]
        highest = np.max(change)
        if highest > 0.0:
            columns[f"{name}, scaled"] = change / highest * np.max(aif.values)
    return [{name: float(values[row]) for name, values in columns.items()} for row in range(len(times))]


def _column(table: Any, name: str) -> np.ndarray:
    from vtkmodules.util.numpy_support import vtk_to_numpy

    return np.array(vtk_to_numpy(table.GetTable().GetColumnByName(name)))
