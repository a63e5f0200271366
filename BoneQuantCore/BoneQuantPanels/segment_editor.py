"""Slicer's segment editor inside a panel: its own parameter node, and its effects only while the panel is shown."""

from __future__ import annotations

from typing import Any

import slicer


def open_editor(widget: Any, tag: str) -> None:
    """Give a ``qMRMLSegmentEditorWidget`` the editor node of ``tag``, and let it work in the views: on ``enter``."""
    scene = slicer.mrmlScene
    node = scene.GetSingletonNode(tag, "vtkMRMLSegmentEditorNode")
    if node is None:
        node = scene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
        node.UnRegister(None)
        node.SetSingletonTag(tag)
        node = scene.AddNode(node)
    widget.setMRMLSegmentEditorNode(node)
    widget.setupViewObservations()
    if slicer.util.mainWindow() is not None:  # which the shortcuts belong to
        widget.installKeyboardShortcuts()


def close_editor(widget: Any) -> None:
    """No effect stays active, no key or view is observed, no node is held: on ``exit`` and before the scene closes."""
    widget.setActiveEffect(None)
    widget.uninstallKeyboardShortcuts()
    widget.removeViewObservations()
    widget.setMRMLSegmentEditorNode(None)


def edit(widget: Any, segmentation: Any, volume: Any) -> None:
    """Edit ``segmentation`` on the grid of ``volume``."""
    widget.setSegmentationNode(segmentation)
    if volume is not None:
        widget.setSourceVolumeNode(volume)
