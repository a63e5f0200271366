"""What Slicer packages: CMake's lists against the tree, and the packaged tree itself, built with stand-in macros."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import SimpleITK as sitk

MODULES = ("BoneQuantCore", "BoneMarrowPerfusion", "SPECTCTRadiomics", "DCEResponse")

# Stands in for Slicer's macros: it checks their arguments as Slicer does and copies each file with its folder, which is
# what slicerMacroBuildScriptedModule does through ctkMacroCompilePythonScript.
TOP = """
cmake_minimum_required(VERSION 3.16)
project(Packaging NONE)
set(BUILD_TESTING ON)
set(Slicer_USE_FILE ${CMAKE_CURRENT_SOURCE_DIR}/empty.cmake)
set(Slicer_EXTENSION_GENERATE_CONFIG ${CMAKE_CURRENT_SOURCE_DIR}/empty.cmake)
set(Slicer_EXTENSION_CPACK ${CMAKE_CURRENT_SOURCE_DIR}/empty.cmake)
macro(project)
  if(NOT "${ARGV0}" STREQUAL "BoneQuant")
    message(FATAL_ERROR "project name ${ARGV0}")
  endif()
endmacro()
macro(find_package)
endmacro()
macro(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MY "WITH_GENERIC_TESTS" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(MY_UNPARSED_ARGUMENTS OR NOT DEFINED MY_NAME)
    message(FATAL_ERROR "bad arguments: ${MY_UNPARSED_ARGUMENTS}")
  endif()
  foreach(file ${MY_SCRIPTS} ${MY_RESOURCES})
    configure_file(${CMAKE_CURRENT_SOURCE_DIR}/${file} ${CMAKE_BINARY_DIR}/packaged/${file} COPYONLY)
  endforeach()
endmacro()
macro(slicer_add_python_unittest)
  cmake_parse_arguments(MY "" "SCRIPT;TESTNAME_PREFIX" "SLICER_ARGS" ${ARGN})
  get_filename_component(folder ${MY_SCRIPT} PATH) # put on sys.path by Slicer, relative to wherever the test is run
  if(folder AND NOT IS_ABSOLUTE ${folder})
    message(FATAL_ERROR "the folder of the test script ${MY_SCRIPT} is not found when it is run")
  endif()
  get_filename_component(script ${MY_SCRIPT} ABSOLUTE)
  if(NOT EXISTS ${script})
    message(FATAL_ERROR "no test script ${script}")
  endif()
endmacro()
include(${CMAKE_CURRENT_SOURCE_DIR}/Extension.cmake)
file(WRITE ${CMAKE_BINARY_DIR}/meta.txt "${EXTENSION_HOMEPAGE}\\n${EXTENSION_DESCRIPTION}\\n${EXTENSION_DEPENDS}\\n")
"""


def list_tool(root: Path):
    spec = importlib.util.spec_from_file_location("list_library_files", root / "tools" / "list_library_files.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_list_of_library_files_is_the_tree(root):
    tool = list_tool(root)
    listed = (root / "BoneQuantCore" / "LibraryFiles.cmake").read_text(encoding="utf-8")
    expected = tool.as_cmake(*tool.library_files())
    missing = sorted(set(expected.split()) - set(listed.split()))
    gone = sorted(set(listed.split()) - set(expected.split()))
    assert listed == expected, (
        f"not listed: {missing}; listed but gone: {gone}. Run: python tools/list_library_files.py --write"
    )


def test_the_tool_notices_a_file_that_is_not_listed(root, tmp_path):
    tool = list_tool(root)
    library = tmp_path / "bonequant" / "io"
    library.mkdir(parents=True)
    (library / "__init__.py").touch()
    (library / "table.json").touch()
    (library / "__pycache__").mkdir()
    (library / "__pycache__" / "x.pyc").touch()
    (tmp_path / "bonequant" / ".hidden").mkdir()
    (tmp_path / "bonequant" / ".hidden" / "x.py").touch()
    assert tool.library_files(tmp_path) == (["bonequant/io/__init__.py"], ["bonequant/io/table.json"])


@pytest.fixture(scope="module")
def packaged(root, tmp_path_factory) -> Path:
    """The extension configured by CMake with stand-ins for Slicer's macros; its module folder."""
    if shutil.which("cmake") is None:
        pytest.skip("CMAKE MISSING: install cmake to check the packaging")
    source, build = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("build")
    (source / "CMakeLists.txt").write_text(TOP)
    (source / "empty.cmake").touch()
    shutil.copy(root / "CMakeLists.txt", source / "Extension.cmake")
    for name in (*MODULES, "Testing"):
        (source / name).symlink_to(root / name)
    done = subprocess.run(
        ["cmake", "-S", str(source), "-B", str(build)], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert len((build / "meta.txt").read_text().splitlines()) == 3
    return build / "packaged"


def test_the_packaged_extension_is_complete(root, packaged):
    for name in MODULES:
        assert (packaged / f"{name}.py").is_file()
        scripts = [path for path in (root / name).glob("*/*.py") if path.parent.name.startswith("BoneQuantPanels")]
        scripts += (root / name / f"{name}Lib").glob("*.py")
        for file in (*(root / name / "Resources").rglob("*"), *scripts):
            if file.is_file():
                assert (packaged / file.relative_to(root / name)).is_file(), file


def test_the_library_works_from_the_packaged_tree(packaged):
    """All modules land in one folder; bonequant is imported from there with its sub-packages and data files."""
    code = (
        "import bonequant, importlib, pathlib, sys;"
        f"assert pathlib.Path(bonequant.__file__).parents[1] == pathlib.Path({str(packaged)!r}), bonequant.__file__;"
        "[importlib.import_module('bonequant.' + name) for name in"
        " ('io', 'mrml', 'phantom', 'registration', 'roi', 'spect', 'statistics', 'volume')]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(packaged), "PATH": ""},
    )
    assert done.returncode == 0, done.stderr


def test_no_module_overwrites_a_file_of_another(root):
    """The packaged extension is flat: two modules must not bring the same path."""
    seen: dict[str, str] = {}
    for name in MODULES:
        for path in (root / name / "Resources").rglob("*"):
            if path.is_file():
                relative = path.relative_to(root / name).as_posix()
                assert relative not in seen, f"{relative} in {name} and {seen[relative]}"
                seen[relative] = name


def test_files_that_the_extension_description_points_to_exist(root):
    """The icon, and a screenshot of each visible module; one space between two, as Slicer parts them."""
    text = (root / "CMakeLists.txt").read_text(encoding="utf-8")
    home = re.search(r'EXTENSION_HOMEPAGE "https://github\.com/([^"]+)"', text)[1]
    shown = {}
    for what in ("ICONURL", "SCREENSHOTURLS"):
        urls = re.search(rf'EXTENSION_{what} "([^"]*)"', text)[1].split(" ")
        prefix = f"https://raw.githubusercontent.com/{home}/main/"
        assert all(url.startswith(prefix) for url in urls), urls
        shown[what] = [url.removeprefix(prefix) for url in urls]
        for name in shown[what]:
            assert (root / name).is_file(), name
    for module in ("marrow", "radiomics", "dce_response"):
        assert f"Docs/pictures/panel_{module}.png" in shown["SCREENSHOTURLS"]


@pytest.mark.parametrize("name", ["BoneQuant.png", *(f"{name}/Resources/Icons/{name}.png" for name in MODULES)])
def test_icons_are_128_pixels_square(root, name):
    assert sitk.ReadImage(str(root / name)).GetSize() == (128, 128)


def test_requirements_of_the_module_are_those_of_the_package(root):
    """What Slicer is asked to install is asked for, no stricter and no looser, by pyproject.toml."""
    lines = (root / "BoneQuantCore/Resources/requirements.txt").read_text(encoding="utf-8").splitlines()
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    for line in lines:
        if line and not line.startswith("#"):
            assert f'"{line}"' in project, line
            assert ">=" in line
