"""What the three tabs have in common: their widgets, the logic, work with Cancel, settings kept as JSON, reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _


class Tab:
    """One tab. ``panel`` gives ``ui``, ``logic``, ``work`` (a WorkBar) and ``chosen`` (the parameter node)."""

    settings_name = ""  # parameter of the settings' JSON

    def __init__(self, panel: Any) -> None:
        self.panel, self.ui, self.logic = panel, panel.ui, panel.logic
        self.forms: list[Any] = []

    @property
    def chosen(self) -> Any:
        return self.panel.chosen

    def refresh(self) -> None:
        """Bring buttons, tooltips and texts in line with the parameter node; subclasses extend it."""
        text = getattr(self.chosen, self.settings_name)
        for form in self.forms:
            form.set_json(text)

    def add_settings(self, kind: type, basic: Any, advanced: Any, names: Sequence[str]) -> None:
        """The few settings of everyday in ``basic``, all others in ``advanced``; both write the same JSON."""
        from BoneQuantPanels.settings_form import SettingsForm

        advanced.collapsed = False
        self.forms = [
            SettingsForm(kind, basic.layout(), self._on_settings, names=names),
            SettingsForm(kind, advanced.layout(), self._on_settings, skip=names),
        ]
        advanced.collapsed = True

    def settings(self, kind: type) -> Any:
        text = getattr(self.chosen, self.settings_name)
        return kind.from_json(text) if text else kind()

    def run(self, what: str, action: Callable[[], Any]) -> Any:
        """A user's action: its errors are shown, its wait can be cancelled.

        None where it did not come to its end, and where the module was left meanwhile: its nodes are written, but the
        views are no longer its own.
        """
        from BoneQuantPanels.work import errors_shown

        done = None
        try:
            with errors_shown(what):
                done = action()
        finally:
            self.panel.refresh()
        return done if self.chosen is not None else None

    def start_at_home(self, *names: str) -> None:
        """Where directory buttons stand at first. They tell of no choice of the folder in which Slicer was started."""
        for name in names:
            getattr(self.ui, name).directory = qt.QDir.homePath()

    def enable(self, name: str, missing: str, tip: str) -> None:
        """A button is on where nothing is ``missing``; its tooltip says what it does, or what is missing."""
        button = getattr(self.ui, name)
        button.enabled = not missing and not self.panel.work.running
        button.toolTip = missing or tip

    def offer_maps(self, box: Any, maps: Mapping[str, Any]) -> None:
        """List map nodes in a combo box, keeping the choice."""
        before, names = box.currentText, [node.GetName() for node in _in_order(maps)]
        blocked = box.blockSignals(True)
        box.clear()
        for node in _in_order(maps):
            box.addItem(node.GetName(), node.GetID())
        box.currentIndex = names.index(before) if before in names else min(0, len(names) - 1)
        box.blockSignals(blocked)

    def shown_map(self, box: Any) -> Any:
        return slicer.mrmlScene.GetNodeByID(str(box.currentData)) if box.count else None

    def write_report(self, prefix: str, name: str, write: Callable[[Any], Any]) -> None:
        """Write a results folder and say where it is."""
        from BoneQuantPanels.results import new_folder, open_report

        folder = new_folder(getattr(self.ui, f"{prefix}FolderButton").directory, name)

        def ready_and_written() -> Any:
            from BoneQuantCore import ensureRequirements

            ensureRequirements(_("Bone Marrow Perfusion"))  # asks the user, so not in the thread of the work
            return write(folder)

        path = self.run(_("The report could not be written."), ready_and_written)
        if path is not None:
            getattr(self.ui, f"{prefix}ReportLabel").text = _("Written to {folder}").format(folder=folder)
            open_report(path)

    def _on_settings(self, text: str) -> None:
        if self.chosen is not None:
            setattr(self.chosen, self.settings_name, text)


def _in_order(maps: Mapping[str, Any]) -> list[Any]:
    """The quantity itself first, its ratio and the anatomy last."""
    return [maps[key] for key in sorted(maps, key=lambda key: (key == "anatomy", key == "ratio"))]


def as_warnings(warnings: Sequence[str]) -> str:
    """Warnings of a result for a label."""
    from BoneQuantPanels.wording import in_the_panel

    return "<br>".join(f'<span style="color:#b06f00">&#9888;</span>&nbsp; {in_the_panel(text)}' for text in warnings)
