"""SUV: published body measures, decay handling worked by hand, dates, and the errors a clinic meets."""

from __future__ import annotations

import dataclasses
import math
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError, MissingFactError, SettingsError
from bonequant.spect import (
    body_surface_m2,
    frame_factor,
    lean_body_mass_kg,
    net_activity_bq,
    scan_duration_s,
    suv_factors,
    to_suv,
)
from bonequant.volume import Acquisition, Volume

HOUR = timedelta(hours=1)
INJECTION = datetime(2024, 3, 1, 9, 0)
TC99M = 6.007 * 3600

BONE_SCAN = Acquisition(
    patient_weight_kg=80.0,
    patient_height_m=1.80,
    patient_sex="M",
    radionuclide="99mTc",
    injected_activity_bq=600e6,
    injection_time=INJECTION,
    acquisition_start=INJECTION + 3 * HOUR,
    frame_duration_s=20.0,
    number_of_projections=60,
    number_of_detectors=2,
    decay_correction="START",
)


def changed(**facts):
    return dataclasses.replace(BONE_SCAN, **facts)


def volume(acquisition=BONE_SCAN, value=10000.0, unit="Bq/mL"):
    image = sitk.GetImageFromArray(np.full((2, 3, 4), value, dtype=np.float32))
    image.SetSpacing((4.42, 4.42, 4.42))
    return Volume(image=image, modality="NM", unit=unit, acquisition=acquisition, source="bone.dcm")


# Body measures: spect_ct reference numbers, published formulae evaluated for 92.987 kg and 1.753 m.
@pytest.mark.parametrize(
    ("formula", "sex", "kg"),
    [("janmahasatian", "M", 65.223), ("janmahasatian", "F", 53.330), ("james", "M", 66.270), ("james", "F", 57.853)],
)
def test_lean_body_mass(formula, sex, kg):
    assert lean_body_mass_kg(92.987, 1.753, sex, formula) == pytest.approx(kg, abs=5e-4)


def test_body_surface():
    # By hand: 0.007184 * 70^0.425 * 170^0.725 = 1.8097 m2, as Du Bois' nomogram gives 1.81.
    assert body_surface_m2(70, 1.70) == pytest.approx(1.8097, abs=5e-5)


def test_frame_factor():
    assert frame_factor(20 * 60, TC99M) == pytest.approx(1.0194, abs=5e-5)
    assert frame_factor(0.0, TC99M) == 1.0
    # A frame of one half-life: mean activity (1 - 1/2)/ln2 of the start.
    assert frame_factor(TC99M, TC99M) == pytest.approx(2 * math.log(2))


def test_start_admin_none_by_hand():
    remaining = 2 ** (-3 / 6.007)
    start = to_suv(volume()).array[0, 0, 0]
    assert start == pytest.approx(10000 * 80000 / (600e6 * remaining), rel=1e-6)
    admin = to_suv(volume(), decay_correction="ADMIN").array[0, 0, 0]
    assert admin == pytest.approx(10000 * 80000 / 600e6, rel=1e-6)
    none = to_suv(volume(), decay_correction="NONE").array[0, 0, 0]
    assert none == pytest.approx(start * 1.0194, rel=5e-5)  # 60 x 20 s are the 20 min of the reference


def test_factors_multiply_up():
    factors = suv_factors(changed(decay_correction="NONE"))
    assert factors.elapsed_s == 10800
    assert factors.frame_duration_s == 1200
    assert factors.reference_activity_bq == factors.net_activity_bq * factors.decay_factor
    expected = factors.frame_factor * factors.body_measure / factors.reference_activity_bq
    assert factors.scale == pytest.approx(expected, rel=1e-12)
    assert (factors.unit, factors.body_measure_unit, factors.half_life_source) == ("SUVbw", "g", "DDEP, 6.0067 h")


def test_lbm_and_bsa():
    lbm = to_suv(volume(), normalisation="lbm")
    assert lbm.unit == "SUVlbm"
    mass = 9270 * 80 / (6680 + 216 * 80 / 1.8**2)
    assert lbm.array[0, 0, 0] / to_suv(volume()).array[0, 0, 0] == pytest.approx(mass / 80, rel=1e-6)
    bsa = suv_factors(BONE_SCAN, normalisation="bsa")
    assert (bsa.unit, bsa.body_measure_unit) == ("SUVbsa", "cm2")
    assert bsa.body_measure == pytest.approx(1e4 * body_surface_m2(80, 1.8))


def test_sex_is_asked_for_by_lean_mass_only():
    nobody = changed(patient_sex=None)
    suv_factors(nobody)
    suv_factors(nobody, normalisation="bsa")
    with pytest.raises(MissingFactError, match="PatientSex"):
        suv_factors(nobody, normalisation="lbm")
    with pytest.raises(InputError, match="M or F"):
        suv_factors(changed(patient_sex="O"), normalisation="lbm")


def test_residual_and_measuring_times():
    # Drawn up at 8:30 with 600 MBq; 20 MBq left, measured 9:45.
    acquisition = changed(
        pre_injection_time=INJECTION - 0.5 * HOUR,
        residual_activity_bq=20e6,
        residual_time=INJECTION + 0.75 * HOUR,
    )
    expected = 600e6 * 2 ** (-0.5 / 6.007) - 20e6 * 2 ** (0.75 / 6.007)
    assert net_activity_bq(acquisition, TC99M) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(MissingFactError) as error:
        net_activity_bq(changed(residual_activity_bq=20e6), TC99M)
    assert error.value.fact == "residual_time"
    with pytest.raises(InputError, match="after the injection"):
        net_activity_bq(changed(pre_injection_time=INJECTION + HOUR), TC99M)
    with pytest.raises(InputError, match="before the injection"):
        net_activity_bq(changed(residual_activity_bq=1e6, residual_time=INJECTION - HOUR), TC99M)
    with pytest.raises(InputError, match="leaves"):
        net_activity_bq(changed(residual_activity_bq=600e6, residual_time=INJECTION), TC99M)


def test_midnight():
    late = changed(injection_time=datetime(2024, 2, 29, 23, 0), acquisition_start=datetime(2024, 3, 1, 2, 0))
    assert suv_factors(late).decay_factor == suv_factors(BONE_SCAN).decay_factor
    same_date = changed(injection_time=datetime(2024, 3, 1, 23, 0), acquisition_start=datetime(2024, 3, 1, 2, 0))
    with pytest.raises(InputError, match="midnight"):
        suv_factors(same_date)


def test_injection_after_acquisition_also_where_admin_would_not_need_it():
    with pytest.raises(InputError, match="after the start"):
        suv_factors(changed(decay_correction="ADMIN", acquisition_start=INJECTION - HOUR))


def test_admin_needs_no_times():
    factors = suv_factors(changed(decay_correction="ADMIN", injection_time=None, acquisition_start=None))
    assert factors.elapsed_s is None and factors.decay_factor == 1.0


def test_time_zone_on_one_side_only():
    with pytest.raises(InputError, match="time zone"):
        suv_factors(changed(injection_time=INJECTION.replace(tzinfo=timezone.utc)))


def test_long_ago_is_a_warning():
    factors = suv_factors(changed(injection_time=INJECTION - timedelta(days=30)))
    assert "half-lives" in factors.warnings[0]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"injected_activity_bq": 0.0}, "above zero"),
        ({"injected_activity_bq": -600e6}, "above zero"),
        ({"injected_activity_bq": 600.0}, "MBq"),
        ({"patient_weight_kg": 0.0}, "above zero"),
        ({"patient_weight_kg": 80000.0}, "grams"),
        ({"patient_weight_kg": math.nan}, "above zero"),
        ({"decay_correction": "MAYBE"}, "START"),
    ],
)
def test_impossible_facts(facts, words):
    with pytest.raises(InputError, match=words) as error:
        to_suv(volume(changed(**facts)))
    assert "bone.dcm" in str(error.value)


def test_height_in_centimetres():
    with pytest.raises(InputError, match="centimetres"):
        suv_factors(changed(patient_height_m=180.0), normalisation="lbm")
    assert "BMI" in suv_factors(changed(patient_height_m=0.9), normalisation="bsa").warnings[0]


def test_james_outside_its_domain():
    heavy = changed(patient_weight_kg=150.0)  # BMI 46.3, past the maximum at 43.0
    assert "James" in suv_factors(heavy, normalisation="lbm", formula="james").warnings[0]
    with pytest.raises(InputError, match="janmahasatian"):
        lean_body_mass_kg(300, 1.75, "M", "james")


@pytest.mark.parametrize(
    "fact", ["patient_weight_kg", "injected_activity_bq", "injection_time", "acquisition_start", "decay_correction"]
)
def test_missing_facts_name_themselves_and_can_be_typed(fact):
    bare = volume(changed(**{fact: None}))
    with pytest.raises(MissingFactError, match=f"{fact}=") as error:
        to_suv(bare)
    assert error.value.fact == fact
    assert "(00" in str(error.value)  # the DICOM tag
    typed = to_suv(bare, **{fact: getattr(BONE_SCAN, fact)})
    assert typed.acquisition.typed == (fact,)
    np.testing.assert_array_equal(typed.array, to_suv(volume()).array)


def test_scan_duration():
    assert scan_duration_s(BONE_SCAN) == 1200
    assert scan_duration_s(changed(acquisition_duration_s=1260.0)) == 1260
    bed = changed(number_of_projections=None, frame_duration_s=180.0, acquisition_duration_s=1300.0)
    assert scan_duration_s(bed) == 180
    assert scan_duration_s(changed(frame_duration_s=None, acquisition_duration_s=1260.0)) == 1260
    with pytest.raises(MissingFactError, match="acquisition_duration_s"):
        scan_duration_s(changed(frame_duration_s=None))


def test_never_scaled_twice():
    with pytest.raises(InputError, match="SUV already"):
        to_suv(to_suv(volume()))
    with pytest.raises(InputError, match="to_activity"):
        to_suv(volume(unit="counts"))
    with pytest.raises(MissingFactError, match="unit=Bq/mL or unit=SUVbw"):
        to_suv(volume(unit=""))
    with pytest.raises(SettingsError, match="weight_kg"):
        to_suv(volume(), weight_kg=80)
    with pytest.raises(InputError, match="normalisation"):
        to_suv(volume(), normalisation="ideal")


def test_warnings_travel_with_the_volume():
    odd = volume(changed(half_life_s=6.5 * 3600)).replace(warnings=("one slice is missing",))
    result = to_suv(odd)
    assert result.warnings[0] == "one slice is missing"
    assert "half-life" in result.warnings[1]
