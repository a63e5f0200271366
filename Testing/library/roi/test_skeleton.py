"""The skeleton against a torso whose every voxel is known: normal, osteoporotic, enhanced, and turned about."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.phantom.ct import CtSettings, simulate_ct
from bonequant.phantom.torso import TorsoSettings, torso
from bonequant.roi.skeleton import Skeleton, segment_skeleton, skeleton
from bonequant.volume import Volume, same_grid

SCAN = CtSettings(spacing_mm=(1.2, 1.2, 3.0), field_mm=(420.0, 300.0, 225.0), center_mm=(0.0, 16.0, 0.0))
# Where only the shell is seen (low density, contrast) a lytic breach of the cortex above 8 mm leaves a bone unfilled:
# known limit, so lesions are in the normal patient only.
PATIENTS = {
    "normal": TorsoSettings(),
    "osteoporotic": TorsoSettings(trabecular_hu=50.0, lesions="none"),
    "enhanced": TorsoSettings(aortic_contrast_hu=200.0, lesions="none"),
}


@pytest.fixture(scope="module")
def patients() -> dict[str, tuple[Volume, dict[str, np.ndarray], Skeleton]]:
    found = {}
    for name, settings in PATIENTS.items():
        body = torso(settings)
        ct, labels = simulate_ct(body, SCAN)
        truth = body.masks_of(labels, ct.geometry, ["bone", "marrow", "canal", "aorta", "kidney", "table"])
        found[name] = ct, {k: array(mask) for k, mask in truth.items()}, segment_skeleton(ct)
    return found


def array(mask: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(mask) > 0


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@pytest.mark.parametrize("name", PATIENTS)
def test_bone_and_marrow_agree_with_the_truth(patients, name):
    _, truth, found = patients[name]
    bone, marrow = array(found.masks["bone"]), array(found.masks["marrow"])
    # Half a voxel (0.6 mm) all around a rib of 6 mm is 20 % of its area: Dice .9 is where thin bones put the limit.
    assert dice(bone, truth["bone"]) > 0.90
    assert dice(marrow, truth["marrow"]) > 0.85
    assert bone.sum() == pytest.approx(truth["bone"].sum(), rel=0.10)
    assert marrow.sum() == pytest.approx(truth["marrow"].sum(), rel=0.10)


@pytest.mark.parametrize("name", PATIENTS)
def test_marrow_and_cortex_make_up_the_bone(patients, name):
    masks = {k: array(mask) for k, mask in patients[name][2].masks.items()}
    assert not (masks["marrow"] & masks["cortical"]).any()
    assert np.array_equal(masks["marrow"] | masks["cortical"], masks["bone"])


@pytest.mark.parametrize("name", PATIENTS)
def test_canal_table_and_vessels_are_not_bone(patients, name):
    _, truth, found = patients[name]
    bone = array(found.masks["bone"])
    assert bone[truth["canal"]].mean() < 0.10  # its rim is within one voxel of bone
    assert not bone[truth["table"]].any()
    assert bone[truth["aorta"]].mean() < 0.01
    assert bone[truth["kidney"]].mean() < 0.001


def test_thresholds_follow_the_patient_and_say_so(patients):
    normal, porous, enhanced = (patients[name][2] for name in PATIENTS)
    assert (normal.thresholds["low_hu"], normal.thresholds["high_hu"]) == (130.0, 300.0)
    assert normal.warnings == () and not normal.contrast
    # The spine's trabecular bone is read off within the lesions' and the noise's few HU.
    assert normal.thresholds["spine_trabecular_hu"] == pytest.approx(170.0, abs=15.0)
    assert porous.thresholds["spine_trabecular_hu"] == pytest.approx(50.0, abs=15.0)
    assert porous.thresholds["low_hu"] < 130.0 and "Low bone density" in porous.warnings[0]
    assert enhanced.thresholds["blood_hu"] == pytest.approx(242.0, abs=10.0)
    assert enhanced.contrast and enhanced.thresholds["low_hu"] > 242.0 and "Contrast" in enhanced.warnings[0]


def test_any_orientation_gives_the_same_masks_on_its_own_grid(patients):
    ct, _, found = patients["normal"]
    turned = Volume(sitk.DICOMOrient(ct.image, "SRA"), modality="CT", unit="HU")
    mask = skeleton(turned)["bone"]
    assert same_grid(mask, turned.image)
    assert np.array_equal(array(sitk.DICOMOrient(mask, "LPS")), array(found.masks["bone"]))


def test_what_is_no_ct_is_refused_with_the_reason():
    air = Volume(sitk.Image(64, 64, 64, sitk.sitkInt16) - 1000, modality="CT", unit="HU")
    with pytest.raises(InputError, match="No body found"):
        skeleton(air)
    with pytest.raises(InputError, match="Bq/mL"):
        skeleton(Volume(air.image, modality="PT", unit="Bq/mL"))


def test_a_dense_shaft_stays_and_an_even_bright_organ_goes():
    """A thigh with a thick-walled femur (cut by the field at both ends) and an enhanced, even blob beside it."""
    z, y, x = np.meshgrid(*(np.arange(n) * 2.0 for n in (40, 100, 100)), indexing="ij")
    hu = np.where(np.hypot(y - 100, x - 100) < 85, 50.0, -1000.0)
    radius = np.hypot(y - 100, x - 60)
    hu = np.where(radius < 14, 1100.0, hu)
    hu = np.where(radius < 5, -80.0, hu)
    blob = (z - 40) ** 2 + (y - 100) ** 2 + (x - 140) ** 2 < 24**2
    hu = np.where(blob, 220.0, hu) + 10.0 * np.random.default_rng(0).standard_normal(hu.shape)
    image = sitk.GetImageFromArray(hu.astype(np.int16))
    image.SetSpacing((2.0, 2.0, 2.0))
    found = segment_skeleton(Volume(image, modality="CT", unit="HU"))
    bone, marrow = array(found.masks["bone"]), array(found.masks["marrow"])
    assert dice(bone, radius < 14) > 0.93
    assert marrow[radius < 3].all()
    assert not bone[blob].any()
    assert any("No spine" in warning for warning in found.warnings)
