"""BoneQuantCore: a hidden module whose folder carries the library ``bonequant`` into every Slicer installation.

Being a registered module is what puts this folder on ``sys.path``; the visible modules depend on it.
"""

import importlib.metadata
import logging
import os

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
)


class BoneQuantCore(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("BoneQuant Core")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        self.parent.dependencies = []
        self.parent.contributors = ["The BoneQuant developers"]
        self.parent.helpText = _(
            "The shared library of BoneQuant: import bonequant in the Python console. Research use only; not a medical"
            " device."
        )
        self.parent.acknowledgementText = _("BoneQuant is open source under the Apache 2.0 licence.")
        self.parent.hidden = True


def ensureRequirements(requester: str) -> None:
    """Install what Resources/requirements.txt asks for and Slicer lacks, after asking the user.

    Call it when the user starts a feature that needs the packages, never at start-up.

    :param requester: name of the module, shown in the question.
    :raises RuntimeError: the user said no.
    """
    path = os.path.join(os.path.dirname(__file__), "Resources", "requirements.txt")
    try:
        import slicer.packaging  # Slicer 5.12 and later
    except ImportError:
        _ensureRequirementsWithUtil(path, requester)
    else:
        slicer.packaging.pip_ensure(slicer.packaging.load_requirements(path), requester=requester)


def _ensureRequirementsWithUtil(path: str, requester: str) -> None:
    """The same for Slicer 5.10, which has pip_install alone."""
    with open(path, encoding="utf-8") as file:
        requirements = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    missing = [requirement for requirement in requirements if not _isSatisfied(requirement)]
    if not missing:
        return
    if slicer.app.testingEnabled():
        logging.info(f"Testing mode: not installing {', '.join(missing)}")
        return
    question = _("{requester} needs Python packages that are not installed: {packages}. Install them now?")
    if not slicer.util.confirmOkCancelDisplay(question.format(requester=requester, packages=", ".join(missing))):
        raise RuntimeError(_("The packages were not installed: {packages}.").format(packages=", ".join(missing)))
    slicer.util.pip_install(missing)


def _isSatisfied(requirement: str) -> bool:
    """Is ``name>=version`` installed? Only the numbers of the version are compared."""
    name, _separator, minimum = requirement.partition(">=")
    try:
        installed = importlib.metadata.version(name.strip())
    except importlib.metadata.PackageNotFoundError:
        return False
    return _numbers(installed) >= _numbers(minimum)


def _numbers(version: str) -> list[int]:
    numbers = []
    for part in version.strip().split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return numbers


class BoneQuantCoreLogic(ScriptedLoadableModuleLogic):
    """What the library says about itself."""

    def version(self) -> str:
        import bonequant

        return bonequant.__version__


class BoneQuantCoreTest(ScriptedLoadableModuleTest):
    """The library is found, and works in this scene."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_libraryIsImported()
        self.setUp()
        self.test_embeddedIsThisScene()
        self.setUp()
        self.test_roundTrip()

    def test_libraryIsImported(self):
        import bonequant

        self.assertTrue(bonequant.__file__.startswith(os.path.dirname(__file__)))
        self.assertEqual(BoneQuantCoreLogic().version(), bonequant.__version__)

    def test_embeddedIsThisScene(self):
        from bonequant import mrml

        self.assertIs(mrml.embedded(), slicer.mrmlScene)

    def test_roundTrip(self):
        import SimpleITK as sitk
        from bonequant import mrml
        from bonequant.volume import Volume

        image = sitk.GaussianSource(sitk.sitkFloat32, (12, 10, 8), (3, 3, 3), (6, 5, 4))
        image.SetOrigin((-10, 20, 30))
        volume = mrml.from_node(mrml.to_node(Volume(image, "NM", "Bq/mL"), "SPECT"))
        self.assertEqual(volume.image.GetOrigin(), image.GetOrigin())
        self.assertEqual(volume.unit, "Bq/mL")
        masks = mrml.from_node(mrml.to_node({"lesion_1": image > 50}, "Lesions"))
        self.assertTrue((sitk.GetArrayFromImage(masks["lesion_1"]) == sitk.GetArrayFromImage(image > 50)).all())
