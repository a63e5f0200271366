"""Slicer's segment editor inside a panel: its own parameter node, and its effects only while the panel is shown."""

from __future__ import annotations

from typing import Any

import slicer


def open_editor(widget: Any, tag: str) -> None:
    """Give a ``qMRMLSegmentEditorWidget`` the editor node of ``tag``: on ``enter``. Its effects observe the views."""
    scene = slicer.mrmlScene
    node = scene.GetSingletonNode(tag, "vtkMRMLSegmentEditorNode")
    if node is None:
        node = scene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
        node.UnRegister(None)
        node.SetSingletonTag(tag)
        node = scene.AddNode(node)
    widget.setMRMLSegmentEditorNode(node)
    if slicer.util.mainWindow() is not None:  # which the shortcuts belong to
        widget.installKeyboardShortcuts()


def close_editor(widget: Any) -> None:
    """No effect stays active, no key, view or node is observed: on ``exit`` and before the scene closes.

    The editor's node keeps what was edited, for the next time.
    """
    node = widget.mrmlSegmentEditorNode()
    edited = (node.GetSegmentationNode(), node.GetSourceVolumeNode()) if node is not None else (None, None)
    widget.setActiveEffect(None)
    widget.uninstallKeyboardShortcuts()
    widget.removeViewObservations()
    widget.setSegmentationNode(None)  # or the widget goes on observing it without an editor node, and logs errors
    widget.setMRMLSegmentEditorNode(None)
    if edited[0] is not None:
        node.SetAndObserveSegmentationNode(edited[0])
        node.SetAndObserveSourceVolumeNode(edited[1])


def edit(widget: Any, segmentation: Any, volume: Any) -> None:
    """Edit ``segmentation`` on the grid of ``volume``."""
    widget.setSegmentationNode(segmentation)
    if segmentation is not None and volume is not None:
        widget.setSourceVolumeNode(volume)
