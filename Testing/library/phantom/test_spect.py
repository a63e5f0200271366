"""The simulated SPECT holds the activity that was put in, where it was put, blurred as stated and counted as stated."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import SettingsError
from bonequant.phantom import TRACERS, SpectSettings, TorsoSettings, effective_fwhm_mm, rigid, simulate_spect, torso
from bonequant.phantom.lesions import Lesion
from bonequant.phantom.nema import blurred_sphere
from bonequant.phantom.spect import activity_on_spect, decay_factor
from bonequant.phantom.truth import part_volumes_ml
from bonequant.volume import sample_at
from bonequant.volume.types import image_from_array

CENTER = (-75.0, -10.0, 95.0)
SETTINGS = SpectSettings()


@pytest.fixture(scope="module")
def body():
    sphere = Lesion("liver", "liver_tumour", CENTER, (15.0, 15.0, 15.0), 4.0)
    return torso(TorsoSettings(lesions="none"), (sphere,))


def only(body, *names):
    return [1000.0 if part.name in names else 0.0 for part in body.parts]


def test_activity_is_conserved(body):
    """Liver and tumour alone: their blurred image sums to volume times concentration (raster of 1.5 mm: 0.3 %)."""
    image = activity_on_spect(body, only(body, "liver", "lesion_1"), SETTINGS)
    volumes = part_volumes_ml(body, SETTINGS.geometry, step_mm=1.5)
    regions = body.regions
    expected = 1000.0 * volumes[[*regions["liver"], *regions["lesion_1"]]].sum()
    assert image.sum() * SETTINGS.geometry.voxel_volume_ml == pytest.approx(expected, rel=3e-3)


@pytest.mark.parametrize("voxel", ["mean", "point"])
def test_a_sphere_has_its_closed_form_under_the_effective_fwhm(body, voxel):
    """Profile along x through a 30 mm sphere, within 1 % of the plateau (raster of 1.5 mm, B-spline of 4.42 mm)."""
    settings = dataclasses.replace(SETTINGS, voxel=voxel)
    image = image_from_array(activity_on_spect(body, only(body, "lesion_1"), settings), settings.geometry)
    r = np.arange(0.0, 30.0, 2.0)
    points = np.asarray(CENTER) + r[:, None] * (1.0, 0.0, 0.0)
    expected = blurred_sphere(r, 15.0, effective_fwhm_mm(settings)[0] / 2.354820045)
    assert sample_at(image, points) / 1000.0 == pytest.approx(expected, abs=1e-2)


def test_the_patient_moves_as_told(body):
    """The centroid of the tumour lies where the transform takes it, to 0.1 mm."""
    moved = rigid((8.0, -6.0, 11.0, 4.0, -3.0, 5.0), (0.0, 20.0, 20.0))
    image = activity_on_spect(body, only(body, "lesion_1"), SETTINGS, moved.GetInverse())
    z, y, x = np.indices(image.shape)
    index = np.array([(image * axis).sum() for axis in (x, y, z)]) / image.sum()
    found = SETTINGS.geometry.index_to_physical[:3] @ [*index, 1.0]
    assert found == pytest.approx(moved.TransformPoint(CENTER), abs=0.1)


def test_counts_turn_back_into_activity(body):
    """C = N 1e6 / (CF t V) deep in the liver, where 10 mm of blur reach no edge; and the counts add up to the total."""
    settings = dataclasses.replace(SETTINGS, noise=False)
    scan = simulate_spect(body, TRACERS["maa"], 75.0, settings)
    assert _array(scan.counts).sum(dtype=float) == pytest.approx(settings.total_counts, rel=1e-5)
    deep = np.array([[-75.0, 20.0, 130.0]])
    per_count = 1e6 / (scan.calibration_factor_cps_per_mbq * settings.duration_s * settings.geometry.voxel_volume_ml)
    tracer = TRACERS["maa"]
    start = tracer.injected_activity_bq * 0.5 ** (tracer.uptake_s / tracer.half_life_s)
    assert sample_at(scan.counts, deep)[0] * per_count == pytest.approx(25.0 * start / 75_000.0, rel=5e-3)


def test_noise_is_poisson_and_seeded(body):
    settings = dataclasses.replace(SETTINGS, total_counts=2e6)
    quiet = _array(simulate_spect(body, TRACERS["mdp"], 75.0, dataclasses.replace(settings, noise=False)).counts)
    noisy = _array(simulate_spect(body, TRACERS["mdp"], 75.0, settings).counts)
    again = _array(simulate_spect(body, TRACERS["mdp"], 75.0, settings).counts)
    assert np.array_equal(noisy, again)
    hot = quiet > 5.0
    pulls = (noisy[hot] - quiet[hot]) / np.sqrt(quiet[hot])
    assert pulls.mean() == pytest.approx(0.0, abs=4 / np.sqrt(hot.sum()))
    assert pulls.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * hot.sum()) + 0.01)  # Poisson at 5 has kurtosis 3.2


def test_decay_of_the_three_kinds():
    """NONE holds the mean over 20 min (1/1.0194 for 99mTc), ADMIN the activity at injection."""
    tracer = TRACERS["mdp"]
    assert 1 / decay_factor(tracer, SpectSettings(decay_correction="NONE")) == pytest.approx(1.0194, abs=5e-5)
    assert decay_factor(tracer, SpectSettings(decay_correction="ADMIN")) == pytest.approx(2 ** (3 / 6.007), rel=1e-12)
    assert decay_factor(tracer, SpectSettings(decay_correction="START")) == 1.0


def test_what_cannot_be_is_refused(body):
    with pytest.raises(SettingsError, match="source_mm"):
        simulate_spect(body, TRACERS["mdp"], 75.0, SpectSettings(fwhm_mm=1.0))
    with pytest.raises(SettingsError, match="outside the SPECT field"):
        simulate_spect(body, TRACERS["mdp"], 75.0, SpectSettings(center_mm=(3000.0, 0.0, 0.0)))


def _array(image):
    return sitk.GetArrayFromImage(image)
