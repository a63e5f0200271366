"""Simulated patients among Slicer's sample data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def register_sample_data(name: str, failed: str, make: Callable[[Any], object]) -> None:
    """List ``name`` under BoneQuant; choosing it calls ``make(run)``, where ``run`` shows a dialog with Cancel.

    ``failed`` is said above the error, where it ends in one.
    """
    import SampleData

    def load(source: Any) -> None:
        from BoneQuantPanels.work import errors_shown, run_in_dialog

        with errors_shown(failed):
            make(run_in_dialog)

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="BoneQuant",
        sampleName=name,
        uris="",  # made here: nothing is downloaded
        fileNames="",
        customDownloader=load,
    )
