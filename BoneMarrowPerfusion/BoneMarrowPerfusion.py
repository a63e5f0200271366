"""BoneMarrowPerfusion: skeleton regions from CT and what a functional volume holds in them."""

import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLTableNode
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
            "Segments bone, cortical bone and marrow on a CT and measures a SPECT or PET in them, each on its own grid."
            " Transforms above the volume or the segmentation are taken into account."
            " Research use only; not a medical device."
        )
        self.parent.acknowledgementText = _("BoneQuant is open source under the Apache 2.0 licence.")


@parameterNodeWrapper
class BoneMarrowPerfusionParameterNode:
    """What the user has chosen.

    ctVolume - CT in HU, for the skeleton.
    functionalVolume - SPECT or PET to measure.
    regions - segmentation made from the CT, or drawn.
    """

    ctVolume: vtkMRMLScalarVolumeNode
    functionalVolume: vtkMRMLScalarVolumeNode
    regions: vtkMRMLSegmentationNode


class BoneMarrowPerfusionWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None

    def setup(self) -> None:
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/BoneMarrowPerfusion.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = BoneMarrowPerfusionLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.segmentButton.connect("clicked(bool)", self.onSegment)
        self.ui.measureButton.connect("clicked(bool)", self.onMeasure)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        self.initializeParameterNode()

    def exit(self) -> None:
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event) -> None:
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event) -> None:
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self) -> None:
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, parameterNode) -> None:
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self._parameterNodeGuiTag = None
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
            self._checkCanApply()

    def _checkCanApply(self, caller=None, event=None) -> None:
        chosen = self._parameterNode
        self.ui.segmentButton.enabled = bool(chosen and chosen.ctVolume)
        self.ui.segmentButton.toolTip = (
            _("Segment bone, cortical bone and marrow") if self.ui.segmentButton.enabled else _("Select a CT first")
        )
        self.ui.measureButton.enabled = bool(chosen and chosen.functionalVolume and chosen.regions)
        self.ui.measureButton.toolTip = (
            _("Measure the functional volume in every region")
            if self.ui.measureButton.enabled
            else _("Select a functional volume and regions first")
        )

    def onSegment(self) -> None:
        with slicer.util.tryWithErrorDisplay(_("The skeleton could not be segmented."), waitCursor=True):
            self._parameterNode.regions = self.logic.segmentSkeleton(self._parameterNode.ctVolume)

    def onMeasure(self) -> None:
        with slicer.util.tryWithErrorDisplay(_("The regions could not be measured."), waitCursor=True):
            chosen = self._parameterNode
            self._showTable(self.logic.measureRegions(chosen.functionalVolume, chosen.regions))

    def _showTable(self, tableNode) -> None:
        layoutManager = slicer.app.layoutManager()
        if layoutManager is None:  # no main window
            return
        layoutManager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpTableView)
        applicationLogic = slicer.app.applicationLogic()
        applicationLogic.GetSelectionNode().SetActiveTableID(tableNode.GetID())
        applicationLogic.PropagateTableSelection()


class BoneMarrowPerfusionLogic(ScriptedLoadableModuleLogic):
    """Works on nodes, raises on bad input, knows no widget::

    logic = BoneMarrowPerfusionLogic()
    regions = logic.segmentSkeleton(getNode("CT"))
    table = logic.measureRegions(getNode("SPECT"), regions)
    """

    def getParameterNode(self):
        return BoneMarrowPerfusionParameterNode(super().getParameterNode())

    def segmentSkeleton(self, ctVolume: vtkMRMLScalarVolumeNode) -> vtkMRMLSegmentationNode:
        """Bone, cortical bone and marrow of a CT as a segmentation that lies where the CT lies."""
        from bonequant import mrml, roi

        masks = roi.skeleton(mrml.from_node(ctVolume))
        node = mrml.to_node(masks, _("{name} skeleton").format(name=ctVolume.GetName()), slicer.mrmlScene)
        node.SetReferenceImageGeometryParameterFromVolumeNode(ctVolume)
        node.SetAndObserveTransformNodeID(ctVolume.GetTransformNodeID())
        return node

    def measureRegions(
        self, functionalVolume: vtkMRMLScalarVolumeNode, regions: vtkMRMLSegmentationNode
    ) -> vtkMRMLTableNode:
        """One row per segment: volume, mean, sd, median, max, peak, total and what to be careful about."""
        from bonequant import mrml

        rows = [
            {
                "region": name,
                "volume_ml": found.volume_ml,
                "mean": found.mean,
                "sd": found.sd,
                "median": found.median,
                "max": found.max,
                "peak": found.peak,
                "total": found.total,
                "remarks": "; ".join(found.flags),
            }
            for name, found in mrml.measure_segments(functionalVolume, regions).items()
        ]
        unit = mrml.from_node(functionalVolume).unit
        units = {"volume_ml": "mL", **dict.fromkeys(("mean", "sd", "median", "max", "peak"), unit)}
        name = _("{name} in regions").format(name=functionalVolume.GetName())
        return mrml.rows_to_node(rows, name, slicer.mrmlScene, units=units)


class BoneMarrowPerfusionTest(ScriptedLoadableModuleTest):
    """Measures a volume of known content in a region of known size."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_measureRegions()

    def test_measureRegions(self):
        import SimpleITK as sitk
        from bonequant import mrml
        from bonequant.volume import Volume

        image = sitk.Image(20, 20, 20, sitk.sitkFloat32) + 3.0
        mask = sitk.Image(20, 20, 20, sitk.sitkUInt8)
        mask[5:15, 5:15, 5:15] = 1
        table = BoneMarrowPerfusionLogic().measureRegions(
            mrml.to_node(Volume(image, "NM", "SUVbw"), "SPECT"), mrml.to_node({"marrow": mask}, "Regions")
        )
        (row,) = mrml.from_node(table)
        self.assertEqual(row["region"], "marrow")
        self.assertAlmostEqual(row["volume_ml"], 1.0, places=9)
        self.assertAlmostEqual(row["mean"], 3.0, places=6)
        self.assertEqual(table.GetColumnUnitLabel("mean"), "SUVbw")
