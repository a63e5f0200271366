"""Stand-ins for Slicer's MRML widgets: those that only hold a scene, and the node selector."""

from __future__ import annotations

import weakref
from typing import Any

from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from .ctk_widgets import ctkDoubleSpinBox, ctkRangeWidget, ctkSliderWidget
from .standing_in import stand_in, stored


class HasScene:
    """``mrmlScene()`` and ``setMRMLScene(scene)``; ``_observe`` holds observers that end with the widget."""

    def mrmlScene(self) -> Any:
        return self.__dict__.get("_scene")

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self.mrmlScene():
            self._forget()
            self.__dict__["_scene"] = scene
            self._on_scene()

    def _on_scene(self) -> None:
        """What a widget does once it has another scene."""

    def _observe(self, subject: Any, event: Any, method: str) -> None:
        held = weakref.ref(self)

        def called(*_: Any) -> None:
            widget = held()
            if widget is not None and _alive(widget):
                getattr(widget, method)()

        tag = subject.AddObserver(event, called)
        observed = self.__dict__.setdefault("_observed", [])
        observed.append((subject, tag))
        self.destroyed.connect(lambda *_: _release(observed))

    def _forget(self, subject: Any = None) -> None:
        observed = self.__dict__.setdefault("_observed", [])
        for entry in [entry for entry in observed if subject is None or entry[0] is subject]:
            entry[0].RemoveObserver(entry[1])
            observed.remove(entry)


def _release(observed: list[tuple[Any, int]]) -> None:
    while observed:
        subject, tag = observed.pop()
        subject.RemoveObserver(tag)


def _alive(widget: Any) -> bool:
    from shiboken6 import isValid

    return isValid(widget)


@stand_in
class qMRMLWidget(HasScene, QWidget):
    mrmlSceneChanged = Signal(object)

    def _on_scene(self) -> None:
        self.mrmlSceneChanged.emit(self.mrmlScene())


@stand_in
class qMRMLSliderWidget(HasScene, ctkSliderWidget):
    quantity = stored(str, "quantity", "")
    unitAwareProperties = stored(int, "unitAwareProperties", 0)


@stand_in
class qMRMLSpinBox(HasScene, ctkDoubleSpinBox):
    quantity = stored(str, "quantity", "")


@stand_in
class qMRMLRangeWidget(HasScene, ctkRangeWidget):
    quantity = stored(str, "quantity", "")


@stand_in
class qMRMLNodeComboBox(HasScene, QWidget):
    """Lists the scene's nodes of some classes; selects the first where an empty choice is not allowed."""

    currentNodeChanged = Signal((object,), (bool,))
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAboutToBeRemoved = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box, self._node, self._filters = QComboBox(), None, []
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.connect("activated(int)", self._on_activated)

    nodeTypes = stored("QStringList", "nodeTypes", [], "refresh")
    showHidden = stored(bool, "showHidden", False, "refresh")
    showChildNodeTypes = stored(bool, "showChildNodeTypes", True, "refresh")
    hideChildNodeTypes = stored("QStringList", "hideChildNodeTypes", [], "refresh")
    noneEnabled = stored(bool, "noneEnabled", False, "refresh")
    noneDisplay = stored(str, "noneDisplay", "None", "refresh")
    addEnabled = stored(bool, "addEnabled", True)
    removeEnabled = stored(bool, "removeEnabled", True)
    renameEnabled = stored(bool, "renameEnabled", False)
    editEnabled = stored(bool, "editEnabled", False)
    selectNodeUponCreation = stored(bool, "selectNodeUponCreation", True)
    baseName = stored(str, "baseName", "")
    interactionNodeSingletonTag = stored(str, "interactionNodeSingletonTag", "")
    currentNodeID = Property(
        str,
        lambda self: self._node.GetID() if self._node is not None else "",
        lambda self, value: self.setCurrentNodeID(value),
    )

    def currentNode(self) -> Any:
        return self._node

    def nodeCount(self) -> int:
        return len(self._listed())

    def nodeFromIndex(self, index: int) -> Any:
        nodes = self._listed()
        return nodes[index] if 0 <= index < len(nodes) else None

    def setCurrentNode(self, node: Any) -> None:
        if isinstance(node, str):
            node = self.mrmlScene().GetNodeByID(node) if node and self.mrmlScene() is not None else None
        self._choose(node if node in self._listed() else None)

    def setCurrentNodeID(self, node_id: str) -> None:
        self.setCurrentNode(node_id or "")

    def setCurrentNodeIndex(self, index: int) -> None:
        self._choose(self.nodeFromIndex(index))

    def addAttribute(self, node_type: str, name: str, value: Any = None) -> None:
        self._filters.append((node_type, name, value))
        self.refresh()

    def removeAttribute(self, node_type: str, name: str) -> None:
        self._filters = [one for one in self._filters if one[:2] != (node_type, name)]
        self.refresh()

    def addNode(self, node_type: str = "") -> Any:
        name = self.baseName or (node_type or self.nodeTypes[0]).removeprefix("vtkMRML").removesuffix("Node")
        node = self.mrmlScene().AddNewNodeByClass(node_type or self.nodeTypes[0], name)
        self.nodeAddedByUser.emit(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        return node

    def removeCurrentNode(self) -> None:
        self.mrmlScene().RemoveNode(self._node)

    def refresh(self) -> None:
        """List the nodes again; a selected node that is gone gives way."""
        nodes = self._listed()
        node = self._node if self._node in nodes else None
        if node is None and nodes and not self.noneEnabled:
            node = nodes[0]
        self._show(nodes, node)
        self._choose(node)

    def _on_scene(self) -> None:
        scene = self.mrmlScene()
        if scene is not None:
            for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndBatchProcessEvent):
                self._observe(scene, event, "_on_nodes")
        self.refresh()

    def _on_nodes(self) -> None:
        if not self.mrmlScene().IsBatchProcessing():
            self.refresh()

    def _listed(self) -> list[Any]:
        scene = self.mrmlScene()
        if scene is None:
            return []
        nodes = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
        return [node for node in nodes if self._lists(node)]

    def _lists(self, node: Any) -> bool:
        if node.GetHideFromEditors() and not self.showHidden:
            return False
        kinds = [kind for kind in self.nodeTypes if node.IsA(kind)]
        if not kinds or (not self.showChildNodeTypes and node.GetClassName() not in self.nodeTypes):
            return False
        if any(node.IsA(hidden) for hidden in self.hideChildNodeTypes):
            return False
        return all(
            node.GetAttribute(name) == str(value) if value is not None else node.GetAttribute(name) is not None
            for kind, name, value in self._filters
            if node.IsA(kind)
        )

    def _show(self, nodes: list[Any], node: Any) -> None:
        listed = [None, *nodes] if self.noneEnabled else nodes
        self._box.blockSignals(True)
        self._box.clear()
        self._box.addItems([one.GetName() if one is not None else self.noneDisplay for one in listed])
        self._box.currentIndex = listed.index(node) if node in listed else -1
        self._box.blockSignals(False)

    def _choose(self, node: Any) -> None:
        if node is self._node:
            return
        self._node = node
        self._show(self._listed(), node)
        self.currentNodeChanged[object].emit(node)
        self.currentNodeChanged[bool].emit(node is not None)
        self.currentNodeIDChanged.emit(self.currentNodeID)

    def _on_activated(self, index: int) -> None:
        self._choose(self.nodeFromIndex(index - int(self.noneEnabled)))
        self.nodeActivated.emit(self._node)

    def paintEvent(self, event: Any) -> None:
        nodes = self._listed()
        names = [node.GetName() for node in nodes]
        if [self._box.itemText(index) for index in range(self._box.count)][int(self.noneEnabled) :] != names:
            self._show(nodes, self._node)


@stand_in
class qMRMLColorTableComboBox(qMRMLNodeComboBox):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.nodeTypes, self.showHidden = ["vtkMRMLColorNode"], True
