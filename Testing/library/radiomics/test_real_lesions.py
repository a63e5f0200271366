"""A real tumour on CT and PET, each with its own mask on its own grid, and the section carried to the other one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.radiomics import IbsiSettings, RadiomicsSettings, copy_section, extract, feature_table, largest_section
from bonequant.volume import Volume


@pytest.fixture(scope="module")
def lesion(data) -> dict[str, tuple[Volume, sitk.Image]]:
    folder = data / "sts_petctmr" / "nifti" / "STS_001"
    return {
        name: (
            Volume(sitk.ReadImage(str(folder / f"{name}_image.nii.gz")), modality, unit, name=name),
            sitk.ReadImage(str(folder / f"{name}_mask.nii.gz")),
        )
        for name, modality, unit in (("CT", "CT", "HU"), ("PET", "PT", "SUVbw"))
    }


@pytest.mark.parametrize("name", ["CT", "PET"])
def test_all_features_of_a_real_lesion(lesion, name):
    image, mask = lesion[name]
    ibsi = IbsiSettings(spacing_mm=(3.0, 3.0, 3.0), discretisation="fixed_bin_number")
    features = extract(image, mask, RadiomicsSettings(families=("mazda", "ibsi"), ibsi=ibsi))
    assert len(features) == 279 + 174
    assert all(name.startswith("WavEn") for name in features.missing)
    assert sum(math.isnan(value) for value in features.values()) == len(features.missing)
    # Against the voxels themselves: the mesh cuts the corners of the outer voxels, resampling blurs the rest.
    inside = sitk.GetArrayViewFromImage(mask) > 0
    assert features["original_shape_MeshVolume"] == pytest.approx(inside.sum() * image.voxel_volume_ml * 1000, rel=0.02)
    assert features["original_firstorder_Mean"] == pytest.approx(image.array[inside].mean(), rel=0.02)


def test_the_table_of_a_result_tells_what_each_feature_is(lesion):
    image, mask = lesion["PET"]
    ibsi = IbsiSettings(classes=("firstorder", "glcm"), image_types=("original", "gradient"), bin_width=0.5)
    settings = RadiomicsSettings(families=("mazda", "ibsi"), ibsi=ibsi)
    rows = {row["name"]: row for row in feature_table(extract(image, mask, settings))}
    assert rows["original_glcm_Autocorrelation"]["ibsi_id"] == "QWB0"
    assert "verified" in str(rows["original_glcm_Autocorrelation"]["status"])
    assert "filtered" in str(rows["gradient_glcm_Autocorrelation"]["status"])
    assert rows["original_glcm_MCC"]["ibsi_id"] == ""
    assert "not in IBSI" in str(rows["original_glcm_MCC"]["status"])
    assert rows["S(1,0)Contrast"]["feature_class"] == "co-occurrence"
    lost = [row for row in rows.values() if row["missing_because"]]
    assert all(math.isnan(float(row["value"])) for row in lost)


def test_the_largest_section_of_the_ct_lands_on_the_pet(lesion):
    (_, ct_mask), (pet, pet_mask) = lesion["CT"], lesion["PET"]
    section = largest_section(ct_mask)
    copy = copy_section(section, pet)
    # PET pixels of 4 mm along a contour of some 300 mm: half a pixel of that is 10 % of the area, evened out to 2 %.
    assert copy.area_mm2 == pytest.approx(section.area_mm2, rel=0.02)
    drawn = np.take(sitk.GetArrayViewFromImage(pet_mask), copy.index, axis=0) > 0
    assert 2 * (drawn & copy.pixels).sum() / (drawn.sum() + copy.pixels.sum()) > 0.95
    assert not extract(pet, copy.mask).keys() ^ extract(pet, pet_mask).keys()
