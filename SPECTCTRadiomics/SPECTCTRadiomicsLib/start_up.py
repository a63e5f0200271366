"""What Slicer learns of the module when it starts."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _


def onStartup() -> None:
    """The simulated patient among Slicer's sample data, and the layout, so that scenes saved in it open."""
    from BoneQuantPanels.sample_data import register_sample_data

    from SPECTCTRadiomicsLib.paired_views import register_layout

    register_layout()
    register_sample_data("Simulated SPECT/CT with bone lesions", _("The patient could not be made."), _make)


def _make(run: Any) -> None:
    from SPECTCTRadiomics import SPECTCTRadiomicsLogic

    SPECTCTRadiomicsLogic().makeDemo(work=run)
