"""The layout of two dates: linked slices side by side, each with its image, map and outlines; plot and table below."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import slicer

LAYOUT = 20601
VIEWS = {"before": "DCEBefore", "after": "DCEAfter"}
_SLICE = """<item><view class="vtkMRMLSliceNode" singletontag="{tag}">
<property name="orientation" action="default">Sagittal</property>
<property name="viewlabel" action="default">{label}</property>
<property name="viewcolor" action="default">{colour}</property>
<property name="viewgroup" action="default">7</property></view></item>"""
_LAYOUT = f"""<layout type="vertical" split="true">
<item splitSize="560"><layout type="horizontal">
{_SLICE.format(tag="DCEBefore", label="Before", colour="#4E7FA8")}
{_SLICE.format(tag="DCEAfter", label="After", colour="#B5783C")}
</layout></item>
<item splitSize="440"><layout type="horizontal">
<item><view class="vtkMRMLPlotViewNode" singletontag="PlotView1">
<property name="viewlabel" action="default">P</property></view></item>
<item><view class="vtkMRMLTableViewNode" singletontag="TableView1">
<property name="viewlabel" action="default">T</property></view></item>
</layout></item></layout>"""


def register_layout() -> None:
    """Make the layout known: a scene that was saved in it opens in it. Nothing without a main window."""
    from BoneQuantPanels import views

    views.register_layout(LAYOUT, _LAYOUT)


def show_side_by_side() -> bool:
    """Switch to the layout; False where there is no main window."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return False
    register_layout()
    manager.setLayout(LAYOUT)
    for name in VIEWS.values():
        composite = manager.sliceWidget(name).mrmlSliceCompositeNode()
        composite.SetLinkedControl(True)
        composite.SetHotLinkedControl(True)
    return True


def set_layers(date: str, anatomy: Any, map_node: Any = None, opacity: float = 0.6) -> None:
    """Image and map of one date in its view."""
    logic = _logic(date)
    if logic is None:
        return
    composite = logic.GetSliceCompositeNode()
    composite.SetBackgroundVolumeID(anatomy.GetID() if anatomy is not None else None)
    composite.SetForegroundVolumeID(map_node.GetID() if map_node is not None else None)
    composite.SetForegroundOpacity(opacity)


def set_opacity(opacity: float) -> None:
    """Of the maps in both views."""
    for date in VIEWS:
        logic = _logic(date)
        if logic is not None:
            logic.GetSliceCompositeNode().SetForegroundOpacity(opacity)


def look_at(point_ras: Iterable[float]) -> None:
    """Fit both views to the earlier date's image, the same section through ``point_ras`` in both."""
    first, second = _logic("before"), _logic("after")
    if first is None or second is None:
        return
    x, y, z = point_ras
    first.FitSliceToBackground()
    nodes = [logic.GetSliceNode() for logic in (first, second)]
    nodes[1].SetFieldOfView(*nodes[0].GetFieldOfView())
    for node in nodes:
        node.JumpSliceByOffsetting(x, y, z)
    nodes[1].GetSliceToRAS().DeepCopy(nodes[0].GetSliceToRAS())
    nodes[1].UpdateMatrices()


def show_only_at(date: str, nodes: Iterable[Any]) -> None:
    """Show outlines or volumes' legends in all views but that of the other date."""
    hidden = {tag for name, tag in VIEWS.items() if name != date}
    views = [
        *slicer.util.getNodesByClass("vtkMRMLSliceNode"),
        *slicer.util.getNodesByClass("vtkMRMLViewNode"),
    ]
    for node in nodes:
        display = node.GetDisplayNode() if node.IsA("vtkMRMLDisplayableNode") else node
        if display is None:
            continue
        display.RemoveAllViewNodeIDs()
        for view in views:
            if view.GetSingletonTag() not in hidden:
                display.AddViewNodeID(view.GetID())


def _logic(date: str) -> Any:
    manager = slicer.app.layoutManager()
    widget = manager.sliceWidget(VIEWS[date]) if manager is not None else None
    return widget.sliceLogic() if widget is not None else None
