"""Propagation: covered fractions against closed forms, brute force and conservation of volume and centre."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import GeometryError, InputError
from bonequant.roi import propagate
from bonequant.volume import Volume, image_from_array

CT = ((64, 60, 24), (0.98, 0.98, 3.0))
SPECT = ((22, 22, 22), (4.42, 4.42, 4.42))


def blank(grid):
    return image_from_array(np.zeros(grid.shape, np.float32), grid)


def centroid(weights, points):
    return (weights[..., None] * points).sum(axis=(0, 1, 2)) / weights.sum()


def test_the_same_grid_returns_the_mask_as_it_is(shapes):
    grid = shapes.grid(*CT, shapes.turned)
    values = np.random.default_rng(0).random(grid.shape).astype(np.float32)
    for mask in (shapes.ball(grid, (0, 0, 0), 12), image_from_array(values, grid)):
        result = propagate(mask, mask, sitk.Euler3DTransform())
        assert result.GetPixelID() == sitk.sitkFloat32
        np.testing.assert_array_equal(shapes.array(result), shapes.array(mask))


def test_parallel_grids_give_the_exact_overlap(shapes):
    """The covered fraction of a box is the product of three overlaps of intervals: to float32 rounding."""
    fine, coarse = shapes.grid(*CT), shapes.grid(*SPECT, centre=(0.7, -1.3, 0.4))
    mask = shapes.box(fine, (-10, -7, -8), (9, 11, 13))
    inside = shapes.points(fine)[shapes.array(mask) > 0]
    low, high = (side + sign * np.array(fine.spacing) / 2 for side, sign in ((inside.min(0), -1), (inside.max(0), 1)))
    centres = shapes.points(coarse)
    overlap = np.minimum(centres + 2.21, high) - np.maximum(centres - 2.21, low)
    expected = (np.clip(overlap, 0, None) / 4.42).prod(axis=-1)
    np.testing.assert_allclose(shapes.array(propagate(mask, blank(coarse))), expected, atol=1e-6)


def test_a_volume_is_taken_as_the_grid(shapes):
    coarse = shapes.grid(*SPECT)
    mask = shapes.ball(shapes.grid(*CT), (0, 0, 0), 11)
    volume = Volume(image=blank(coarse))
    np.testing.assert_array_equal(shapes.array(propagate(mask, volume)), shapes.array(propagate(mask, volume.image)))


@pytest.mark.parametrize("seed", range(6))
def test_rigid_transforms_conserve_volume_and_carry_the_centre(shapes, seed):
    """0.1 % of the volume of a 22 mm sphere and 0.05 mm: what the 0.5 % of the propagation bias leaves room for."""
    random = np.random.default_rng(seed)
    fine, coarse = shapes.grid(*CT), shapes.grid(*SPECT, shapes.turned if seed % 2 else shapes.grid(*SPECT).direction)
    mask = shapes.ball(fine, random.uniform(-4, 4, 3), 11)
    transform = shapes.rigid(random.uniform(-0.3, 0.3, 3), tuple(random.uniform(-9, 9, 3)))
    drawn, carried = shapes.array(mask), shapes.array(propagate(mask, blank(coarse), transform))
    assert carried.sum() * coarse.voxel_volume_ml == pytest.approx(drawn.sum() * fine.voxel_volume_ml, rel=1e-3)
    expected = transform.TransformPoint(centroid(drawn, shapes.points(fine)).tolist())
    assert np.abs(centroid(carried, shapes.points(coarse)) - expected).max() < 0.05
    assert carried.max() <= 1.0
    assert carried.min() >= 0.0


def test_oblique_shell_agrees_with_brute_force(shapes):
    """A shell thinner than a target voxel, 4096 nearest look-ups per voxel: their own error is about 0.003."""
    fine, coarse = shapes.grid(*CT), shapes.grid((14, 14, 14), SPECT[1])
    distance = np.linalg.norm(shapes.points(fine) - (1, 2, 3), axis=-1)
    shell = (np.abs(distance - 15) < 1.2).astype(np.uint8)
    transform = shapes.rigid()
    result = shapes.array(propagate(image_from_array(shell, fine), blank(coarse), transform))

    back = np.linalg.inv(np.array(transform.GetMatrix()).reshape(3, 3))
    points = shapes.points(coarse).reshape(-1, 3) - transform.GetTranslation()
    counts = np.zeros(len(points))
    steps = (np.arange(16) + 0.5) / 16 - 0.5
    for offset in itertools.product(steps, steps, steps):
        there = (points + np.array(offset) * 4.42) @ back.T
        index = np.rint((there - fine.origin) / fine.spacing).astype(int)
        inside = ((index >= 0) & (index < fine.size)).all(axis=1)
        x, y, z = index[inside].T
        counts[inside] += shell[z, y, x]
    difference = result.reshape(-1) - counts / 4096
    assert np.abs(difference).max() < 0.012
    assert np.sqrt((difference[counts > 0] ** 2).mean()) < 0.003


def test_an_oblique_direction_equals_the_same_turn_as_a_transform(shapes):
    fine = shapes.grid(*CT)
    mask = shapes.ball(fine, (2, -3, 1), 13)
    turn = sitk.AffineTransform(3)
    turn.SetMatrix(tuple(np.linalg.inv(np.array(shapes.turned).reshape(3, 3)).ravel()))
    oblique = propagate(mask, blank(shapes.grid(*SPECT, shapes.turned)))
    turned = propagate(mask, blank(shapes.grid(*SPECT)), turn)
    np.testing.assert_allclose(shapes.array(oblique), shapes.array(turned), atol=1e-5)


def test_coarse_to_fine_leaves_no_stairs(shapes):
    """A ball drawn on the SPECT: on the CT its surface passes through many levels, its volume stays."""
    coarse, fine = shapes.grid(*SPECT), shapes.grid((90, 90, 40), (0.98, 0.98, 3.0))
    mask = shapes.ball(coarse, (1, 2, 0), 14)
    result = shapes.array(propagate(mask, blank(fine)))
    assert result.sum() * fine.voxel_volume_ml == pytest.approx(
        shapes.array(mask).sum() * coarse.voxel_volume_ml, rel=2e-3
    )
    # Linear interpolation over voxels 4.5 times larger: a step from one fine voxel to the next is at most 1/4.5.
    assert np.abs(np.diff(result, axis=2)).max() < 0.98 / 4.42 + 1e-3


def test_an_affine_transform_scales_the_volume(shapes):
    fine, coarse = shapes.grid(*CT), shapes.grid(*SPECT)
    mask = shapes.ball(fine, (0, 0, 0), 12)
    grow = sitk.ScaleTransform(3, (1.2, 0.9, 1.1))
    volume = shapes.array(propagate(mask, blank(coarse), grow)).sum() * coarse.voxel_volume_ml
    assert volume == pytest.approx(shapes.array(mask).sum() * fine.voxel_volume_ml * 1.2 * 0.9 * 1.1, rel=1e-3)


def test_a_rigid_displacement_field_carries_as_the_rigid_transform_does(shapes):
    """Only the type differs, so only the lattice and the inversion do: 0.001 mask voxel of a 1 mm edge."""
    mask = shapes.ball(shapes.grid(*CT), (2, -3, 1), 11)
    coarse = blank(shapes.grid(*SPECT))
    rigid = shapes.rigid()
    bent = sitk.CompositeTransform([shapes.as_field(rigid)])
    np.testing.assert_allclose(
        shapes.array(propagate(mask, coarse, bent)), shapes.array(propagate(mask, coarse, rigid)), atol=2e-3
    )


def test_a_non_linear_transform_moves_the_faces_where_it_says(shapes):
    """x moves by 4 sin(2 pi x / 90): the faces of a box move to known places, and so its volume."""
    fine, coarse = shapes.grid(*CT), shapes.grid(*SPECT)
    mask = shapes.box(fine, (-18, -9, -12), (14, 9, 12))
    axis = np.arange(-80.0, 80.1, 1.0)
    field = np.zeros((3, 3, len(axis), 3))
    field[..., 0] = 4 * np.sin(2 * np.pi * axis / 90)
    image = sitk.GetImageFromArray(field, isVector=True)
    image.SetSpacing((1.0, 100.0, 100.0))
    image.SetOrigin((-80.0, -100.0, -100.0))
    # Constant along y and z: three nodes of 100 mm are enough.
    bend = sitk.DisplacementFieldTransform(image)
    result = shapes.array(propagate(mask, blank(coarse), bend))

    inside = shapes.points(fine)[shapes.array(mask) > 0]
    faces = np.array([inside[:, 0].min() - 0.49, inside[:, 0].max() + 0.49])
    moved = faces + 4 * np.sin(2 * np.pi * faces / 90)
    drawn = shapes.array(mask).sum() * fine.voxel_volume_ml
    assert result.sum() * coarse.voxel_volume_ml == pytest.approx(
        drawn * np.diff(moved)[0] / np.diff(faces)[0], rel=2e-3
    )
    along_x = result.sum(axis=(0, 1)) / result.sum(axis=(0, 1)).max()
    centres = shapes.points(coarse)[0, 0, :, 0]
    expected = np.clip(np.minimum(centres + 2.21, moved[1]) - np.maximum(centres - 2.21, moved[0]), 0, None) / 4.42
    np.testing.assert_allclose(along_x, expected, atol=0.01)


def test_a_transform_that_folds_is_refused(shapes):
    axis = np.arange(-60.0, 60.1, 2.0)
    field = np.zeros((3, 3, len(axis), 3))
    field[..., 0] = 15 * np.sin(2 * np.pi * axis / 30)  # slope of -pi: points change their order
    image = sitk.GetImageFromArray(field, isVector=True)
    image.SetSpacing((2.0, 100.0, 100.0))
    image.SetOrigin((-60.0, -100.0, -100.0))
    mask = shapes.ball(shapes.grid(*CT), (0, 0, 0), 20)
    with pytest.raises(GeometryError, match="folds"):
        propagate(mask, blank(shapes.grid(*SPECT)), sitk.DisplacementFieldTransform(image))


def test_what_lies_outside_is_lost_and_the_rest_stays(shapes):
    fine = shapes.grid(*CT)
    mask = shapes.box(fine, (-10, -10, -10), (10, 10, 10))
    whole = shapes.array(propagate(mask, blank(shapes.grid(*SPECT))))
    # The right half of the same grid.
    half = shapes.grid((11, 22, 22), SPECT[1], centre=(11 * 4.42 / 2, 0, 0))
    np.testing.assert_allclose(shapes.array(propagate(mask, blank(half))), whole[:, :, 11:], atol=1e-6)
    away = shapes.grid(*SPECT, centre=(500, 0, 0))
    assert shapes.array(propagate(mask, blank(away))).sum() == 0


def test_fractions_are_carried_as_fractions(shapes):
    fine, coarse = shapes.grid(*CT), shapes.grid(*SPECT)
    ball = shapes.array(shapes.ball(fine, (0, 0, 0), 12)).astype(np.float32)
    once = shapes.array(propagate(image_from_array(ball, fine), blank(coarse), shapes.rigid()))
    half = shapes.array(propagate(image_from_array(0.5 * ball, fine), blank(coarse), shapes.rigid()))
    np.testing.assert_allclose(half, 0.5 * once, atol=1e-6)


def test_masks_that_are_none_are_refused(shapes):
    grid = shapes.grid(*CT)
    with pytest.raises(InputError, match="empty"):
        propagate(blank(grid), blank(grid))
    labels = image_from_array(np.full(grid.shape, 3, np.uint8), grid)
    with pytest.raises(InputError, match="one mask per label"):
        propagate(labels, labels)
    with pytest.raises(InputError, match="fractions 0 to 1"):
        propagate(image_from_array(np.full(grid.shape, np.nan, np.float32), grid), labels)
