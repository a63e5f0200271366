"""The input curve: found in the aorta of a spine that is known, drawn, from file and population, vetoed and shifted."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import GeometryError, InputError
from bonequant.kinetics.aif_detection import AifSettings, find_aif
from bonequant.kinetics.aif_input import file_input, population_input, roi_input
from bonequant.kinetics.concentration import to_concentration
from bonequant.phantom import simulate_spine, spine_preset
from bonequant.volume import Curve, DynamicSeries, Geometry
from scipy.integrate import trapezoid


def concentration_of(scan):
    s = scan.settings
    sequence = {"tr_s": s.tr_ms / 1000, "flip_angle_deg": s.flip_angle_deg, "relaxivity": s.relaxivity}
    return to_concentration(scan.series, t1_s=1.44, baseline=6, **sequence)


@pytest.fixture(scope="module")
def scan():
    return simulate_spine(spine_preset("small"))


@pytest.fixture(scope="module")
def concentration(scan):
    return concentration_of(scan)


def true_curve(scan):
    return np.interp(scan.series.times_s, scan.aif.times_s, scan.aif.values)


def share_in_aorta(aif, scan):
    chosen = sitk.GetArrayViewFromImage(aif.mask) > 0
    return np.count_nonzero(chosen & (sitk.GetArrayViewFromImage(scan.masks["aorta"]) > 0)) / chosen.sum()


def test_it_is_the_aorta_and_its_curve(scan, concentration):
    """3 %: the bolus reaches the lower end 1.9 s after the upper one, and the rows are averaged."""
    aif = find_aif(concentration)
    assert isinstance(aif, Curve)
    assert share_in_aorta(aif, scan) >= 0.99
    true = true_curve(scan)
    assert aif.values == pytest.approx(true, abs=0.03 * true.max())
    assert trapezoid(aif.values, aif.times_s) == pytest.approx(trapezoid(true, aif.times_s), rel=0.02)
    assert (aif.unit, aif.hematocrit, aif.method) == ("mM", 0.42, "automatic")
    assert aif.quality > 0.95


@pytest.mark.parametrize("snr", [0.0, 8.0, 5.0])
def test_on_signal_under_more_noise(snr):
    noisy = simulate_spine(spine_preset("small", snr=snr))
    aif = find_aif(noisy.series)
    assert share_in_aorta(aif, noisy) >= 0.95
    assert aif.hematocrit is None


def test_choosing_by_height_does_not_choose_noise():
    """At SNR 8 the single highest voxels show 1.6 times the true peak; those chosen stay within 10 %
    (of which 4 % are the inversion itself, convex in noisy signals)."""
    noisy = simulate_spine(spine_preset("small", snr=8.0))
    aif = find_aif(concentration_of(noisy))
    assert aif.values.max() == pytest.approx(true_curve(noisy).max(), rel=0.1)


def test_the_patient_lies_otherwise_and_frames_are_uneven(scan):
    tilted = simulate_spine(spine_preset("small", pose=(3.0, -10.0, 15.0, 4.0, 3.0, -2.0), seed=9))
    assert share_in_aorta(find_aif(tilted.series), tilted) >= 0.95
    gap = scan.series.times_s + 40.0 * (np.arange(50) > 0)
    assert share_in_aorta(find_aif(dataclasses.replace(scan.series, times_s=gap)), scan) >= 0.95


def test_a_mask_and_a_veto_are_obeyed(scan, concentration):
    aif = find_aif(concentration)
    first = aif.slices[0].index
    vetoed = aif.without_slices([first])
    assert not sitk.GetArrayViewFromImage(vetoed.mask)[first].any()
    assert vetoed.n_voxels == aif.n_voxels - aif.slices[0].n_voxels
    assert vetoed.slices[0].reason == "vetoed"
    kept = [one for one in aif.slices if one.index != first]
    expected = np.average([one.values for one in kept], axis=0, weights=[one.n_voxels for one in kept])
    assert vetoed.values == pytest.approx(expected, rel=1e-12)
    again = find_aif(concentration, vetoed_slices=[first])
    assert all(one.index != first for one in again.slices)
    with pytest.raises(InputError, match="No slice of the input is left"):
        aif.without_slices([one.index for one in aif.slices])
    with pytest.raises(InputError, match=r"slice \[77\]"):
        aif.without_slices([77])
    lower = sitk.Image(scan.masks["aorta"])
    lower[:, :48, :] = 0
    inside = find_aif(concentration, mask=lower)
    assert not sitk.GetArrayViewFromImage(inside.mask)[:, :48].any()


def test_slices_fail_with_a_reason(concentration):
    with pytest.raises(InputError, match=r"slice \d+: \d+ voxels, 100000 are due"):
        find_aif(concentration, AifSettings(minimum_voxels=100_000))
    aif = find_aif(concentration, AifSettings(minimum_quality=0.9985))
    failed = [one for one in aif.slices if not one.accepted]
    assert failed
    assert all("quality" in one.reason for one in failed)
    assert len(aif.warnings) == len(failed)
    assert not sitk.GetArrayViewFromImage(aif.mask)[[one.index for one in failed]].any()


def test_drawn_region_is_plasma_for_mm_and_enhancement_for_hu(scan, concentration):
    chosen = concentration.frames[:, scan.fractions["aorta"] > 0.999].mean(axis=1, dtype=float)
    aif = roi_input(concentration, _mask(scan, "aorta"), hematocrit=0.4)
    assert aif.values == pytest.approx(chosen / 0.6, rel=1e-6)
    assert aif.hematocrit == 0.4
    hu = concentration.replace(frames=40 + 25 * concentration.frames, unit="HU", modality="CT")
    enhancement = roi_input(hu, _mask(scan, "aorta"), "aorta", baseline=6)
    assert enhancement.values == pytest.approx(25 * (chosen - chosen[:6].mean()), abs=1e-3)
    assert enhancement.hematocrit is None
    shifted = sitk.Image(scan.masks["aorta"])
    shifted.SetOrigin((0, 0, 0))
    with pytest.raises(GeometryError, match="another grid"):
        roi_input(hu, shifted)
    with pytest.raises(InputError, match="empty"):
        roi_input(hu, scan.masks["aorta"] * 0)


def _mask(scan, tissue):
    return scan.series.geometry.apply_to(sitk.GetImageFromArray((scan.fractions[tissue] > 0.999).astype(np.uint8)))


def test_shift_by_hand():
    times = np.arange(0.0, 60.0, 2.0)
    ramp = population_input(times, "parker", 0.42)
    later = ramp.shifted(4.0)
    assert later.values[5:] == pytest.approx(ramp.values[3:-2], rel=1e-12)
    assert later.shift_s == 4.0
    assert later.shifted(-4.0).shift_s == 0.0
    assert ramp.hematocrit == 0.42
    assert population_input(times, "weinmann").hematocrit is None


def test_from_a_file(tmp_path):
    path = tmp_path / "aif.csv"
    path.write_text("time (min),blood (mM)\n0,0\n0.5,5.8\n1.0,2.9\n", encoding="utf-8")
    aif = file_input(path, hematocrit=0.42, per_minute=True)
    assert aif.times_s == pytest.approx([0, 30, 60])
    assert aif.values == pytest.approx([0, 10, 5])
    path.write_text("0\t1\n1\t2\n1\t3\n", encoding="utf-8")
    with pytest.raises(InputError, match="must increase"):
        file_input(path)
    path.write_text("nothing here\n", encoding="utf-8")
    with pytest.raises(InputError, match="0 rows"):
        file_input(path)


def test_what_is_no_artery():
    grid = Geometry((20, 20, 3), (2.0, 2.0, 4.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    times = 5.0 * np.arange(30)
    noise = np.random.default_rng(1).normal(100, 5, (30, *grid.shape)).astype(np.float32)
    for frames in (noise, np.zeros_like(noise), np.full_like(noise, np.nan)):
        with pytest.raises(InputError, match=r"No voxel|No slice"):
            find_aif(DynamicSeries(frames, times, grid))
    with pytest.raises(InputError, match="too few"):
        find_aif(DynamicSeries(noise[:4], times[:4], grid))


def test_real_breast_series(data):
    """No aorta in this slice: the great vessels behind the breast are found, as early as the measured input."""
    from scipy.io import loadmat

    found = loadmat(data / "dce_breast_curves" / "invivo.mat", squeeze_me=True)
    grid = Geometry((192, 192, 1), (1.0, 1.0, 3.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    series = DynamicSeries(found["DCEdata"][:, None].astype(np.float32), found["t"], grid, "MR")
    aif = find_aif(series)
    x = np.nonzero(sitk.GetArrayViewFromImage(aif.mask))[2]
    assert x.min() > 145  # behind the chest wall, not the tumour at (103, 106)
    assert abs(int(aif.values.argmax()) - int(found["Cp"].argmax())) <= 1
