"""Geometry: index and millimetres against SimpleITK, and which transforms are one matrix."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import GeometryError
from bonequant.volume import Geometry, by_grid, image_from_array, is_linear, same_grid, voxel_volume_ml
from bonequant.volume.geometry import apply_matrix, matrix_of

OBLIQUE = Geometry((7, 5, 4), (1.5, 2.0, 3.5), (-11.0, 7.0, 30.0), (0.36, 0.48, -0.8, -0.8, 0.6, 0.0, 0.48, 0.64, 0.6))


def an_image(grid: Geometry = OBLIQUE) -> sitk.Image:
    return image_from_array(np.zeros(grid.shape, np.float32), grid)


def a_rigid() -> sitk.Euler3DTransform:
    transform = sitk.Euler3DTransform()
    transform.SetCenter((3.0, 4.0, 5.0))
    transform.SetRotation(0.2, -0.3, 0.4)
    transform.SetTranslation((6.0, -7.0, 8.0))
    return transform


def test_of_an_image_and_back():
    image = an_image()
    assert Geometry.of(image) == OBLIQUE
    assert OBLIQUE.shape == (4, 5, 7)
    assert OBLIQUE.voxel_volume_ml == voxel_volume_ml(image) == pytest.approx(0.0105)
    with pytest.raises(GeometryError, match="2 dimensions"):
        Geometry.of(sitk.Image(3, 3, sitk.sitkUInt8))
    with pytest.raises(GeometryError, match="cannot take a grid"):
        OBLIQUE.apply_to(sitk.Image(3, 3, 3, sitk.sitkUInt8))


def test_matrices_agree_with_simpleitk():
    image = an_image()
    for index in np.random.default_rng(0).uniform(-3, 9, (20, 3)):
        point = OBLIQUE.index_to_physical @ [*index, 1]
        assert point[:3] == pytest.approx(image.TransformContinuousIndexToPhysicalPoint(index.tolist()), abs=1e-9)
        assert (OBLIQUE.physical_to_index @ point)[:3] == pytest.approx(index, abs=1e-9)


def test_corners_are_the_outer_faces():
    image = an_image()
    corners = OBLIQUE.corners()
    assert corners[0] == pytest.approx(image.TransformContinuousIndexToPhysicalPoint((-0.5, -0.5, -0.5)))
    assert corners[-1] == pytest.approx(image.TransformContinuousIndexToPhysicalPoint((6.5, 4.5, 3.5)))


def test_same_grid_looks_at_every_corner():
    image = an_image()
    other = sitk.Image(image)
    assert same_grid(image, other)
    other.SetSpacing((1.5, 2.0, 3.501))  # 4 mm at the far corner
    assert not same_grid(image, other)
    other = sitk.Image(image)
    other.SetOrigin(np.add(image.GetOrigin(), 5e-4).tolist())
    assert same_grid(image, other)
    assert not same_grid(image, image[:-1])


def test_images_of_one_grid_come_together():
    moved = an_image()
    moved.SetOrigin((1.0, 2.0, 3.0))
    grouped = by_grid({"a": an_image(), "b": moved, "c": an_image()})
    assert [list(group) for group in grouped] == [["a", "c"], ["b"]]
    assert by_grid({}) == []


def test_a_linear_transform_is_its_matrix():
    rigid, scale = a_rigid(), sitk.ScaleTransform(3, (1.1, 0.9, 1.3))
    points = np.random.default_rng(1).uniform(-50, 50, (10, 3))
    for transform in (rigid, scale, sitk.CompositeTransform([rigid, scale]), sitk.Transform(3, sitk.sitkIdentity)):
        assert is_linear(transform)
        expected = [transform.TransformPoint(point) for point in points.tolist()]
        np.testing.assert_allclose(apply_matrix(matrix_of(transform), points), expected, atol=1e-10)
    assert is_linear(None)
    np.testing.assert_array_equal(matrix_of(None), np.eye(4))


def test_a_bent_transform_is_not():
    spline = sitk.BSplineTransformInitializer(an_image(), [3, 3, 3])
    for transform in (spline, sitk.CompositeTransform([a_rigid(), spline])):
        assert not is_linear(transform)
        with pytest.raises(GeometryError, match="not linear"):
            matrix_of(transform)
