"""Regions of a real patient's CT and of the XCAT body: vertebrae named rightly, table gone, references in place."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.roi import anatomical_regions, reference_regions
from bonequant.volume import Volume

THORACIC = tuple(f"T{i}" for i in range(1, 13))


def array(mask: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(mask) > 0


@pytest.fixture(scope="module")
def patient(data) -> Volume:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(data / "petct_acrin" / "CT")))
    return Volume(reader.Execute(), modality="CT", unit="HU")


@pytest.fixture(scope="module")
def xcat(data) -> tuple[Volume, np.ndarray]:
    """CT made of the XCAT labels at 2 x 2 x 3 mm (cortex 600 HU, inside 170, noise 20) and the true bone."""
    with zipfile.ZipFile(data / "xcat_phantom" / "Voxelized_mesh50XCAT_HeadTorsoAbd.zip") as archive:
        raw = archive.read("VoxHeadTorsoAbd_658x280x956.i33")
    labels = np.frombuffer(raw, dtype="<u2").reshape(956, 280, 658)[1::3, ::2, ::2].astype(np.uint8)
    bone = labels == 7
    core = sitk.GetArrayFromImage(sitk.BinaryErode(sitk.GetImageFromArray(bone.astype(np.uint8)), (1, 1, 1))) > 0
    hu = np.array([-1000, 50, 40, 40, 40, 60, 50, 600], dtype=np.float32)[labels]
    hu[core] = 170.0
    hu += 20.0 * np.random.default_rng(1).standard_normal(hu.shape, dtype=np.float32)
    image = sitk.GetImageFromArray(hu.astype(np.int16))
    image.SetSpacing((2.0, 2.0, 3.0))
    return Volume(image, modality="CT", unit="HU"), bone


def test_a_real_thorax_is_named_from_its_last_ribs(patient):
    found = anatomical_regions(patient)
    spine = found.vertebrae
    # Twelve pairs of ribs are in the field; two vertebrae without ribs lie below them.
    assert tuple(spine.masks) == (*THORACIC, "L1", "L2")
    assert spine.anchor == "T12 bears the last ribs" and "T1" in spine.incomplete
    volumes = [array(mask).sum() * patient.voxel_volume_ml for mask in spine.masks.values()]
    assert 8 < volumes[1] < 20 and 40 < volumes[11] < 70  # T2 and T12 of a man; bodies grow downwards
    assert np.corrcoef(np.arange(14), volumes)[0, 1] > 0.95
    masks = {name: array(mask) for name, mask in found.masks.items()}
    assert "pelvis" not in masks and "femora" not in masks
    # Hysteresis alone gives 2328 mL by an independent count; filling adds what trimming the blur takes.
    bone, marrow = array(found.skeleton.masks["bone"]), array(found.skeleton.masks["marrow"])
    assert bone.sum() * patient.voxel_volume_ml == pytest.approx(2328.0, rel=0.05)
    low, median, high = np.percentile(patient.array[marrow], [5, 50, 95])
    assert -20 < low < 40 and 130 < median < 220 and high < 420
    assert not masks["bone"][:, 400:].any()  # the table
    ml = {name: mask.sum() * patient.voxel_volume_ml for name, mask in masks.items()}
    assert 800 < ml["spine"] < 1050 and 550 < ml["ribs"] < 800
    references = reference_regions(patient, found.masks)
    blood, liver = references["blood_pool"], references["liver"]
    assert 30 < patient.array[array(blood.mask)].mean() < 60  # unenhanced blood
    assert 50 < patient.array[array(liver.mask)].mean() < 70  # unenhanced liver
    assert blood.confidence > 0.7 and liver.confidence > 0.7


def test_the_xcat_body_has_its_skeleton_and_all_vertebrae(xcat):
    ct, truth = xcat
    found = anatomical_regions(ct)
    bone = array(found.masks["bone"])
    assert 2 * (bone & truth).sum() / (bone.sum() + truth.sum()) > 0.90  # whole body, skull to hands
    assert tuple(found.vertebrae.masks)[-17:] == (*THORACIC, "L1", "L2", "L3", "L4", "L5")
    assert {"pelvis", "ribs", "femora"} <= set(found.masks)
    assert reference_regions(ct, found.masks)["blood_pool"].mask is None  # this body has no vessels
