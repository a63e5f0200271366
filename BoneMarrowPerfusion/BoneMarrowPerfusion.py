"""BoneMarrowPerfusion: marrow and liver perfusion from SPECT/CT, dynamic CT and dynamic SPECT.

The tabs of the panel are in BoneMarrowPerfusionLib, one file each.
"""

from typing import Any

import slicer
import vtk
from BoneMarrowPerfusionLib.marrow_jobs import MarrowJobs
from BoneMarrowPerfusionLib.measured import Memory
from BoneMarrowPerfusionLib.series_jobs import SeriesJobs
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLSequenceNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class BoneMarrowPerfusion(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Bone Marrow Perfusion")
        self.parent.categories = [
            translate("qSlicerAbstractCoreModule", "Quantification"),
            translate("qSlicerAbstractCoreModule", "Nuclear Medicine"),
        ]
        self.parent.dependencies = ["BoneQuantCore"]
        self.parent.contributors = ["The BoneQuant developers"]
        self.parent.helpText = _(
            "Registers SPECT to CT, finds skeleton, marrow and vertebrae, measures uptake in them while they are"
            " edited; liver perfusion from dynamic CT beside 99mTc-MAA; kinetics from dynamic SPECT."
            " Research use only; not a medical device.<br><br>In the Python console:<pre>"
            "from BoneMarrowPerfusion import BoneMarrowPerfusionLogic\n"
            "logic = BoneMarrowPerfusionLogic()\n"
            "nodes = logic.measure(getNode('SPECT'), getNode('CT'))\n"
            "logic.writeReport(getNode('SPECT'), '/tmp/report')\n"
            "nodes = logic.measureLiver(getNode('Perfusion CT'), getNode('Regions'))\n"
            "nodes = logic.measureDynamic(getNode('Dynamic SPECT'), getNode('Regions'))</pre>"
        )
        self.parent.acknowledgementText = _("BoneQuant is open source under the Apache 2.0 licence.")
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData() -> None:
    """The simulated patient, among Slicer's sample data."""
    from BoneQuantPanels.sample_data import register_sample_data

    def make(run) -> None:
        BoneMarrowPerfusionLogic().makeSamplePatient(work=run)

    register_sample_data("Simulated SPECT/CT patient", _("The patient could not be made."), make)


@parameterNodeWrapper
class BoneMarrowPerfusionParameterNode:
    """What the user has chosen: images of one date or two, regions, and each job's settings as JSON."""

    functionalVolume: vtkMRMLScalarVolumeNode
    ctVolume: vtkMRMLScalarVolumeNode
    laterFunctional: vtkMRMLScalarVolumeNode
    laterCt: vtkMRMLScalarVolumeNode
    regions: vtkMRMLSegmentationNode
    samePatientConfirmed: bool = False
    followRegions: bool = True
    identified: bool = False
    marrowSettings: str = ""
    liverSeries: vtkMRMLSequenceNode
    liverRegions: vtkMRMLSegmentationNode
    secondReader: vtkMRMLSegmentationNode
    maaSpect: vtkMRMLScalarVolumeNode
    maaCt: vtkMRMLScalarVolumeNode
    maaRegions: vtkMRMLSegmentationNode
    liverSettings: str = ""
    maaSettings: str = ""
    dynamicSeries: vtkMRMLSequenceNode
    dynamicRegions: vtkMRMLSegmentationNode
    dynamicSettings: str = ""


class BoneMarrowPerfusionWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.tabs: list[Any] = []
        self._parameterNode = None
        self._parameterNodeGuiTag = None

    @property
    def chosen(self) -> Any:
        """The parameter node, None while no scene is shown."""
        return self._parameterNode

    def setup(self) -> None:
        from BoneMarrowPerfusionLib.dynamic_tab import DynamicTab
        from BoneMarrowPerfusionLib.liver_tab import LiverTab
        from BoneMarrowPerfusionLib.marrow_tab import MarrowTab
        from BoneQuantPanels.work import WorkBar

        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/BoneMarrowPerfusion.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = BoneMarrowPerfusionLogic()
        self.work = WorkBar(self.ui.workWidget.layout(), self.onBusy)
        self.tabs = [MarrowTab(self), LiverTab(self), DynamicTab(self)]
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndImport)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        if self.logic is None:  # the panel was not set up to its end
            return
        self.work.cancel()
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        self.initializeParameterNode()

    def exit(self) -> None:
        from BoneQuantPanels.settings_form import finish_typing

        finish_typing(self.parent)
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event) -> None:
        self.work.cancel()
        self.setParameterNode(None)
        self.logic.forget()

    def onSceneEndClose(self, caller, event) -> None:
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller, event) -> None:
        """A scene was opened under the panel: what the parameter node refers to came after it."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onBusy(self, busy: bool) -> None:
        """While work runs nothing but Cancel can be pressed: the scene must stay what was measured."""
        self.ui.tabs.enabled = not busy

    def initializeParameterNode(self) -> None:
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, parameterNode) -> None:
        if self._parameterNode:
            for tab in self.tabs:
                tab.exit()
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self._parameterNodeGuiTag = None
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.refresh)
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.refresh)
            for tab in self.tabs:
                tab.enter()
            self.refresh()

    def refresh(self, caller=None, event=None) -> None:
        if self._parameterNode:
            for tab in self.tabs:
                tab.refresh()


class BoneMarrowPerfusionLogic(ScriptedLoadableModuleLogic, MarrowJobs, SeriesJobs):
    """The jobs of the library on nodes. Raises on bad input, knows no widget::

        logic = BoneMarrowPerfusionLogic()
        nodes = logic.measure(getNode("SPECT"), getNode("CT"))
        logic.writeReport(getNode("SPECT"), "/tmp/report")

    ``settings`` are the job's own (``bonequant.studies``); ``work`` runs a function that takes a progress callback: a
    panel's runs it beside the interface, and nodes are read before and written after.
    """

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleLogic.__init__(self, parent)
        self.memory = Memory()

    def getParameterNode(self):
        return BoneMarrowPerfusionParameterNode(super().getParameterNode())

    def forget(self) -> None:
        """Let go of all results: the scene is closed."""
        self.memory.dates.clear()
        self.memory.series.clear()

    def unitOf(self, node) -> str:
        from bonequant import mrml

        return str(mrml.known_facts(node).get("unit", ("", ""))[0])


class BoneMarrowPerfusionTest(ScriptedLoadableModuleTest):
    """Measures a volume of known content in a drawn region of known size, through the whole job."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_measureDrawnRegion()
        self.setUp()
        self.test_nothingSelected()

    def test_measureDrawnRegion(self):
        import SimpleITK as sitk
        from bonequant import mrml
        from bonequant.volume import Volume

        image = sitk.Image(20, 20, 20, sitk.sitkFloat32) + 3.0
        mask = sitk.Image(20, 20, 20, sitk.sitkUInt8)
        mask[5:15, 5:15, 5:15] = 1
        spect = mrml.to_node(Volume(image, "NM", "SUVbw"), "SPECT")
        nodes = BoneMarrowPerfusionLogic().measure(spect, regions=mrml.to_node({"marrow": mask}, "Regions"))
        (row,) = mrml.from_node(nodes.tables["regions"])
        self.assertEqual(row["region"], "marrow")
        self.assertAlmostEqual(row["volume_ml"], 1.0, places=9)
        self.assertAlmostEqual(row["mean"], 3.0, places=6)
        self.assertEqual(nodes.tables["regions"].GetColumnUnitLabel("mean"), "SUVbw")

    def test_nothingSelected(self):
        from bonequant.errors import InputError

        with self.assertRaises(InputError):
            BoneMarrowPerfusionLogic().measure(None)
