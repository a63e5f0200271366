"""What Slicer learns of the module when it starts."""

from __future__ import annotations

from slicer.i18n import tr as _


def onStartup() -> None:
    """The simulated spine at two dates among Slicer's sample data, and the layout, so that scenes saved in it open."""
    import SampleData

    from DCEResponseLib.side_by_side import register_layout

    register_layout()
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="BoneQuant",
        sampleName="Simulated DCE before and after radiotherapy",
        uris="",  # made here: nothing is downloaded
        fileNames=None,
        nodeNames=None,
        customDownloader=lambda source: _load(),
    )


def _load() -> None:
    from BoneQuantPanels.work import errors_shown, run_in_dialog

    from DCEResponse import DCEResponseLogic

    with errors_shown(_("The spine could not be simulated.")):
        DCEResponseLogic().makeDemo(run=run_in_dialog)
