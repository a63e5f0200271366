"""A whole simulated patient: what is written, what is measured on it, and what changes at the second date."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.io import load
from bonequant.phantom import SpectSettings, follow_up, preset, simulate_patient, write_patient
from bonequant.spect import to_activity, to_suv
from bonequant.volume import sample_at
from bonequant.volume.geometry import matrix_of


@pytest.fixture(scope="module")
def patient():
    return simulate_patient(preset("small", seed=3))


def points_of(mask, count=3000):
    index = np.argwhere(sitk.GetArrayViewFromImage(mask))[:, ::-1]
    index = index[np.random.default_rng(1).permutation(len(index))[:count]]
    return np.asarray(mask.GetOrigin()) + index * np.asarray(mask.GetSpacing())


def test_masks_agree_with_the_truth(patient):
    """Voxel-centre masks on 2.5 x 2.5 x 5 mm against points counted on 1.25 mm: 3 % for a vertebra, 1 % for organs."""
    masks = patient.masks("liver", "spine", "pelvis", "L3", "bone")
    for name, tolerance in (("liver", 0.01), ("spine", 0.02), ("pelvis", 0.02), ("bone", 0.02), ("L3", 0.04)):
        volume = sitk.GetArrayViewFromImage(masks[name]).sum() * patient.ct.voxel_volume_ml
        assert volume == pytest.approx(patient.truth[name].volume_ml, rel=tolerance), name


def test_ct_numbers_are_true_deep_inside(patient):
    for name in ("liver", "spleen"):
        mask = sitk.BinaryErode(patient.masks(name)[name], [3, 3, 2])
        inside = patient.ct.array[sitk.GetArrayViewFromImage(mask) > 0]
        spread = patient.settings.ct.noise_hu
        assert inside.mean() == pytest.approx(patient.truth[name].mean_hu, abs=1.0)
        assert inside.std() == pytest.approx(spread, rel=0.05)


def test_suv_of_the_files_is_the_true_suv():
    """Written, read, calibrated: SUV deep in the liver of a MAA patient, for every kind of decay correction.

    Without noise; 12 mm FWHM reaches no edge from there. 0.5 % is the raster's.
    """
    for kind in ("START", "ADMIN", "NONE"):
        settings = preset("small", seed=3, tracer="maa")
        spect = dataclasses.replace(settings.spect, noise=False, decay_correction=kind)
        ct = dataclasses.replace(settings.ct, field_mm=(100.0, 100.0, 100.0), center_mm=(-75.0, 0.0, 100.0))
        known = simulate_patient(dataclasses.replace(settings, ct=ct, spect=spect))
        factor = known.spect.acquisition.calibration_factor_cps_per_mbq
        suv = to_suv(to_activity(known.spect, factor))
        deep = known.truth_transform.TransformPoint((-75.0, 10.0, 100.0))
        assert sample_at(suv.image, np.array([deep]))[0] == pytest.approx(known.truth["liver"].mean_suv, rel=5e-3), kind


def test_the_written_patient_is_read_back(patient, tmp_path):
    folder = write_patient(patient, tmp_path / "p")
    ct, spect = load(folder / "CT"), load(folder / "SPECT")
    assert np.array_equal(ct.array, patient.ct.array)
    assert np.array_equal(spect.array, patient.spect.array)
    assert ct.acquisition.study_uid == spect.acquisition.study_uid
    assert ct.acquisition.patient_name == "PHANTOM^BONEQUANT"
    truth = json.loads((folder / "truth.json").read_text())
    assert truth["regions"]["L3"]["volume_ml"] == patient.truth["L3"].volume_ml
    assert np.array_equal(truth["ct_to_spect_matrix"], matrix_of(patient.truth_transform))
    assert truth["lesions"]["lesion_1"]["uptake_ratio"] == pytest.approx(patient.torso.lesions[0].uptake_ratio)


def test_uptake_lies_on_the_bone_only_after_the_true_transform(patient):
    """Mean counts in the CT's vertebrae: higher through the true transform than without it."""
    points = points_of(patient.masks("spine")["spine"])
    right = np.nanmean(sample_at(patient.spect.image, points, patient.truth_transform))
    wrong = np.nanmean(sample_at(patient.spect.image, points))
    assert right > 1.2 * wrong


def test_follow_up_changes_what_it_is_told_and_nothing_else(patient):
    later, first_to_second = follow_up(patient, {"lesion_1": 1.5, "marrow": 0.7})
    assert later.truth["rib_left_10"].mean_suv < patient.truth["rib_left_10"].mean_suv
    assert later.torso.normal_suv(later.tracer, "marrow") == pytest.approx(0.7 * later.tracer.of("marrow"))
    assert later.lesion_ratio(1) == pytest.approx(1.5)
    assert patient.lesion_ratio(1) == pytest.approx(patient.torso.lesions[0].uptake_ratio)
    assert later.lesion_ratio(2) == pytest.approx(patient.lesion_ratio(2))
    assert later.truth["liver"].mean_suv == patient.truth["liver"].mean_suv
    before, after = patient.spect.acquisition, later.spect.acquisition
    assert after.calibration_factor_cps_per_mbq == before.calibration_factor_cps_per_mbq
    assert (after.acquisition_start - before.acquisition_start).days == 90
    # The same anatomy: points deep in L3 of the first CT lie, through the transform, in L3 of the second.
    deep = points_of(sitk.BinaryErode(patient.masks("L3")["L3"], [1, 1, 1]))
    l3 = later.masks("L3")["L3"]
    assert sample_at(l3, deep, first_to_second, "nearest").mean() == 1.0
    assert sample_at(l3, deep, None, "nearest").mean() < 0.9


def test_unknown_lesions_are_refused(patient):
    with pytest.raises(InputError, match="no lesion_99"):
        follow_up(patient, {"lesion_99": 2.0})


def test_the_same_seed_gives_the_same_patient(patient):
    again = simulate_patient(preset("small", seed=3))
    assert np.array_equal(again.ct.array, patient.ct.array)
    assert np.array_equal(again.spect.array, patient.spect.array)
    assert again.truth == patient.truth
    assert isinstance(preset().spect, SpectSettings)
