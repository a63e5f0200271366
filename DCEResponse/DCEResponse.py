"""DCEResponse: dynamic series before and after therapy. Perfusion maps and criteria come in a later version."""

import qt
import slicer
from slicer import vtkMRMLSequenceNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)


class DCEResponse(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("DCE Response")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        self.parent.dependencies = ["BoneQuantCore"]
        self.parent.contributors = ["The BoneQuant developers"]
        self.parent.helpText = _(
            "Reads a dynamic series with its frame times from a sequence, from the Python console:"
            " <tt>DCEResponseLogic().frameTimes(sequenceNode)</tt>."
            " Perfusion maps and response criteria are not part of this version."
            " Research use only; not a medical device."
        )
        self.parent.acknowledgementText = _("BoneQuant is open source under the Apache 2.0 licence.")


class DCEResponseWidget(ScriptedLoadableModuleWidget):
    """Says what the module can do so far; its panel is not part of this version."""

    def setup(self) -> None:
        ScriptedLoadableModuleWidget.setup(self)
        label = qt.QLabel(
            _(
                "This version reads the frame times of a dynamic series from the Python console:\n\n"
                "from DCEResponse import DCEResponseLogic\n"
                'DCEResponseLogic().frameTimes(getNode("DCE"))\n\n'
                "Research use only; not a medical device."
            )
        )
        label.wordWrap = True
        label.textInteractionFlags = qt.Qt.TextSelectableByMouse
        self.layout.addWidget(label)
        self.layout.addStretch(1)


class DCEResponseLogic(ScriptedLoadableModuleLogic):
    def frameTimes(self, sequence: vtkMRMLSequenceNode) -> list[float]:
        """Mid-frame times in seconds; raises where the sequence is no dynamic series of volumes."""
        from bonequant import mrml

        return mrml.from_node(sequence).times_s.tolist()


class DCEResponseTest(ScriptedLoadableModuleTest):
    """A series of known times goes into a sequence and comes back."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_frameTimes()

    def test_frameTimes(self):
        import numpy as np
        from bonequant import mrml
        from bonequant.volume import DynamicSeries, Geometry

        grid = Geometry((4, 3, 2), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
        series = DynamicSeries(np.zeros((3, 2, 3, 4), np.float32), np.array([0.0, 16.43, 32.86]), grid, "MR")
        self.assertEqual(DCEResponseLogic().frameTimes(mrml.to_node(series, "DCE")), [0.0, 16.43, 32.86])
