"""A mask carried piece by piece, as it is drawn, is the mask carried whole."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.roi import propagate
from bonequant.roi.carry import Patch, carry, changed_box, cropped
from bonequant.volume import Geometry, image_from_array

ALONG = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
SPECT = Geometry((40, 40, 40), (4.42, 4.42, 4.42), (-86.0, -86.0, -86.0), ALONG)
CT = Geometry((120, 120, 60), (0.98, 0.98, 3.0), (-58.0, -58.0, -88.0), ALONG)


def rigid() -> sitk.Transform:
    transform = sitk.Euler3DTransform()
    transform.SetRotation(0.1, -0.07, 0.2)
    transform.SetTranslation((3.0, -2.0, 5.0))
    return transform


def bent() -> sitk.Transform:
    transform = sitk.BSplineTransformInitializer(image_from_array(np.zeros(CT.shape, np.uint8), CT), (3, 3, 3))
    transform.SetParameters((2.0 * np.sin(np.arange(len(transform.GetParameters())))).tolist())
    return transform


def strokes(grid: Geometry, count: int = 5) -> list[np.ndarray]:
    """States of a mask under strokes of a 20 mm sphere, the last of which erases."""
    random = np.random.default_rng(3)
    z, y, x = np.indices(grid.shape)
    points = grid.points_of(np.stack([z.ravel(), y.ravel(), x.ravel()], axis=1)).reshape(*grid.shape, 3)
    mask, states = np.zeros(grid.shape, dtype=bool), []
    for number in range(count):
        centre = random.uniform(-20.0, 20.0, 3)
        ball = np.linalg.norm(points - centre, axis=-1) <= 10.0
        mask = mask & ~ball if number == count - 1 else mask | ball
        states.append(mask)
    return states


@pytest.mark.parametrize(("source", "target"), [(SPECT, CT), (CT, SPECT)], ids=["SPECT to CT", "CT to SPECT"])
@pytest.mark.parametrize("make", [sitk.Transform, rigid, bent], ids=["identity", "rigid", "bent"])
def test_piece_by_piece_is_the_whole(source, target, make):
    transform = make()
    before = carried = None
    for state in strokes(source):
        now = Patch(source, np.zeros(3, dtype=int), state).trimmed()
        part = carry(now, target, transform, changed_box(before, now))
        carried = part.trimmed() if carried is None else carried.with_part(part)
        before = now
    like = image_from_array(np.zeros(target.shape, np.uint8), target)
    whole = sitk.GetArrayFromImage(propagate(before.image(), like, transform)) >= 0.5
    assert whole.any()
    everywhere = (np.zeros(3, dtype=int), np.array(target.size))
    differing = np.count_nonzero(carried.part(everywhere) != whole)
    # A bent transform is looked at on a lattice laid over the box in use, which moves with the box: a voxel whose
    # fraction is a half to within that lattice's interpolation may fall on either side.
    assert differing <= (0.002 * np.count_nonzero(whole) if make is bent else 0)


def test_what_did_not_change_is_not_computed():
    first, second = strokes(SPECT)[:2]
    before, after = (Patch(SPECT, np.zeros(3, dtype=int), one).trimmed() for one in (first, second))
    low, stop = changed_box(before, after)
    z, y, x = np.nonzero(first != second)
    assert low.tolist() == [x.min(), y.min(), z.min()]
    assert stop.tolist() == [x.max() + 1, y.max() + 1, z.max() + 1]
    assert changed_box(before, before) is None


def test_a_mask_off_the_other_grid_carries_nothing():
    mask = Patch(SPECT, np.zeros(3, dtype=int), np.ones((2, 2, 2), dtype=bool))
    far = sitk.TranslationTransform(3, (1000.0, 0.0, 0.0))
    assert carry(mask, CT, far, (mask.start, mask.stop)) is None


def test_erasing_everything_leaves_an_empty_part():
    mask = Patch(SPECT, np.array([20, 20, 20]), np.ones((2, 2, 2), dtype=bool))
    gone = Patch(SPECT, mask.start, np.zeros((0, 0, 0), dtype=bool))
    part = carry(gone, CT, None, changed_box(mask, gone))
    assert not part.voxels.any()
    whole = carry(mask, CT, None, (mask.start, mask.stop)).trimmed()
    assert not whole.with_part(part).voxels.size


def test_a_cropped_grid_lies_on_its_grid():
    box = (np.array([-3, 4, 5]), np.array([2, 9, 8]))
    corner = cropped(CT, box)
    assert corner.size == (5, 5, 3)
    np.testing.assert_allclose(corner.origin, np.array(CT.origin) + np.array([-3, 4, 5]) * CT.spacing, atol=1e-9)
