"""SPECTCTRadiomics: lesions measured on SPECT and CT at once. Texture features and models come in a later version."""

import qt
import slicer
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)


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
            "First-order measurements of drawn lesions on SPECT and CT, from the Python console:"
            " <tt>SPECTCTRadiomicsLogic().measureLesions([spectNode, ctNode], lesionsNode)</tt>."
            " Texture features and diagnostic models are not part of this version."
            " Research use only; not a medical device."
        )
        self.parent.acknowledgementText = _("BoneQuant is open source under the Apache 2.0 licence.")


class SPECTCTRadiomicsWidget(ScriptedLoadableModuleWidget):
    """Says what the module can do so far; its panel is not part of this version."""

    def setup(self) -> None:
        ScriptedLoadableModuleWidget.setup(self)
        label = qt.QLabel(
            _(
                "This version measures lesions from the Python console:\n\n"
                "from SPECTCTRadiomics import SPECTCTRadiomicsLogic\n"
                'SPECTCTRadiomicsLogic().measureLesions([getNode("SPECT"), getNode("CT")], getNode("Lesions"))\n\n'
                "Research use only; not a medical device."
            )
        )
        label.wordWrap = True
        label.textInteractionFlags = qt.Qt.TextSelectableByMouse
        self.layout.addWidget(label)
        self.layout.addStretch(1)


class SPECTCTRadiomicsLogic(ScriptedLoadableModuleLogic):
    def measureLesions(
        self, volumes: list[vtkMRMLScalarVolumeNode], lesions: vtkMRMLSegmentationNode
    ) -> list[dict[str, object]]:
        """One row per lesion and volume: every first-order measurement of the library, by name.

        Transforms above the volumes and the segmentation are taken into account; nothing is resampled.
        """
        from bonequant import mrml

        return [
            {"volume": volume.GetName(), **found.to_dict()}
            for volume in volumes
            for found in mrml.measure_segments(volume, lesions).values()
        ]


class SPECTCTRadiomicsTest(ScriptedLoadableModuleTest):
    """One lesion on two volumes, the second moved by a transform."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_measureLesions()

    def test_measureLesions(self):
        import SimpleITK as sitk
        from bonequant import mrml
        from bonequant.volume import Volume

        mask = sitk.Image(20, 20, 20, sitk.sitkUInt8)
        mask[8:12, 8:12, 8:12] = 1
        hot = sitk.Cast(mask, sitk.sitkFloat32) * 5 + 1
        ct = mrml.to_node(Volume(hot, "CT", "HU"), "CT")
        moved = sitk.Image(hot)
        moved.SetOrigin((100, 0, 0))
        spect = mrml.to_node(Volume(moved, "NM", "SUVbw"), "SPECT")
        registration = mrml.to_node(sitk.TranslationTransform(3, (100, 0, 0)), "registration")
        spect.SetAndObserveTransformNodeID(registration.GetID())
        rows = SPECTCTRadiomicsLogic().measureLesions([spect, ct], mrml.to_node({"lesion_1": mask}, "Lesions"))
        self.assertEqual([row["volume"] for row in rows], ["SPECT", "CT"])
        for row in rows:
            self.assertAlmostEqual(row["mean"], 6.0, places=5)
