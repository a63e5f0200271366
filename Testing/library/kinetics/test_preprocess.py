"""Noise removal: the background mask on known tissue, smoothing against its closed forms, every step reported."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.kinetics.preprocess import PreprocessSettings, preprocess, signal_to_noise, smooth_time
from bonequant.phantom import simulate_spine, spine_preset
from bonequant.volume import DynamicSeries, Geometry

GRID = Geometry((41, 41, 3), (1.0, 2.0, 5.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
TIMES = np.array([0.0, 5.0, 10.0, 15.0, 27.0, 32.0, 37.0])


@pytest.fixture(scope="module")
def scan():
    return simulate_spine(spine_preset("small"))


def series_of(frames):
    return DynamicSeries(np.asarray(frames, dtype=np.float32), TIMES, GRID, "MR")


def test_background_is_left_out_and_tissue_kept(scan):
    result = preprocess(scan.series)
    mask = sitk.GetArrayViewFromImage(result.mask) > 0
    total = sum(scan.fractions.values())
    assert np.count_nonzero(mask & (total == 0)) < 0.002 * np.count_nonzero(total == 0)
    for region in ("marrow", "lesion_1", "muscle"):
        inside = sitk.GetArrayViewFromImage(scan.masks[region]) > 0
        assert mask[inside].mean() > 0.99, region
    assert mask[scan.fractions["aorta"] > 0.5].mean() > 0.99
    assert result.series.frames is scan.series.frames
    assert len(result.steps) == 1
    assert f"{np.count_nonzero(~mask)} of {mask.size}" in result.steps[0]


def test_every_step_can_be_switched_off_and_is_reported(scan):
    off = preprocess(scan.series, PreprocessSettings(background=False))
    assert off.steps == ()
    assert sitk.GetArrayViewFromImage(off.mask).all()
    on = preprocess(scan.series, PreprocessSettings(spatial_fwhm_mm=5.0, temporal_frames=1.5))
    assert [step.split(":")[0] for step in on.steps] == ["background", "space", "time"]
    marrow = scan.fractions["marrow"] > 0.999
    rest = slice(30, 50)
    noise = [np.diff(frames[rest][:, marrow], axis=0).std() for frames in (scan.series.frames, on.series.frames)]
    assert noise[1] < 0.3 * noise[0]


def test_spatial_width_is_what_was_asked_for():
    frames = np.zeros((7, *GRID.shape))
    frames[:, 1, 20, 20] = 1.0
    found = preprocess(series_of(frames), PreprocessSettings(background=False, spatial_fwhm_mm=6.0)).series.frames[0]
    assert not found[0].any()  # slices do not mix
    for axis, spacing in ((1, 1.0), (0, 2.0)):
        profile = found[1].sum(axis=1 - axis)
        place = (np.arange(41) - 20) * spacing
        fwhm = 2.3548 * np.sqrt((profile * place**2).sum() / profile.sum())
        assert fwhm == pytest.approx(6.0, rel=0.01)  # the kernel ends at 4 sigma
    assert found.sum() == pytest.approx(1.0, rel=1e-5)


def test_nan_stays_where_it_is():
    frames = np.full((7, *GRID.shape), 3.0)
    frames[:, 1, 10, 10] = np.nan
    found = preprocess(series_of(frames), PreprocessSettings(background=False, spatial_fwhm_mm=6.0)).series.frames
    assert np.array_equal(np.isnan(found), np.isnan(frames))
    assert np.nanmax(np.abs(found - 3.0)) < 1e-5


def test_time_smoothing_keeps_straight_lines_on_uneven_frames():
    line = (2.0 + 0.3 * TIMES)[:, None]
    assert smooth_time(line, TIMES, 3.0)[:, 0] == pytest.approx(line[:, 0], rel=1e-5)
    impulse = np.zeros((7, 1))
    impulse[1] = 1.0
    found = smooth_time(impulse, TIMES, 2.0)[:, 0]
    assert found[0] > 0
    assert found[1] < 0.7
    assert abs(found[5]) < 0.01  # beyond the gap


def test_noise_alone_has_the_ratio_of_rayleigh():
    rng = np.random.default_rng(4)
    noise = np.hypot(*rng.normal(0, 37.0, (2, 40, 6, 60, 60)))
    assert signal_to_noise(noise).mean() == pytest.approx(np.sqrt(np.pi / (4 - np.pi)), rel=0.01)


def test_ct_leaves_out_air_by_its_number():
    frames = np.full((7, *GRID.shape), 50.0)
    frames[:, :, :10] = -1000.0
    series = DynamicSeries(frames.astype(np.float32), TIMES, GRID, "CT", "HU")
    mask = sitk.GetArrayFromImage(preprocess(series).mask)
    assert np.array_equal(mask, frames[0] > 0)


def test_nothing_left():
    with pytest.raises(InputError, match="No voxel"):
        preprocess(series_of(np.full((7, *GRID.shape), np.nan)))
