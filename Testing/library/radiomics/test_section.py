"""The region of paper 3: where a lesion is largest, and its copy on another grid, moved and turned."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.radiomics import copy_region, copy_section, extract, largest_section, section_at
from bonequant.volume import Geometry, Volume, image_from_array

CT = Geometry((80, 80, 30), (1.0, 1.0, 3.0), (-40.0, -40.0, -45.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
SPECT = Geometry((30, 30, 30), (4.4, 4.4, 4.4), (-64.0, -65.0, -63.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))


def points(geometry: Geometry) -> np.ndarray:
    """Voxel centres, LPS mm, (Z, Y, X, 3)."""
    z, y, x = np.indices(geometry.shape)
    return (np.stack([x, y, z, np.ones_like(x)], axis=-1) @ geometry.index_to_physical.T)[..., :3]


def ball(geometry: Geometry, centre=(0.0, 0.0, 0.0), radius: float = 18.0) -> sitk.Image:
    return image_from_array(np.linalg.norm(points(geometry) - centre, axis=-1) <= radius, geometry)


def test_the_largest_section_of_a_ball_is_its_equator():
    section = largest_section(ball(CT, (3.0, 5.0, 9.0)))
    assert (section.axis, section.index) == (0, 18)  # z = -45 + 18 * 3
    assert section.area_mm2 == pytest.approx(np.pi * 18.0**2, rel=0.01)  # pixels of 1 mm against a circle of 18 mm
    array = sitk.GetArrayViewFromImage(section.mask)
    assert array.any(axis=(1, 2)).nonzero()[0].tolist() == [18]
    coronal = largest_section(ball(CT, (3.0, 5.0, 9.0)), plane="coronal")
    assert (coronal.axis, coronal.index) == (1, 45)


def test_of_equal_sections_the_middle_one_and_another_at_will():
    rod = np.zeros(CT.shape, dtype=bool)
    rod[5:12, 30:40, 30:40] = True
    mask = image_from_array(rod, CT)
    assert largest_section(mask).index == 8
    assert section_at(mask, 11).index == 11
    with pytest.raises(InputError, match="no voxel in slice 12"):
        section_at(mask, 12)


def test_slices_are_those_of_the_image_however_it_lies():
    """A sagittal acquisition: its slices are the LPS planes x = constant, and so is the "sagittal" section."""
    sagittal = Geometry((40, 40, 20), (2.0, 2.0, 4.0), (-38.0, -40.0, 40.0), (0, 0, 1.0, 1.0, 0, 0, 0, -1.0, 0))
    mask = ball(sagittal)
    assert largest_section(mask, plane="sagittal").axis == 0
    assert largest_section(mask, plane="axial").axis == 1


def test_mazda_features_come_from_the_largest_section():
    random = np.random.default_rng(0)
    image = image_from_array(random.normal(size=CT.shape), CT)
    mask = ball(CT)
    assert extract(image, mask) == extract(image, largest_section(mask).mask)


@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.0), (0.0, 6.0, -3.0)])
def test_a_section_copied_to_spect_keeps_its_place_and_area(shift):
    """The registration moves and turns the space about z; the copy must lie where the transform and the shift say."""
    transform = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.0, 0.0, 0.3, (10.0, -5.0, 7.0))
    centre = np.array((4.0, -6.0, 3.0))
    section = largest_section(ball(CT, centre))
    spect = Volume(image_from_array(np.zeros(SPECT.shape, np.float32), SPECT), "NM")
    copy = copy_section(section, spect, transform, shift)
    expected = np.array(transform.TransformPoint(centre.tolist())) + shift
    found = points(SPECT)[sitk.GetArrayViewFromImage(copy.mask) > 0]
    assert len(np.unique(found[:, 2])) == 1
    assert abs(found[0, 2] - expected[2]) <= 4.4 / 2 + 1e-9
    # Edge pixels of 4.4 mm go in or out: the centroid of some 50 of them is good to a quarter of a pixel.
    np.testing.assert_allclose(found[:, :2].mean(axis=0), expected[:2], atol=1.1)
    assert copy.area_mm2 == pytest.approx(section.area_mm2, rel=0.06)  # 3 of 53 pixels


def test_a_section_between_two_slices_of_the_other_modality_is_not_lost():
    for offset in np.linspace(-2.2, 2.2, 5):
        moved = sitk.TranslationTransform(3, (0.0, 0.0, float(offset)))
        copy = copy_section(largest_section(ball(CT)), image_from_array(np.zeros(SPECT.shape), SPECT), moved)
        assert copy.area_mm2 == pytest.approx(np.pi * 18.0**2, rel=0.06)


def test_a_region_in_three_dimensions_keeps_its_volume():
    copy = copy_region(ball(CT), image_from_array(np.zeros(SPECT.shape), SPECT))
    volume = sitk.GetArrayViewFromImage(copy).sum() * 4.4**3
    assert volume == pytest.approx(4 / 3 * np.pi * 18.0**3, rel=0.03)


def test_copies_that_cannot_be_made():
    other = image_from_array(np.zeros(SPECT.shape), SPECT)
    with pytest.raises(InputError, match="outside the other image"):
        copy_region(ball(CT), other, sitk.TranslationTransform(3, (500.0, 0.0, 0.0)))
    with pytest.raises(InputError, match="less than half of every voxel"):
        copy_region(ball(CT, (0.3, 0.3, 0.0), 1.0), other)
    with pytest.raises(InputError, match="axial, coronal, sagittal"):
        largest_section(ball(CT), plane="oblique")
