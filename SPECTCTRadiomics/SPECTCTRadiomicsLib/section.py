"""What the sections have in common: their widgets, the logic, errors that the user reads, buttons that explain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Section:
    """Part of the panel, which gives ``ui``, ``logic``, ``work`` (a WorkBar) and ``chosen`` (the parameter node)."""

    def __init__(self, panel: Any) -> None:
        self.panel, self.ui, self.logic = panel, panel.ui, panel.logic

    @property
    def chosen(self) -> Any:
        return self.panel.chosen

    def enter(self) -> None:
        """The panel is shown, or has another parameter node."""

    def exit(self) -> None:
        """The panel is left, or the scene closes: nothing is held or observed any more."""

    def refresh(self) -> None:
        """Bring buttons, tooltips and texts in line with the parameter node."""

    def show_selected(self) -> None:
        """Another lesion was selected, or the selected one was measured."""

    def selected_lesion(self) -> str:
        """Name of the selected lesion; "" where there is none."""
        chosen = self.chosen
        if chosen is None or chosen.lesions is None or not chosen.lesion:
            return ""
        segment = chosen.lesions.GetSegmentation().GetSegment(chosen.lesion)
        return segment.GetName() if segment is not None else ""

    def drawn_on(self) -> str:
        """The image on which the lesions were drawn: ct or functional. Raises InputError where none fits."""
        from bonequant.mrml.lesion_inputs import drawn_on

        return drawn_on(self.chosen.lesions, self.chosen.ctVolume, self.chosen.functionalVolume)

    def carried(self) -> Any:
        """The segmentation that live propagation keeps on the other image; None where there is none."""
        from bonequant.mrml.lesion_drawing import carried_lesions

        return carried_lesions(self.chosen.lesions, self.chosen.ctVolume, self.chosen.functionalVolume)

    def run(self, what: str, action: Callable[[], Any]) -> Any:
        """A user's action: its errors are shown; None where it did not come to its end."""
        from BoneQuantPanels.work import errors_shown

        done = None
        try:
            with errors_shown(what):
                done = action()
        finally:
            self.panel.refresh()
        return done

    def enable(self, name: str, missing: str, tip: str) -> None:
        """A button is on where nothing is ``missing``; its tooltip says what it does, or what is missing."""
        button = getattr(self.ui, name)
        button.enabled = not missing
        button.toolTip = missing or tip


def say(label: Any, text: str) -> None:
    """Write on a label; one without text takes no place."""
    label.text = text
    label.visible = bool(text)


def fill(box: Any, items: list[tuple[str, Any]], chosen: Any) -> None:
    """List (text, data) in a combo box and choose by data, without a signal."""
    blocked = box.blockSignals(True)
    box.clear()
    for text, data in items:
        box.addItem(text, data)
    box.currentIndex = next((index for index, (_text, data) in enumerate(items) if data == chosen), -1)
    box.blockSignals(blocked)
