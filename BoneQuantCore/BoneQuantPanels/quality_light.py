"""The traffic light of a registration: green, amber or red, with the sentence that explains it."""

from __future__ import annotations

from typing import Any

_COLOURS = {"ok": "#2e8b57", "check": "#d08700", "warn": "#c0392b"}


def show_quality(label: Any, level: str, text: str) -> None:
    """Write ``text`` on a QLabel behind a light for ``level``: ok, check, warn; any other is grey."""
    colour = _COLOURS.get(level, "#909090")
    label.text = f'<span style="color:{colour}; font-size:large">&#9679;</span>&nbsp; {text}'
    label.wordWrap = True
