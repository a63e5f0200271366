"""Motion correction against motion that is known: breathing of 15 mm in the liver CT, a shift in the spine DCE."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import Cancelled, GeometryError, InputError
from bonequant.kinetics.motion import MotionSettings, correct_motion
from bonequant.phantom import liver_preset, simulate_liver, simulate_spine, spine_preset
from bonequant.phantom.pose import rigid
from bonequant.volume import resample_to


def points_of(mask, count=150):
    """Points (N, 3) in a mask, LPS mm."""
    index = np.argwhere(sitk.GetArrayViewFromImage(mask) > 0)[:, ::-1]
    index = index[:: max(1, len(index) // count)]
    return np.array([mask.TransformContinuousIndexToPhysicalPoint(one) for one in index.astype(float).tolist()])


def residuals_mm(scan, result, region):
    """Length of what is left of the displacement, per frame an array over the region's points inside the field."""
    low, high = scan.series.geometry.corners()[:, 2].min() + 2.5, scan.series.geometry.corners()[:, 2].max() - 2.5
    there = points_of(scan.masks[region]) + scan.displacement_mm[result.reference]
    left = []
    for transform, shift in zip(result.transforms, scan.displacement_mm, strict=True):
        truth = there + shift - scan.displacement_mm[result.reference]
        seen = (truth[:, 2] > low) & (truth[:, 2] < high) & (there[:, 2] > low) & (there[:, 2] < high)
        moved = np.array([transform.TransformPoint(point) for point in there[seen].tolist()])
        left.append(np.linalg.norm(moved - truth[seen], axis=1))
    return left


@pytest.fixture(scope="module")
def breathing():
    return simulate_liver(liver_preset("small", duration_s=24.0, interval_s=3.0))


@pytest.fixture(scope="module")
def corrected(breathing):
    return correct_motion(breathing.series)


def test_breathing_leaves_less_than_two_millimetres(breathing, corrected):
    assert np.ptp(breathing.displacement_mm[:, 2]) > 13.0
    for region in ("liver", "tumour_1", "tumour_2", "tumour_3", "spleen"):
        left = residuals_mm(breathing, corrected, region)
        assert max(frame.mean() for frame in left) < 2.0, region
        assert np.quantile(np.concatenate(left), 0.95) < 2.0, region


def test_frames_are_alike_afterwards_and_displacements_are_reported(breathing, corrected):
    before, after = corrected.difference
    assert after < 0.5 * before
    expected = np.linalg.norm(breathing.displacement_mm - breathing.displacement_mm[corrected.reference], axis=1)
    assert np.corrcoef(corrected.displacement_mm, expected)[0, 1] > 0.95
    assert np.all(corrected.largest_mm >= corrected.displacement_mm)
    assert corrected.displacement_mm[corrected.reference] < 0.5
    assert len(corrected.table()) == len(breathing.series.times_s)
    assert corrected.settings == MotionSettings()


def test_a_drawn_liver_lets_the_rigid_model_do_it(breathing):
    result = correct_motion(breathing.series, MotionSettings(model="rigid"), breathing.masks["liver"])
    assert max(frame.mean() for frame in residuals_mm(breathing, result, "liver")) < 2.0


def test_voxels_that_left_the_field_are_nan_and_counted(corrected):
    lost = np.isnan(corrected.series.frames).any(axis=0)
    assert lost.any()
    assert any(f"{np.count_nonzero(lost)} voxels" in warning for warning in corrected.series.warnings)


def test_result_is_the_same_however_many_threads(breathing, monkeypatch):
    few = breathing.series.replace(frames=breathing.series.frames[:3], times_s=breathing.series.times_s[:3])
    quick = MotionSettings(spacing_mm=10.0)
    results = []
    for threads in (1, 3):
        monkeypatch.setattr("os.cpu_count", lambda threads=threads: threads)
        results.append(correct_motion(few, quick).series.frames)
    assert np.array_equal(results[0], results[1], equal_nan=True)


def test_a_spine_that_moved_rigidly_while_contrast_arrived():
    """Frames from the 12th on lie at a known pose, after the bolus; the correction finds it to a quarter of a slice."""
    scan = simulate_spine(spine_preset("small", frames=16))
    truth = rigid((0.0, 4.0, -5.0, 1.0, 0.0, 0.0))
    frames = scan.series.frames.copy()
    for t in range(12, 16):
        moved = resample_to(scan.series.frame(t).image, scan.series.geometry, truth.GetInverse())
        frames[t] = sitk.GetArrayFromImage(moved)
    result = correct_motion(
        dataclasses.replace(scan.series, frames=frames), MotionSettings(model="rigid", spacing_mm=3.0)
    )
    points = points_of(scan.masks["marrow"])
    before, after = (np.array([result.transforms[t].TransformPoint(p) for p in points.tolist()]) for t in (2, 14))
    expected = np.array([truth.TransformPoint(p) for p in before.tolist()])
    assert np.linalg.norm(expected - before, axis=1).mean() > 5.5
    assert np.linalg.norm(after - expected, axis=1).mean() < 1.5  # slices of 6 mm


def test_what_does_not_move_stays():
    """A third of a voxel (3 x 3 x 6 mm), under noise and while the bolus passes."""
    scan = simulate_spine(spine_preset("small", frames=12))
    result = correct_motion(scan.series, MotionSettings(model="rigid", spacing_mm=3.0))
    assert result.displacement_mm.max() < 1.2
    assert np.isnan(result.series.frames).mean() < 0.02


def test_what_cannot_be_corrected(breathing):
    one = breathing.series.replace(frames=breathing.series.frames[:1], times_s=breathing.series.times_s[:1])
    with pytest.raises(InputError, match="two at least"):
        correct_motion(one)
    mask = sitk.Image(breathing.masks["liver"])
    with pytest.raises(InputError, match="empty"):
        correct_motion(breathing.series, mask=mask * 0)
    mask.SetOrigin((0, 0, 0))
    with pytest.raises(GeometryError, match="another grid"):
        correct_motion(breathing.series, mask=mask)

    def stop(fraction, message):
        if fraction > 0.1:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        correct_motion(breathing.series, MotionSettings(spacing_mm=12.0), progress=stop)
