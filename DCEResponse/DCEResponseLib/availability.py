"""Which buttons can be pressed now; those that cannot say why in their tooltip."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _


def show_availability(ui: Any, choices: Any, chosen: Any, busy: bool) -> None:
    """Enable Compare, Propose and Write report by what is chosen and measured."""
    missing = choices.missing(chosen)
    _allow(ui.compareButton, missing, busy, _("Fit maps of both dates, align them, measure and call the response"))
    drawn = chosen.beforeSequence is not None and chosen.beforeRegions is not None
    _allow(
        ui.proposeButton,
        "" if drawn else _("Select the series before therapy and draw the lesion on it first"),
        busy,
        _("Propose the healthy vertebra next to the lesion; look at it before you trust it"),
    )
    again = is_from_saved_scene(choices.logic)
    unready = "" if again or choices.logic.result is not None else _("Compare first: the report is written from that")
    what = _("Write the report, tables, maps and outlines of the comparison into a new folder")
    if again:
        what = _("Compare again, since the scene was saved without the images at work, and write the report of that")
    _allow(ui.reportButton, unready or (missing if again else ""), busy, what)


def is_from_saved_scene(logic: Any) -> bool:
    """Are there tables of a comparison that was made in an earlier session?"""
    return logic.result is None and logic.nodes().get("table.lesions") is not None


def _allow(button: Any, missing: str, busy: bool, what: str) -> None:
    button.enabled = not missing and not busy
    button.toolTip = missing or (_("Wait for the running work, or cancel it") if busy else what)
