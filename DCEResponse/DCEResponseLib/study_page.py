"""The page of one date: series with its frame times, T1, facts, the arterial input with its voxels and shift."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _


class StudyPage:
    """Widgets of ``date`` ("before" or "after") in a tab of the panel.

    Args:
        ui_path: of DCEStudy.ui.
        tab: the tab's widget.
        find, fit, redraw: called with the date when the artery is to be found, maps fitted, the artery drawn.
        shift: called with the date and the seconds of the slider.
    """

    def __init__(
        self,
        date: str,
        ui_path: str,
        tab: Any,
        find: Callable[[str], None],
        fit: Callable[[str], None],
        redraw: Callable[[str], None],
        shift: Callable[[str, float], None],
    ) -> None:
        from BoneQuantPanels.facts_form import Fact, FactsForm

        self.date = date
        widget = slicer.util.loadUI(ui_path)
        tab.layout().addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.facts = FactsForm(
            self.ui.factsWidget.layout(),
            [
                Fact("modality", _("Modality"), needed=True),
                Fact("acquisition_start", _("Scan date and time"), needed=True),
            ],
            self.refresh,
        )
        ui = self.ui
        ui.shiftSlider.decimals, ui.shiftSlider.singleStep, ui.shiftSlider.suffix = 1, 0.1, " s"
        ui.timesLineEdit.connect("editingFinished()", self.on_times)
        ui.sequenceSelector.connect("currentNodeChanged(vtkMRMLNode*)", lambda *_: self.refresh())
        ui.findButton.connect("clicked(bool)", lambda *_: find(date))
        ui.fitButton.connect("clicked(bool)", lambda *_: fit(date))
        ui.redrawButton.connect("clicked(bool)", lambda *_: redraw(date))
        ui.shiftSlider.connect("valueChanged(double)", lambda seconds: shift(date, seconds))

    def widgets(self) -> dict[str, Any]:
        """Widgets by the parameter that they show."""
        ui = self.ui
        return {
            f"{self.date}Sequence": ui.sequenceSelector,
            f"{self.date}T1": ui.t1Selector,
            f"{self.date}FlipAngles": ui.flipAnglesSelector,
            f"{self.date}Artery": ui.arterySelector,
            f"{self.date}Shift": ui.shiftSlider,
            f"{self.date}Shifted": ui.shiftCheckBox,
        }

    def refresh(self) -> None:
        """Show what belongs to the series that is selected."""
        from bonequant.errors import InputError
        from bonequant.mrml.frame_times import frame_times, times_as_text, times_in_words

        ui, node = self.ui, self.ui.sequenceSelector.currentNode()
        self.facts.set_node(node)
        ui.timesLineEdit.enabled = node is not None
        for button, what in (
            (ui.findButton, _("Find the arterial input in this series and show its voxels and curve")),
            (ui.redrawButton, _("Draw the voxels of the artery anew in the segment editor")),
            (ui.fitButton, _("Fit the maps of this date alone, with a table of its regions")),
        ):
            button.enabled = node is not None
            button.toolTip = what if node is not None else _("Select the DCE series first")
        ui.timesLineEdit.text = ui.timesLabel.text = ""
        if node is None:
            return
        try:
            times = frame_times(node)
        except InputError as error:
            ui.timesLabel.text = str(error)
            return
        ui.timesLineEdit.text, ui.timesLabel.text = times_as_text(times), times_in_words(times)

    def on_times(self) -> None:
        from bonequant.errors import InputError
        from bonequant.mrml.frame_times import frame_times, set_frame_times, times_as_text, times_from_text
        from BoneQuantPanels.work import errors_shown

        node, text = self.ui.sequenceSelector.currentNode(), self.ui.timesLineEdit.text.strip()
        try:
            shown = "" if node is None else times_as_text(frame_times(node))
        except InputError:  # the frames have no times yet
            shown = ""
        if node is None or text == shown:
            return
        try:
            with errors_shown(_("These frame times cannot be used.")):
                set_frame_times(node, times_from_text(text, node.GetNumberOfDataNodes()))
        finally:
            self.refresh()

    def show_artery(self, node: Any) -> None:
        """Say where the input comes from."""
        from bonequant.mrml.dce_nodes import drawn_artery

        if node is None:
            self.ui.arteryLabel.text = _("Found at the run, unless drawn here.")
        elif drawn_artery(node) is None:
            self.ui.arteryLabel.text = _("As found in the image.")
        else:
            self.ui.arteryLabel.text = _("Drawn by hand: these voxels are used.")
