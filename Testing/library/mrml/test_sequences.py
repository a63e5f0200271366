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


def as_slicers_dicom_reader_leaves_it(node, tag, labels, units="ms"):
    """MultiVolumeImporter numbers the frames, gives the index no name and no unit, and notes what parted them."""
    for index in range(node.GetNumberOfDataNodes()):
        node.UpdateIndexValue(node.GetNthIndexValue(index), str(index))
    node.SetIndexName("")
    node.SetIndexUnit("")
    node.SetAttribute("MultiVolume.FrameLabels", labels)
    node.SetAttribute("MultiVolume.FrameIdentifyingDICOMTagName", tag)
    node.SetAttribute("MultiVolume.FrameIdentifyingDICOMTagUnits", units)
    return node


def test_a_series_that_slicer_loaded_from_dicom_has_its_times(scene, series):
    node = as_slicers_dicom_reader_leaves_it(mrml.to_node(series), "AcquisitionTime", "0,16430.0,32860.0,60500")
    back = mrml.from_node(node)
    np.testing.assert_allclose(back.times_s, [0.0, 16.43, 32.86, 60.5], rtol=1e-15)
    np.testing.assert_array_equal(back.frames, series.frames)
    mrml.set_frame_times(node, [1.0, 2.0, 4.0, 8.0])  # typed ones go before the labels
    assert mrml.from_node(node).times_s.tolist() == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    ("tag", "labels", "units"),
    [
        ("FlipAngle", "2,10,25,30", "degrees"),
        ("EchoTime", "1,2,3,4", "ms"),
        ("Time", "0,5,10,15", "ms"),  # frame number times TR: a guess of the reader
        ("AcquisitionTime", "0,16430", "ms"),
    ],
)
def test_labels_that_are_no_times_are_not_taken_for_them(scene, series, tag, labels, units):
    node = as_slicers_dicom_reader_leaves_it(mrml.to_node(series), tag, labels, units)
    with pytest.raises(InputError, match=rf"not in time \(.*by {tag}\)\. Type its frame times"):
        mrml.from_node(node)


@pytest.mark.parametrize("kind", ["numeric", "text"])
def test_an_index_without_unit_becomes_time_when_times_are_typed(scene, series, kind):
    """Slicer reads a sequence file that has no times as frames 0, 1, 2 ... in no unit."""
    node = mrml.to_node(series)
    node.SetIndexTypeFromString(kind)
    for index in range(4):
        node.UpdateIndexValue(node.GetNthIndexValue(index), str(index) if kind == "numeric" else f"frame {3 - index}")
    node.SetIndexName("frame")
    node.SetIndexUnit("")
    mrml.set_frame_times(node, series.times_s * 3.0)
    back = mrml.from_node(node)
    np.testing.assert_allclose(back.times_s, series.times_s * 3.0, rtol=1e-15)
    np.testing.assert_array_equal(back.frames, series.frames)
    assert (node.GetIndexUnit(), node.GetIndexName(), node.GetIndexTypeAsString()) == ("s", "time", "numeric")


def test_frames_do_not_share_the_memory_of_the_series(scene, series):
    node = mrml.to_node(series)
    expected = series.frames.copy()
    series.frames[...] = -1.0
    np.testing.assert_array_equal(mrml.from_node(node).frames, expected)


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
