"""A form made from a job's Settings: one row per setting with its unit, range, choices and help.

The values live as JSON in a text parameter of the parameter node, so that they are saved with the scene and are the
same object that the command line and the report have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ctk
import qt

Row = tuple[Any, Callable[[], Any], Callable[[Any], None]]  # widget, how it is read, how it is written


class SettingsForm:
    """Rows for the settings of ``kind``, in ``layout``.

    Args:
        kind: a Settings class.
        layout: a QVBoxLayout of the panel.
        changed: called with the settings as JSON after the user changed one.
        names: dotted names of the settings to show; all by default.
        skip: names to leave out because other widgets hold them.
    """

    def __init__(
        self,
        kind: type,
        layout: Any,
        changed: Callable[[str], None],
        names: Sequence[str] | None = None,
        skip: Sequence[str] = (),
    ) -> None:
        from bonequant.settings import describe

        self._kind, self._changed, self._filling = kind, changed, True
        self._settings = kind()
        self._rows: dict[str, Row] = {}
        self._forms: dict[str, Any] = {}
        self._layout, self._boxes = layout, []
        self.message = qt.QLabel()
        self.message.wordWrap = True
        self.message.visible = False
        for row in describe(kind):
            if (names is None or row["name"] in names) and row["name"] not in skip:
                self._add(row)
        layout.addWidget(self.message)
        for box in self._boxes:  # once they hold their rows: what is added to a folded box would be seen
            box.collapsed = True
        self._filling = False

    @property
    def settings(self) -> Any:
        """The settings as they are in the form, validated."""
        return self._settings

    def set_json(self, text: str) -> None:
        """Show these settings ("" stands for the defaults). Raises SettingsError for text that is none."""
        from bonequant.settings import describe

        self._settings = self._kind.from_json(text) if text else self._kind()
        self._filling = True
        try:
            for row in describe(self._settings):
                if row["name"] in self._rows:
                    self._rows[row["name"]][2](row["value"])
        finally:
            self._filling = False
        self.message.visible = False

    def widget(self, name: str) -> Any:
        """The widget of one setting, by its dotted name."""
        return self._rows[name][0]

    def _add(self, row: dict[str, Any]) -> None:
        group, _, name = row["name"].rpartition(".")
        widget, read, write = _widget_for(row, self._on_changed)
        unit = row["unit"]
        title = name.removesuffix("_" + unit.lower().replace("/", "_per_")).replace("_", " ")
        label = qt.QLabel(title[:1].upper() + title[1:] + (f" ({unit})" if unit else "") + ":")
        for part in (widget, label):
            part.toolTip = row["help"]
        widget.objectName = "setting_" + row["name"].replace(".", "_")
        self._form(group).addRow(label, widget)
        self._rows[row["name"]] = (widget, read, write)
        write(row["value"])

    def _form(self, group: str) -> Any:
        if group not in self._forms:
            if group:
                box = ctk.ctkCollapsibleGroupBox()
                box.title = group.replace(".", ": ").replace("_", " ").capitalize()
                form = qt.QFormLayout(box)
                self._boxes.append(box)
                self._layout.addWidget(box)
            else:
                form = qt.QFormLayout()
                self._layout.addLayout(form)
            self._forms[group] = form
        return self._forms[group]

    def _on_changed(self, *_: Any) -> None:
        from bonequant.errors import SettingsError

        if self._filling:
            return
        values = self._settings.to_dict()
        try:
            for name, (_widget, read, _write) in self._rows.items():
                *groups, last = name.split(".")
                inner = values
                for group in groups:
                    inner = inner[group]
                inner[last] = read()
            self._settings = self._kind.from_dict(values)
        except (SettingsError, ValueError) as error:
            self.message.text = f'<span style="color:#c0392b">{error}</span>'
            self.message.visible = True
            return
        self.message.visible = False
        self._changed(self._settings.to_json())


def finish_typing(panel: Any) -> None:
    """What is being typed counts: first on ``exit``, for the menu through which a panel is left takes no focus."""
    widget = qt.QApplication.focusWidget()
    if widget is not None and panel.isAncestorOf(widget):
        widget.clearFocus()


def _widget_for(
    row: dict[str, Any], changed: Callable[..., None]
) -> tuple[Any, Callable[[], Any], Callable[[Any], None]]:
    value = row["value"]
    if row["choices"]:
        box = qt.QComboBox()
        for choice in row["choices"]:
            box.addItem(choice)
        box.connect("currentIndexChanged(int)", changed)
        return box, lambda: box.currentText, lambda one: setattr(box, "currentIndex", box.findText(str(one)))
    if isinstance(value, bool):
        check = qt.QCheckBox()
        check.connect("toggled(bool)", changed)
        return check, lambda: check.checked, lambda one: setattr(check, "checked", bool(one))
    line = qt.QLineEdit()  # numbers too: some may be left empty, and none is rounded by a spin box
    line.connect("editingFinished()", changed)
    low, high = row["low"], row["high"]
    if low is not None and high is not None:
        line.placeholderText = f"{low:g} .. {high:g}"
    return line, lambda: _from_text(line.text, value), lambda one: setattr(line, "text", _as_text(one))


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(_as_text(part) for part in value)
    return str(value)


def _from_text(text: str, like: Any) -> Any:
    """The value that was typed: empty is None, numbers are numbers, commas part several."""
    text = text.strip()
    if not text:
        return () if isinstance(like, tuple) else None
    if isinstance(like, tuple):
        return tuple(_single(part.strip()) for part in text.split(","))
    return text if isinstance(like, str) else _single(text)


def _single(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
