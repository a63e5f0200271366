"""Real scans: a quantitative 177Lu SPECT (DecayCorrection ADMIN) and an FDG PET (START), from DICOM as they are."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.io import load, load_masks
from bonequant.spect import check_protocol, suv_factors, to_suv


@pytest.fixture(scope="module")
def lutetium(data):
    return load(data / "spect_lu177" / "SCAN_001" / "image")


@pytest.fixture(scope="module")
def fdg(data):
    return load(data / "petct_acrin" / "PT")


def test_admin_is_recognised(lutetium):
    factors = suv_factors(lutetium.acquisition)
    assert (factors.decay_correction, factors.half_life_source, factors.warnings) == ("ADMIN", "file", ())
    assert factors.reference_activity_bq == pytest.approx(7210425599.64)
    # Reference means of both lesions in Bq/mL and SUV; all four are rounded in the 5th digit.
    assert 1142.66e3 * factors.scale == pytest.approx(14.736, rel=5e-5)
    assert 1474.73e3 * factors.scale == pytest.approx(19.018, rel=5e-5)
    # 09:22:00 to 13:06:28.148. Taking ADMIN as START would make every SUV 1.6 % too high.
    assert factors.elapsed_s == pytest.approx(13468.148)
    wrong = suv_factors(lutetium.acquisition.with_typed(decay_correction="START"))
    assert wrong.scale / factors.scale == pytest.approx(2 ** (13468.148 / 574300), rel=1e-9)


def test_lesion_suv_from_dicom(data, lutetium):
    masks = load_masks(next((data / "spect_lu177" / "SCAN_001" / "mask").glob("*.dcm")), like=lutetium)
    suv = to_suv(lutetium)
    assert suv.unit == "SUVbw" and suv.acquisition.typed == ()
    # The reference fills contours by voxel centres, as the reader does: what is left is the rounding of its 5 digits.
    for word, mean in (("lesion1", 14.736), ("lesion2", 19.018)):
        name = next(one for one in masks if word in one.lower())
        inside = sitk.GetArrayViewFromImage(masks[name]) > 0.5
        assert suv.array[inside].mean() == pytest.approx(mean, rel=5e-5)


def test_activity_in_the_field_of_view(lutetium):
    total_mbq = lutetium.array.sum(dtype=np.float64) * lutetium.voxel_volume_ml / 1e6
    assert total_mbq == pytest.approx(1350.55, rel=0.005)


def test_lean_body_mass_of_a_real_patient(lutetium):
    bw = suv_factors(lutetium.acquisition)
    for formula, kg in (("janmahasatian", 65.223), ("james", 66.270)):
        lbm = suv_factors(lutetium.acquisition, normalisation="lbm", formula=formula)
        assert lbm.scale / bw.scale == pytest.approx(kg / 92.987, rel=1e-5)


def test_start_of_a_pet(fdg):
    """Injected 07:21:00, scanned from 09:59:47: 9527 s and 18F of 6588 s by hand."""
    factors = suv_factors(fdg.acquisition)
    assert (factors.decay_correction, factors.elapsed_s) == ("START", 9527)
    assert factors.reference_activity_bq == pytest.approx(588802304 * 2 ** (-9527 / 6588), rel=1e-9)
    assert factors.scale == pytest.approx(91000 / (588802304 * 2 ** (-9527 / 6588)), rel=1e-9)
    suv = to_suv(fdg)
    # The field of view does not hold more than was injected: SUV times volume stays below the body weight in g.
    total = suv.array.sum(dtype=np.float64) * suv.voxel_volume_ml
    assert 0.1 < total / 91000 < 1.0


def test_protocol_record_of_a_real_scan(lutetium):
    record = check_protocol({"spect": lutetium.acquisition})
    found = {row.key: row for row in record.rows}
    assert found["radionuclide"].status == "not met"  # 177Lu, the standard is for 99mTc
    assert found["attenuation_corrected"].status == found["scatter_corrected"].status == "met"
    assert found["energy_window_width_percent"].found == pytest.approx(20, abs=0.01)
    assert found["energy_window_centre_kev"].found == pytest.approx(208.4, abs=0.05)
    assert found["kvp"].status == "unknown"
    assert lutetium.acquisition.patient_id not in record.to_json()
