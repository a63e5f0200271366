"""Dynamic series as sequences of volumes indexed by time."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant import mrml
from bonequant.errors import GeometryError, InputError
from bonequant.volume import Acquisition, DynamicSeries, Volume


@pytest.fixture
def series(oblique) -> DynamicSeries:
    volume = Volume(oblique)
    frames = np.stack([volume.array + shift for shift in range(4)])
    return DynamicSeries(
        frames,
        np.array([0.1, 16.43, 1 / 3 + 40, 1000.0]),
        volume.geometry,
        "MR",
        "signal",
        Acquisition(patient_weight_kg=70.0),
        durations_s=np.array([1.0, 2.0, 3.0, 4.0]),
        name="DCE",
    )


def test_round_trip(scene, series):
    back = mrml.from_node(mrml.to_node(series))
    np.testing.assert_array_equal(back.frames, series.frames)
    np.testing.assert_array_equal(back.times_s, series.times_s)
    np.testing.assert_array_equal(back.durations_s, series.durations_s)
    # Slicer normalises the direction once more when it copies a frame: the last digit may change.
    np.testing.assert_allclose(back.geometry.index_to_physical, series.geometry.index_to_physical, atol=1e-13)
    assert (back.modality, back.unit, back.name) == ("MR", "signal", "DCE")
    assert back.acquisition == series.acquisition


def test_no_frame_is_left_loose_in_the_scene(scene, series):
    before = scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    mrml.to_node(series)
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == before


@pytest.mark.parametrize(("unit", "factor"), [("ms", 1e-3), ("min", 60.0), ("Seconds", 1.0)])
def test_index_units(scene, series, unit, factor):
    node = mrml.to_node(series)
    node.SetIndexUnit(unit)
    np.testing.assert_allclose(mrml.from_node(node).times_s, series.times_s * factor, rtol=1e-15)


def test_errors(scene, series):
    with pytest.raises(InputError, match="'bare' has no frames"):
        mrml.from_node(scene.AddNewNodeByClass("vtkMRMLSequenceNode", "bare"))
    node = mrml.to_node(series)
    node.SetIndexUnit("mm")
    with pytest.raises(InputError, match="indexed in 'mm', not in time"):
        mrml.from_node(node)
    node.SetIndexUnit("s")
    node.GetNthDataNode(1).SetOrigin(0, 0, 0)
    with pytest.raises(GeometryError, match="different grids"):
        mrml.from_node(node)
    moves = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "moves")
    moves.SetIndexUnit("s")
    moves.SetDataNodeAtValue(mrml.to_node(sitk.TranslationTransform(3)), "0")
    with pytest.raises(InputError, match="not scalar volumes"):
        mrml.from_node(moves)
