"""Stand-in for Slicer's layout manager: the views that Slicer's own layout logic describes, laid out as it says."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import slicer
from PySide6.QtCore import Property, QObject, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSplitter, QTabWidget, QVBoxLayout, QWidget
from vtkmodules.vtkCommonCore import vtkCollection, vtkCommand

from .charts import qMRMLPlotWidget, qMRMLTableWidget
from .standing_in import stand_in
from .views import qMRMLSliceWidget, qMRMLThreeDWidget


@stand_in
class qMRMLLayoutManager(QObject):
    layoutChanged = Signal(int)

    def __init__(self, scene: Any, application_logic: Any) -> None:
        super().__init__()
        self._scene, self._application_logic = scene, application_logic
        self._views: dict[str, Any] = {}  # by the view node's ID
        self._slice_logics = vtkCollection()
        self._viewport = QWidget()
        QVBoxLayout(self._viewport).setContentsMargins(0, 0, 0, 0)
        application_logic.SetSliceLogics(self._slice_logics)
        self._links = slicer.vtkMRMLSliceLinkLogic()  # what one slice view does, linked ones do
        self._links.SetMRMLApplicationLogic(application_logic)
        self._links.SetMRMLScene(scene)
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._logic.SetMRMLScene(scene)
        node = self._logic.GetLayoutNode()
        node.SetViewArrangement(node.SlicerLayoutFourUpView)
        self._shown = None
        self._observer = (node, node.AddObserver(vtkCommand.ModifiedEvent, self._on_layout))
        self._on_layout()

    layout = Property(
        int, lambda self: self.layoutLogic().GetLayoutNode().GetViewArrangement(), lambda self, one: self.setLayout(one)
    )
    threeDViewCount = Property(int, lambda self: len(self._of(qMRMLThreeDWidget)))
    tableViewCount = Property(int, lambda self: len(self._of(qMRMLTableWidget)))
    plotViewCount = Property(int, lambda self: len(self._of(qMRMLPlotWidget)))

    def setLayout(self, layout: int) -> None:
        self._logic.GetLayoutNode().SetViewArrangement(layout)

    def layoutLogic(self) -> Any:
        return self._logic

    def mrmlScene(self) -> Any:
        return self._scene

    def mrmlSliceLogics(self) -> Any:
        return self._slice_logics

    def viewport(self) -> QWidget:
        return self._viewport

    def sliceViewNames(self) -> list[str]:
        return [widget.mrmlSliceNode().GetLayoutName() for widget in self._of(qMRMLSliceWidget)]

    def sliceWidget(self, name: str) -> Any:
        return next((w for w in self._of(qMRMLSliceWidget) if w.mrmlSliceNode().GetLayoutName() == name), None)

    def threeDWidget(self, index: int) -> Any:
        return self._of(qMRMLThreeDWidget)[index]

    def tableWidget(self, index: int) -> Any:
        return self._of(qMRMLTableWidget)[index]

    def plotWidget(self, index: int) -> Any:
        return self._of(qMRMLPlotWidget)[index]

    def viewWidget(self, node: Any) -> Any:
        return self._views.get(node.GetID())

    def resetSliceViews(self) -> None:
        for index in range(self._slice_logics.GetNumberOfItems()):
            self._slice_logics.GetItemAsObject(index).FitSliceToBackground()

    def resetThreeDViews(self) -> None:
        for widget in self._of(qMRMLThreeDWidget):
            widget.threeDView().resetCamera()

    def setRenderPaused(self, paused: bool) -> None:
        """Views are rendered when they are painted: there is nothing to pause."""

    def pauseRender(self) -> None:
        self.setRenderPaused(True)

    def resumeRender(self) -> None:
        self.setRenderPaused(False)

    def end(self) -> None:
        node, tag = self._observer
        node.RemoveObserver(tag)
        for widget in self._views.values():
            widget.end()
        self._views.clear()
        self._application_logic.SetSliceLogics(None)
        self._links.SetMRMLScene(None)
        self._logic.SetMRMLScene(None)

    def _of(self, kind: type) -> list[Any]:
        return [widget for widget in self._views.values() if isinstance(widget, kind)]

    def _on_layout(self, *_: Any) -> None:
        node = self._logic.GetLayoutNode()
        description = node.GetCurrentLayoutDescription() if node is not None else ""
        if not description or description == self._shown:
            return
        self._shown = description
        for widget in self._views.values():
            widget.setParent(None)
        while (item := self._viewport.layout().takeAt(0)) is not None:
            item.widget().deleteLater()
        self._viewport.layout().addWidget(self._built(ElementTree.fromstring(description)))
        self.layoutChanged.emit(node.GetViewArrangement())

    def _built(self, element: ElementTree.Element) -> QWidget:
        """The widget of a <layout> or a <view>."""
        if element.tag == "view":
            widget = self._view(element)
            widget.setVisible(True)
            return widget
        items = [(item, self._built(next(iter(item)))) for item in element.findall("item")]
        kind = element.get("type", "")
        if kind == "tab":
            tabs = QTabWidget()
            for item, widget in items:
                tabs.addTab(widget, item.get("name", ""))
            return tabs
        if element.get("split") == "true" and kind in ("horizontal", "vertical"):
            splitter = QSplitter(Qt.Orientation.Horizontal if kind == "horizontal" else Qt.Orientation.Vertical)
            for _, widget in items:
                splitter.addWidget(widget)
            splitter.setSizes([int(item.get("splitSize", 0)) or 300 for item, _ in items])
            return splitter
        return _plain(kind, items)

    def _view(self, element: ElementTree.Element) -> QWidget:
        node = self._scene.GetSingletonNode(element.get("singletontag"), element.get("class"))
        if node is None:
            node = next(iter(slicer.util.getNodesByClass(element.get("class"))))
        if node.GetID() not in self._views:
            self._views[node.GetID()] = self._new_view(node)
        return self._views[node.GetID()]

    def _new_view(self, node: Any) -> QWidget:
        if node.IsA("vtkMRMLSliceNode"):
            logic = slicer.vtkMRMLSliceLogic()
            logic.SetMRMLApplicationLogic(self._application_logic)
            logic.SetMRMLScene(self._scene)
            logic.SetSliceNode(node)
            self._slice_logics.AddItem(logic)
            return qMRMLSliceWidget(node, logic, self._application_logic)
        if node.IsA("vtkMRMLViewNode"):
            return qMRMLThreeDWidget(node, self._application_logic)
        if node.IsA("vtkMRMLTableViewNode"):
            return qMRMLTableWidget(node)
        if node.IsA("vtkMRMLPlotViewNode"):
            return qMRMLPlotWidget(node)
        raise TypeError(f"The test host has no view for {node.GetClassName()}.")


def _plain(kind: str, items: list[tuple[ElementTree.Element, QWidget]]) -> QWidget:
    frame = QWidget()
    layout = {"grid": QGridLayout, "horizontal": QHBoxLayout, "vertical": QVBoxLayout}[kind](frame)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    for item, widget in items:
        if kind == "grid":
            row, column = int(item.get("row", 0)), int(item.get("column", 0))
            layout.addWidget(widget, row, column, int(item.get("rowspan", 1)), int(item.get("colspan", 1)))
        else:
            layout.addWidget(widget, 1)
    return frame
