"""Stand-ins for Slicer's segment widgets: the table of segments, the selector of one, and Show 3D."""

from __future__ import annotations

from typing import Any

import slicer
from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from .mrml_widgets import HasScene, qMRMLNodeComboBox
from .standing_in import stand_in, stored


@stand_in
class qMRMLSegmentsTableView(HasScene, QWidget):
    """The segments of a segmentation node, with visibility and colour."""

    selectionChanged = Signal(object, object)
    segmentAboutToBeModified = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node, self._table = None, QTableWidget(0, 3)
        self._table.setHorizontalHeaderLabels(["", "", "Name"])
        self._table.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self._table.verticalHeader().visible = False
        for column in (0, 1):
            self._table.setColumnWidth(column, 26)
        self._table.selectionBehavior = QAbstractItemView.SelectionBehavior.SelectRows
        self._table.itemSelectionChanged.connect(lambda: self.selectionChanged.emit(None, None))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._table)

    selectionMode = Property(
        int,
        lambda self: self._table.selectionMode.value,
        lambda self, mode: setattr(self._table, "selectionMode", QAbstractItemView.SelectionMode(mode)),
    )
    headerVisible = stored(bool, "headerVisible", True)
    visibilityColumnVisible = stored(bool, "visibilityColumnVisible", True)
    colorColumnVisible = stored(bool, "colorColumnVisible", True)
    opacityColumnVisible = stored(bool, "opacityColumnVisible", False)
    statusColumnVisible = stored(bool, "statusColumnVisible", False)
    layerColumnVisible = stored(bool, "layerColumnVisible", False)
    readOnly = stored(bool, "readOnly", False)
    filterBarVisible = stored(bool, "filterBarVisible", False)
    jumpToSelectedSegmentEnabled = stored(bool, "jumpToSelectedSegmentEnabled", False)
    segmentCount = Property(int, lambda self: self._table.rowCount)

    def segmentationNode(self) -> Any:
        return self._node

    def setSegmentationNode(self, node: Any) -> None:
        if node is self._node:
            return
        if self._node is not None:
            self._forget(self._node)
        self._node = node
        if node is not None:
            segmentation = slicer.vtkSegmentation
            for event in (segmentation.SegmentAdded, segmentation.SegmentRemoved, segmentation.SegmentModified):
                self._observe(node, event, "refresh")
        self.refresh()

    def tableWidget(self) -> QTableWidget:
        return self._table

    def selectedSegmentIDs(self) -> list[str]:
        rows = sorted({index.row() for index in self._table.selectedIndexes()})
        return [self.segmentIDForRow(row) for row in rows]

    def setSelectedSegmentIDs(self, segment_ids: list[str]) -> None:
        self._table.clearSelection()
        for segment_id in segment_ids:
            self._table.selectRow(self.rowForSegmentID(segment_id))

    def clearSelection(self) -> None:
        self._table.clearSelection()

    def rowForSegmentID(self, segment_id: str) -> int:
        return next((row for row in range(self.segmentCount) if self.segmentIDForRow(row) == segment_id), -1)

    def segmentIDForRow(self, row: int) -> str:
        return str(self._table.item(row, 2).data(Qt.ItemDataRole.UserRole))

    def refresh(self) -> None:
        selected = self.selectedSegmentIDs()
        segmentation = self._node.GetSegmentation() if self._node is not None else None
        display = self._node.GetDisplayNode() if self._node is not None else None
        self._table.blockSignals(True)
        self._table.rowCount = segmentation.GetNumberOfSegments() if segmentation is not None else 0
        for row in range(self._table.rowCount):
            segment, segment_id = segmentation.GetNthSegment(row), segmentation.GetNthSegmentID(row)
            shown = display is None or display.GetSegmentVisibility(segment_id)
            cells = [QTableWidgetItem("\u25c9" if shown else "\u25cb"), QTableWidgetItem(),
                     QTableWidgetItem(segment.GetName())]  # fmt: skip
            cells[1].setBackground(QColor.fromRgbF(*segment.GetColor()))
            cells[2].setData(Qt.ItemDataRole.UserRole, segment_id)
            for column, cell in enumerate(cells):
                self._table.setItem(row, column, cell)
        self.setSelectedSegmentIDs([one for one in selected if self.rowForSegmentID(one) >= 0])
        self._table.blockSignals(False)


@stand_in
class qMRMLSegmentSelectorWidget(HasScene, QWidget):
    """A segmentation node and one of its segments."""

    currentNodeChanged = Signal((object,), (bool,))
    currentSegmentChanged = Signal(str)
    segmentSelectionChanged = Signal("QStringList")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._nodes, self._box = qMRMLNodeComboBox(), QComboBox()
        self._nodes.nodeTypes, self._nodes.noneEnabled = ["vtkMRMLSegmentationNode"], True
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._nodes)
        layout.addWidget(self._box)
        self._nodes.connect("currentNodeChanged(vtkMRMLNode*)", self._on_node)
        self._box.connect("currentIndexChanged(int)", self._on_segment)

    noneEnabled = stored(bool, "noneEnabled", False)
    editEnabled = stored(bool, "editEnabled", False)
    segmentationNodeSelectorVisible = stored(bool, "segmentationNodeSelectorVisible", True, "_show_nodes")
    multiSelection = stored(bool, "multiSelection", False)
    selectNodeUponCreation = stored(bool, "selectNodeUponCreation", True)

    def _on_scene(self) -> None:
        self._nodes.setMRMLScene(self.mrmlScene())

    def _show_nodes(self) -> None:
        self._nodes.visible = self.segmentationNodeSelectorVisible

    def currentNode(self) -> Any:
        return self._nodes.currentNode()

    def currentNodeID(self) -> str:
        return self._nodes.currentNodeID

    def setCurrentNode(self, node: Any) -> None:
        self._nodes.setCurrentNode(node)

    def setCurrentNodeID(self, node_id: str) -> None:
        self._nodes.setCurrentNodeID(node_id)

    def currentSegmentID(self) -> str:
        return str(self._box.currentData or "")

    def segmentIDs(self) -> list[str]:
        return [str(self._box.itemData(index)) for index in range(self._box.count)]

    def selectedSegmentIDs(self) -> list[str]:
        return [self.currentSegmentID()] if self.currentSegmentID() else []

    def setCurrentSegmentID(self, segment_id: str) -> None:
        self._box.currentIndex = self._box.findData(segment_id)

    def _on_node(self, node: Any) -> None:
        self._fill()
        if node is not None:
            segmentation = slicer.vtkSegmentation
            for event in (segmentation.SegmentAdded, segmentation.SegmentRemoved, segmentation.SegmentModified):
                self._observe(node, event, "_fill")
        self.currentNodeChanged[object].emit(node)
        self.currentNodeChanged[bool].emit(node is not None)

    def _fill(self) -> None:
        node, before = self.currentNode(), self.currentSegmentID()
        segmentation = node.GetSegmentation() if node is not None else None
        ids = [segmentation.GetNthSegmentID(i) for i in range(segmentation.GetNumberOfSegments())] if node else []
        self._box.blockSignals(True)
        self._box.clear()
        for segment_id in ids:
            self._box.addItem(segmentation.GetSegment(segment_id).GetName(), segment_id)
        self._box.currentIndex = ids.index(before) if before in ids else min(0, len(ids) - 1)
        self._box.blockSignals(False)
        if self.currentSegmentID() != before:
            self.currentSegmentChanged.emit(self.currentSegmentID())

    def _on_segment(self, index: int) -> None:
        self.currentSegmentChanged.emit(self.currentSegmentID())
        self.segmentSelectionChanged.emit(self.selectedSegmentIDs())


@stand_in
class qMRMLSegmentationShow3DButton(HasScene, QPushButton):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.text = "Show 3D"
        self._node = None

    def setSegmentationNode(self, node: Any) -> None:
        self._node = node

    def segmentationNode(self) -> Any:
        return self._node
