"""Stand-ins for Slicer's table and plot views, filled from vtkMRMLTableNode and vtkMRMLPlotChartNode."""

from __future__ import annotations

from typing import Any

import slicer
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QHeaderView, QSizePolicy, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkChartsCore import vtkAxis, vtkChart, vtkChartXY, vtkPlotPoints
from vtkmodules.vtkRenderingCore import vtkWindowToImageFilter
from vtkmodules.vtkViewsContext2D import vtkContextView

from .mrml_widgets import HasScene
from .standing_in import stand_in

_MARKERS = {
    "none": vtkPlotPoints.NONE,
    "cross": vtkPlotPoints.CROSS,
    "plus": vtkPlotPoints.PLUS,
    "square": vtkPlotPoints.SQUARE,
    "circle": vtkPlotPoints.CIRCLE,
    "diamond": vtkPlotPoints.DIAMOND,
}
_LINES = {"none": 0, "solid": 1, "dash": 2, "dot": 3, "dash-dot": 4, "dash-dot-dot": 5}
_AXES = {"X": vtkAxis.BOTTOM, "Y": vtkAxis.LEFT}


@stand_in
class qMRMLTableView(HasScene, QTableWidget):
    """The columns and rows of a table node."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node, self._shown = None, None

    def mrmlTableNode(self) -> Any:
        return self._node

    def setMRMLTableNode(self, node: Any) -> None:
        if self._node is not None:
            self._forget(self._node)
        self._node = node
        if node is not None:
            self._observe(node, "ModifiedEvent", "refresh")
        self.refresh()

    def refresh(self) -> None:
        table = self._node.GetTable() if self._node is not None else None
        self.rowCount = table.GetNumberOfRows() if table is not None else 0
        self.columnCount = table.GetNumberOfColumns() if table is not None else 0
        if table is None:
            return
        names = [table.GetColumnName(column) or "" for column in range(self.columnCount)]
        units = [self._node.GetColumnUnitLabel(name) or "" for name in names]
        self.setHorizontalHeaderLabels([f"{n} [{u}]" if u else n for n, u in zip(names, units, strict=True)])
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)  # not with every cell
        for row in range(self.rowCount):
            for column in range(self.columnCount):
                self.setItem(row, column, QTableWidgetItem(_text(table.GetValue(row, column))))
        self.resizeColumnsToContents()


@stand_in
class qMRMLPlotView(HasScene, QWidget):
    """A plot chart node, drawn by VTK's charts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node, self._of_view = None, None
        self._view, self._chart = vtkContextView(), vtkChartXY()
        self._view.GetRenderWindow().SetOffScreenRendering(1)
        self._view.GetRenderer().SetBackground(1.0, 1.0, 1.0)
        self._view.GetScene().AddItem(self._chart)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)

    def setMRMLPlotViewNode(self, node: Any) -> None:
        self._of_view = node

    def mrmlPlotViewNode(self) -> Any:
        return self._of_view

    def setMRMLPlotChartNode(self, node: Any) -> None:
        self._node = node
        self.update()

    def mrmlPlotChartNode(self) -> Any:
        return self._of_view.GetPlotChartNode() if self._of_view is not None else self._node

    def chart(self) -> Any:
        return self._chart

    def fitToContent(self) -> None:
        self.update()

    def paintEvent(self, event: Any) -> None:
        self._draw(self.mrmlPlotChartNode())
        window = self._view.GetRenderWindow()
        window.SetSize(max(self.width, 1), max(self.height, 1))
        window.Render()
        grab = vtkWindowToImageFilter()
        grab.SetInput(window)
        grab.ReadFrontBufferOff()
        grab.Update()
        data = grab.GetOutput()
        width, height, _ = data.GetDimensions()
        array = vtk_to_numpy(data.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()
        QPainter(self).drawImage(self.rect, QImage(array.data, width, height, 3 * width, QImage.Format.Format_RGB888))

    def _draw(self, node: Any) -> None:
        self._chart.ClearPlots()
        if node is None:
            return
        self._chart.SetTitle(node.GetTitle() if node.GetTitleVisibility() and node.GetTitle() else "")
        self._chart.SetShowLegend(bool(node.GetLegendVisibility()))
        for letter, axis in _AXES.items():
            title = getattr(node, f"Get{letter}AxisTitle")() or ""
            self._chart.GetAxis(axis).SetTitle(title)
            self._chart.GetAxis(axis).SetLogScale(bool(getattr(node, f"Get{letter}AxisLogScale")()))
            if getattr(node, f"Get{letter}AxisRangeAuto")():
                self._chart.GetAxis(axis).SetBehavior(vtkAxis.AUTO)
            else:
                self._chart.GetAxis(axis).SetBehavior(vtkAxis.FIXED)
                self._chart.GetAxis(axis).SetRange(*getattr(node, f"Get{letter}AxisRange")())
        for index in range(node.GetNumberOfPlotSeriesNodes()):
            self._add(node.GetNthPlotSeriesNode(index))
        self._chart.RecalculateBounds()

    def _add(self, series: Any) -> None:
        table_node = series.GetTableNode() if series is not None else None
        if table_node is None or table_node.GetTable().GetColumnByName(series.GetYColumnName() or "") is None:
            return
        kind = series.GetPlotType()
        bars = kind == slicer.vtkMRMLPlotSeriesNode.PlotTypeBar
        plot = self._chart.AddPlot(vtkChart.BAR if bars else vtkChart.LINE)
        x = series.GetXColumnName() if series.IsXColumnRequired() else ""
        names = [table_node.GetTable().GetColumnName(i) for i in range(table_node.GetTable().GetNumberOfColumns())]
        plot.SetUseIndexForXSeries(not x)
        plot.SetInputData(table_node.GetTable(), names.index(x) if x else 0, names.index(series.GetYColumnName()))
        plot.SetLabel(series.GetName())
        plot.SetColorF(*series.GetColor())
        plot.SetWidth(series.GetLineWidth())
        plot.GetPen().SetOpacityF(series.GetOpacity())
        if not bars:
            plot.GetPen().SetLineType(_LINES[series.GetLineStyleAsString(series.GetLineStyle())])
            plot.SetMarkerStyle(_MARKERS[series.GetMarkerStyleAsString(series.GetMarkerStyle())])
            plot.SetMarkerSize(series.GetMarkerSize())


@stand_in
class qMRMLTableWidget(HasScene, QWidget):
    def __init__(self, view_node: Any) -> None:
        super().__init__()
        self._of_view, self._view = view_node, qMRMLTableView()
        _fill(self, self._view)
        self._observe(view_node, "ModifiedEvent", "_on_view")
        self._on_view()

    def tableView(self) -> qMRMLTableView:
        return self._view

    def _on_view(self) -> None:
        node = self._of_view.GetTableNode()
        if node is not self._view.mrmlTableNode():
            self._view.setMRMLTableNode(node)

    def end(self) -> None:
        self._forget()
        self._view.setMRMLTableNode(None)


@stand_in
class qMRMLPlotWidget(HasScene, QWidget):
    def __init__(self, view_node: Any) -> None:
        super().__init__()
        self._view = qMRMLPlotView()
        self._view.setMRMLPlotViewNode(view_node)
        _fill(self, self._view)

    def plotView(self) -> qMRMLPlotView:
        return self._view

    def end(self) -> None:
        self._view.setMRMLPlotViewNode(None)


def _fill(widget: QWidget, view: QWidget) -> None:
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(view)


def _text(value: Any) -> str:
    if value.IsDouble() or value.IsFloat():
        return f"{value.ToDouble():.6g}"
    return str(value.ToString())
