"""DCEResponse: dynamic series before and after therapy, their maps and changes, and calls that explain themselves."""

import pathlib
from functools import partial
from typing import Annotated

import qt
import slicer
import vtk
from DCEResponseLib.known import Known
from DCEResponseLib.start_up import onStartup
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLSequenceNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Default, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

DATES = ("before", "after")


class DCEResponse(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("DCE Response")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        self.parent.dependencies = ["BoneQuantCore"]
        self.parent.contributors = ["The BoneQuant developers"]
        self.parent.helpText = _(
            "Compares dynamic contrast-enhanced series before and after therapy: perfusion maps, lesion and healthy"
            " vertebra carried over the dates, normalised Vp, the call with its reasons, and other response criteria."
            " From the Python console:<br><tt>from DCEResponse import DCEResponseLogic<br>"
            "logic = DCEResponseLogic()<br>"
            'before = logic.study("before", getNode("DCE before"), t1=getNode("T1 before"),'
            ' regions=getNode("Outlines before"))<br>'
            'after = logic.study("after", getNode("DCE after"), t1=getNode("T1 after"))<br>'
            "result = logic.compare(before, after); print(result.call.category, result.call.rule)<br>"
            'logic.writeReport(result, "results")</tt><br>'
            "Research use only; not a medical device."
        )
        self.parent.acknowledgementText = _("BoneQuant is open source under the Apache 2.0 licence.")
        slicer.app.connect("startupCompleted()", onStartup)


@parameterNodeWrapper
class DCEResponseParameterNode:
    """What the user has chosen; per date the series, T1, artery, delay by hand and outlines.

    settings - ResponseSettings as JSON, "" for the defaults.
    evidence - what other criteria judge, as JSON.
    """

    beforeSequence: vtkMRMLSequenceNode
    beforeT1: vtkMRMLScalarVolumeNode
    beforeFlipAngles: vtkMRMLSequenceNode
    beforeArtery: vtkMRMLSegmentationNode
    beforeShift: Annotated[float, WithinRange(-20.0, 20.0)] = 0.0
    beforeShifted: bool = False
    beforeRegions: vtkMRMLSegmentationNode
    afterSequence: vtkMRMLSequenceNode
    afterT1: vtkMRMLScalarVolumeNode
    afterFlipAngles: vtkMRMLSequenceNode
    afterArtery: vtkMRMLSegmentationNode
    afterShift: Annotated[float, WithinRange(-20.0, 20.0)] = 0.0
    afterShifted: bool = False
    afterRegions: vtkMRMLSegmentationNode
    live: bool = True
    radiotherapyEnd: str
    doseGy: Annotated[float, WithinRange(0.0, 200.0)] = 0.0
    fractions: Annotated[int, WithinRange(0, 100)] = 0
    referenceInField: Known
    fracture: Known
    samePatientConfirmed: bool = False
    settings: str
    map: Annotated[str, Default("vp")]
    mapOpacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.6
    legend: bool = True
    evidence: Annotated[str, Default("[]")]
    outFolder: pathlib.Path
    dicom: bool = False
    identified: bool = False


class DCEResponseWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._guiTags = []

    def setup(self) -> None:
        from bonequant.studies.treatment_response import ResponseSettings
        from BoneQuantPanels.settings_form import SettingsForm
        from BoneQuantPanels.work import WorkBar, errors_shown
        from DCEResponseLib.choices import Choices
        from DCEResponseLib.criteria_tab import CriteriaTab
        from DCEResponseLib.drawing import Drawing
        from DCEResponseLib.result_view import ResultView
        from DCEResponseLib.study_page import StudyPage

        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/DCEResponse.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.shown, self.logic = errors_shown, DCEResponseLogic()
        self.choices = Choices(self.logic)
        self.view = ResultView(self.ui, self.logic)
        self.drawing = Drawing(self.ui, self.logic, self.view.show_live)
        path = self.resourcePath("UI/DCEStudy.ui")
        tabs = {"before": self.ui.beforeTab, "after": self.ui.afterTab}
        actions = (self.onFindArtery, self.onFitMaps, self.drawing.draw_artery, self.view.shift)
        self.pages = {date: StudyPage(date, path, tabs[date], *actions) for date in DATES}
        layout, keep = self.ui.settingsWidget.layout(), partial(self.keep, "settings")
        self.settingsForm = SettingsForm(ResponseSettings, layout, keep)
        self.criteria = CriteriaTab(self.ui, partial(self.keep, "evidence"))
        self.work = WorkBar(self.ui.workWidget.layout(), busy=self.onBusy)
        self.ui.folderButton.directory = qt.QDir.homePath()
        self.ui.segmentEditor.connect("currentSegmentIDChanged(QString)", self._checkCanApply)
        for signal, slot in (
            (self.ui.loadButton, self.onLoad),
            (self.ui.demoButton, self.onDemo),
            (self.ui.proposeButton, self.onPropose),
            (self.ui.compareButton, self.onCompare),
            (self.ui.reportButton, self.onReport),
        ):
            signal.connect("clicked(bool)", slot)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        for event in (slicer.mrmlScene.EndCloseEvent, slicer.mrmlScene.EndImportEvent):
            self.addObserver(slicer.mrmlScene, event, self.onSceneEndClose)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        self.initializeParameterNode()
        self.drawing.enter()

    def exit(self) -> None:
        from BoneQuantPanels.settings_form import finish_typing

        finish_typing(self.parent)
        self.drawing.leave()
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event) -> None:
        self.work.cancel()
        self.logic.forget()
        self.drawing.leave()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event) -> None:
        if self.parent.isEntered:
            self.initializeParameterNode()
            self.drawing.enter()

    def initializeParameterNode(self) -> None:
        from BoneQuantPanels.results import at_home

        self.setParameterNode(at_home(self.logic.getParameterNode(), "outFolder"))

    def setParameterNode(self, parameterNode) -> None:
        if self._parameterNode:
            for tag in self._guiTags:
                self._parameterNode.disconnectGui(tag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
        self._guiTags, self._parameterNode = [], parameterNode
        self.drawing.setParameterNode(parameterNode)
        self.view.setParameterNode(parameterNode)
        if self._parameterNode:
            self._guiTags = [self._parameterNode.connectGui(self.ui)]
            for page in self.pages.values():
                self._guiTags.append(self._parameterNode.connectParametersToGui(page.widgets()))
                page.refresh()
            self.settingsForm.set_json(self._parameterNode.settings)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
            self._checkCanApply()

    def _checkCanApply(self, caller=None, event=None) -> None:
        from DCEResponseLib.availability import show_availability

        if (chosen := self._parameterNode) is None:
            return
        show_availability(self.ui, self.choices, chosen, self.work.running)
        for date, page in self.pages.items():
            page.show_artery(getattr(chosen, f"{date}Artery"))
        self.criteria.set_rows(chosen.evidence)
        self.view.refresh()

    def onBusy(self, busy: bool) -> None:
        for section in (self.ui.inputsSection, self.ui.regionsSection, self.ui.settingsSection, self.ui.reportSection):
            section.enabled = not busy
        self._checkCanApply()

    def keep(self, parameter: str, text: str) -> None:
        if self._parameterNode is not None:
            setattr(self._parameterNode, parameter, text)

    def onLoad(self) -> None:
        with self.shown(_("The study could not be read.")):
            chosen, date = self._parameterNode, DATES[self.ui.studyTabs.currentIndex]
            self.choose(chosen, date, self.logic.readStudy(self.ui.folderButton.directory, date, run=self.work.run))

    def onDemo(self) -> None:
        with self.shown(_("The demo data could not be made.")):
            chosen = self._parameterNode
            for date, nodes in self.logic.makeDemo(run=self.work.run).items():
                self.choose(chosen, date, nodes)

    def choose(self, chosen, date: str, nodes: dict) -> None:
        self.choices.select(chosen, date, nodes)
        self.view.show_images(date)

    def onFindArtery(self, date: str) -> None:
        with self.shown(_("No arterial input was found.")):
            self.choices.find_artery(self._parameterNode, date, self.work.run)
            self.view.show_artery(date)

    def onFitMaps(self, date: str) -> None:
        with self.shown(_("The maps could not be fitted.")):
            self.choices.fit_maps(self._parameterNode, date, self.work.run)
            self.view.show_study(date)

    def onPropose(self) -> None:
        with self.shown(_("No healthy vertebra can be proposed.")):
            chosen = self._parameterNode
            self.logic.proposeReference(chosen.beforeSequence, chosen.beforeRegions, run=self.work.run)

    def onCompare(self) -> None:
        with self.shown(_("The dates could not be compared.")):
            self.compare()

    def compare(self) -> None:
        self.choices.compare(self._parameterNode, self.work.run)
        self.drawing.follow()
        self.view.show_result()

    def onReport(self) -> None:
        from BoneQuantPanels.results import new_folder, open_report

        from BoneQuantCore import ensureRequirements

        chosen = self._parameterNode
        with self.shown(_("The report could not be written.")):
            ensureRequirements(_("DCE Response"))
            if self.logic.result is None:  # a scene that was opened again holds the numbers, not the job's result
                self.compare()
            folder = new_folder(chosen.outFolder, "dce_response")
            options = {"dicom": chosen.dicom, "identified": chosen.identified}
            open_report(self.logic.writeReport(self.logic.result, folder, run=self.work.run, **options))


def atOnce(work):
    """Run work in the calling thread, without a progress bar: for the console and scripts."""
    return work(lambda fraction, message: None)


class DCEResponseLogic(ScriptedLoadableModuleLogic):
    """Works on nodes, raises on bad input, knows no widget; the module's help text shows how to call it.

    ``run(work)`` calls ``work(progress)``: at once by default, in the panel with a progress bar and Cancel.
    """

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleLogic.__init__(self, parent)
        self._result = self._changes = None

    @property
    def result(self):
        """Of the last comparison in this session; None once another scene's table has taken the place of its own."""
        return self._result if self.nodes().get("table.lesions") is self._changes else None

    def forget(self) -> None:
        """Let go of the last comparison, as its scene closes."""
        self._result = self._changes = None

    def getParameterNode(self):
        return DCEResponseParameterNode(super().getParameterNode())

    def nodes(self):
        """Nodes of results, by role; see bonequant.mrml.response_nodes."""
        from bonequant import mrml

        return mrml.ResultNodes(self.getParameterNode().parameterNode)

    def frameTimes(self, sequence: vtkMRMLSequenceNode) -> list[float]:
        """Seconds; raises where the sequence is not indexed in time. To type others: mrml.set_frame_times."""
        from bonequant.mrml import frame_times

        return frame_times(sequence).tolist()

    def study(self, name, sequence, *, t1=None, flipAngles=None, regions=None, artery=None, delay=None, scanDate=None):
        """One date from its nodes; see bonequant.mrml.dce_nodes.date_from_nodes. ``regions``: one node, or several."""
        from bonequant.mrml.dce_nodes import date_from_nodes

        drawn = [node for node in (regions if isinstance(regions, list) else [regions]) if node is not None]
        more = {"flip_angles": flipAngles, "artery": artery, "delay_s": delay, "scan_date": scanDate}
        return date_from_nodes(name, sequence, t1=t1, regions=drawn, **more)

    def readStudy(self, folder, date: str, *, run=atOnce) -> dict:
        """Read a folder (a DICOM series, or DCE, T1 and MASKS in it) into nodes; see mrml.dce_nodes.date_to_nodes."""
        from bonequant.studies.treatment_response import read_date
        from DCEResponseLib.images import study_to_scene

        return study_to_scene(self, run(lambda progress: read_date(folder, date, progress=progress)), run)

    def makeDemo(self, *, run=atOnce) -> dict:
        """A small simulated spine before and after radiotherapy: nodes by date."""
        from DCEResponseLib.demo import simulate
        from DCEResponseLib.images import study_to_scene

        return {one.name: study_to_scene(self, one, run) for one in run(simulate)}

    def findArtery(self, study, settings=None, *, shift=0.0, run=atOnce):
        """The arterial input of a study as a comparison would use it, its curve in the scene; see bonequant's AIF."""
        from DCEResponseLib.choices import find_one

        return find_one(self.nodes(), study, settings, shift, run)

    def fitMaps(self, study, settings=None, *, run=atOnce):
        """Maps and region values of one study alone, in the scene; the result of bonequant's DCE job."""
        from DCEResponseLib.choices import fit_one

        return fit_one(self.nodes(), study, settings, run)

    def proposeReference(self, sequence: vtkMRMLSequenceNode, regions: vtkMRMLSegmentationNode, *, run=atOnce) -> str:
        """Add the healthy vertebra next to the first lesion as the segment "reference"; the reasons for it."""
        from bonequant.mrml.dce_nodes import add_reference

        return add_reference(self.study("before", sequence, regions=regions), regions, run)

    def compare(self, before, after, settings=None, *, run=atOnce, **more):
        """Compare two studies: maps, alignment, tables and curves go into the scene; the result of the response job.

        ``more``: radiotherapy, fracture, evidence ... as in bonequant.studies.treatment_response.ResponseInputs.
        """
        from bonequant.mrml.response_nodes import response_to_nodes
        from bonequant.studies import treatment_response

        inputs = treatment_response.ResponseInputs([before, after], **more)
        result = run(lambda progress: treatment_response.run(inputs, settings, progress))
        response_to_nodes(result, self.nodes())
        self._result, self._changes = result, self.nodes().get("table.lesions")
        self.getParameterNode().parameterNode.Modified()
        return result

    def writeReport(self, result, folder, *, dicom=False, identified=False, run=atOnce) -> str:
        """Write report, tables, maps, outlines (and DICOM objects) into a new folder; the report's path."""
        from bonequant.mrml.dce_nodes import with_all_series
        from bonequant.studies import treatment_response

        def work(progress):
            progress(0.0, _("Writing the report"))
            found = with_all_series(result) if dicom else result
            return treatment_response.write(found, folder, dicom=dicom, identified=identified)

        return str(run(work))

    def judge(self, criterion: str, cells: dict):
        """The call of any criterion of bonequant.response on cells such as ``{"before.vp": 9.3}``."""
        from bonequant.response import call_from, unflatten

        return call_from(criterion, unflatten(cells))


class DCEResponseTest(ScriptedLoadableModuleTest):
    """Frame times are read and typed anew; a criterion is judged from typed evidence."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_frameTimes()
        self.setUp()
        self.test_judged()

    def test_frameTimes(self):
        import numpy as np
        from bonequant import mrml
        from bonequant.volume import DynamicSeries, Geometry

        grid = Geometry((4, 3, 2), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
        series = DynamicSeries(np.zeros((3, 2, 3, 4), np.float32), np.array([0.0, 16.43, 32.86]), grid, "MR")
        node = mrml.to_node(series, "DCE")
        self.assertEqual(DCEResponseLogic().frameTimes(node), [0.0, 16.43, 32.86])
        mrml.set_frame_times(node, [0.0, 5.0, 10.0])
        self.assertEqual(DCEResponseLogic().frameTimes(node), [0.0, 5.0, 10.0])

    def test_judged(self):
        cells = {"before.vp": "9.26", "before.vp_reference": "1", "after.vp": "1.13", "after.vp_reference": "1"}
        self.assertEqual(DCEResponseLogic().judge("dce_vp", cells).category, "success")
