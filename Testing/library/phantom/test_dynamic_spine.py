"""The spine DCE phantom: what it says is true of it, and as DICOM MR under every timing it comes back as it was."""

from __future__ import annotations

import bonequant.io as io
import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.phantom import dynamic_dicom, simulate_spine, spine_follow_up, spine_preset, write_dynamic_series
from bonequant.phantom.dynamic_dicom import TIMINGS, with_first_gap, write_mr_volume
from bonequant.volume import same_grid


@pytest.fixture(scope="module")
def clean():
    return simulate_spine(spine_preset("small", snr=0.0))


def pure(scan, tissue):
    return scan.fractions[tissue] > 0.999


def concentration(scan, signal, t10_s):
    """Exact inversion of the spoiled gradient echo, written anew here; signal (T, N) of voxels of one tissue."""
    s = scan.settings
    angle, tr = np.radians(s.flip_angle_deg), s.tr_ms / 1000
    e10 = np.exp(-tr / t10_s)
    full = signal / signal[0] * (1 - e10) / (1 - e10 * np.cos(angle))
    e1 = (1 - full) / (1 - full * np.cos(angle))
    return (-np.log(e1) / tr - 1 / t10_s) / s.relaxivity


def test_vessels_hold_blood_concentration_of_the_true_aif(clean):
    """Middle row: no delay to the stated AIF but that of half a row (3 mm at 150 mm/s, 0.02 s of a steep bolus)."""
    row = clean.series.geometry.size[1] // 2
    frames = clean.series.frames[:, :, row][:, pure(clean, "aorta")[:, row]].mean(axis=1, dtype=np.float64)
    blood = concentration(clean, frames, 1.44)
    expected = np.interp(clean.series.times_s, clean.aif.times_s, clean.aif.values) * (1 - 0.42)
    assert blood == pytest.approx(expected, abs=0.01 * expected.max())


def test_tissues_obey_the_model_that_their_truth_names(clean):
    """The fit of the noise-free curve with the true input gives the truth; only float32 signals stand between."""
    from bonequant.kinetics import fit
    from bonequant.volume import Curve

    s = clean.settings
    for tissue, t10 in (("marrow", 0.55), ("lesion", 1.0)):
        signal = clean.series.frames[:, pure(clean, tissue)].astype(np.float64)
        curve = concentration(clean, signal, t10).mean(axis=1)
        delayed = Curve(
            clean.aif.times_s, np.interp(clean.aif.times_s - s.delay_s, clean.aif.times_s, clean.aif.values)
        )
        found = fit(clean.series.times_s, curve[None], delayed, "extended_tofts")
        for name in ("ktrans", "ve", "vp"):
            assert found[name][0] == pytest.approx(getattr(s.tissues[tissue], name), rel=2e-3), (tissue, name)


def test_noise_is_what_the_snr_says():
    noisy = simulate_spine(spine_preset("small", snr=20.0))
    clean = simulate_spine(spine_preset("small", snr=0.0))
    marrow = pure(noisy, "marrow")
    sd = (noisy.series.frames[:6, marrow] - clean.series.frames[:6, marrow]).std()
    expected = noisy.settings.snr**-1 * clean.series.frames[0, marrow].mean()
    # The coil's profile makes the marrow's own signal 10-20 % other than at the coil's reference depth.
    assert sd == pytest.approx(expected, rel=0.3)
    air = noisy.series.frames[0][sum(noisy.fractions.values()) == 0]
    assert air.mean() == pytest.approx(sd * np.sqrt(np.pi / 2), rel=0.1)  # Rayleigh: magnitude noise
    again = simulate_spine(spine_preset("small", snr=20.0))
    assert np.array_equal(again.series.frames, noisy.series.frames)


def test_the_lesion_responds_and_the_patient_lies_otherwise(clean):
    after = simulate_spine(spine_follow_up(clean.settings))
    change = after.settings.lesion_vp / clean.settings.lesion_vp - 1
    assert change < -0.4
    volume = [np.count_nonzero(sitk.GetArrayViewFromImage(scan.masks["lesion_1"])) for scan in (clean, after)]
    assert volume[1] / volume[0] == pytest.approx(0.92**3, rel=0.12)  # of 134 voxels, edges counted
    points = [_centre(scan.masks["lesion_1"]) for scan in (clean, after)]
    mapped = np.array(clean.lesion_to(after).TransformPoint(points[0]))
    assert np.linalg.norm(mapped - points[1]) < 1.0  # a sixth of a slice
    assert np.linalg.norm(np.array(points[0]) - points[1]) > 8.0


def _centre(mask):
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(mask)
    return shape.GetCentroid(1)


@pytest.mark.parametrize("timing", TIMINGS)
def test_dicom_comes_back_under_every_timing(clean, tmp_path, timing):
    few = clean.series.replace(frames=clean.series.frames[4:9], times_s=clean.series.times_s[4:9] - 20.0)
    few = with_first_gap(few, 33.0)
    folder = write_dynamic_series(few, tmp_path / "dce", timing=timing)
    times = few.times_s if timing == "none" else None
    read = io.load_dynamic(folder, times_s=times)
    assert np.array_equal(read.frames, np.rint(few.frames))
    assert read.times_s == pytest.approx(few.times_s, abs=1e-5)
    assert np.abs(read.geometry.corners() - few.geometry.corners()).max() < 1e-6
    protocol = read.acquisition.protocol
    assert [protocol[key] for key in ("repetition_time_ms", "echo_time_ms", "flip_angle_deg")] == [4.5, 1.5, 25.0]


def test_sitk_opens_the_files(clean, tmp_path):
    few = clean.series.replace(frames=clean.series.frames[:1], times_s=clean.series.times_s[:1])
    folder = write_dynamic_series(few, tmp_path / "one")
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    image = sitk.ReadImage(names)
    expected = few.frame(0).image
    assert same_grid(image, expected, 1e-4)
    assert np.array_equal(sitk.GetArrayFromImage(image), np.rint(few.frames[0]))


def test_flip_angles_are_series_of_their_own(tmp_path):
    scan = simulate_spine(spine_preset("small", frames=3, snr=0.0, vfa_deg=(2.0, 10.0)))
    write_dynamic_series(scan.series, tmp_path / "dce")
    for number, (angle, volume) in enumerate(scan.vfa.items()):
        write_mr_volume(volume, tmp_path / f"fa{angle:g}", name=f"FA {angle:g}", number=10 + number)
    assert io.load_dynamic(tmp_path).frames.shape[0] == 3
    read = io.load(tmp_path, series="T1 FA 10")
    assert read.acquisition.protocol["flip_angle_deg"] == 10.0
    marrow = pure(scan, "marrow")
    # Linear form of the signal equation (DESPOT1) from two angles gives the stated T1.
    ratio = [scan.vfa[angle].array[marrow].astype(float).mean() for angle in (2.0, 10.0)]
    x = [value / np.tan(np.radians(angle)) for value, angle in zip(ratio, (2.0, 10.0), strict=True)]
    y = [value / np.sin(np.radians(angle)) for value, angle in zip(ratio, (2.0, 10.0), strict=True)]
    e1 = (y[1] - y[0]) / (x[1] - x[0])
    assert -0.0045 / np.log(e1) == pytest.approx(0.55, rel=1e-3)
    assert scan.t1.array[marrow] == pytest.approx(0.55, rel=1e-5)


def test_what_cannot_be_written(clean, tmp_path):
    with pytest.raises(InputError, match="no timing"):
        write_dynamic_series(clean.series, tmp_path, timing="sundial")
    with pytest.raises(InputError, match="not NM"):
        write_dynamic_series(clean.series.replace(modality="NM"), tmp_path)
    assert dynamic_dicom.TIMINGS
