"""The dynamic SPECT phantom: curves that obey their kinetics, counts that are Poisson, decay that is put back."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.kinetics import fit
from bonequant.phantom import dynamic_spect_preset, simulate_dynamic_spect, tracer_curve
from bonequant.phantom.dynamic_spect import TISSUES
from scipy import ndimage
from scipy.integrate import trapezoid


@pytest.fixture(scope="module")
def scan():
    return simulate_dynamic_spect(dynamic_spect_preset("small"))


@pytest.fixture(scope="module")
def clean():
    return simulate_dynamic_spect(dynamic_spect_preset("small", noise=False))


def test_the_fit_gives_back_the_kinetics(scan):
    for name, model, checks in (
        ("lesion", "one_tissue", {"k1": "k1", "k2": "k2", "vb": "vb"}),
        ("marrow", "patlak", {"ps": "ki", "vp": "vb"}),
    ):
        truth = TISSUES[name]
        times = np.arange(10.0, 1200.0, 20.0)
        curve = tracer_curve(scan.blood, truth)
        found = fit(times, np.interp(times, curve.times_s, curve.values)[None], scan.blood, model)
        for parameter, attribute in checks.items():
            assert found[parameter][0] == pytest.approx(getattr(truth, attribute), rel=1e-3), (name, parameter)


def test_frames_are_means_over_their_time(scan):
    fine = tracer_curve(scan.blood, TISSUES["marrow"])
    ends = np.cumsum(scan.settings.durations_s)
    for t, (start, end) in enumerate(zip(np.concatenate([[0.0], ends[:-1]]), ends, strict=True)):
        inside = (fine.times_s >= start - 1e-9) & (fine.times_s <= end + 1e-9)
        mean = trapezoid(fine.values[inside], fine.times_s[inside]) / (end - start)
        assert scan.curves["marrow"][t] == pytest.approx(mean, rel=1e-6)
    assert scan.series.times_s == pytest.approx(ends - np.array(scan.settings.durations_s) / 2)


def test_the_middle_of_the_liver_has_its_true_activity(clean):
    """Far from the edge (20 mm and more, 4 sigma of the blur) nothing is lost; later frames as well as early ones."""
    inside = ndimage.binary_erosion(sitk.GetArrayFromImage(clean.masks["liver"]), iterations=3)
    assert inside.sum() > 100
    found = clean.series.frames[:, inside].mean(axis=1, dtype=float)
    assert found == pytest.approx(clean.curves["liver"], rel=0.02)


def test_noise_is_poisson_and_decay_is_corrected(scan, clean):
    """Counts, from the difference to the clean image: their variance is their mean."""
    s = scan.settings
    factor = s.sensitivity_cps_per_mbq * 1e-6 * scan.series.geometry.voxel_volume_ml
    starts = np.concatenate([[0.0], np.cumsum(s.durations_s)[:-1]])
    body = clean.series.frames[-1] > 0.05 * clean.series.frames[-1].max()
    for t in (0, len(starts) - 1):
        rate = np.log(2) / (6.007 * 3600)
        decay = np.mean(np.exp(-rate * (starts[t] + np.linspace(0, s.durations_s[t], 2001))))
        per = factor * s.durations_s[t] * decay
        counts, mean = scan.series.frames[t][body] * per, clean.series.frames[t][body] * per
        assert np.abs(counts - np.rint(counts)).max() < 1e-2
        assert counts.sum() == pytest.approx(mean.sum(), rel=5.0 / np.sqrt(mean.sum()))
        assert ((counts - mean) ** 2).sum() == pytest.approx(mean.sum(), rel=0.05)
