"""A lesion on the CT of a simulated patient whose SPECT lies elsewhere: registration carries it there, and back."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.phantom import preset, simulate_patient
from bonequant.studies.lesion_radiomics import Lesion, LesionInputs, LesionSettings, run
from bonequant.volume import Volume, image_from_array

SETTINGS = LesionSettings(families=("mazda",), perturb=False, quantity="native", alignment="register")
VOXEL_MM = 4.42


@pytest.fixture(scope="module")
def patient():
    return simulate_patient(preset("small", seed=5))


def ball(volume: Volume, centre: np.ndarray) -> sitk.Image:
    indices = np.indices(volume.geometry.shape)[::-1].reshape(3, -1)
    matrix = volume.geometry.index_to_physical
    points = matrix[:3, :3] @ indices + matrix[:3, 3:]
    inside = (((points - centre[:, None]) ** 2).sum(axis=0) <= 12.0**2).reshape(volume.geometry.shape)
    return image_from_array(inside, volume.geometry)


def centre_of(mask: sitk.Image) -> np.ndarray:
    place = np.argwhere(sitk.GetArrayViewFromImage(mask)).mean(axis=0)[::-1]
    return np.array(mask.TransformContinuousIndexToPhysicalPoint(place.tolist()))


def test_a_registration_carries_a_lesion_to_where_it_is(patient):
    centre = np.array(
        patient.ct.image.TransformContinuousIndexToPhysicalPoint([s / 2 for s in patient.ct.image.GetSize()])
    )
    there = np.array(patient.truth_transform.TransformPoint(centre.tolist()))
    drawn = Lesion("one", ball(patient.ct, centre), "ct")
    inputs = LesionInputs(lesions=(drawn,), ct=patient.ct, functional=patient.spect)
    registered = run(inputs, SETTINGS)
    error = np.linalg.norm(centre_of(registered.on_images["one"]["functional"].region.mask) - there)
    kept = run(inputs, dataclasses.replace(SETTINGS, alignment="scanner"))
    before = np.linalg.norm(centre_of(kept.on_images["one"]["functional"].region.mask) - there)
    assert registered.registration is not None
    assert kept.registration is None
    assert before > VOXEL_MM  # the simulated SPECT does lie elsewhere
    assert error < VOXEL_MM  # what the registration warns above
    # The scanner's alignment is not believed in silence, and the check moves nothing.
    moved = registered.registration.quality.displacement_mm
    assert f"By registration the SPECT lies {moved:.1f} mm from where" in kept.warnings[0]
    assert "--set alignment=register" in kept.warnings[0]
    assert kept.transform is None
    # Drawn on the SPECT it comes back through the inverse.
    back = LesionInputs(
        lesions=(Lesion("one", ball(patient.spect, there), "functional"),), ct=patient.ct, functional=patient.spect
    )
    found = run(back, SETTINGS).on_images["one"]["ct"]
    assert found.region.origin == "carried"
    assert np.linalg.norm(centre_of(found.region.mask) - centre) < VOXEL_MM


def test_only_an_alignment_nobody_gave_is_checked(patient, monkeypatch):
    centre = np.array(
        patient.ct.image.TransformContinuousIndexToPhysicalPoint([s / 2 for s in patient.ct.image.GetSize()])
    )
    lesion = Lesion("one", ball(patient.ct, centre), "ct")
    settings = dataclasses.replace(SETTINGS, alignment="scanner")
    inputs = LesionInputs(lesions=(lesion,), ct=patient.ct, functional=patient.spect)
    # Brought to where the CT is, the SPECT passes: no warning, and the report says by how much.
    aligned = patient.spect.replace(
        image=sitk.Resample(patient.spect.image, patient.spect.image, patient.truth_transform, sitk.sitkLinear)
    )
    passed = run(inputs.replace(functional=aligned), settings)
    assert "the scanner's alignment was kept" in passed.alignment_check
    assert not any("alignment" in text for text in passed.warnings)

    def refuse(*arguments: object) -> None:
        raise AssertionError("registered although a transform was given, or on a cut-out")

    monkeypatch.setattr("bonequant.studies.lesion_radiomics.job.register", refuse)
    given = run(inputs.replace(transform=patient.truth_transform), settings)
    assert given.alignment_check == "" and not any("alignment" in text for text in given.warnings)
    middle = [slice(s // 2 - 15, s // 2 + 15) for s in patient.ct.image.GetSize()]  # a cut-out holds no body
    cut = run(inputs.replace(ct=patient.ct.replace(image=patient.ct.image[tuple(middle)])), settings)
    assert "not checked by registration" in cut.warnings[0]
