"""A scene bundle written here, opened by Slicer's own reader in another process, and compared."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant import mrml
from bonequant.errors import InputError
from bonequant.volume import Acquisition, Volume, same_grid

ROWS = [{"region": "L1", "suv_mean": 1 / 3, "voxels": 5}, {"region": 'L2 "upper"', "suv_mean": np.nan, "voxels": 6}]

# Reads the bundle as the application does (vtkMRMLScene::ReadFromMRB), without anything of BoneQuant.
READER = """
import json, sys, tempfile
import numpy as np, slicer, vtk
from slicer.util import arrayFromVolume

scene = slicer.mrmlScene = slicer.vtkMRMLScene()
application = slicer.vtkSlicerApplicationLogic()
application.SetMRMLScene(scene)
remote = slicer.vtkMRMLRemoteIOLogic()
remote.SetMRMLScene(scene)
remote.SetMRMLApplicationLogic(application)
remote.GetCacheManager().SetRemoteCacheDirectory(tempfile.mkdtemp())
manager = slicer.vtkDataIOManagerLogic()
manager.SetMRMLScene(scene)
manager.SetMRMLApplicationLogic(application)
manager.SetAndObserveDataIOManager(remote.GetDataIOManager())
remote.AddDataIOToScene()
assert scene.ReadFromMRB(sys.argv[1])

def matrix(node):
    ras = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(ras)
    return [ras.GetElement(i, j) for i in range(4) for j in range(4)]

volumes = {node.GetName(): node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", scene)}
segmentations = slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene)
world = np.zeros(3)
volumes["spect"].TransformPointToWorld([-10.0, -20.0, 30.0], world)
table = scene.GetFirstNodeByName("results")
column = table.GetTable().GetColumnByName("suv_mean")
print(json.dumps({
    "volumes": {name: {"matrix": matrix(node), "sum": float(arrayFromVolume(node).astype(float).sum()),
                       "shape": arrayFromVolume(node).shape, "unit": node.GetVoxelValueUnits().GetCodeValue()}
                for name, node in volumes.items()},
    "segments": [[s.GetNthSegment(i).GetName() for i in range(s.GetNumberOfSegments())]
                 for s in (node.GetSegmentation() for node in segmentations)],
    "world": list(world),
    "mean": column.GetValue(0), "double": column.GetDataType() == vtk.VTK_DOUBLE,
    "unit": table.GetColumnUnitLabel("suv_mean"),
}))
"""


@pytest.fixture
def content(oblique) -> dict:
    ct = sitk.Cast(oblique * 300, sitk.sitkInt16)
    spect = sitk.GetImageFromArray(np.random.default_rng(6).normal(size=(4, 4, 4)).astype(np.float32))
    spect.SetOrigin((10.0, -20.0, 30.0))
    spect.SetSpacing((4.42, 4.42, 4.42))
    facts = Acquisition(patient_name="Doe^Jane", patient_id="12345", patient_weight_kg=70.0)
    bone = sitk.Cast(oblique > 0, sitk.sitkUInt8)
    marrow = sitk.Cast(oblique > 0.5, sitk.sitkUInt8)
    hot = sitk.Cast(spect > 0, sitk.sitkUInt8)
    return {
        "volumes": {"ct": Volume(ct, "CT", "HU", facts), "spect": Volume(spect, "NM", "SUVbw", facts)},
        "masks": {"bone": bone, "marrow": marrow, "lesion_1": hot, "none_found": bone * 0},
        "transforms": {"registration": sitk.Euler3DTransform((1.0, 2.0, 3.0), 0.1, 0.2, 0.3, (4.0, 5.0, 6.0))},
        "tables": {"results": ROWS},
        "parent": {"spect": "registration", "lesion_1": "registration"},
        "units": {"results": {"suv_mean": "g/mL"}},
    }


def test_slicers_own_reader_finds_everything_in_its_place(scene, content, tmp_path):
    path = mrml.write_scene(tmp_path / "results" / "marrow.mrb", **content)
    done = subprocess.run([sys.executable, "-c", READER, str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)

    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    for name, volume in content["volumes"].items():
        read = found["volumes"][name]
        matrix = flip @ np.array(read["matrix"]).reshape(4, 4)
        # mm; the promise is 0.001, a file keeps far more.
        np.testing.assert_allclose(matrix, volume.geometry.index_to_physical, atol=1e-9)
        assert tuple(read["shape"]) == volume.array.shape
        assert read["sum"] == volume.array.astype(float).sum()
    assert found["volumes"]["ct"]["unit"] == "[hnsf'U]"
    assert found["segments"] == [["bone", "marrow", "none_found"], ["lesion_1"]]
    # The SPECT point (10, 20, 30) LPS lies in world where the inverse of CT -> SPECT takes it.
    on_ct = content["transforms"]["registration"].GetInverse().TransformPoint((10.0, 20.0, 30.0))
    np.testing.assert_allclose(np.array(found["world"]) * [-1, -1, 1], on_ct, atol=1e-6)
    assert (found["mean"], found["double"], found["unit"]) == (1 / 3, True, "g/mL")


def test_read_scene_gives_back_the_librarys_objects(scene, content, tmp_path):
    read = mrml.read_scene(mrml.write_scene(tmp_path / "marrow.mrb", **content))
    ct = mrml.from_node(read.GetFirstNodeByName("ct"))
    assert same_grid(ct.image, content["volumes"]["ct"].image)
    np.testing.assert_array_equal(ct.array, content["volumes"]["ct"].array)
    assert (ct.modality, ct.unit, ct.acquisition.patient_weight_kg) == ("CT", "HU", 70.0)

    masks = mrml.from_node(read.GetFirstNodeByName("Regions on ct"))
    masks |= mrml.from_node(read.GetFirstNodeByName("Regions on spect"))
    for name, mask in content["masks"].items():
        assert same_grid(masks[name], mask)
        np.testing.assert_array_equal(sitk.GetArrayFromImage(masks[name]), sitk.GetArrayFromImage(mask))

    rows = mrml.from_node(read.GetFirstNodeByName("results"))
    assert rows[0] == ROWS[0]
    assert rows[1]["region"].replace("'", '"') == ROWS[1]["region"]
    assert np.isnan(rows[1]["suv_mean"])
    between = mrml.transform_between(read.GetFirstNodeByName("Regions on ct"), read.GetFirstNodeByName("spect"))
    point = (3.0, 2.0, 1.0)
    np.testing.assert_allclose(
        between.TransformPoint(point), content["transforms"]["registration"].TransformPoint(point), atol=1e-9
    )


def test_no_identifier_and_no_path_of_this_machine_is_in_the_file(scene, content, tmp_path):
    path = mrml.write_scene(tmp_path / "marrow.mrb", **content)
    with zipfile.ZipFile(path) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
        assert all(name.startswith("marrow/") for name in archive.namelist())
    for secret in (b"Doe", b"12345", str(tmp_path).encode(), b"/tmp/"):
        assert secret not in everything


def test_the_embedded_scene_is_left_alone(scene, content, tmp_path):
    before = scene.GetNumberOfNodes()
    mrml.write_scene(tmp_path / "marrow.mrb", **content)
    assert scene.GetNumberOfNodes() == before


def test_a_bspline_registration_survives(scene, content, tmp_path):
    domain = sitk.Image(50, 50, 50, sitk.sitkUInt8)
    domain.SetSpacing((4.0, 4.0, 4.0))
    domain.SetOrigin((-100.0, -100.0, -100.0))
    bspline = sitk.BSplineTransformInitializer(domain, [4, 4, 4])
    bspline.SetParameters(np.random.default_rng(3).normal(0, 3, len(bspline.GetParameters())).tolist())
    registration = sitk.CompositeTransform([content["transforms"]["registration"], bspline])
    read = mrml.read_scene(
        mrml.write_scene(tmp_path / "marrow.mrb", **{**content, "transforms": {"registration": registration}})
    )
    back = mrml.from_node(read.GetFirstNodeByName("registration"))
    for point in np.random.default_rng(4).uniform(-30, 30, (10, 3)).tolist():
        np.testing.assert_allclose(back.TransformPoint(point), registration.TransformPoint(point), atol=1e-9)


@pytest.mark.parametrize("name", ["Regions table", "L/R 100%: ü"])
def test_names_with_odd_characters(scene, oblique, tmp_path, name):
    """Slicer writes such names encoded, differently in the scene and on disk; tables keep all digits all the same."""
    path = mrml.write_scene(tmp_path / "odd.mrb", volumes={"V " + name: Volume(oblique)}, tables={name: [{"a": 1 / 3}]})
    read = mrml.read_scene(path)
    assert mrml.from_node(read.GetFirstNodeByName(name)) == [{"a": 1 / 3}]
    np.testing.assert_array_equal(
        mrml.from_node(read.GetFirstNodeByName("V " + name)).array, sitk.GetArrayFromImage(oblique)
    )
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 4  # scene, volume, table and its schema


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parent": {"pet": "registration"}}, "pet"),
        ({"parent": {"spect": "elsewhere"}}, "elsewhere"),
        ({"units": {"elsewhere": {}}}, "elsewhere"),
        ({"masks": {"ct": None}}, "ct names more than one thing"),
    ],
)
def test_wrong_names_are_refused_before_anything_is_written(scene, content, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        mrml.write_scene(tmp_path / "marrow.mrb", **{**content, **change})
    assert list(tmp_path.iterdir()) == []


def test_only_bundles(scene, content, tmp_path):
    with pytest.raises(InputError, match=r"ends in \.mrb"):
        mrml.write_scene(tmp_path / "marrow.mrml", **content)
    (tmp_path / "text.mrb").write_text("no zip")
    with pytest.raises(InputError, match="no readable scene bundle"):
        mrml.read_scene(tmp_path / "text.mrb")
    with pytest.raises(InputError, match="no readable scene bundle"):
        mrml.read_scene(tmp_path / "missing.mrb")
    with zipfile.ZipFile(tmp_path / "empty.mrb", "w") as archive:
        archive.writestr("a.txt", "")
    with pytest.raises(InputError, match="holds 0 scenes"):
        mrml.read_scene(tmp_path / "empty.mrb")
    assert sorted(file.name for file in Path(tmp_path).iterdir()) == ["empty.mrb", "text.mrb"]
