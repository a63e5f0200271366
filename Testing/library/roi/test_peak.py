"""SUVpeak: the sphere's weights and its mean against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.roi import measure, suv_peak
from bonequant.roi.sphere import sphere_means, sphere_weights
from bonequant.volume import Volume, image_from_array
from scipy import integrate

R = 6.204


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.98, 0.98, 3.0), (4.42, 4.42, 4.42), (2.0, 3.0, 5.0)])
def test_weights_are_the_volumes_shared_with_the_sphere(spacing):
    """A voxel wholly inside weighs its own volume; layers of voxels weigh as slabs of the ball do."""
    weights = sphere_weights(spacing, R)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    if 3 * np.sum(np.square(spacing)) / 4 < R**2:
        assert weights.max() == pytest.approx(np.prod(spacing) / (4 / 3 * np.pi * R**3), abs=1e-5)
    for axis, step in zip((2, 1, 0), spacing, strict=True):
        places = (np.arange(weights.shape[axis]) - weights.shape[axis] // 2) * step
        along = weights.sum(axis=tuple(set(range(3)) - {axis}))
        exact = [ball_between(place - step / 2, place + step / 2) for place in places]
        np.testing.assert_allclose(along, exact, atol=2e-5)  # 64 lines per voxel


def ball_between(low, high):
    """Share of a ball's volume between two planes."""
    low, high = np.clip([low, high], -R, R)
    return 0.75 * ((high - low) / R - (high**3 - low**3) / (3 * R**3))


def test_a_uniform_image_peaks_at_its_value_even_at_the_border(shapes):
    grid = shapes.grid((12, 12, 12), (4.0, 4.0, 4.0))
    volume = Volume(image=image_from_array(np.full(grid.shape, 7.25, np.float32), grid))
    whole = image_from_array(np.ones(grid.shape, bool), grid)
    assert suv_peak(volume, whole) == pytest.approx(7.25, rel=1e-12)


def test_a_ramp_peaks_at_the_outermost_centre_in_the_region(shapes):
    """The mean of a ramp in a sphere is its value at the centre."""
    grid = shapes.grid((40, 40, 20), (2.0, 2.0, 3.5))
    points = shapes.points(grid)
    volume = Volume(image=image_from_array(100 + points @ (1.0, 2.0, -0.5), grid))
    mask = shapes.ball(grid, (0, 0, 0), 15)
    chosen = points[shapes.array(mask) > 0]
    assert suv_peak(volume, mask) == pytest.approx((100 + chosen @ (1.0, 2.0, -0.5)).max(), rel=1e-10)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.98, 0.98, 3.0)])
def test_a_gaussian_blob(shapes, spacing):
    """Mean of exp(-r^2/2s^2) in the ball; voxels of one value each lower it by sum(step^2)/24s^2, to second order."""
    s = 8.0
    grid = shapes.grid((61, 61, 31), spacing)
    volume = Volume(image=image_from_array(np.exp(-((shapes.points(grid) / s) ** 2).sum(axis=-1) / 2), grid))
    exact = 3 / R**3 * integrate.quad(lambda r: r**2 * np.exp(-(r**2) / (2 * s**2)), 0, R)[0]
    lowered = exact * (1 - np.square(spacing).sum() / (24 * s**2))
    assert suv_peak(volume, shapes.ball(grid, (0, 0, 0), 6)) == pytest.approx(lowered, rel=5e-4)


def test_the_sphere_reaches_beyond_the_region_but_its_centre_does_not(shapes):
    grid = shapes.grid((41, 41, 41), (1.0, 1.0, 1.0))
    points = shapes.points(grid)
    values = np.where(points[..., 0] >= 0.5, 10.0, 0.0)  # hot half space; the plane lies between two voxels
    volume = Volume(image=image_from_array(values, grid))
    cold_side = shapes.box(grid, (-8, -3, -3), (0, 3, 3))
    # Best centre x = 0, the plane 0.5 mm away: the share of the ball beyond it.
    assert suv_peak(volume, cold_side) == pytest.approx(10.0 * ball_between(0.5, R), rel=1e-3)
    result = measure(volume, cold_side)
    assert result.peak == suv_peak(volume, cold_side)
    assert result.peak_mm[0] == 0.0
    assert result.max == 0.0


def test_a_sphere_smaller_than_a_voxel_gives_the_voxel(shapes):
    grid = shapes.grid((7, 7, 7), (15.0, 15.0, 15.0))
    values = np.random.default_rng(0).random(grid.shape)
    volume = Volume(image=image_from_array(values, grid))
    assert sphere_weights(grid.spacing, R).size == 1
    assert suv_peak(volume, image_from_array(np.ones(grid.shape, bool), grid)) == pytest.approx(values.max(), rel=1e-12)


def test_means_agree_with_direct_sums_and_leave_out_what_is_missing():
    random = np.random.default_rng(3)
    voxels = random.random((9, 8, 7)) * 1e3
    voxels[4, 4, 4] = np.nan
    weights = sphere_weights((3.0, 4.0, 5.0), R)
    means = sphere_means(voxels, np.array([0, 0, 0]), np.array(voxels.shape), weights)
    reach = np.array(weights.shape) // 2
    for place in ((0, 0, 0), (4, 4, 3), (8, 7, 6), (5, 4, 4), (4, 4, 4)):
        total = share = 0.0
        for offset in np.ndindex(weights.shape):
            there = np.array(place) + offset - reach
            if (there >= 0).all() and (there < voxels.shape).all() and np.isfinite(voxels[tuple(there)]):
                total += weights[offset] * voxels[tuple(there)]
                share += weights[offset]
        assert means[place] == pytest.approx(total / share, rel=1e-10)


def test_an_oblique_image_has_the_same_peak(shapes):
    random = np.random.default_rng(1)
    straight = shapes.grid((20, 20, 20), (4.0, 4.0, 4.0))
    oblique = shapes.grid((20, 20, 20), (4.0, 4.0, 4.0), shapes.turned)
    values = random.random(straight.shape)
    ones = np.zeros(straight.shape, bool)
    ones[5:15, 5:15, 5:15] = True
    peaks = [
        suv_peak(Volume(image=image_from_array(values, grid)), image_from_array(ones, grid))
        for grid in (straight, oblique)
    ]
    assert peaks[0] == pytest.approx(peaks[1], rel=1e-12)


def test_a_mask_beside_the_image_is_refused(shapes):
    grid = shapes.grid((10, 10, 10), (4.0, 4.0, 4.0))
    volume = Volume(image=image_from_array(np.ones(grid.shape), grid), name="SPECT")
    away = shapes.grid((10, 10, 10), (4.0, 4.0, 4.0), centre=(300.0, 0.0, 0.0))
    with pytest.raises(InputError, match=r"'SPECT' does not overlap the mask"):
        suv_peak(volume, shapes.ball(away, (300, 0, 0), 10))
