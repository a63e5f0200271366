"""Acquisition facts: dose units, lone times, midnight, the start that decay correction refers to, protocol."""

from __future__ import annotations

from datetime import datetime

import bonequant.io as io
import numpy as np
import pydicom
import pytest
from bonequant.errors import SettingsError
from bonequant.io.dicom_times import moment, parse_datetime, parse_time
from bonequant.io.findings import missing_facts
from bonequant.volume import Acquisition
from pydicom.sequence import Sequence

PET = "1.2.840.10008.5.1.4.1.1.128"
STORED = np.arange(2 * 3 * 4, dtype=np.uint16).reshape(2, 3, 4)
TIMES = {
    "StudyDate": "20240305", "SeriesDate": "20240305", "SeriesTime": "101500",
    "AcquisitionDate": "20240305", "AcquisitionTime": "101500.5",
}  # fmt: skip


def tracer(**attributes):
    item = pydicom.Dataset()
    for name, value in attributes.items():
        setattr(item, name, value)
    return Sequence([item])


@pytest.fixture
def pet(write_slices):
    def write(tracer_item=None, each=None, **attributes):
        attributes = {**TIMES, "Units": "BQML", **attributes}
        if tracer_item is not None:
            attributes["RadiopharmaceuticalInformationSequence"] = tracer_item
        return io.load(write_slices(STORED, sop_class=PET, modality="PT", each=each, **attributes))

    return write


def test_dose_is_bq_in_pet_and_mbq_in_nm(pet, write_nm):
    assert pet(tracer(RadionuclideTotalDose=370e6)).acquisition.injected_activity_bq == 370e6
    nm = write_nm(STORED, RadiopharmaceuticalInformationSequence=tracer(RadionuclideTotalDose=700))
    assert io.load(nm).acquisition.injected_activity_bq == 700e6


def test_impossible_dose_is_taken_in_the_other_unit_with_a_warning(pet, write_nm):
    volume = pet(tracer(RadionuclideTotalDose=370))
    assert volume.acquisition.injected_activity_bq == 370e6
    assert any("impossible in Bq" in warning for warning in volume.warnings)
    nm = io.load(write_nm(STORED, RadiopharmaceuticalInformationSequence=tracer(RadionuclideTotalDose=7.2e9)))
    assert nm.acquisition.injected_activity_bq == 7.2e9
    assert any("impossible in MBq" in warning for warning in nm.warnings)


def test_zero_dose_stays_zero(pet):
    assert pet(tracer(RadionuclideTotalDose=0)).acquisition.injected_activity_bq == 0


def test_a_full_date_time_goes_before_a_lone_time(pet):
    item = tracer(RadiopharmaceuticalStartDateTime="20240304233000", RadiopharmaceuticalStartTime="080000")
    assert pet(item).acquisition.injection_time == datetime(2024, 3, 4, 23, 30)


def test_a_lone_time_later_than_the_acquisition_is_of_the_day_before(pet):
    early = {"SeriesTime": "003000", "AcquisitionTime": "003000"}
    volume = pet(tracer(RadiopharmaceuticalStartTime="233000"), **early)
    assert volume.acquisition.injection_time == datetime(2024, 3, 4, 23, 30)
    assert any("day before" in warning for warning in volume.warnings)
    same_day = pet(tracer(RadiopharmaceuticalStartTime="090000"))
    assert same_day.acquisition.injection_time == datetime(2024, 3, 5, 9)
    assert same_day.warnings == ()


@pytest.mark.parametrize(
    ("known", "warned"),
    [
        ({"Radiopharmaceutical": "177Lu-DOTATATE"}, True),
        ({"RadionuclideHalfLife": 574300.0}, True),
        ({"Radiopharmaceutical": "99mTc MDP"}, False),
        ({}, False),
    ],
)
def test_a_lone_time_of_a_long_lived_nuclide_is_a_warning(pet, known, warned):
    """Four days after 177Lu the clock time of the injection alone makes SUV a third too small, without a trace."""
    volume = pet(tracer(RadiopharmaceuticalStartTime="090000", **known))
    assert volume.acquisition.injection_time == datetime(2024, 3, 5, 9)
    assert any("days before; give injection_time" in warning for warning in volume.warnings) == warned
    dated = pet(tracer(RadiopharmaceuticalStartDateTime="20240301090000", **known))
    assert not any("days before" in warning for warning in dated.warnings)


def test_start_is_series_time_unless_the_series_was_stored_anew(pet):
    def beds(k, dataset):
        dataset.AcquisitionTime = ["101800", "102100"][k]

    assert pet(each=beds).acquisition.acquisition_start == datetime(2024, 3, 5, 10, 15)
    stored_anew = pet(each=beds, SeriesTime="150000")
    assert stored_anew.acquisition.acquisition_start == datetime(2024, 3, 5, 10, 18)
    assert any("stored anew" in warning for warning in stored_anew.warnings)

    def ge(k, dataset):
        beds(k, dataset)
        dataset.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20240305101455.00")

    assert pet(each=ge, SeriesTime="150000").acquisition.acquisition_start == datetime(2024, 3, 5, 10, 14, 55)


@pytest.mark.parametrize(("corrections", "decay"), [(["ATTN", "SCAT"], "NONE"), (["ATTN", "DECY"], None), (None, None)])
def test_nm_decay_correction_is_never_guessed(write_nm, corrections, decay):
    attributes = {} if corrections is None else {"CorrectedImage": corrections}
    volume = io.load(write_nm(STORED, **attributes))
    assert volume.acquisition.decay_correction == decay
    assert any("decay_correction" in warning for warning in volume.warnings) == ("DECY" in (corrections or ()))
    assert io.load(write_nm(STORED, **attributes), decay_correction="START").acquisition.decay_correction == "START"


def test_bed_positions_without_decay_correction_are_a_warning(pet):
    def beds(k, dataset):
        dataset.AcquisitionTime = ["101500", "103500"][k]

    said = [warning for warning in pet(each=beds, DecayCorrection="NONE").warnings if "bed positions" in warning]
    assert len(said) == 1 and "10:15:00 to 10:35:00" in said[0]
    assert not any("bed positions" in warning for warning in pet(each=beds, DecayCorrection="START").warnings)
    assert not any("bed positions" in warning for warning in pet(DecayCorrection="NONE").warnings)


@pytest.mark.parametrize(
    ("correction", "lacking"),
    [
        ("START", ("injection_time", "acquisition_start")),
        ("ADMIN", ()),
        ("NONE", ("injection_time", "acquisition_start", "acquisition_duration_s")),
    ],
)
def test_info_asks_only_for_times_that_count(correction, lacking):
    facts = Acquisition(patient_weight_kg=80.0, injected_activity_bq=7e8, half_life_s=2e4, decay_correction=correction)
    missing = missing_facts("NM", "Bq/mL", facts)
    assert len(missing) == len(lacking)
    assert all(f"give {name}." in sentence for name, sentence in zip(lacking, missing, strict=True))


def test_typed_facts_are_listed(write_nm):
    acquisition = io.load(write_nm(STORED), patient_weight_kg=70.0, radionuclide="99mTc").acquisition
    assert (acquisition.patient_weight_kg, acquisition.typed) == (70.0, ("patient_weight_kg", "radionuclide"))


def test_a_typed_fact_in_the_place_of_another_is_said_without_identifiers(write_nm):
    path = write_nm(
        STORED, RadiopharmaceuticalInformationSequence=tracer(RadionuclideTotalDose=700), PatientID="SECRET"
    )
    volume = io.load(path, injected_activity_bq=650e6, patient_id="OTHER", patient_weight_kg=71.0)
    said = [text for text in volume.warnings if "typed" in text]
    assert said == [
        "injected_activity_bq was typed: 650000000.0; the file says 700000000.0. What was typed was taken",
        "patient_id was typed: another than the file says. What was typed was taken",
    ]
    same = io.load(path, injected_activity_bq=700e6)
    assert not [text for text in same.warnings if "typed" in text]


def test_patient_size_in_centimetres_and_zero_weight(pet):
    volume = pet(PatientSize=175, PatientWeight=0, PatientAge="018M")
    assert volume.acquisition.patient_height_m == 1.75
    assert volume.acquisition.patient_weight_kg is None
    assert volume.acquisition.patient_age_years == 1.5
    assert len(volume.warnings) == 2


def test_nm_protocol_comes_from_its_sequences(write_nm):
    def fill(dataset):
        detector = dataset.DetectorInformationSequence[0]
        detector.CollimatorGridName, detector.CollimatorType, detector.ZoomFactor = "LEHR", "PARA", [1.23, 1.23]
        rotation, window, limits = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
        rotation.NumberOfFramesInRotation, rotation.ActualFrameDuration, rotation.ScanArc = 60, 20000, 360
        limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = 126.45, 154.55
        window.EnergyWindowRangeSequence = Sequence([limits])
        dataset.RotationInformationSequence = Sequence([rotation])
        dataset.EnergyWindowInformationSequence = Sequence([window])
        dataset.ReconstructionMethod = "OSEM 8i4s Gauss 5.00mm"

    acquisition = io.load(write_nm(STORED, change=fill)).acquisition
    assert (acquisition.number_of_projections, acquisition.frame_duration_s) == (60, 20.0)
    assert acquisition.acquisition_duration_s == 1200.0
    expected = {
        "collimator": "LEHR", "zoom": (1.23, 1.23), "projections": 60, "seconds_per_projection": 20.0,
        "scan_arc_deg": 360.0, "energy_windows_kev": ((126.45, 154.55),), "iterations": 8, "subsets": 4,
        "post_filter": "Gauss 5.00mm", "matrix": (3, 4),
    }  # fmt: skip
    assert {key: acquisition.protocol[key] for key in expected} == expected


def test_only_what_the_file_holds(write_slices):
    acquisition = io.load(write_slices(STORED)).acquisition
    assert set(acquisition.protocol) == {"file_modality", "slice_thickness_mm", "matrix"}
    assert acquisition.injection_time is acquisition.acquisition_start is acquisition.decay_correction is None
    with pytest.raises(SettingsError):
        acquisition.with_typed(no_such_fact=1)


def test_the_code_of_the_nuclide_goes_before_any_text(pet):
    """A site's own text, even a wrong one, does not overrule the code; without a code the text is read."""
    code = pydicom.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "C-163A8", "SRT", "as injected"
    item = tracer(RadionuclideCodeSequence=Sequence([code]), Radiopharmaceutical="F-18 FDG")
    assert pet(item).acquisition.radionuclide == "99mTc"
    assert pet(tracer(Radiopharmaceutical="68Ga-DOTATATE")).acquisition.radionuclide == "68Ga"
    assert pet(tracer(Radiopharmaceutical="FDG")).acquisition.radionuclide is None


def test_only_keywords_that_dicom_knows_are_asked_for(monkeypatch):
    monkeypatch.setattr(pydicom.config, "INVALID_KEY_BEHAVIOR", "RAISE")
    header = pydicom.Dataset()
    header.StudyDate, header.StudyTime = "20240305", "101500"
    assert moment(header, "Study") == datetime(2024, 3, 5, 10, 15)


def test_date_times():
    assert parse_datetime("20240305101500.25+0100") == datetime(2024, 3, 5, 10, 15, 0, 250000)
    assert parse_datetime("20240305101500+0000", "+0100") == datetime(2024, 3, 5, 11, 15)
    assert parse_datetime("20240305") is None  # a date alone is no time
    assert parse_datetime("20241305101500") is None
    assert parse_time("0815").hour == 8
    assert parse_time("25") is None
