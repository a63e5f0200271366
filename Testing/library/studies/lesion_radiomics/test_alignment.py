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
    # Drawn on the SPECT it comes back through the inverse.
    back = LesionInputs(
        lesions=(Lesion("one", ball(patient.spect, there), "functional"),), ct=patient.ct, functional=patient.spect
    )
    found = run(back, SETTINGS).on_images["one"]["ct"]
    assert found.region.origin == "carried"
    assert np.linalg.norm(centre_of(found.region.mask) - centre) < VOXEL_MM
