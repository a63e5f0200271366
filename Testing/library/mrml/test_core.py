"""Booting Slicer's core, and saying so clearly where it is not there."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from bonequant import mrml
from bonequant.errors import MissingDependencyError


def test_embedded_gives_one_scene(scene):
    import slicer

    assert mrml.embedded() is scene
    assert slicer.mrmlScene is scene
    assert not mrml.in_application()


def test_slicer_util_helpers_work_on_the_booted_core(scene):
    import slicer

    volume = slicer.util.addVolumeFromArray(np.zeros((4, 5, 6), np.int16), name="CT")
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Regions")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment = segmentation.GetSegmentation().AddEmptySegment("bone", "bone")
    drawn = np.zeros((4, 5, 6), np.uint8)
    drawn[1:3, 2:4, 3:5] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, segmentation, segment, volume)

    np.testing.assert_array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segment, volume), drawn)
    assert volume.GetDisplayNode().GetColorNode().GetID() == "vtkMRMLColorTableNodeGrey"


def test_the_application_keeps_its_own_scene(scene, monkeypatch):
    import slicer

    own = mrml.new_scene()
    monkeypatch.setattr(slicer, "app", SimpleNamespace(), raising=False)
    monkeypatch.setattr(slicer, "mrmlScene", own)
    assert mrml.in_application()
    assert mrml.embedded() is own


def test_without_slicer_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "slicer", None)
    with pytest.raises(MissingDependencyError, match=r"bonequant\[slicer\]"):
        mrml.embedded()


def test_another_package_called_slicer_is_not_taken_for_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "slicer", SimpleNamespace())
    with pytest.raises(MissingDependencyError, match="not Slicer's core"):
        mrml.embedded()


def test_importing_the_bridge_does_not_import_slicer():
    code = "import sys, bonequant.mrml; sys.exit(any(name in sys.modules for name in ('slicer', 'vtk', 'vtkmodules')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_process_that_booted_the_core_ends_cleanly_and_quietly(scene):
    code = "from bonequant import mrml; mrml.embedded(); mrml.embedded()"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
