"""What a comparison looks like: the call with its reasons, maps over both dates in one window, plot and table."""

from __future__ import annotations

from html import escape
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from DCEResponseLib.availability import is_from_saved_scene
from DCEResponseLib.images import images_of
from DCEResponseLib.side_by_side import look_at, set_layers, set_opacity, show_only_at, show_side_by_side

_MOST_WARNINGS = 6  # the report has all
DATES = ("before", "after")
_LIGHTS = {"response": "ok", "stable": "ok", "progression": "warn"}


class ResultView:
    """Fills the result section from nodes, so that a scene that was opened again shows what it showed."""

    def __init__(self, ui: Any, logic: Any) -> None:
        self.ui, self.logic, self._chosen, self._filling = ui, logic, None, False
        for label in (ui.callLabel, ui.reasonsLabel):
            label.textFormat = qt.Qt.RichText
        ui.opacitySlider.singleStep, ui.opacitySlider.decimals = 0.05, 2
        ui.mapComboBox.connect("currentIndexChanged(int)", self.on_map)
        ui.opacitySlider.connect("valueChanged(double)", lambda value: set_opacity(value))
        ui.layoutButton.connect("clicked(bool)", lambda *_: self.show_result())
        ui.legendCheckBox.connect("toggled(bool)", lambda *_: self.show_maps())

    def setParameterNode(self, chosen: Any) -> None:
        self._chosen = chosen
        if chosen is not None:
            self.refresh()

    def refresh(self) -> None:
        """The list of maps and the call."""
        if self._chosen is None:  # the module was left while work was running
            return
        nodes = self.logic.nodes()
        names = list(dict.fromkeys(role.split(".")[1] for role in nodes.roles() if role.startswith("map.")))
        combo = self.ui.mapComboBox
        if [combo.itemText(index) for index in range(combo.count)] != names:
            self._filling = True
            combo.clear()
            combo.addItems(names)
            self._filling = False
        if self._chosen.map in names and combo.currentText != self._chosen.map:
            self._filling = True
            combo.currentIndex = names.index(self._chosen.map)
            self._filling = False
        self.ui.layoutButton.enabled = nodes.get("anatomy.before") is not None
        self.ui.layoutButton.toolTip = (
            _("Both dates side by side, with linked slices, curves and the change table")
            if self.ui.layoutButton.enabled
            else _("Select a series and draw on it, or compare, first")
        )
        self._show_call(nodes.get("table.calls"))

    def on_map(self, *_arguments: Any) -> None:
        if self._chosen is not None and not self._filling:
            self._chosen.map = self.ui.mapComboBox.currentText
            self.show_maps()

    def show_result(self) -> None:
        """Layout, maps, curves and table of the comparison."""
        from BoneQuantPanels import views

        if self._chosen is None or not show_side_by_side():
            return
        nodes = self.logic.nodes()
        self.show_maps()
        self._outlines_apart()
        look_at(self._centre())
        chart, table = nodes.get("chart.curves"), nodes.get("table.lesions")
        layout = slicer.app.layoutManager().layout
        if chart is not None:
            views.show_chart(chart, layout)
        if table is not None:
            views.show_table(table, layout)

    def show_images(self, date: str) -> None:
        """The image of a study that was just selected."""
        if self._chosen is None:
            return
        anatomy, _rise = images_of(self.logic, date, getattr(self._chosen, f"{date}Sequence"))
        if show_side_by_side():
            set_layers(date, anatomy)
            self._outlines_apart()
            look_at(self._centre())

    def show_study(self, date: str) -> None:
        """Maps of one date and the table of its regions."""
        from BoneQuantPanels import views

        self.refresh()
        if self._chosen is not None and show_side_by_side():
            self.show_maps()
            self._outlines_apart()
            look_at(self._centre())
            views.show_table(self.logic.nodes().get(f"table.regions.{date}"), slicer.app.layoutManager().layout)

    def show_artery(self, date: str) -> None:
        """The rise of the signal with the artery's voxels, and the input's curve."""
        from BoneQuantPanels import views

        if self._chosen is None or not show_side_by_side():
            return
        nodes = self.logic.nodes()
        set_layers(date, nodes.get(f"rise.{date}"))
        artery = getattr(self._chosen, f"{date}Artery")
        if artery is not None:
            show_only_at(date, [artery])
            look_at(_centre_of(artery) or self._centre())
        chart = nodes.get(f"chart.input.{date}")
        if chart is not None:
            views.show_chart(chart, slicer.app.layoutManager().layout)

    def show_live(self) -> None:
        """The values that follow the drawing, in place of the change table, until the dates are compared again."""
        from BoneQuantPanels import views

        table = self.logic.nodes().get("table.live")
        if table is not None and slicer.app.layoutManager() is not None:
            views.show_table(table, slicer.app.layoutManager().layout)
            self._show_call(self.logic.nodes().get("table.calls"), drawn=True)

    def shift(self, date: str, seconds: float) -> None:
        """Move the shifted input in the plot of a date."""
        from bonequant.mrml.input_nodes import shift_input

        if self._chosen is not None:
            shift_input(self.logic.nodes(), date, seconds)

    def show_maps(self) -> None:
        """The chosen map over both dates, with its colour legend."""
        from BoneQuantPanels import views

        if self._chosen is None or slicer.app.layoutManager() is None:
            return
        nodes, wanted = self.logic.nodes(), self._chosen.map
        for role in nodes.roles():
            if role.startswith("map.") and role.split(".")[1] != wanted:
                views.hide_legend(nodes.get(role))
        for date in DATES:
            shown = nodes.get(f"map.{wanted}.{date}")
            set_layers(date, nodes.get(f"anatomy.{date}"), shown, self._chosen.mapOpacity)
            if shown is None:
                continue
            if self.ui.legendCheckBox.checked:  # the parameter node has it only after this signal
                legend = views.show_legend(shown, _title(wanted, shown))
                legend.SetLabelFormat("%.3g")
                show_only_at(date, [legend])
            else:
                views.hide_legend(shown)

    def _outlines_apart(self) -> None:
        nodes = self.logic.nodes()
        for date in DATES:
            own = [getattr(self._chosen, f"{date}Regions"), getattr(self._chosen, f"{date}Artery")]
            own += [nodes.get(f"carried.{date}"), nodes.get(f"outlines.{date}")]
            shown = [node for node in own if node is not None]
            show_only_at(date, shown)
            for node in shown:
                node.GetDisplayNode().SetVisibility2DFill(False)  # the map below must be seen

    def _centre(self) -> list[float]:
        for date in DATES:
            centre = _centre_of(getattr(self._chosen, f"{date}Regions"))
            if centre is not None:
                return centre
        anatomy = self.logic.nodes().get("anatomy.before") or self.logic.nodes().get("anatomy.after")
        return _centre_of(anatomy) or [0.0, 0.0, 0.0]

    def _show_call(self, table: Any, *, drawn: bool = False) -> None:
        from bonequant import mrml
        from BoneQuantPanels.quality_light import show_quality

        if table is None:
            show_quality(self.ui.callLabel, "", _("Not compared yet."))
            self.ui.reasonsLabel.text = ""
            return
        rows = mrml.from_node(table)
        patient = [row for row in rows if row["subject"] == "patient"]
        first = patient[-1] if patient else rows[0]
        show_quality(
            self.ui.callLabel,
            _LIGHTS.get(first["direction"], "check"),
            f"<b>{escape(first['category'])}</b>. {escape(first['rule'])}",
        )
        reasons = [escape(f"{row['subject']}: {row['rule']}") for row in rows if row is not first]
        if drawn:
            text = _("Drawn since: table and curves follow. Compare again for a call of what is drawn now.")
            reasons = [f"<b>{text}</b>", *reasons]
        if is_from_saved_scene(self.logic):
            text = _(
                "Saved with the scene. Compare (or Write report, which compares first) works the comparison out again;"
                " until then curves and values do not follow the drawing."
            )
            reasons = [f"<b>{text}</b>", *reasons]
        elif self.logic.result is not None:
            reasons += [f"<i>{escape(text)}</i>" for text in self.logic.result.warnings[:_MOST_WARNINGS]]
        self.ui.reasonsLabel.text = "".join(f"<p>{text}</p>" for text in reasons)


def _title(name: str, node: Any) -> str:
    unit = node.GetVoxelValueUnits()
    code = unit.GetCodeValue() if unit is not None else ""
    return f"{name} ({code})" if code and code != "1" else name


def _centre_of(node: Any) -> list[float] | None:
    """World coordinates of the middle of a volume, or of the first segment that holds voxels; None where none does."""
    from bonequant.mrml.patches import patch_of

    bounds = [0.0] * 6
    if node is None:
        return None
    if node.IsA("vtkMRMLSegmentationNode"):
        segmentation = node.GetSegmentation()
        ids = [segmentation.GetNthSegmentID(index) for index in range(segmentation.GetNumberOfSegments())]
        drawn = [one for one in ids if (patch := patch_of(node, one)) is not None and patch.voxels.any()]
        return list(node.GetSegmentCenterRAS(drawn[0])) if drawn else None
    node.GetRASBounds(bounds)
    return [(bounds[2 * axis] + bounds[2 * axis + 1]) / 2.0 for axis in range(3)]
