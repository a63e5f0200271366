"""Plot charts of table columns: made once, and filled again under the same nodes while numbers change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bonequant.errors import InputError
from bonequant.mrml.core import require_slicer

# Told apart by the colour-blind (Okabe and Ito).
PALETTE = (
    (0.00, 0.45, 0.70),
    (0.90, 0.62, 0.00),
    (0.00, 0.62, 0.45),
    (0.80, 0.47, 0.65),
    (0.84, 0.37, 0.00),
    (0.34, 0.71, 0.91),
    (0.00, 0.00, 0.00),
)


@dataclass(frozen=True)
class Series:
    """One curve or set of bars: the table's column for y, and for x; with bars or a column of text, for the labels.

    ``kind`` is "line", "points", "points and line", "dashed" or "bar"; ``colour`` is red, green, blue of 0..1.
    """

    y: str
    x: str = ""
    kind: str = "line"
    name: str = ""
    colour: tuple[float, float, float] | None = None


def chart_to_node(
    table: Any,
    series: Sequence[Series],
    name: str,
    *,
    x_title: str = "",
    y_title: str = "",
    title: str = "",
    chart: Any = None,
) -> Any:
    """A plot chart node of columns of a table node, in the table's scene.

    Args:
        chart: a chart that was made here before: it keeps its ID and gets these series, titles and this table.

    Raises InputError where the table lacks a column that is named.
    """
    slicer, scene = require_slicer(), table.GetScene()
    columns = {table.GetColumnName(index) for index in range(table.GetNumberOfColumns())}
    absent = sorted({column for one in series for column in (one.x, one.y) if column and column not in columns})
    if absent:
        raise InputError(f"Table '{table.GetName()}' has no column {', '.join(absent)} to plot.")
    if chart is None:
        chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    before = chart.StartModify()
    try:
        old = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
        nodes = [node for node in old if node is not None]
        for node in nodes[len(series) :]:
            chart.RemovePlotSeriesNodeID(node.GetID())
            scene.RemoveNode(node)
        for index, one in enumerate(series):
            node = nodes[index] if index < len(nodes) else scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", "series")
            _fill(slicer, node, table, one, PALETTE[index % len(PALETTE)])
            if index >= len(nodes):
                chart.AddAndObservePlotSeriesNodeID(node.GetID())
        chart.SetTitle(title or name)
        chart.SetXAxisTitle(x_title)
        chart.SetYAxisTitle(y_title)
        chart.SetLegendVisibility(len(series) > 1)
    finally:
        chart.EndModify(before)
    return chart


def _fill(slicer: Any, node: Any, table: Any, one: Series, colour: tuple[float, float, float]) -> None:
    kinds = slicer.vtkMRMLPlotSeriesNode
    before = node.StartModify()
    try:
        node.SetName(one.name or one.y)
        node.SetAndObserveTableNodeID(table.GetID())
        column = table.GetTable().GetColumnByName(one.x) if one.x else None
        bars, labelled = one.kind == "bar", column is not None and column.IsA("vtkStringArray")
        node.SetPlotType(kinds.PlotTypeBar if bars else kinds.PlotTypeLine if labelled else kinds.PlotTypeScatter)
        node.SetXColumnName("" if bars or labelled else one.x)
        node.SetLabelColumnName(one.x if bars or labelled else "")
        node.SetYColumnName(one.y)
        node.SetColor(*(one.colour or colour))
        node.SetMarkerStyle(kinds.MarkerStyleCircle if "points" in one.kind else kinds.MarkerStyleNone)
        lines = {"points": kinds.LineStyleNone, "dashed": kinds.LineStyleDash}
        node.SetLineStyle(lines.get(one.kind, kinds.LineStyleSolid))
        node.SetLineWidth(2)
    finally:
        node.EndModify(before)
