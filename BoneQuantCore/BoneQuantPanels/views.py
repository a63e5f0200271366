"""Results in Slicer's views: tables, plots, layouts, one image over another. Nothing happens without a main window."""

from __future__ import annotations

from typing import Any

import slicer


def show_layout(layout: int) -> None:
    """Switch to a layout of ``slicer.vtkMRMLLayoutNode``."""
    manager = slicer.app.layoutManager()
    if manager is not None and manager.layout != layout:
        manager.setLayout(layout)


def register_layout(number: int, description: str) -> None:
    """Make a layout of one's own known, best at start-up: a scene that was saved in it opens in it."""
    manager = slicer.app.layoutManager()
    node = manager.layoutLogic().GetLayoutNode() if manager is not None else None
    if node is None:
        return
    if node.IsLayoutDescription(number):
        node.SetLayoutDescription(number, description)
    else:
        node.AddLayoutDescription(number, description)
        if node.GetViewArrangement() == number:  # of a scene that came before: it has no views yet
            node.SetViewArrangement(number)


def show_table(node: Any, layout: int | None = None) -> None:
    """Show a table node in the table view, in ``layout`` or Slicer's four-up layout with a table."""
    if slicer.app.layoutManager() is None:
        return
    show_layout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpTableView if layout is None else layout)
    logic = slicer.app.applicationLogic()
    logic.GetSelectionNode().SetActiveTableID(node.GetID())
    logic.PropagateTableSelection()


def show_chart(node: Any, layout: int | None = None) -> None:
    """Show a plot chart node in the plot view, in ``layout`` or Slicer's four-up layout with a plot."""
    if slicer.app.layoutManager() is None:
        return
    show_layout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotView if layout is None else layout)
    logic = slicer.app.applicationLogic()
    logic.GetSelectionNode().SetActivePlotChartID(node.GetID())
    logic.PropagatePlotChartSelection()


def show_images(background: Any, foreground: Any = None, opacity: float | None = None, *, fit: bool = True) -> None:
    """``foreground`` over ``background`` in every slice view."""
    slicer.util.setSliceViewerLayers(
        background=background, foreground=foreground, label=None, foregroundOpacity=opacity, fit=fit
    )


def centre_on(node: Any) -> None:
    """Move all slice views to the centre of a volume or segmentation node."""
    bounds = [0.0] * 6
    node.GetRASBounds(bounds)
    if bounds[0] <= bounds[1]:
        centre = [(bounds[2 * axis] + bounds[2 * axis + 1]) / 2 for axis in range(3)]
        slicer.modules.markups.logic().JumpSlicesToLocation(*centre, True)


def show_legend(volume: Any, title: str = "") -> Any:
    """A colour legend for a volume in the slice views, with its unit; the legend's display node."""
    legend = _legends().AddDefaultColorLegendDisplayNode(volume)
    if legend is not None:
        legend.SetTitleText(title or volume.GetName())
        legend.SetVisibility(True)
    return legend


def hide_legend(volume: Any) -> None:
    """Take the colour legend of a volume away, if it has one."""
    legend = _legends().GetColorLegendDisplayNode(volume)
    if legend is not None:
        legend.SetVisibility(False)


def _legends() -> Any:
    """The logic of the Colors module; on Slicer's core alone its class, whose methods for legends are static."""
    logic = slicer.modules.colors.logic()
    return logic if hasattr(logic, "AddDefaultColorLegendDisplayNode") else slicer.vtkSlicerColorLogic
