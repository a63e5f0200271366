"""The module files: what they import, what they say of themselves, and their own tests, run on Slicer's core."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

MODULES = ("BoneQuantCore", "BoneMarrowPerfusion", "SPECTCTRadiomics", "DCEResponse")
ALLOWED_AT_IMPORT = {"slicer", "vtk", "qt", "ctk", "numpy", "SimpleITK", "scipy"} | set(sys.stdlib_module_names)
MAX_LINES = 400


def tree(root: Path, name: str) -> ast.Module:
    return ast.parse((root / name / f"{name}.py").read_text(encoding="utf-8"))


def imported_at_load(node: ast.AST) -> set[str]:
    """Top-level packages imported when the file is loaded: everything outside functions."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.Import):
            found |= {alias.name.split(".")[0] for alias in child.names}
        elif isinstance(child, ast.ImportFrom):
            found.add((child.module or "").split(".")[0])
        found |= imported_at_load(child)
    return found


@pytest.mark.parametrize("name", MODULES)
def test_nothing_but_what_slicer_always_has_is_imported_at_load(root, name):
    """The same holds for the module's own pieces, which it may import."""
    own = (root / name / f"{name}Lib").glob("*.py")
    trees = [tree(root, name), *(ast.parse(path.read_text(encoding="utf-8")) for path in own)]
    for one in trees:
        assert imported_at_load(one) <= ALLOWED_AT_IMPORT | {f"{name}Lib"}


@pytest.mark.parametrize("name", MODULES)
def test_the_file_is_of_a_readable_length(root, name):
    assert len((root / name / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("name", MODULES)
def test_no_path_is_changed_and_no_star_imported(root, name):
    nodes = list(ast.walk(tree(root, name)))
    assert not any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in nodes)
    assert not any(isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.path" for node in nodes)


@pytest.mark.parametrize("name", MODULES)
def test_the_module_says_what_it_is(load_module, parent, name):
    module = load_module(name)
    getattr(module, name)(parent)
    assert parent.title
    assert set(parent.categories) <= {"Quantification", "Nuclear Medicine"}
    assert parent.categories
    assert parent.contributors
    assert "Research use only" in parent.helpText
    assert parent.hidden == (name == "BoneQuantCore")
    assert parent.dependencies == ([] if name == "BoneQuantCore" else ["BoneQuantCore"])


@pytest.mark.parametrize("name", MODULES)
def test_the_modules_own_test_passes_on_slicers_core(load_module, name):
    module = load_module(name)
    getattr(module, f"{name}Test")().runTest()


@pytest.mark.parametrize("name", MODULES)
def test_every_test_method_is_run(root, name):
    """A module's runTest names its test methods one by one: none may be forgotten."""
    (test,) = (node for node in tree(root, name).body if isinstance(node, ast.ClassDef) and node.name == f"{name}Test")
    methods = {node.name: node for node in test.body if isinstance(node, ast.FunctionDef)}
    written = {method for method in methods if method.startswith("test_")}
    called = {node.attr for node in ast.walk(methods["runTest"]) if isinstance(node, ast.Attribute)}
    assert written
    assert written <= called


@pytest.mark.parametrize("name", MODULES)
def test_panel_files_fit_the_code(root, name):
    """Every widget that the code takes from a .ui file is in it, and every bound parameter is a parameter."""
    path = root / name / "Resources" / "UI" / f"{name}.ui"
    code = tree(root, name)
    used = {
        node.attr
        for node in ast.walk(code)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "ui"
    }
    if not path.is_file():
        assert not used
        return
    panel = ElementTree.parse(path).getroot()
    widgets = {widget.get("name"): widget.get("class") for widget in panel.iter("widget")}
    assert used <= set(widgets)
    node_class = f"{name}ParameterNode"
    (parameters,) = (n for n in code.body if isinstance(n, ast.ClassDef) and n.name == node_class)
    names = {n.target.id for n in parameters.body if isinstance(n, ast.AnnAssign)}
    bound = {p.findtext("string") for p in panel.iter("property") if p.get("name") == "SlicerParameterName"}
    assert bound <= names
    scene_goes_to = {connection.findtext("receiver") for connection in panel.iter("connection")}
    assert scene_goes_to == {widget for widget, kind in widgets.items() if kind.startswith("qMRML") and widget != name}


class FakeUtil(SimpleNamespace):
    """Answers of the user, and what was installed."""

    def __init__(self, consent: bool) -> None:
        super().__init__(consent=consent, installed=[], asked=[])

    def confirmOkCancelDisplay(self, text: str) -> bool:
        self.asked.append(text)
        return self.consent

    def pip_install(self, requirements: list[str]) -> None:
        self.installed += requirements


@pytest.fixture
def core(load_module, monkeypatch, tmp_path):
    """BoneQuantCore in an application without slicer.packaging (5.10), asking for one package that is not there."""
    import slicer

    module = load_module("BoneQuantCore")
    (tmp_path / "Resources").mkdir()
    (tmp_path / "Resources" / "requirements.txt").write_text("# comment\n\nnumpy>=1.20\nno-such-package-bq>=1.0\n")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "BoneQuantCore.py"))
    monkeypatch.setattr(slicer, "app", SimpleNamespace(testingEnabled=lambda: False), raising=False)
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    return module


def test_requirements_are_installed_after_consent_and_only_the_missing(core, monkeypatch):
    import slicer

    util = FakeUtil(consent=True)
    monkeypatch.setattr(slicer, "util", util)
    core.ensureRequirements("Bone Marrow Perfusion")
    assert util.installed == ["no-such-package-bq>=1.0"]
    assert "Bone Marrow Perfusion" in util.asked[0]


def test_without_consent_nothing_is_installed(core, monkeypatch):
    import slicer

    util = FakeUtil(consent=False)
    monkeypatch.setattr(slicer, "util", util)
    with pytest.raises(RuntimeError, match="not installed: no-such-package-bq"):
        core.ensureRequirements("Bone Marrow Perfusion")
    assert util.installed == []


def test_nobody_is_asked_when_testing(core, monkeypatch):
    import slicer

    util = FakeUtil(consent=True)
    monkeypatch.setattr(slicer, "util", util)
    monkeypatch.setattr(slicer, "app", SimpleNamespace(testingEnabled=lambda: True))
    core.ensureRequirements("Bone Marrow Perfusion")
    assert (util.asked, util.installed) == ([], [])


def test_newer_slicer_does_it_itself(core, monkeypatch):
    import slicer

    calls: list[tuple[list[str], str]] = []
    packaging = SimpleNamespace(
        load_requirements=lambda path: ["read", path],
        pip_ensure=lambda requirements, requester: calls.append((requirements, requester)),
    )
    monkeypatch.setitem(sys.modules, "slicer.packaging", packaging)
    monkeypatch.setattr(slicer, "packaging", packaging, raising=False)
    core.ensureRequirements("Bone Marrow Perfusion")
    assert calls[0][1] == "Bone Marrow Perfusion"
    assert calls[0][0][1].endswith("requirements.txt")


@pytest.mark.parametrize(
    ("requirement", "satisfied"),
    [("numpy>=1.0", True), ("numpy>=999", False), ("numpy", True), ("absent-bq>=1", False)],
)
def test_version_comparison(load_module, requirement, satisfied):
    assert load_module("BoneQuantCore")._isSatisfied(requirement) is satisfied


def test_the_bridge_test_for_slicer_passes_on_slicers_core(root, load_module, monkeypatch):
    import importlib.util
    import unittest

    import slicer

    monkeypatch.delattr(slicer, "app")  # it asks for more of the application than its stand-in has

    spec = importlib.util.spec_from_file_location("BoneQuantBridgeTest", root / "Testing/slicer/BoneQuantBridgeTest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    result = unittest.TestResult()
    suite = unittest.TestLoader().loadTestsFromModule(module)
    suite.run(result)
    assert result.testsRun >= 3
    assert result.wasSuccessful(), result.failures + result.errors
