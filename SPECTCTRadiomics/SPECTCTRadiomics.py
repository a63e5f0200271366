"""SPECTCTRadiomics: lesions drawn on SPECT and CT at once, their features, a model's view of them, and the readers'."""

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkMRMLTextNode
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
from SPECTCTRadiomicsLib.start_up import onStartup


class SPECTCTRadiomics(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("SPECT/CT Radiomics")
        self.parent.categories = [
            translate("qSlicerAbstractCoreModule", "Quantification"),
            translate("qSlicerAbstractCoreModule", "Nuclear Medicine"),
        ]
        self.parent.dependencies = ["BoneQuantCore"]
        self.parent.contributors = ["The BoneQuant developers"]
        self.parent.helpText = _(
            "Draw a lesion on SPECT or CT and see it on the other at once; measure its radiomics features on both,"
            " apply a diagnostic model and see why it says what it says, grade the lesion, and write the results."
            " From the Python console:"
            "<pre>from SPECTCTRadiomics import SPECTCTRadiomicsLogic\n"
            "logic = SPECTCTRadiomicsLogic()\n"
            'record = logic.measure(getNode("CT"), getNode("SPECT"), getNode("Lesions"))\n'
            'table = logic.showLesion(record, "lesion_1")\n'
            'found = logic.predict(record, "model.json")\n'
            'report = logic.write(record, "results")</pre>'
            " Research use only; not a medical device."
        )
        self.parent.acknowledgementText = _("BoneQuant is open source under the Apache 2.0 licence.")
        slicer.app.connect("startupCompleted()", onStartup)


class Choice(enum.Enum):
    """A choice that is shown by its value and saved by its name."""

    def label(self) -> str:
        return self.value


class DrawOn(Choice):
    FUNCTIONAL = _("SPECT or PET")
    CT = _("CT")


class CompareWith(Choice):
    SECOND_READER = _("the second reader")
    MODEL = _("the model")


class Weights(Choice):
    LINEAR = _("linear weights")
    QUADRATIC = _("quadratic weights")


@parameterNodeWrapper
class SPECTCTRadiomicsParameterNode:
    """What the user has chosen; everything is saved with the scene.

    lesions - every segment is a lesion; lesion - ID of the selected one.
    live - carry strokes to the other image.
    record - the last measurement, which its tables, charts, sections and maps belong to.
    settings - LesionSettings as JSON, "" for the defaults.
    contains - which features the table shows.
    """

    ctVolume: vtkMRMLScalarVolumeNode
    functionalVolume: vtkMRMLScalarVolumeNode
    lesions: vtkMRMLSegmentationNode
    secondDrawing: vtkMRMLSegmentationNode
    record: vtkMRMLTextNode
    drawOn: DrawOn = DrawOn.FUNCTIONAL
    live: bool = True
    lesion: str = ""
    patient: str = ""
    settings: str = ""
    contains: str = ""
    modelPath: Path = Path()
    centre: str = ""
    compareWith: CompareWith = CompareWith.SECOND_READER
    weights: Weights = Weights.LINEAR
    outputFolder: Path = Path()


class SPECTCTRadiomicsWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Makes the sections of the panel (SPECTCTRadiomicsLib) and keeps them in step with the parameter node."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.sections: list[Any] = []
        self.features = self.model = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        self._refreshing = False

    def setup(self) -> None:
        from BoneQuantPanels.work import WorkBar
        from SPECTCTRadiomicsLib.feature_section import FeatureSection
        from SPECTCTRadiomicsLib.lesion_section import LesionSection
        from SPECTCTRadiomicsLib.map_section import MapSection
        from SPECTCTRadiomicsLib.model_section import ModelSection
        from SPECTCTRadiomicsLib.reader_section import ReaderSection

        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/SPECTCTRadiomics.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = SPECTCTRadiomicsLogic()
        self.work = WorkBar(self.layout, busy=self._onBusy)
        self.features, self.model = FeatureSection(self), ModelSection(self)
        self.sections = [LesionSection(self), self.features, MapSection(self), self.model, ReaderSection(self)]
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        for event in (slicer.mrmlScene.EndCloseEvent, slicer.mrmlScene.EndImportEvent):
            self.addObserver(slicer.mrmlScene, event, self.onSceneChanged)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        if self.logic is None:  # the panel was not set up to its end
            return
        self.work.cancel()
        self.setParameterNode(None)
        self.removeObservers()
        self.sections, self.features, self.model = [], None, None

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

    def onSceneChanged(self, caller, event) -> None:
        """Closed, or another one was loaded."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self) -> None:
        from BoneQuantPanels.results import at_home

        self.setParameterNode(at_home(self.logic.getParameterNode(), "outputFolder"))

    @property
    def chosen(self) -> Any:
        """The parameter node; None while the panel is left."""
        return self._parameterNode

    def setParameterNode(self, parameterNode) -> None:
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self._parameterNodeGuiTag = None
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.refresh)
            for section in self.sections:
                section.exit()
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.refresh)
            for section in self.sections:
                section.enter()
            self.refresh()

    def refresh(self, caller=None, event=None) -> None:
        """Bring every section in line with the parameter node."""
        if self._parameterNode is None or self._refreshing or slicer.mrmlScene.IsImporting():
            return
        self._refreshing = True
        try:
            for section in self.sections:
                section.refresh()
        finally:
            self._refreshing = False

    def onSelected(self) -> None:
        """Another lesion was selected: every section shows it."""
        for section in self.sections:
            section.show_selected()
        self.refresh()

    def _onBusy(self, busy: bool) -> None:
        for name in ("images", "lesions", "draw", "features", "map", "model", "readers", "export"):
            getattr(self.ui, f"{name}Section").enabled = not busy


def _now(work: Callable[[Callable[[float, str], None]], Any]) -> Any:
    """Do the work here and now, as the console does; the panel hands in its progress bar."""
    return work(lambda fraction, message: None)


class SPECTCTRadiomicsLogic(ScriptedLoadableModuleLogic):
    """Works on nodes, raises on bad input, knows no widget; a session is in the module's help text.

    What takes long is handed to ``work`` as a function of a progress callback.
    """

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleLogic.__init__(self, *([parent] if parent is not None else []))
        self._results: dict[str, Any] = {}  # by the record's ID

    def getParameterNode(self):
        return SPECTCTRadiomicsParameterNode(super().getParameterNode())

    def forget(self) -> None:
        """Forget measured results, as when the scene is closed; what is in the scene stays."""
        self._results.clear()

    def makeDemo(self, work=_now):
        """CT, SPECT (SUV) and lesions of a simulated patient, as nodes."""
        from SPECTCTRadiomicsLib import demo

        return demo.to_nodes(*work(demo.simulate))

    def makeDemoModel(self, path: str | Path, work=_now) -> Path:
        """Train a model on simulated lesions, and write it to a file."""
        from SPECTCTRadiomicsLib import demo

        return work(lambda progress: demo.train(path, progress))

    def newLesions(self, volume: vtkMRMLScalarVolumeNode, name: str = "Lesions") -> vtkMRMLSegmentationNode:
        """An empty segmentation on the grid of the volume, lying where it lies."""
        from bonequant.mrml.lesion_drawing import new_lesions

        return new_lesions(volume, name)

    def addLesion(self, lesions: vtkMRMLSegmentationNode) -> str:
        """An empty lesion with the next free number; the ID of its segment."""
        from bonequant.mrml.lesion_drawing import add_lesion

        return add_lesion(lesions)

    def align(self, ct, functional, lesions=None, work=_now):
        """Register the functional image to the CT and lay it there; lesions drawn on it go along. Its quality."""
        from bonequant import mrml, registration
        from bonequant.mrml.lesion_drawing import align_lesions

        moving, fixed = mrml.from_node(functional), mrml.from_node(ct)
        found = work(lambda progress: registration.register(moving, fixed, None, progress))
        align_lesions(found, functional, lesions)
        return found.quality

    def undoAlign(self, functional, lesions=None) -> bool:
        """Put the functional image back where it lay; False where nothing was registered."""
        from bonequant.mrml.lesion_drawing import undo_alignment_of_lesions

        return undo_alignment_of_lesions(functional, lesions)

    def measure(
        self, ct, functional, lesions, settings=None, *, second=None, patient="", record=None, work=_now
    ) -> vtkMRMLTextNode:
        """Features of every lesion on both images (either may be None), in the scene.

        :param settings: a LesionSettings; the defaults of the command line without it.
        :param second: segmentation of a second reader.
        :param record: a former record of these lesions, which is filled again; what was made of it goes.
        :returns: the record, a text node that tables, sections and maps belong to.
        """
        from bonequant.mrml.lesion_drawing import carried_lesions
        from bonequant.mrml.lesion_inputs import lesion_inputs
        from bonequant.mrml.lesion_nodes import measured_to_nodes
        from bonequant.studies import lesion_radiomics as job

        carried = carried_lesions(lesions, ct, functional)
        inputs = lesion_inputs(lesions, ct, functional, carried, second, patient=patient)
        result = work(lambda progress: job.run(inputs, settings, progress))
        record = measured_to_nodes(result, lesions, ct, functional, record)
        self._results[record.GetID()] = result
        return record

    def result(self, record):
        """The LesionResult of a record; None where it was measured in an earlier session."""
        return self._results.get(record.GetID()) if record is not None else None

    def showLesion(self, record, lesion: str, contains: str = ""):
        """The table node of one lesion's features, the images side by side."""
        from bonequant.mrml.lesion_nodes import show_lesion

        return show_lesion(record, lesion, contains)

    def mapFeature(self, record, feature: str, work=_now) -> dict[str, Any]:
        """Volume nodes, by image, of a feature around each voxel of the lesions."""
        from bonequant.mrml.lesion_nodes import map_nodes, maps_to_nodes
        from bonequant.mrml.lesion_record import measured_images
        from bonequant.studies import lesion_radiomics as job

        result = self._measuredNow(record)
        more = work(lambda progress: job.with_maps(result, [feature], progress))
        maps_to_nodes(more, dict(zip(("ct", "functional"), measured_images(record), strict=True)), record)
        self._results[record.GetID()] = more
        return map_nodes(record, feature)

    def settingsLike(self, model, settings=None):
        """LesionSettings with which the features of a model file were measured; others as in ``settings``."""
        from bonequant.radiomics import load_model
        from bonequant.studies import lesion_radiomics as job

        return job.settings_like(load_model(model), settings)

    def predict(self, record, model, centre: str = "") -> dict[str, Any]:
        """Apply a model file to every lesion of a record; by lesion its Prediction, or why it is refused.

        The table of predictions is put into the scene.
        """
        from bonequant.mrml.lesion_model import predict_lesions, predictions_to_node
        from bonequant.radiomics import load_model

        loaded = load_model(model)
        found = predict_lesions(record, loaded, centre)
        predictions_to_node(record, loaded, found)
        return found

    def explain(self, record, lesion: str, prediction):
        """Table and chart of what each feature adds to the log odds."""
        from bonequant.mrml.lesion_model import explanation_to_nodes

        return explanation_to_nodes(record, lesion, prediction)

    def agreement(self, lesions, predictions=None, weights: str = "linear"):
        """Weighted kappa of the reader and the second reader, or the model where ``predictions`` are given."""
        from bonequant.mrml.lesion_inputs import SECOND_READER, grades
        from bonequant.studies import lesion_radiomics as job

        other = grades(lesions, SECOND_READER)
        if predictions is not None:
            judged = {name: one for name, one in predictions.items() if not isinstance(one, str)}
            other = {name: job.grade_of_probability(one.probability) for name, one in judged.items()}
        return job.agreement(grades(lesions), other, weights)

    def write(self, record, folder: str | Path, work=_now) -> Path:
        """The results folder, as the command line writes it; the path of its report. The folder must not exist yet."""
        from bonequant.studies.lesion_radiomics import write

        result = self._measuredNow(record)
        return work(lambda progress: write(result, folder))

    def _measuredNow(self, record):
        from bonequant.errors import InputError

        result = self.result(record)
        if result is None:
            raise InputError(_("The lesions were not measured in this session: measure them first."))
        return result


class SPECTCTRadiomicsTest(ScriptedLoadableModuleTest):
    """Features of a simulated lesion, measured and shown."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_measure()

    def test_measure(self):
        from bonequant import mrml
        from bonequant.phantom import LesionCohortSettings, simulate_lesion_cohort
        from bonequant.studies.lesion_radiomics import LesionSettings

        case = simulate_lesion_cohort(LesionCohortSettings(lesions=6, patients=5)).cases[0]
        ct, spect = mrml.to_node(case.ct, "CT"), mrml.to_node(case.spect, "SPECT")
        lesions = mrml.to_node({"lesion_1": case.spect_mask}, "Lesions")
        lesions.SetReferenceImageGeometryParameterFromVolumeNode(spect)
        logic = SPECTCTRadiomicsLogic()
        record = logic.measure(ct, spect, lesions, LesionSettings(families=("mazda",), perturb=False))
        self.assertEqual(logic.showLesion(record, "lesion_1").GetNumberOfRows(), 279)
