"""Stand-in for qMRMLSegmentEditorWidget: its selectors and effects, with Slicer's own segment editor logic below.

``paint`` and ``erase`` do what a stroke of Slicer's Paint effect with a sphere brush does: a labelmap of the stroke is
merged into the segment by the segment editor logic, so that the same events are fired.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QGridLayout, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import VTK_UNSIGNED_CHAR, vtkCommand
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from .mrml_widgets import HasScene, qMRMLNodeComboBox
from .segment_widgets import qMRMLSegmentsTableView
from .standing_in import stand_in, stored

_EFFECTS = ("Threshold", "Paint", "Draw", "Erase", "Level tracing", "Grow from seeds", "Fill between slices", "Margin",
            "Smoothing", "Scissors", "Islands", "Logical operators", "Mask volume")  # fmt: skip


class Effect:
    """One effect, with its parameters in the segment editor node."""

    def __init__(self, name: str, editor: qMRMLSegmentEditorWidget) -> None:
        self.name, self._editor = name, editor

    def setParameter(self, name: str, value: Any) -> None:
        self._editor.mrmlSegmentEditorNode().SetAttribute(f"{self.name}.{name}", str(value))

    def parameter(self, name: str) -> str:
        return str(self._editor.mrmlSegmentEditorNode().GetAttribute(f"{self.name}.{name}") or "")

    def self(self) -> Effect:
        return self


@stand_in
class qMRMLSegmentEditorWidget(HasScene, QWidget):
    currentSegmentIDChanged = Signal(str)
    sourceVolumeNodeChanged = Signal(object)
    segmentationNodeChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node, self._logic, self._shown = None, slicer.vtkSlicerSegmentEditorLogic(), None
        self._segmentations, self._volumes = qMRMLNodeComboBox(), qMRMLNodeComboBox()
        self._segmentations.nodeTypes, self._segmentations.noneEnabled = ["vtkMRMLSegmentationNode"], True
        self._volumes.nodeTypes, self._volumes.noneEnabled = ["vtkMRMLScalarVolumeNode"], True
        self._table, self._effects = qMRMLSegmentsTableView(), {name: Effect(name, self) for name in _EFFECTS}
        self._buttons: dict[str, QToolButton] = {}
        self._lay_out()
        self._segmentations.connect("currentNodeChanged(vtkMRMLNode*)", self.setSegmentationNode)
        self._volumes.connect("currentNodeChanged(vtkMRMLNode*)", self.setSourceVolumeNode)
        self._table.connect("selectionChanged(QItemSelection,QItemSelection)".replace("QItemSelection", "PyObject"),
                            self._on_row)  # fmt: skip

    segmentationNodeSelectorVisible = stored(bool, "segmentationNodeSelectorVisible", True, "_show")
    sourceVolumeNodeSelectorVisible = stored(bool, "sourceVolumeNodeSelectorVisible", True, "_show")
    switchToSegmentationsButtonVisible = stored(bool, "switchToSegmentationsButtonVisible", True)
    addRemoveSegmentButtonsVisible = stored(bool, "addRemoveSegmentButtonsVisible", True, "_show")
    show3DButtonVisible = stored(bool, "show3DButtonVisible", True)
    maskingSectionVisible = stored(bool, "maskingSectionVisible", True)
    specifyGeometryButtonVisible = stored(bool, "specifyGeometryButtonVisible", True)
    unorderedEffectsVisible = stored(bool, "unorderedEffectsVisible", True, "_show")
    autoShowSourceVolumeNode = stored(bool, "autoShowSourceVolumeNode", True)
    maximumNumberOfUndoStates = stored(int, "maximumNumberOfUndoStates", 10)
    undoEnabled = stored(bool, "undoEnabled", True)
    readOnly = stored(bool, "readOnly", False)
    jumpToSelectedSegmentEnabled = stored(bool, "jumpToSelectedSegmentEnabled", False)
    effectColumnCount = stored(int, "effectColumnCount", 4)
    effectButtonStyle = stored(int, "effectButtonStyle", 0)
    defaultTerminologyEntry = stored(str, "defaultTerminologyEntry", "")
    defaultTerminologyEntrySettingsKey = stored(str, "defaultTerminologyEntrySettingsKey", "")

    def mrmlSegmentEditorNode(self) -> Any:
        return self._node

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        if node is self._node:
            return
        if node is None and self.segmentationNode() is not None:
            raise RuntimeError("Slicer's widget goes on observing the segmentation: setSegmentationNode(None) first.")
        if self._node is not None:
            self._forget(self._node)
        self._node = node
        self._logic.SetSegmentEditorNode(node)
        if node is not None:
            self._observe(node, vtkCommand.ModifiedEvent, "updateWidgetFromMRML")
        self.updateWidgetFromMRML()

    def updateWidgetFromMRML(self) -> None:
        segmentation = self.segmentationNode()
        if segmentation is not self._shown:
            self._shown = segmentation
            self._select_first(segmentation)
        for selector, node in ((self._segmentations, segmentation), (self._volumes, self.sourceVolumeNode())):
            blocked = selector.blockSignals(True)
            selector.setCurrentNode(node)
            selector.blockSignals(blocked)
        self._table.setSegmentationNode(segmentation)
        if self.currentSegmentID():
            self._table.setSelectedSegmentIDs([self.currentSegmentID()])
        active = self._node.GetActiveEffectName() if self._node is not None else ""
        for name, button in self._buttons.items():
            button.checked = name == active

    def segmentationNode(self) -> Any:
        return self._node.GetSegmentationNode() if self._node is not None else None

    def segmentationNodeID(self) -> str:
        node = self.segmentationNode()
        return node.GetID() if node is not None else ""

    def setSegmentationNode(self, node: Any) -> None:
        if self._node is not None and node is not self.segmentationNode():
            self._node.SetAndObserveSegmentationNode(node)
            self.segmentationNodeChanged.emit(node)

    def _select_first(self, node: Any) -> None:
        """As Slicer's widget does whenever it shows another segmentation."""
        segmentation = node.GetSegmentation() if node is not None else None
        if segmentation is not None and segmentation.GetNumberOfSegments():
            self._select(segmentation.GetNthSegmentID(0))

    def sourceVolumeNode(self) -> Any:
        return self._node.GetSourceVolumeNode() if self._node is not None else None

    def setSourceVolumeNode(self, node: Any) -> None:
        if node is not None and self.segmentationNode() is None:
            raise RuntimeError("Slicer's segment editor refuses a source volume before the segmentation is set.")
        if self._node is not None and node is not self.sourceVolumeNode():
            self._node.SetAndObserveSourceVolumeNode(node)
            segmentation = self.segmentationNode()
            if node is not None and segmentation is not None and not _geometry(segmentation):
                segmentation.SetReferenceImageGeometryParameterFromVolumeNode(node)
            self.sourceVolumeNodeChanged.emit(node)
            if self.autoShowSourceVolumeNode:
                self._show_source()

    def _show_source(self) -> None:
        """What Slicer's widget does in every view where the segmentation can be seen, if the volume is in none of the
        layers there."""
        source, display = self.sourceVolumeNode(), self.segmentationNode().GetDisplayNode()
        for index in range(self.mrmlScene().GetNumberOfNodesByClass("vtkMRMLSliceCompositeNode")):
            composite = self.mrmlScene().GetNthNodeByClass(index, "vtkMRMLSliceCompositeNode")
            view = self.mrmlScene().GetNodeByID(f"vtkMRMLSliceNode{composite.GetLayoutName()}")
            shown = {composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()}
            seen = display is not None and view is not None and display.IsDisplayableInView(view.GetID())
            if source is not None and seen and source.GetID() not in shown:
                composite.SetBackgroundVolumeID(source.GetID())
                composite.SetForegroundVolumeID(None)
                composite.SetLabelVolumeID(None)

    def currentSegmentID(self) -> str:
        return str(self._node.GetSelectedSegmentID() or "") if self._node is not None else ""

    def setCurrentSegmentID(self, segment_id: str) -> None:
        """No signal comes of it: Slicer's widget tells only of what is selected in its table."""
        if self._node is not None:
            self._node.SetSelectedSegmentID(segment_id)

    def _select(self, segment_id: str) -> None:
        if segment_id != self.currentSegmentID():
            self._node.SetSelectedSegmentID(segment_id)
            self.currentSegmentIDChanged.emit(segment_id)

    def availableEffectNames(self) -> list[str]:
        return list(self._effects)

    def effectByName(self, name: str) -> Effect | None:
        return self._effects.get(name)

    def activeEffect(self) -> Effect | None:
        return self._effects.get(self._node.GetActiveEffectName()) if self._node is not None else None

    def setActiveEffect(self, effect: Effect | None) -> None:
        self.setActiveEffectByName(effect.name if effect is not None else "")

    def setActiveEffectByName(self, name: str) -> None:
        if name and name not in self._effects:
            raise ValueError(f"There is no effect {name}; there are {', '.join(self._effects)}.")
        if self._node is not None:
            self._node.SetActiveEffectName(name)

    def setEffectNameOrder(self, names: list[str]) -> None:
        self._order = list(names)
        self._show()

    def effectNameOrder(self) -> list[str]:
        return list(self.__dict__.get("_order", _EFFECTS))

    def setupViewObservations(self) -> None:
        """Mouse strokes come from :meth:`paint` here, not from the views."""

    def removeViewObservations(self) -> None:
        """See :meth:`setupViewObservations`."""

    def installKeyboardShortcuts(self, parent: QWidget | None = None) -> None:
        """No keys are pressed here."""

    def uninstallKeyboardShortcuts(self) -> None:
        """No keys are pressed here."""

    def undo(self) -> None:
        self._logic.Undo()

    def paint(self, centre_ras: tuple[float, float, float], diameter_mm: float) -> None:
        """Host only: one dab of a sphere brush into the current segment; ``centre_ras`` in world coordinates."""
        self._stroke(centre_ras, diameter_mm, slicer.vtkSlicerSegmentEditorLogic.ModificationModeAdd)

    def erase(self, centre_ras: tuple[float, float, float], diameter_mm: float) -> None:
        """Host only: the same with the Erase effect."""
        self._stroke(centre_ras, diameter_mm, slicer.vtkSlicerSegmentEditorLogic.ModificationModeRemove)

    def _stroke(self, centre_ras: tuple[float, float, float], diameter_mm: float, mode: int) -> None:
        if not self.currentSegmentID():
            raise ValueError("No segment is selected in the segment editor.")
        if self.sourceVolumeNode() is None:
            raise ValueError("No source volume is selected in the segment editor.")
        self._logic.SaveStateForUndo()
        self._logic.ResetModifierLabelmapToDefault()
        labelmap = self._logic.GetModifierLabelmap()
        extent = fill_sphere(labelmap, _in_segmentation(self.segmentationNode(), centre_ras), diameter_mm / 2.0)
        self._logic.ModifySegmentByLabelmap(
            self.segmentationNode(), self.currentSegmentID(), labelmap, mode, extent, False, True
        )

    def _on_scene(self) -> None:
        self._logic.SetMRMLScene(self.mrmlScene())
        for selector in (self._segmentations, self._volumes):
            selector.setMRMLScene(self.mrmlScene())

    def _on_row(self, *_: Any) -> None:
        selected = self._table.selectedSegmentIDs()
        if selected and self._node is not None:
            self._select(selected[0])

    def _add_segment(self, *_: Any) -> None:
        node = self.segmentationNode()
        if node is not None:
            self.setCurrentSegmentID(node.GetSegmentation().AddEmptySegment())

    def _remove_segment(self, *_: Any) -> None:
        node, segment_id = self.segmentationNode(), self.currentSegmentID()
        if node is not None and segment_id:
            node.GetSegmentation().RemoveSegment(segment_id)

    def _lay_out(self) -> None:
        layout, selectors, row, grid = QVBoxLayout(self), QFormLayout(), QHBoxLayout(), QGridLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        selectors.addRow("Segmentation:", self._segmentations)
        selectors.addRow("Source volume:", self._volumes)
        self._add, self._remove = QPushButton("Add"), QPushButton("Remove")
        self._add.connect("clicked(bool)", self._add_segment)
        self._remove.connect("clicked(bool)", self._remove_segment)
        row.addWidget(self._add)
        row.addWidget(self._remove)
        row.addStretch(1)
        for index, name in enumerate(_EFFECTS):
            button = self._buttons[name] = QToolButton()
            button.text, button.checkable = name, True
            button.connect("clicked(bool)", lambda on, name=name: self.setActiveEffectByName(name if on else ""))
            grid.addWidget(button, index // 3, index % 3)
        layout.addLayout(selectors)
        layout.addLayout(row)
        self._table.maximumHeight = 130
        layout.addWidget(self._table)
        layout.addLayout(grid)
        self._selectors = selectors

    def _show(self) -> None:
        self._selectors.setRowVisible(self._segmentations, self.segmentationNodeSelectorVisible)
        self._selectors.setRowVisible(self._volumes, self.sourceVolumeNodeSelectorVisible)
        for button in (self._add, self._remove):
            button.visible = self.addRemoveSegmentButtonsVisible
        order = self.effectNameOrder()
        for name, button in self._buttons.items():
            button.visible = self.unorderedEffectsVisible or name in order


def fill_sphere(labelmap: Any, centre: np.ndarray, radius_mm: float) -> list[int]:
    """Set voxels whose centre lies within a sphere to 1 (uint8); the extent (6) that holds them."""
    matrix = vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(matrix)
    to_world = np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
    whole = labelmap.GetExtent()
    if labelmap.GetPointData().GetScalars() is None:
        labelmap.AllocateScalars(VTK_UNSIGNED_CHAR, 1)
    array = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(
        [whole[2 * axis + 1] - whole[2 * axis] + 1 for axis in (2, 1, 0)]
    )
    inverse = np.linalg.inv(to_world)
    middle, reach = (inverse @ [*centre, 1.0])[:3], radius_mm * np.linalg.norm(inverse[:3, :3], axis=1)
    low = np.maximum(np.floor(middle - reach).astype(int), whole[::2])
    high = np.minimum(np.ceil(middle + reach).astype(int), whole[1::2])
    if np.any(high < low):
        raise ValueError("The stroke lies outside the segmentation's geometry.")
    k, j, i = np.meshgrid(*[np.arange(a, b + 1) for a, b in zip(low[::-1], high[::-1], strict=True)], indexing="ij")
    points = np.stack([i, j, k], axis=-1) @ to_world[:3, :3].T + to_world[:3, 3]
    start = low - whole[::2]
    box = tuple(slice(a, a + n) for a, n in zip(start[::-1], k.shape, strict=True))
    array[box][np.linalg.norm(points - centre, axis=-1) <= radius_mm] = 1
    labelmap.Modified()
    return [int(value) for pair in zip(low, high, strict=True) for value in pair]


def _in_segmentation(node: Any, point_ras: tuple[float, float, float]) -> np.ndarray:
    result = [0.0, 0.0, 0.0]
    node.TransformPointFromWorld(list(point_ras), result)
    return np.array(result)


def _geometry(node: Any) -> str:
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    return str(node.GetSegmentation().GetConversionParameter(name) or "")
