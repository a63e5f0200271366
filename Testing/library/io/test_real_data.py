"""Real data: totals, geometry and facts that are known, and times that an interactive user can bear."""

from __future__ import annotations

import time
from datetime import datetime

import bonequant.io as io
import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import AmbiguousInputError, GeometryError


@pytest.fixture(scope="module")
def spect(data):
    start = time.process_time()
    volume = io.load(data / "spect_lu177" / "SCAN_001" / "image")
    assert time.process_time() - start < 5
    return volume


def test_spect_stored_as_pet(spect):
    facts = spect.acquisition
    assert (spect.modality, spect.unit, facts.protocol["file_modality"]) == ("NM", "Bq/mL", "PT")
    assert (facts.decay_correction, facts.radionuclide) == ("ADMIN", "177Lu")
    assert (facts.patient_weight_kg, facts.patient_height_m) == (92.987, 1.753)
    assert facts.injection_time == datetime(2018, 11, 15, 9, 22)
    assert facts.injected_activity_bq == pytest.approx(7210.4e6, rel=1e-5)
    total_mbq = float(spect.array.sum(dtype=np.float64)) * spect.voxel_volume_ml / 1e6
    assert total_mbq == pytest.approx(1350.55, rel=1e-4)  # the reference has six digits


def test_spect_structures(data, spect):
    """Reference: lesion1 106.98 mL, mean 1142.66, max 2252.8 kBq/mL; lesion2 2.86, 1474.73, 2281.2 (all digits)."""
    folder = data / "spect_lu177" / "SCAN_001" / "mask"
    assert io.referenced_series(folder) == spect.acquisition.series_uid
    masks = io.load_masks(folder, spect)
    found = {}
    for name, mask in masks.items():
        inside = spect.array[sitk.GetArrayViewFromImage(mask) > 0]
        volume_ml = inside.size * spect.voxel_volume_ml
        found[name.split()[0]] = (volume_ml, inside.mean(dtype=np.float64) / 1e3, inside.max() / 1e3)
    assert found["lesion1"] == pytest.approx((106.98, 1142.66, 2252.8), abs=0.005)
    assert found["lesion2"] == pytest.approx((2.86, 1474.73, 2281.2), abs=0.005)


def test_pet_ct_in_jpeg_ls(data):
    folder = data / "petct_acrin"
    with pytest.raises(AmbiguousInputError, match=r'PT slices "PET AC".*CT slices "CT IMAGES"'):
        io.load(folder)
    pet, ct = io.load(folder, series="PET AC"), io.load(folder / "CT")
    assert (pet.modality, pet.unit, ct.modality, ct.unit) == ("PT", "Bq/mL", "CT", "HU")
    assert pet.geometry.size, ct.geometry.size == ((128, 128, 135), (512, 512, 135))
    facts = pet.acquisition
    assert (facts.decay_correction, facts.radionuclide, facts.half_life_s) == ("START", "18F", 6588.0)
    assert facts.injected_activity_bq == pytest.approx(588.8e6, rel=1e-5)
    assert (facts.acquisition_start - facts.injection_time).total_seconds() == 2 * 3600 + 38 * 60 + 47
    assert facts.frame_of_reference_uid == ct.acquisition.frame_of_reference_uid
    for volume, part in ((pet, "PT"), (ct, "CT")):
        series = sitk.ImageSeriesReader()
        series.SetFileNames(series.GetGDCMSeriesFileNames(str(folder / part)))
        gdcm = series.Execute()
        assert volume.geometry.corners() == pytest.approx(
            np.array([gdcm.TransformContinuousIndexToPhysicalPoint(c) for c in _corners(gdcm)]), abs=1e-3
        )
        # float32 of values up to 1.2e5
        assert np.abs(volume.array - sitk.GetArrayViewFromImage(gdcm)).max() < 0.01


def _corners(image):
    x, y, z = (size - 0.5 for size in image.GetSize())
    return [(i, j, k) for k in (-0.5, z) for j in (-0.5, y) for i in (-0.5, x)]


def test_dynamic_series_says_its_phases(data):
    with pytest.raises(GeometryError, match="3 phases x 60 slices"):
        io.load(data / "dce_breast_dicom" / "UCSF-BR-06" / "image_dce_3dfgre_orig")
    series, segmentation = io.scan(data / "dce_breast_dicom")
    if series.kind != "slices":
        series, segmentation = segmentation, series
    assert (series.n_phases, series.n_slices, segmentation.kind) == (3, 60, "segmentation")


def test_sarcoma_masks_on_their_grids(data):
    """One tumour drawn on three grids: the volumes agree to the voxel edges of the coarsest (PET, 4.7 mm)."""
    folder = data / "sts_petctmr" / "nifti" / "STS_001"
    volumes = {}
    for part, modality in (("CT", "CT"), ("PET", "PT"), ("MR_T1", "MR")):
        image = io.load(folder / f"{part}_image.nii.gz", modality=modality)
        (mask,) = io.load_masks(folder / f"{part}_mask.nii.gz", image).values()
        assert mask.GetSize() == image.image.GetSize()
        volumes[part] = int(sitk.GetArrayViewFromImage(mask).sum()) * image.voxel_volume_ml
    assert volumes["PET"] == pytest.approx(volumes["CT"], rel=0.01)
    assert volumes["MR_T1"] == pytest.approx(volumes["CT"], rel=0.01)


def test_info_says_what_is_missing(data, write_nm):
    (spect,) = [r for r in io.info(data / "spect_lu177") if r.series.kind == "slices"]
    assert (spect.missing, spect.problems, spect.unit) == ((), (), "Bq/mL")
    assert "patient_name" not in spect.facts
    (dynamic, _) = sorted(io.info(data / "dce_breast_dicom"), key=lambda r: r.series.kind == "segmentation")
    assert (dynamic.problems, len(dynamic.times_s), dynamic.geometry.size[2]) == ((), 3, 60)
    assert "(0008,0033)" in dynamic.protocol["frame_times_from"]
    (counts,) = io.info(write_nm(np.ones((3, 4, 5), np.uint16)))
    said = " ".join(counts.missing)
    for keyword in ("calibration_factor_cps_per_mbq", "patient_weight_kg", "injection_time", "decay_correction"):
        assert keyword in said
    (planar,) = io.info(write_nm(np.ones((3, 4, 5), np.uint16), name="planar.dcm", image_type="STATIC"))
    assert "planar" in planar.problems[0]


def test_thousand_slices_in_a_few_seconds(write_slices):
    folder = write_slices(np.zeros((1000, 64, 64), np.uint16))
    start = time.process_time()
    (series,) = io.scan(folder)
    scanned = time.process_time() - start
    volume = io.load(folder)
    assert (series.n_slices, volume.geometry.size) == (1000, (64, 64, 1000))
    assert scanned < 5  # CPU seconds, so that a busy machine does not matter; about 1.5 here
    assert time.process_time() - start < 15
