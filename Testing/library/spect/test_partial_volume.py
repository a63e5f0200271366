"""PSF, GTM and RBV on spheres whose SPECT image is known in closed form (``spheres.py``)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import Cancelled, GeometryError, InputError
from bonequant.spect import blur, blur_of_mask, gtm, rbv, rc_centre, rc_mean
from bonequant.volume import Geometry

_SPEC = importlib.util.spec_from_file_location("spheres", Path(__file__).with_name("spheres.py"))
spheres = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(spheres)

FWHM = 10.0
CENTRE = (1.3, -2.1, 0.7)


@pytest.fixture(scope="module")
def hot_22():
    """A 22 mm sphere of 100 in 10, on 4.42 mm voxels, its centre off the voxel centres."""
    return spheres.spect([(CENTRE, 22.0, 100.0)], FWHM, background=10.0)


@pytest.mark.parametrize(("diameter", "fine"), [(22.0, 1), (22.0, 4), (13.0, 4)])
def test_blur_gives_the_analytic_recovery(diameter, fine):
    spacing = (1.0, 1.0, 1.0)
    mask = spheres.ball((0.3, -0.2, 0.4), diameter, spacing=spacing, half_mm=30.0, fine=fine)  # centred on a voxel
    grid = Geometry.of(mask)
    point = Geometry((1, 1, 1), (1e-6, 1e-6, 1e-6), (0.0, 0.0, 0.0), grid.direction)  # an image without voxel size
    sigma = blur_of_mask(FWHM, point, grid, fractional=fine > 1)
    spread = blur(sitk.GetArrayViewFromImage(mask), sigma)
    centre = tuple(reversed(mask.TransformPhysicalPointToIndex((0.3, -0.2, 0.4))))
    # What the mask's volume misses of the sphere's (whole voxels, or 4^3 points in each) the centre misses at most.
    volume_error = abs(float(sitk.GetArrayViewFromImage(mask).sum() / (np.pi / 6 * diameter**3)) - 1)
    assert volume_error < 0.01
    assert spread[centre] == pytest.approx(rc_centre(diameter, FWHM), rel=max(volume_error, 0.0005))
    inside = sitk.GetArrayViewFromImage(mask)
    if fine > 1:
        mean = float((inside * spread).sum() / inside.sum())
        # A fractional edge blurs the mean once more, by 1/12 mm2 of 18 mm2.
        assert mean == pytest.approx(rc_mean(diameter, FWHM), rel=0.003)


def test_variances_of_psf_image_voxel_and_mask_voxel_add_up():
    image = Geometry((9, 9, 9), (4.0, 4.0, 6.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
    fine = Geometry((9, 9, 9), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), image.direction)
    psf = (FWHM / 2.354820045) ** 2
    expected = np.sqrt([(psf + 3.0) / 4.0, psf + 16 / 12, psf + 16 / 12])  # z, y, x
    np.testing.assert_allclose(blur_of_mask(FWHM, image, fine, fractional=False), expected, rtol=1e-9)
    fractional = np.sqrt([(psf + 3.0 - 4 / 12) / 4.0, psf + 15 / 12, psf + 15 / 12])
    np.testing.assert_allclose(blur_of_mask(FWHM, image, fine, fractional=True), fractional, rtol=1e-9)
    measured = blur_of_mask(FWHM, image, fine, fractional=False, voxel_in_fwhm=True)
    np.testing.assert_allclose(measured, np.sqrt([psf / 4, psf, psf]), rtol=1e-9)
    # Mask turned by 90 degrees about z against the image: its x axis sees the PSF of the image's y axis.
    turned = sitk.Euler3DTransform()
    turned.SetRotation(0, 0, np.pi / 2)
    along = blur_of_mask((8.0, 12.0, 10.0), image, fine, fractional=False, voxel_in_fwhm=True, transform=turned)
    np.testing.assert_allclose(along * 2.354820045, [10 / 2, 8, 12], rtol=1e-6)
    for impossible in (0.0, (10.0, -1.0, 10.0), float("nan")):
        with pytest.raises(InputError, match="FWHM"):
            blur_of_mask(impossible, image, fine, fractional=False)
    with pytest.raises(InputError, match="below"):
        blur_of_mask(1.0, image, image, fractional=True, voxel_in_fwhm=True)


@pytest.mark.parametrize(
    ("diameter", "tolerance"),
    [(37.0, 0.003), (22.0, 0.005), (13.0, 0.03)],  # binary masks: a 13 mm sphere has 1 % of chance in its edge
)
def test_gtm_with_masks_on_a_ct_grid(diameter, tolerance):
    image = spheres.spect([(CENTRE, diameter, 100.0)], FWHM, background=10.0)
    result = gtm(image, {"sphere": spheres.ball(CENTRE, diameter)}, FWHM)
    assert result.corrected["sphere"] == pytest.approx(100, rel=tolerance)
    assert result.corrected["background"] == pytest.approx(10, rel=0.02)
    assert result.measured["sphere"] < 80
    assert not result.warnings
    np.testing.assert_allclose(result.matrix.sum(axis=1), 1.0, atol=1e-12)


def test_gtm_needs_the_image_voxel_in_the_blur(hot_22):
    """Without it the 22 mm sphere stays 3 % low: the term is worth having."""
    mask = {"sphere": spheres.ball(CENTRE, 22.0)}
    without = gtm(hot_22, mask, FWHM, voxel_in_fwhm=True).corrected["sphere"]
    assert 95 < without < 98
    seen = float(np.sqrt(FWHM**2 + 4.42**2 / 12 * 8 * np.log(2)))  # the FWHM that a fit on the image would find
    assert gtm(hot_22, mask, seen, voxel_in_fwhm=True).corrected["sphere"] == pytest.approx(100, rel=0.005)


def test_gtm_with_fractional_masks_on_the_image_grid(hot_22):
    mask = spheres.ball(CENTRE, 22.0, like=hot_22.image, fine=4)
    assert gtm(hot_22, {"sphere": mask}, FWHM).corrected["sphere"] == pytest.approx(100, rel=0.01)


def test_gtm_separates_neighbours():
    """Two spheres that shine into each other, and a cold one, each right."""
    where = {"hot": ((-14.0, 0, 0), 22.0, 100.0), "warm": ((12.0, 0, 0), 22.0, 40.0), "cold": ((0, 30.0, 0), 28.0, 0.0)}
    image = spheres.spect(where.values(), FWHM, background=10.0)
    masks = {name: spheres.ball(centre, d) for name, (centre, d, _) in where.items()}
    result = gtm(image, masks, FWHM)
    assert result.corrected["hot"] == pytest.approx(100, abs=1.0)
    assert result.corrected["warm"] == pytest.approx(40, abs=1.0)
    assert result.corrected["cold"] == pytest.approx(0, abs=0.5)
    assert result.measured["cold"] > 2


def test_gtm_through_a_transform(hot_22):
    """Masks drawn on a CT that lies 9 mm off and turned: the same numbers as without."""
    move = sitk.Euler3DTransform()  # mask space to image space
    move.SetRotation(0.1, -0.05, 0.2)
    move.SetTranslation((5.0, -6.0, 4.0))
    centre = move.GetInverse().TransformPoint(CENTRE)
    result = gtm(hot_22, {"sphere": spheres.ball(centre, 22.0)}, FWHM, transform=move)
    assert result.corrected["sphere"] == pytest.approx(100, rel=0.005)


def test_gtm_on_a_turned_image():
    turn = sitk.Euler3DTransform((0, 0, 0), 0.3, 0.2, -0.4).GetMatrix()
    image = spheres.spect([(CENTRE, 22.0, 100.0)], FWHM, background=10.0, turn=np.reshape(turn, (3, 3)))
    result = gtm(image, {"sphere": spheres.ball(CENTRE, 22.0)}, FWHM)
    assert result.corrected["sphere"] == pytest.approx(100, rel=0.005)


def test_gtm_without_background():
    image = spheres.spect([(CENTRE, 22.0, 100.0)], FWHM)
    result = gtm(image, {"sphere": spheres.ball(CENTRE, 22.0)}, FWHM, background=False)
    assert set(result.corrected) == {"sphere"}
    assert result.corrected["sphere"] == pytest.approx(100, rel=0.005)


def test_gtm_refuses(hot_22):
    ball = spheres.ball(CENTRE, 22.0)
    with pytest.raises(InputError, match="overlap"):
        gtm(hot_22, {"a": ball, "b": spheres.ball((8.0, 0, 0), 22.0)}, FWHM)
    with pytest.raises(InputError, match="empty"):
        gtm(hot_22, {"a": ball * 0}, FWHM)
    with pytest.raises(InputError, match="outside the image"):
        gtm(hot_22, {"a": ball}, FWHM, transform=sitk.TranslationTransform(3, (500.0, 0, 0)))
    with pytest.raises(GeometryError, match="different grids"):
        gtm(hot_22, {"a": ball, "b": spheres.ball((30.0, 0, 0), 22.0, spacing=(2, 2, 2))}, FWHM)
    with pytest.raises(InputError, match="0 to 1"):
        gtm(hot_22, {"a": ball * 3}, FWHM)
    with pytest.raises(InputError, match="one region"):
        gtm(hot_22, {}, FWHM)
    with pytest.raises(InputError, match="background=False"):
        gtm(hot_22, {"background": ball}, FWHM)


def test_gtm_says_that_voxels_are_not_finite(hot_22):
    """Not that the region lies outside the image, which is what NaN after the spline would look like."""
    array = hot_22.array.copy()
    array[0, 0, :2] = np.nan, np.inf
    with pytest.raises(InputError, match=r"2 voxels that are NaN or infinite.*replace_nan"):
        gtm(hot_22.with_array(array), {"sphere": spheres.ball(CENTRE, 22.0)}, FWHM)


def test_gtm_warns_of_what_the_image_does_not_cover(hot_22):
    # The image ends at 88.4 mm: half of a sphere around that x is outside, give or take a 1 mm voxel (7 % of it).
    move = sitk.TranslationTransform(3, (88.4 - CENTRE[0], 0.0, 0.0))
    result = gtm(hot_22, {"sphere": spheres.ball(CENTRE, 22.0)}, FWHM, transform=move)
    share = float(result.warnings[0].split(" %")[0])
    assert share == pytest.approx(50, abs=7)
    assert "outside the image" in result.warnings[0]


def test_gtm_can_be_cancelled(hot_22):
    def stop(fraction, message):
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        gtm(hot_22, {"sphere": spheres.ball(CENTRE, 22.0)}, FWHM, progress=stop)


def test_rbv_brings_the_region_to_its_true_mean(hot_22):
    masks = {"sphere": spheres.ball(CENTRE, 22.0, like=hot_22.image, fine=4)}
    values = gtm(hot_22, {"sphere": spheres.ball(CENTRE, 22.0)}, FWHM).corrected
    corrected = rbv(hot_22, masks, values, FWHM)
    weights = sitk.GetArrayViewFromImage(masks["sphere"])
    # In a noise-free image of truly uniform regions RBV gives back the voxel means of the truth, edges included. Their
    # fractions come in steps of 1/64, which is 1.4 of the 90 between sphere and background.
    truth = 10 + 90 * weights
    assert np.abs(corrected.array - truth).max() < 1.5
    assert np.average(corrected.array[weights == 1], axis=None) == pytest.approx(100, rel=0.005)
    assert corrected.unit == "Bq/mL"


def test_rbv_refuses_and_warns(hot_22):
    masks = {"sphere": spheres.ball(CENTRE, 22.0, like=hot_22.image)}
    values = {"sphere": 100.0, "background": 10.0}
    with pytest.raises(InputError, match="background"):
        rbv(hot_22, masks, {"sphere": 100.0}, FWHM)
    with pytest.raises(GeometryError, match="propagate"):
        rbv(hot_22, {"sphere": spheres.ball(CENTRE, 22.0)}, values, FWHM)
    with pytest.raises(InputError, match="overlap"):
        rbv(hot_22, {**masks, "twin": masks["sphere"]}, {**values, "twin": 1.0}, FWHM)
    negative = rbv(hot_22, masks, {"sphere": 100.0, "background": -1.0}, FWHM)
    assert "negative mean of background" in negative.warnings[0]
    assert np.isfinite(negative.array).all()
