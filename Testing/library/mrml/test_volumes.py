"""Volumes to nodes and back: same voxels, same place, same meaning."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant import mrml
from bonequant.errors import InputError
from bonequant.volume import Acquisition, Volume


def test_round_trip_is_bit_for_bit(scene, oblique):
    volume = Volume(oblique, "NM", "Bq/mL", name="SPECT", sha256="ab", warnings=("one; two: 'three'",))
    back = mrml.from_node(mrml.to_node(volume))
    assert back.geometry == volume.geometry
    np.testing.assert_array_equal(back.array, volume.array)
    assert (back.modality, back.unit, back.name, back.sha256) == ("NM", "Bq/mL", "SPECT", "ab")
    assert back.warnings == volume.warnings


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"]
)
def test_pixel_types_survive(scene, dtype):
    image = sitk.GetImageFromArray(np.arange(24, dtype=dtype).reshape(2, 3, 4))
    back = mrml.from_node(mrml.to_node(image))
    assert back.image.GetPixelID() == image.GetPixelID()
    np.testing.assert_array_equal(back.array, np.arange(24).reshape(2, 3, 4))


def test_voxel_lies_where_lps_says(scene, oblique):
    import vtk

    node = mrml.to_node(oblique)
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    for index in [(0, 0, 0), (6, 5, 4), (2, 3, 1)]:
        x, y, z = oblique.TransformIndexToPhysicalPoint(index)
        # Double precision on coordinates of tens of mm.
        np.testing.assert_allclose(matrix.MultiplyPoint((*index, 1.0))[:3], (-x, -y, z), atol=1e-12)


def test_left_handed_grid_survives(scene, oblique):
    oblique.SetDirection((1, 0, 0, 0, 1, 0, 0, 0, -1))
    assert mrml.from_node(mrml.to_node(oblique)).geometry.direction == (1, 0, 0, 0, 1, 0, 0, 0, -1)


def test_slicers_own_reader_agrees_on_the_place(scene, oblique, tmp_path):
    import slicer

    sitk.WriteImage(oblique, str(tmp_path / "image.nrrd"))
    node = slicer.modules.volumes.logic().AddArchetypeVolume(str(tmp_path / "image.nrrd"), "image")
    read, made = mrml.from_node(node), mrml.from_node(mrml.to_node(oblique))
    # Files keep 15 or more digits.
    np.testing.assert_allclose(read.geometry.index_to_physical, made.geometry.index_to_physical, atol=1e-9)
    np.testing.assert_array_equal(read.array, made.array)


@pytest.mark.parametrize(
    ("unit", "code", "quantity"),
    [
        ("HU", "[hnsf'U]", "112031"),
        ("Bq/mL", "Bq/ml", None),
        ("counts", "{counts}", None),
        ("SUVbw", "g/ml{SUVbw}", "126400"),
        ("SUVlbm", "g/ml{SUVlbm}", "126400"),
        ("SUVbsa", "cm2/ml{SUVbsa}", "126400"),
    ],
)
def test_units_are_coded(scene, oblique, unit, code, quantity):
    node = mrml.to_node(Volume(oblique, unit=unit))
    assert node.GetVoxelValueUnits().GetCodeValue() == code
    found = node.GetVoxelValueQuantity()
    assert (found.GetCodeValue() if found is not None else None) == quantity
    node.RemoveAttribute("BoneQuant.Unit")
    assert mrml.from_node(node).unit == unit


def test_units_of_older_files_and_unknown_ones(scene, oblique):
    import slicer

    node = mrml.to_node(Volume(oblique, unit="ratio to blood pool"))
    assert node.GetVoxelValueUnits() is None
    assert mrml.from_node(node).unit == "ratio to blood pool"
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning("{SUVbw}g/ml", "UCUM", "Standardized Uptake Value body weight")
    node.SetVoxelValueUnits(entry)
    assert mrml.from_node(node).unit == "SUVbw"


def test_acquisition_facts_survive_but_identifiers_do_not(scene, oblique):
    facts = Acquisition(
        patient_id="12345",
        patient_name="Doe^Jane",
        study_uid="1.2.3",
        series_uid="1.2.3.4",
        patient_weight_kg=71.5,
        injection_time=datetime(2024, 2, 29, 8, 5, 1, 250000),
        corrections=("ATTN", "SCAT"),
        calibration_factor_cps_per_mbq=1 / 3,
        protocol={"collimator": 'LEHR; "low: energy"', "energy_windows_kev": ((126.0, 154.0),)},
        typed=("patient_weight_kg",),
    )
    node = mrml.to_node(Volume(oblique, "NM", "counts", facts))
    back = mrml.from_node(node).acquisition
    assert back.patient_weight_kg == 71.5
    assert back.injection_time == facts.injection_time
    assert back.corrections == ("ATTN", "SCAT")
    assert back.calibration_factor_cps_per_mbq == 1 / 3
    assert back.protocol == facts.protocol
    assert back.typed == facts.typed
    assert (back.patient_id, back.patient_name, back.study_uid, back.series_uid) == (None, None, None, None)

    kept = mrml.volume_to_node(Volume(oblique, "NM", "counts", facts), identifiers=True)
    assert mrml.from_node(kept).acquisition == facts


def test_modality_from_slicers_dicom_import(scene, oblique):
    node = mrml.to_node(oblique)
    node.RemoveAttribute("BoneQuant.Modality")
    hierarchy = scene.GetSubjectHierarchyNode()
    item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
    assert mrml.from_node(node).modality == "OT"
    hierarchy.SetItemAttribute(item, "DICOM.Modality", "PT")
    assert mrml.from_node(node).modality == "PT"


def test_empty_and_vector_nodes_are_refused_by_name(scene):
    import vtk

    with pytest.raises(InputError, match="'nothing' holds no voxels"):
        mrml.from_node(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing"))
    vector = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "colours")
    image = vtk.vtkImageData()
    image.SetDimensions(2, 2, 2)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    vector.SetAndObserveImageData(image)
    with pytest.raises(InputError, match="'colours' has 3 values per voxel"):
        mrml.from_node(vector)


def test_the_volume_outlives_its_node(scene, oblique):
    node = mrml.to_node(oblique)
    back = mrml.from_node(node)
    scene.RemoveNode(node)
    np.testing.assert_array_equal(back.array, sitk.GetArrayFromImage(oblique))


@pytest.mark.parametrize("obj", [3, "text", {"a": 1}, [1, 2], None])
def test_other_things_are_refused(scene, obj):
    with pytest.raises(InputError, match="cannot become a node"):
        mrml.to_node(obj)


def test_other_nodes_are_refused(scene):
    with pytest.raises(InputError, match="No node"):
        mrml.from_node(None)
    with pytest.raises(InputError, match="vtkMRMLTextNode"):
        mrml.from_node(scene.AddNewNodeByClass("vtkMRMLTextNode", "note"))
