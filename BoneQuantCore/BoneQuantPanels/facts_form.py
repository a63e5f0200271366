"""Acquisition facts of a node: found in its attributes or its DICOM files, or typed by the user, and marked as such."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import qt
from slicer.i18n import tr as _

_TYPED, _MISSING = "#1f6fb2", "#c0392b"


@dataclass(frozen=True)
class Fact:
    """One row: the fact's name, its label, and how many of its own units make one of the unit that is shown."""

    name: str
    label: str
    unit: str = ""
    scale: float = 1.0
    needed: bool = False
    hint: str = ""


class FactsForm:
    """One line per fact. An empty line takes what was typed back; what a file says stays below it.

    Args:
        layout: a QFormLayout of the panel.
        facts: the rows.
        changed: called after the user typed, or took back, a fact of the node.
    """

    def __init__(self, layout: Any, facts: Sequence[Fact], changed: Callable[[], None]) -> None:
        self._facts, self._changed, self._node = facts, changed, None
        self._lines: dict[str, Any] = {}
        self._marks: dict[str, Any] = {}
        for fact in facts:
            line, mark, box = qt.QLineEdit(), qt.QLabel(), qt.QWidget()
            row = qt.QHBoxLayout(box)
            row.setContentsMargins(0, 0, 0, 0)
            row.addWidget(line, 1)
            row.addWidget(mark)
            mark.minimumWidth = 50
            line.placeholderText = line.toolTip = fact.hint
            line.objectName = f"fact_{fact.name}"
            line.connect("editingFinished()", lambda fact=fact: self._on_edited(fact))
            layout.addRow(qt.QLabel(fact.label + (f" ({fact.unit})" if fact.unit else "") + ":"), box)
            self._lines[fact.name], self._marks[fact.name] = line, mark

    def line(self, name: str) -> Any:
        """The line edit of one fact."""
        return self._lines[name]

    def set_node(self, node: Any) -> None:
        """Show the facts of another volume or sequence node; None empties the form."""
        self._node = node
        self.refresh()

    def refresh(self) -> None:
        from bonequant.mrml import known_facts

        known = known_facts(self._node) if self._node is not None else {}
        for fact in self._facts:
            value, source = known.get(fact.name, (None, ""))
            self._lines[fact.name].text = _as_text(fact, value)
            self._lines[fact.name].enabled = self._node is not None
            self._mark(fact, source)

    def _mark(self, fact: Fact, source: str) -> None:
        missing = self._node is not None and fact.needed and not source
        text = {"typed": _("typed"), "file": _("found")}.get(source, _("missing") if missing else "")
        colour = {"typed": _TYPED}.get(source, _MISSING if missing else "#707070")
        self._marks[fact.name].text = f'<span style="color:{colour}">{text}</span>'

    def _on_edited(self, fact: Fact) -> None:
        from bonequant.mrml import known_facts, type_fact

        from BoneQuantPanels.work import errors_shown

        if self._node is None:
            return
        text = self._lines[fact.name].text.strip()
        shown, _source = known_facts(self._node).get(fact.name, (None, ""))
        if text == _as_text(fact, shown):
            return
        try:
            with errors_shown(_("{label} cannot be used.").format(label=fact.label)):
                type_fact(self._node, fact.name, text, scale=fact.scale)
        finally:
            self.refresh()
        self._changed()


def _as_text(fact: Fact, value: Any) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, (int, float)):
        return f"{value / fact.scale:.10g}"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
