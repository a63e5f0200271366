"""Masks perturbed by known amounts, and the stability of features under them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.radiomics import (
    IbsiSettings,
    RadiomicsSettings,
    StabilitySettings,
    feature_stability,
    perturb,
    perturbed_stability,
    stable_features,
)
from bonequant.statistics import icc

SPACING = (1.0, 1.0, 2.0)


def ball(radius: float = 12.0) -> sitk.Image:
    z, y, x = np.indices((30, 50, 50)) - np.array([15.0, 25.0, 25.0])[:, None, None, None]
    mask = sitk.GetImageFromArray(((2 * z) ** 2 + y**2 + x**2 <= radius**2).astype(np.uint8))
    mask.SetSpacing(SPACING)
    return mask


def volume(mask: sitk.Image) -> float:
    return float(sitk.GetArrayViewFromImage(mask).sum() * 2.0)


def centre(mask: sitk.Image) -> np.ndarray:
    return np.argwhere(sitk.GetArrayViewFromImage(mask)).mean(axis=0)[::-1] * SPACING


def test_no_change_changes_nothing():
    array = sitk.GetArrayViewFromImage(ball())
    for in_plane in (False, True):
        assert np.array_equal(sitk.GetArrayViewFromImage(perturb(ball(), in_plane=in_plane)), array)


def test_a_shift_moves_the_centre_by_as_much():
    moved = perturb(ball(), shift_mm=(2.5, -1.5, 3.0))
    np.testing.assert_allclose(centre(moved) - centre(ball()), (2.5, -1.5, 3.0), atol=0.05)
    assert volume(moved) == pytest.approx(volume(ball()), rel=0.02)
    flat = perturb(ball(), shift_mm=(2.0, 0.0, 6.0), in_plane=True)
    np.testing.assert_allclose(centre(flat) - centre(ball()), (2.0, 0.0, 0.0), atol=1e-9)


@pytest.mark.parametrize("grow", [-3.0, -0.7, 0.7, 3.0])
def test_growth_changes_the_radius_by_as_much(grow):
    """4/3 pi (r + grow)^3; voxels of 1 x 1 x 2 mm leave a few % of it uncertain."""
    ratio = volume(perturb(ball(), grow_mm=grow)) / volume(ball())
    assert ratio == pytest.approx(((12.0 + grow) / 12.0) ** 3, rel=0.06)


def test_in_plane_a_section_stays_in_its_slice():
    array = sitk.GetArrayFromImage(ball())
    array[:15] = array[16:] = 0
    section = sitk.GetImageFromArray(array)
    section.SetSpacing(SPACING)
    grown = perturb(section, grow_mm=2.0, contour_noise_mm=0.5, in_plane=True, seed=3)
    filled = sitk.GetArrayViewFromImage(grown).any(axis=(1, 2))
    assert filled.nonzero()[0].tolist() == [15]
    assert volume(grown) / volume(section) == pytest.approx((14.0 / 12.0) ** 2, rel=0.1)


def test_contour_noise_is_repeatable_and_moves_the_contour_both_ways():
    before = sitk.GetArrayFromImage(ball())
    first, again, other = (
        sitk.GetArrayFromImage(perturb(ball(), contour_noise_mm=1.0, seed=seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert (first & ~before).any()
    assert (before & ~first & 1).any()
    assert 0.8 < 2 * (first & before).sum() / (first.sum() + before.sum()) < 0.99


def test_shrinking_to_nothing_is_an_error():
    with pytest.raises(InputError, match="Nothing is left"):
        perturb(ball(), grow_mm=-20.0)


def test_icc_of_readings_is_that_of_the_table():
    table = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)
    readings = [[{"a": float(value), "b": math.nan} for value in column] for column in table.T]
    for form, value in (("2,1", 0.29), ("3,1", 0.71)):  # Shrout and Fleiss 1979, table 4
        found = feature_stability(readings, form=form)
        assert found["a"] == icc(table, form)
        assert found["a"].value == pytest.approx(value, abs=0.006)
        assert math.isnan(found["b"].value)
    readings[0][0]["a"] = math.nan
    assert feature_stability(readings)["a"] == icc(table[1:], "2,1")
    with pytest.raises(InputError, match="same features"):
        feature_stability([[{"a": 1.0}], [{"b": 1.0}]])
    with pytest.raises(InputError, match="same regions"):
        feature_stability([[{"a": 1.0}], [{"a": 1.0}, {"a": 2.0}]])


def test_the_filter_keeps_what_survives_redrawing():
    """Lesions differ in their mean; a hot shell round each, not theirs, is cut by some contours and not by others."""
    random = np.random.default_rng(0)
    z, y, x = np.indices((30, 50, 50)) - np.array([15.0, 25.0, 25.0])[:, None, None, None]
    distance = np.sqrt((2 * z) ** 2 + y**2 + x**2)
    cases = []
    for level, radius in ((50.0, 8.0), (80.0, 9.0), (120.0, 10.0), (170.0, 11.0), (230.0, 12.0)):
        array = random.normal(level, 5.0, distance.shape)
        array[(distance > radius + 1.0) & (distance < radius + 1.6)] += random.uniform(200.0, 2000.0)
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(SPACING)
        cases.append((image, ball(radius)))
    settings = RadiomicsSettings(families=("ibsi",), ibsi=IbsiSettings(classes=("firstorder",), bin_width=50.0))
    stability = StabilitySettings(count=4, in_plane=False)
    found = perturbed_stability(cases, settings, stability)
    assert all(value.k == 5 and value.n == 5 for value in found.values())
    kept = stable_features(found, stability)
    assert "original_firstorder_Median" in kept
    assert not {"original_firstorder_Maximum", "original_firstorder_Range"} & set(kept)
    strict = StabilitySettings(count=4, in_plane=False, by_lower_limit=True, threshold=0.9)
    assert set(stable_features(found, strict)) < set(kept)
    assert perturbed_stability(cases, settings, stability) == found
