"""Transforms: the node must do to points in RAS what the library's transform does in LPS, in the right direction."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant import mrml
from bonequant.errors import InputError

FLIP = np.array([-1.0, -1.0, 1.0])


def rigid() -> sitk.Transform:
    return sitk.Euler3DTransform((1.0, 2.0, 3.0), 0.1, 0.2, 0.3, (4.0, 5.0, 6.0))


def affine() -> sitk.Transform:
    return sitk.CompositeTransform(
        [rigid(), sitk.TranslationTransform(3, (9.0, 8.0, 7.0)), sitk.ScaleTransform(3, (1.1, 1.0, 0.9))]
    )


def bspline() -> sitk.Transform:
    """Control points every 50 mm, moved by 3 mm (sd); its valid region covers the test points."""
    domain = sitk.Image(100, 100, 100, sitk.sitkUInt8)
    domain.SetSpacing((2.0, 2.0, 2.0))
    domain.SetOrigin((-100.0, -100.0, -100.0))
    transform = sitk.BSplineTransformInitializer(domain, [4, 4, 4])
    transform.SetParameters(np.random.default_rng(5).normal(0, 3, len(transform.GetParameters())).tolist())
    return transform


def displacement() -> sitk.Transform:
    field = sitk.TransformToDisplacementField(
        bspline(), sitk.sitkVectorFloat64, (81, 81, 81), (-80.0, -80.0, -80.0), (2.0, 2.0, 2.0)
    )
    return sitk.DisplacementFieldTransform(field)


def apply_ras(transform, point) -> np.ndarray:
    """What a VTK transform does to an LPS point."""
    return np.array(transform.TransformPoint(np.array(point) * FLIP)) * FLIP


# Slicer interpolates displacement fields with cubics, ITK linearly: on a 2 mm grid of a smooth field the two differ by
# at most h^2/8 times the curvature (3 mm / (25 mm)^2 for these control points, a few times that at the worst point).
KINDS = {
    "rigid": (rigid, 1e-10),
    "affine": (affine, 1e-10),
    "bspline": (bspline, 1e-10),
    "rigid after bspline": (lambda: sitk.CompositeTransform([rigid(), bspline()]), 1e-10),
    "bspline after rigid": (lambda: sitk.CompositeTransform([bspline(), rigid()]), 1e-10),
    "displacement": (displacement, 0.02),
}


@pytest.mark.parametrize("kind", KINDS)
def test_from_parent_is_the_librarys_transform(scene, points, kind):
    make, tolerance_mm = KINDS[kind]
    transform = make()
    node = mrml.to_node(transform, kind)
    for point in points:
        expected = transform.TransformPoint(point)
        np.testing.assert_allclose(apply_ras(node.GetTransformFromParent(), point), expected, atol=tolerance_mm)
        # Slicer inverts non-linear transforms by iteration, to 1e-3 mm by default.
        np.testing.assert_allclose(
            apply_ras(node.GetTransformToParent(), apply_ras(node.GetTransformFromParent(), point)), point, atol=5e-3
        )


@pytest.mark.parametrize("kind", KINDS)
def test_round_trip(scene, points, kind):
    transform = KINDS[kind][0]()
    back = mrml.from_node(mrml.to_node(transform, kind))
    for point in points:
        np.testing.assert_allclose(back.TransformPoint(point), transform.TransformPoint(point), atol=1e-10)


def test_linear_ones_are_linear_nodes(scene):
    assert mrml.to_node(affine()).GetClassName() == "vtkMRMLLinearTransformNode"


def test_the_sampled_image_under_the_node_lies_on_the_fixed_one(scene, oblique):
    """A marked voxel of the moving image appears in world where the fixed image has the same anatomy."""
    fixed_to_moving = rigid()
    moving = mrml.to_node(oblique, "SPECT")
    moving.SetAndObserveTransformNodeID(mrml.to_node(fixed_to_moving, "registration").GetID())
    voxel = oblique.TransformIndexToPhysicalPoint((3, 2, 1))
    on_fixed = np.array(fixed_to_moving.GetInverse().TransformPoint(voxel))

    world = np.zeros(3)
    moving.TransformPointToWorld(np.array(voxel) * FLIP, world)
    np.testing.assert_allclose(world * FLIP, on_fixed, atol=1e-9)
    np.testing.assert_allclose(mrml.transform_to_world(moving).TransformPoint(voxel), on_fixed, atol=1e-9)
    # The voxels themselves are untouched.
    assert mrml.from_node(moving).image.GetOrigin() == oblique.GetOrigin()


def test_between_a_segmentation_and_a_volume_is_what_measure_takes(scene, oblique, points):
    """With the SPECT under the registration and the mask on the CT, mask points map by the registration itself."""
    registration = rigid()
    spect = mrml.to_node(oblique, "SPECT")
    spect.SetAndObserveTransformNodeID(mrml.to_node(registration, "registration").GetID())
    regions = mrml.to_node({"bone": sitk.Cast(oblique > 0, sitk.sitkUInt8)}, "Regions")
    between = mrml.transform_between(regions, spect)
    for point in points:
        np.testing.assert_allclose(between.TransformPoint(point), registration.TransformPoint(point), atol=1e-9)


def test_a_segmentation_carried_onto_an_unmoved_volume(scene, oblique, points):
    """The other arrangement: the transform on the segmentation, inverted, and the SPECT where the scanner put it."""
    registration = rigid()
    node = mrml.to_node(registration, "registration")
    node.Inverse()
    spect = mrml.to_node(oblique, "SPECT")
    regions = mrml.to_node({"bone": sitk.Cast(oblique > 0, sitk.sitkUInt8)}, "Regions")
    regions.SetAndObserveTransformNodeID(node.GetID())
    for transform in (mrml.transform_between(regions, spect), mrml.transform_to_world(regions)):
        for point in points:
            np.testing.assert_allclose(transform.TransformPoint(point), registration.TransformPoint(point), atol=1e-9)


def test_nested_parents_are_composed_in_order(scene, oblique, points):
    inner, outer = rigid(), affine()
    volume = mrml.to_node(oblique)
    first, second = mrml.to_node(inner, "inner"), mrml.to_node(outer, "outer")
    volume.SetAndObserveTransformNodeID(first.GetID())
    first.SetAndObserveTransformNodeID(second.GetID())
    from_world = mrml.transform_between(None, volume)
    for point in points:
        expected = inner.TransformPoint(outer.TransformPoint(point))
        np.testing.assert_allclose(from_world.TransformPoint(point), expected, atol=1e-9)


def test_non_linear_parents_work_in_the_direction_of_measurement(scene, oblique, points):
    registration = sitk.CompositeTransform([rigid(), bspline()])
    spect = mrml.to_node(oblique, "SPECT")
    spect.SetAndObserveTransformNodeID(mrml.to_node(registration, "registration").GetID())
    from_world = mrml.transform_between(None, spect)
    for point in points:
        np.testing.assert_allclose(from_world.TransformPoint(point), registration.TransformPoint(point), atol=1e-9)
    with pytest.raises(InputError, match="'SPECT' to world holds the inverse of a non-linear transform"):
        mrml.transform_to_world(spect)


def test_without_parents_it_is_identity(scene, oblique, points):
    node = mrml.to_node(oblique)
    for point in points:
        np.testing.assert_allclose(mrml.transform_to_world(node).TransformPoint(point), point, atol=1e-12)


def test_the_file_slicer_writes_is_the_librarys_transform(scene, points, tmp_path):
    """Slicer's transform files hold the transform from parent, as ITK writes it."""
    import slicer

    storage = slicer.vtkMRMLTransformStorageNode()
    storage.SetFileName(str(tmp_path / "registration.h5"))
    assert storage.WriteData(mrml.to_node(rigid()))
    read = sitk.ReadTransform(str(tmp_path / "registration.h5"))
    for point in points:
        np.testing.assert_allclose(read.TransformPoint(point), rigid().TransformPoint(point), atol=1e-10)
