"""A marrow result as a scene: everything there, the functional side laid on the CT by the transform alone."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant import mrml
from bonequant.volume import Volume, same_grid


@pytest.fixture
def result(oblique) -> SimpleNamespace:
    """The attributes of a MarrowResult that a scene shows."""
    spect = sitk.GetImageFromArray(np.random.default_rng(7).random((6, 6, 6)).astype(np.float32))
    spect.SetSpacing((4.42, 4.42, 4.42))
    functional = Volume(spect, "NM", "SUVbw", name="SPECT")
    return SimpleNamespace(
        functional=functional,
        ct=Volume(sitk.Cast(oblique * 300, sitk.sitkInt16), "CT", "HU"),
        transform=sitk.Euler3DTransform((1.0, 2.0, 3.0), 0.1, 0.2, 0.3, (4.0, 5.0, 6.0)),
        masks_on_ct={"marrow": sitk.Cast(oblique > 0, sitk.sitkUInt8), "liver": sitk.Cast(oblique > 1, sitk.sitkUInt8)},
        masks_on_functional={
            "liver": sitk.Cast(spect > 0.5, sitk.sitkUInt8),
            "red_marrow": sitk.Cast(spect > 0.7, sitk.sitkUInt8),
            "partly": spect,
        },
        maps={"suv": functional},
        rows=({"region": "marrow", "mean": 1 / 3},),
        lesion_rows=(),
    )


def test_every_part_is_in_its_place(scene, result, tmp_path):
    read = mrml.read_scene(mrml.write_marrow_scene(result, tmp_path / "scene.mrb"))
    moved = ("Functional", "Map suv", "Regions on Functional", "partly")
    for name in moved:
        assert read.GetFirstNodeByName(name).GetParentTransformNode().GetName() == "CT to functional"
    for name in ("CT", "Regions on CT"):
        assert read.GetFirstNodeByName(name).GetParentTransformNode() is None

    assert list(mrml.from_node(read.GetFirstNodeByName("Regions on CT"))) == ["marrow", "liver"]
    drawn = mrml.from_node(read.GetFirstNodeByName("Regions on Functional"))
    assert list(drawn) == ["liver on functional", "red_marrow"]
    assert same_grid(drawn["red_marrow"], result.functional.image)
    partly = mrml.from_node(read.GetFirstNodeByName("partly"))
    np.testing.assert_array_equal(partly.array, result.functional.array)
    assert partly.unit == "fraction"

    assert mrml.from_node(read.GetFirstNodeByName("Regions table")) == [{"region": "marrow", "mean": 1 / 3}]
    assert read.GetFirstNodeByName("Lesions table") is None
    between = mrml.transform_between(read.GetFirstNodeByName("CT"), read.GetFirstNodeByName("Functional"))
    point = (7.0, -3.0, 11.0)
    np.testing.assert_allclose(between.TransformPoint(point), result.transform.TransformPoint(point), atol=1e-9)


def test_without_ct_and_alignment(scene, result, tmp_path):
    result.ct, result.transform, result.masks_on_ct = None, None, {}
    read = mrml.read_scene(mrml.write_marrow_scene(result, tmp_path / "scene.mrb"))
    assert read.GetFirstNodeByName("Functional").GetParentTransformNode() is None
    assert list(mrml.from_node(read.GetFirstNodeByName("Regions on Functional"))) == ["liver", "red_marrow"]
