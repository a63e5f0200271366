"""What Slicer learns of the module when it starts."""

from __future__ import annotations

from slicer.i18n import tr as _


def onStartup() -> None:
    """The simulated patient among Slicer's sample data, and the layout, so that scenes saved in it open."""
    import SampleData

    from SPECTCTRadiomicsLib.paired_views import register_layout

    register_layout()
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="BoneQuant",
        sampleName="Simulated SPECT/CT with bone lesions",
        uris="",  # made here: nothing is downloaded
        fileNames="",
        customDownloader=lambda source: _load(),
    )


def _load() -> None:
    from BoneQuantPanels.work import errors_shown, run_in_dialog

    from SPECTCTRadiomics import SPECTCTRadiomicsLogic

    with errors_shown(_("The patient could not be made.")):
        SPECTCTRadiomicsLogic().makeDemo(work=run_in_dialog)
