"""Functional image and CT side by side in linked slice views of their own; a drawing in each, an overlay over each."""

from __future__ import annotations

from typing import Any

import slicer

LAYOUT = 5731  # Slicer's own layouts lie below 1000
VIEWS = {"functional": "BoneQuantFunctional", "ct": "BoneQuantAnatomy"}
_USUAL_VIEWS = ("vtkMRMLSliceNodeRed", "vtkMRMLSliceNodeGreen", "vtkMRMLSliceNodeYellow", "vtkMRMLViewNode1")
_VIEW = """<item><view class="vtkMRMLSliceNode" singletontag="{tag}">
 <property name="orientation" action="default">Axial</property>
 <property name="viewlabel" action="default">{label}</property>
 <property name="viewcolor" action="default">{colour}</property>
 <property name="viewgroup" action="default">7</property>
</view></item>"""
_LAYOUT = (
    '<layout type="vertical" split="true"><item splitSize="600"><layout type="horizontal">'
    + _VIEW.format(tag=VIEWS["functional"], label="SPECT", colour="#B8520A")
    + _VIEW.format(tag=VIEWS["ct"], label="CT", colour="#2B6CB0")
    + '</layout></item><item splitSize="300"><layout type="horizontal">'
    + '<item><view class="vtkMRMLTableViewNode" singletontag="TableView1">'
    + '<property name="viewlabel" action="default">T</property></view></item>'
    + '<item><view class="vtkMRMLPlotViewNode" singletontag="PlotView1">'
    + '<property name="viewlabel" action="default">P</property></view></item>'
    + "</layout></item></layout>"
)


def register_layout() -> None:
    """Make the layout known: a scene that was saved in it opens in it. Nothing without a main window."""
    from BoneQuantPanels import views

    views.register_layout(LAYOUT, _LAYOUT)


def show_pair(functional: Any, ct: Any) -> None:
    """Show the two images side by side, linked, on the same field; below them table and plot."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    register_layout()
    manager.setLayout(LAYOUT)
    for space, volume in (("functional", functional), ("ct", ct)):
        composite = _widget(space).mrmlSliceCompositeNode()
        composite.SetBackgroundVolumeID(volume.GetID() if volume is not None else None)
        composite.SetForegroundVolumeID(None)
        composite.SetLinkedControl(True)
        composite.SetHotLinkedControl(True)
    leading = "ct" if ct is not None else "functional"
    _widget(leading).sliceLogic().FitSliceToBackground()
    first = _widget(leading).mrmlSliceNode()
    for space in VIEWS:
        node = _widget(space).mrmlSliceNode()
        if node is not first:
            node.SetFieldOfView(*_same_scale(first, node))
            node.GetSliceToRAS().DeepCopy(first.GetSliceToRAS())
            node.UpdateMatrices()


def are_shown() -> bool:
    """Is the layout of the pair on?"""
    manager = slicer.app.layoutManager()
    return manager is not None and manager.layout == LAYOUT


def show_drawing(drawn: Any, carried: Any, space: str) -> None:
    """The drawing in the view of its own image (and Slicer's usual views), its copy in that of the other."""
    other = "ct" if space == "functional" else "functional"
    for node, own, usual in ((drawn, space, True), (carried, other, False)):
        display = node.GetDisplayNode() if node is not None else None
        if display is not None:
            views = [f"vtkMRMLSliceNode{VIEWS[own]}", *(_USUAL_VIEWS if usual else ())]
            if list(display.GetViewNodeIDs() or ()) != views:
                display.SetViewNodeIDs(views)
                display.SetOpacity2DFill(0.0)  # outlines: the texture below is what is measured
                display.SetSliceIntersectionThickness(2)


def show_in(node: Any, space: str) -> None:
    """Show a segmentation in the view of one image alone."""
    node.GetDisplayNode().SetViewNodeIDs([f"vtkMRMLSliceNode{VIEWS[space]}"])
    node.GetDisplayNode().SetVisibility(True)


def show_overlay(foregrounds: dict[str, Any], opacity: float) -> None:
    """Lay volumes over the images: by "ct" and "functional"; None takes one away."""
    if not are_shown():
        return
    for space in VIEWS:
        composite = _widget(space).mrmlSliceCompositeNode()
        volume = foregrounds.get(space)
        composite.SetForegroundVolumeID(volume.GetID() if volume is not None else None)
        composite.SetForegroundOpacity(opacity)


def jump_to(point_ras: tuple[float, float, float]) -> None:
    """Move all slice views to a point and centre them on it."""
    if slicer.app.layoutManager() is not None:
        slicer.modules.markups.logic().JumpSlicesToLocation(*point_ras, True)


def _widget(space: str) -> Any:
    return slicer.app.layoutManager().sliceWidget(VIEWS[space])


def _same_scale(first: Any, node: Any) -> tuple[float, float, float]:
    """The field of view of ``node`` at the scale of ``first``: mm per pixel are the same."""
    field, pixels, own = first.GetFieldOfView(), first.GetDimensions(), node.GetDimensions()
    if min(*pixels[:2], *own[:2]) < 1:
        return tuple(field)
    scale = field[0] / pixels[0]
    return scale * own[0], scale * own[1], field[2]
