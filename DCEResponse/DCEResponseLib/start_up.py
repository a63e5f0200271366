"""What Slicer learns of the module when it starts."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _


def onStartup() -> None:
    """The simulated spine at two dates among Slicer's sample data, and the layout, so that scenes saved in it open."""
    from BoneQuantPanels.sample_data import register_sample_data

    from DCEResponseLib.side_by_side import register_layout

    register_layout()
    name = "Simulated DCE before and after radiotherapy"
    register_sample_data(name, _("The spine could not be simulated."), _make)


def _make(run: Any) -> None:
    from DCEResponse import DCEResponseLogic

    DCEResponseLogic().makeDemo(run=run)
