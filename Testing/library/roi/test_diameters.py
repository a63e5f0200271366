"""Diameters in millimetres: ellipsoids have known ones, whatever the grid they were drawn on."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.roi import bidimensional, extents
from bonequant.volume import Geometry, image_from_array

SAGITTAL = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)


def rotation(x_deg: float, y_deg: float, z_deg: float) -> tuple[float, ...]:
    transform = sitk.Euler3DTransform()
    transform.SetRotation(*np.radians([x_deg, y_deg, z_deg]).tolist())
    return transform.GetMatrix()


def ellipsoid(radii, spacing, direction=(1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0), fractional=False, turn_deg=0.0):
    """An ellipsoid at the origin of patient space, turned about z, on a grid of any spacing and direction."""
    size = tuple(int(2 * max(radii) / s) + 7 for s in spacing)
    axes = np.reshape(direction, (3, 3)) * spacing
    origin = -axes @ ((np.array(size) - 1) / 2.0) + 0.3
    grid = Geometry(size, spacing, tuple(origin.tolist()), direction)
    parts = np.linspace(-0.5, 0.5, 7)[1::2] if fractional else np.zeros(1)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), -1).reshape(-1, 3).astype(float)
    angle = np.radians(turn_deg)
    inside = np.zeros(len(index))
    for offset in np.stack(np.meshgrid(parts, parts, parts), -1).reshape(-1, 3):
        x, y, z = grid.points_of(index + offset).T
        x, y = np.cos(angle) * x + np.sin(angle) * y, -np.sin(angle) * x + np.cos(angle) * y
        inside += (x / radii[0]) ** 2 + (y / radii[1]) ** 2 + (z / radii[2]) ** 2 <= 1.0
    values = (inside / len(parts) ** 3).reshape(grid.shape)
    return image_from_array(values.astype(np.float32) if fractional else (values > 0.5), grid)


@pytest.mark.parametrize(
    ("spacing", "direction"),
    [
        ((1.0, 1.0, 1.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)),
        ((0.7, 1.3, 2.5), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)),
        ((1.25, 1.25, 5.0), SAGITTAL),
        ((1.0, 1.2, 3.0), rotation(17.0, -11.0, 25.0)),
    ],
)
def test_an_ellipsoid_has_its_axes_on_axial_sections(spacing, direction):
    """28 x 24 mm, turned by 30 degrees; to 0.4 of the coarsest voxel edge: a binary outline is not known better."""
    found = bidimensional(ellipsoid((14.0, 12.0, 10.0), spacing, direction, turn_deg=30.0), "axial")
    tolerance = max(0.8, 0.4 * max(spacing))
    assert found.diameters_mm == pytest.approx((28.0, 24.0), abs=tolerance)


def test_a_fractional_mask_is_measured_below_a_voxel():
    found = bidimensional(ellipsoid((14.0, 9.0, 10.0), (1.5, 1.5, 1.5), rotation(8, 12, -20), fractional=True), "axial")
    assert found.diameters_mm == pytest.approx((28.0, 18.0), abs=0.4)  # a quarter of a voxel
    assert found.product_mm2 == pytest.approx(28.0 * 18.0, rel=0.03)
    assert found.position_mm == pytest.approx(0.0, abs=1.5)


def test_planes_see_their_own_axes():
    mask = ellipsoid((14.0, 11.0, 8.0), (1.0, 1.0, 1.0), fractional=True)
    assert bidimensional(mask, "axial").diameters_mm == pytest.approx((28.0, 22.0), abs=0.3)
    assert bidimensional(mask, "coronal").diameters_mm == pytest.approx((28.0, 16.0), abs=0.3)
    assert bidimensional(mask, "sagittal").diameters_mm == pytest.approx((22.0, 16.0), abs=0.3)


def test_acquired_sections_are_those_of_the_grid():
    """Drawn on 5 mm sagittal slices: the slice through the middle shows y and z of the ellipsoid."""
    mask = ellipsoid((14.0, 12.0, 10.0), (1.25, 1.25, 5.0), SAGITTAL)
    assert bidimensional(mask, "acquired").diameters_mm == pytest.approx((24.0, 20.0), abs=0.9)


def test_the_ends_are_as_far_apart_as_the_diameters_and_at_right_angles():
    found = bidimensional(ellipsoid((13.0, 9.0, 9.0), (1.0, 1.0, 2.0), rotation(10, 5, 40), turn_deg=20.0), "axial")
    a, b, c, d = (np.array(end) for end in found.ends_mm)
    assert np.linalg.norm(b - a) == pytest.approx(found.longest_mm, rel=1e-9)
    assert np.linalg.norm(d - c) == pytest.approx(found.perpendicular_mm, rel=1e-9)
    assert np.dot(b - a, d - c) == pytest.approx(0.0, abs=1e-6)
    assert {round(point[2], 6) for point in found.ends_mm} == {round(found.position_mm, 6)}
    angle = np.degrees(np.arctan2(*(b - a)[[1, 0]])) % 180.0
    assert angle == pytest.approx(20.0, abs=6.0)  # half a voxel at the end of a radius of 13 mm, with stairs


def test_parts_that_do_not_touch_are_measured_alone():
    array = np.zeros((3, 40, 40), np.uint8)
    array[1, 5:11, 5:11] = 1
    array[1, 25:29, 30:40] = 1
    grid = Geometry((40, 40, 3), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
    found = bidimensional(image_from_array(array, grid), "acquired")
    assert found.longest_mm < 15.0


def test_one_voxel_has_a_size_of_about_one_voxel():
    array = np.zeros((5, 5, 5), np.uint8)
    array[2, 2, 2] = 1
    grid = Geometry((5, 5, 5), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
    assert bidimensional(image_from_array(array, grid), "acquired").longest_mm == pytest.approx(2.0, abs=0.9)


def test_three_dimensions_of_a_soft_tissue_part():
    found = extents(ellipsoid((14.0, 11.0, 8.0), (1.0, 1.0, 1.5), fractional=True))
    assert found == pytest.approx((28.0, 22.0, 16.0), abs=0.8)


def test_what_cannot_be_measured():
    with pytest.raises(InputError, match="'L1' is empty"):
        bidimensional(sitk.Image(4, 4, 4, sitk.sitkUInt8), name="L1")
    with pytest.raises(InputError, match="oblique"):
        bidimensional(sitk.Image(4, 4, 4, sitk.sitkUInt8) + 1, "oblique")
