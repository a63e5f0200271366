"""Sampling: against SimpleITK's interpolators on oblique grids and through transforms, and against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.volume import Geometry, coordinates_in, image_from_array, resample_to, sample_at
from bonequant.volume.resample import Sampler

TURNED = (0.36, 0.48, -0.8, -0.8, 0.6, 0.0, 0.48, 0.64, 0.6)
GRID = Geometry((36, 34, 30), (2.0, 2.5, 3.0), (-30.0, 5.0, 12.0), TURNED)
RANDOM = np.random.default_rng(0)
IMAGE = image_from_array(RANDOM.random(GRID.shape), GRID)
CENTRE = np.array(IMAGE.TransformContinuousIndexToPhysicalPoint((17.5, 16.5, 14.5)))


def rigid() -> sitk.Euler3DTransform:
    transform = sitk.Euler3DTransform()
    transform.SetCenter(CENTRE.tolist())
    transform.SetRotation(0.1, -0.2, 0.15)
    transform.SetTranslation((2.0, -1.0, 1.5))
    return transform


def bent() -> sitk.Transform:
    spline = sitk.BSplineTransformInitializer(IMAGE, [4, 4, 4])
    spline.SetParameters(RANDOM.normal(0, 2, len(spline.GetParameters())).tolist())
    return sitk.CompositeTransform([rigid(), spline])


TRANSFORMS = {"none": None, "rigid": rigid(), "bent": bent()}
POINTS = CENTRE + RANDOM.uniform(-9, 9, (200, 3))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_coordinates_agree_with_simpleitk(name):
    transform = TRANSFORMS[name] or sitk.Transform(3, sitk.sitkIdentity)
    expected = [
        IMAGE.TransformPhysicalPointToContinuousIndex(transform.TransformPoint(point)) for point in POINTS.tolist()
    ]
    np.testing.assert_allclose(coordinates_in(IMAGE, POINTS, TRANSFORMS[name]), expected, atol=1e-9)


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize(
    ("interpolation", "theirs"),
    [("bspline", sitk.sitkBSpline), ("linear", sitk.sitkLinear), ("nearest", sitk.sitkNearestNeighbor)],
)
def test_values_agree_with_simpleitk(name, interpolation, theirs):
    transform = TRANSFORMS[name] or sitk.Transform(3, sitk.sitkIdentity)
    expected = [IMAGE.EvaluateAtPhysicalPoint(transform.TransformPoint(point), theirs) for point in POINTS.tolist()]
    # The points lie six voxels and more inside: SimpleITK's prefilter stops at 1e-10, ours at 1e-9.
    np.testing.assert_allclose(sample_at(IMAGE, POINTS, TRANSFORMS[name], interpolation), expected, atol=1e-7)


def test_splines_go_through_the_voxels():
    points = [IMAGE.TransformIndexToPhysicalPoint(index) for index in ((0, 0, 0), (35, 33, 29), (17, 3, 20))]
    voxels = [IMAGE[0, 0, 0], IMAGE[35, 33, 29], IMAGE[17, 3, 20]]
    np.testing.assert_allclose(sample_at(IMAGE, np.array(points)), voxels, atol=1e-9)


def test_a_cubic_is_reproduced():
    """Far from the border a cubic spline is exact for polynomials of degree three."""
    grid = Geometry((60, 60, 60), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    z, y, x = np.indices(grid.shape) / 30.0 - 1
    image = image_from_array(x**3 - 2 * y**2 * z + z**3, grid)
    points = np.random.default_rng(2).uniform(24, 36, (50, 3))
    u, v, w = (points / 30.0 - 1).T
    np.testing.assert_allclose(sample_at(image, points), u**3 - 2 * v**2 * w + w**3, atol=1e-7)


def test_outside_the_outer_faces_is_nan():
    inside, outside = (IMAGE.TransformContinuousIndexToPhysicalPoint((x, 10.0, 10.0)) for x in (-0.499, -0.501))
    values = sample_at(IMAGE, np.array([inside, outside, CENTRE + 1000]))
    assert np.isfinite(values).tolist() == [True, False, False]
    assert sample_at(IMAGE, np.empty((0, 3))).shape == (0,)
    assert np.isnan(sample_at(IMAGE, np.array([CENTRE + 1000]))).all()


def test_only_the_box_around_the_points_is_filtered_and_it_makes_no_difference():
    grid = Geometry((90, 90, 90), (1.0,) * 3, (0.0,) * 3, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    large = image_from_array(np.random.default_rng(3).random(grid.shape), grid)
    index = np.array([[42.3, 41.2, 39.1], [43.9, 41.6, 38.2]])
    box, whole = Sampler(large, index.min(axis=0), index.max(axis=0)), Sampler(large, np.zeros(3), np.full(3, 89.0))
    assert box._coefficients.size < 0.1 * whole._coefficients.size
    np.testing.assert_allclose(box(index), whole(index), atol=1e-8)


def test_nan_in_the_box_never_hides():
    voxels = RANDOM.random(GRID.shape)
    voxels[15, 16, 17] = np.nan
    broken = image_from_array(voxels, GRID)
    assert np.isnan(sample_at(broken, POINTS)).all()
    assert Sampler(broken, np.full(3, 12.0), np.full(3, 20.0)).non_finite == 1


@pytest.mark.parametrize("name", TRANSFORMS)
def test_resampling_a_grid_is_sampling_at_its_points(name):
    like = Geometry(
        (9, 8, 7), (1.5, 1.5, 2.0), tuple((CENTRE - 6).tolist()), (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    )
    result = resample_to(IMAGE, like, TRANSFORMS[name])
    assert Geometry.of(result) == like
    assert result.GetPixelID() == sitk.sitkFloat32
    z, y, x = np.indices(like.shape)
    points = (np.stack([x, y, z, np.ones_like(x)], axis=-1).reshape(-1, 4) @ like.index_to_physical.T)[:, :3]
    sampled = sample_at(IMAGE, points, TRANSFORMS[name]).reshape(like.shape)
    inside = np.isfinite(sampled)
    assert inside.mean() > 0.9
    np.testing.assert_allclose(sitk.GetArrayFromImage(result)[inside], sampled[inside], atol=2e-5)


def test_resampling_says_what_lies_outside():
    away = Geometry((3, 3, 3), (1.0,) * 3, (900.0,) * 3, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    assert (sitk.GetArrayFromImage(resample_to(IMAGE, away, outside=-1024.0)) == -1024).all()
