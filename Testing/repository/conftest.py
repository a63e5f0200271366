"""Enough of Slicer's Python namespace for module files to be imported and their logic to run on Slicer's core.

Test equipment: base classes without a panel. Panels are not tested here.
"""

from __future__ import annotations

import importlib.util
import sys
import unittest
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("BoneQuantCore", "BoneMarrowPerfusion", "SPECTCTRadiomics", "DCEResponse")


class _Module:
    def __init__(self, parent):
        self.parent = parent


class _Logic:
    def __init__(self, parent=None):
        pass


class _Widget:
    pass


class _Test(unittest.TestCase):
    def __init__(self, methodName="runTest"):
        super().__init__(methodName)


class _Annotation:
    def __init__(self, *values, **named):
        pass


_ANNOTATIONS = dict.fromkeys(
    ("Choice", "Decimals", "Default", "Maximum", "Minimum", "SingleStep", "WithinRange"), _Annotation
)


def _module(name: str, **content) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(content)
    return module


@pytest.fixture
def load_module(monkeypatch):
    """A function that imports a Slicer module file by name, with stand-ins for what only the application has."""
    if importlib.util.find_spec("slicer") is None:
        pytest.skip("SLICER-CORE MISSING: pip install slicer-core to run the tests of the Slicer modules")
    from bonequant import mrml

    mrml.embedded()
    stand_ins = [
        _module(
            "slicer.ScriptedLoadableModule",
            ScriptedLoadableModule=_Module,
            ScriptedLoadableModuleLogic=_Logic,
            ScriptedLoadableModuleWidget=_Widget,
            ScriptedLoadableModuleTest=_Test,
        ),
        _module("slicer.i18n", tr=str, translate=lambda context, text: text),
        _module("slicer.parameterNodeWrapper", parameterNodeWrapper=lambda node_class: node_class, **_ANNOTATIONS),
        _module("qt", QEventLoop=SimpleNamespace(ExcludeUserInputEvents=None)),
    ]
    import slicer

    nothing = SimpleNamespace(
        connect=lambda *arguments: True, processEvents=lambda *_: None, testingEnabled=lambda: True
    )
    monkeypatch.setattr(slicer, "app", nothing, raising=False)
    for stand_in in stand_ins:
        monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, ROOT / name / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.syspath_prepend(ROOT / name)
        spec.loader.exec_module(module)
        return module

    before = set(sys.modules)
    yield load
    for name in set(sys.modules) - before:  # what was imported on stand-ins must not serve the tests of the panels
        if name.startswith(("BoneQuantPanels", "BoneMarrowPerfusion", "SPECTCTRadiomics", "DCEResponse")):
            del sys.modules[name]


@pytest.fixture
def parent() -> SimpleNamespace:
    """What Slicer hands to a module's constructor."""
    return SimpleNamespace(hidden=False)
