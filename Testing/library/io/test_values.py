"""Stored values to values with a unit: rescale per slice, real world value mapping, units by modality and content."""

from __future__ import annotations

import bonequant.io as io
import numpy as np
import pydicom
import pytest
from bonequant.errors import InputError
from bonequant.io.dicom_values import unit_of
from pydicom.sequence import Sequence

PET = "1.2.840.10008.5.1.4.1.1.128"
RNG = np.random.default_rng(3)
STORED = RNG.integers(0, 3000, (4, 5, 6)).astype(np.uint16)


def mapping(slope, intercept, unit, first=0, last=65535):
    item, code = pydicom.Dataset(), pydicom.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = unit, "UCUM", unit
    item.RealWorldValueSlope, item.RealWorldValueIntercept = slope, intercept
    item.add_new(0x00409216, "US", first)
    item.add_new(0x00409211, "US", last)
    item.MeasurementUnitsCodeSequence = Sequence([code])
    return item


def test_each_slice_has_its_own_slope(write_slices):
    slopes = [1.5, 2.25, 0.5, 4.0]

    def each(k, dataset):
        dataset.RescaleSlope, dataset.RescaleIntercept = slopes[k], 0

    volume = io.load(write_slices(STORED, sop_class=PET, modality="PT", Units="BQML", each=each))
    assert (volume.modality, volume.unit) == ("PT", "Bq/mL")
    assert np.array_equal(volume.array, STORED * np.array(slopes, np.float32)[:, None, None])


@pytest.mark.parametrize(
    ("units", "suv_type", "unit"),
    [("BQML", None, "Bq/mL"), ("CNTS", None, "counts"), ("GML", None, "SUVbw"), ("GML", "LBM", "SUVlbm"),
     ("CM2ML", "BSA", "SUVbsa")],
)  # fmt: skip
def test_units_of_pet(write_slices, units, suv_type, unit):
    def each(_, dataset):
        if suv_type:
            dataset.SUVType = suv_type

    assert io.load(write_slices(STORED, sop_class=PET, modality="PT", Units=units, each=each)).unit == unit


def test_real_world_mapping_makes_counts_quantitative(write_nm):
    """Several items: Bq/mL goes before SUV and before the counts of the rescale; any of them can be asked for."""
    maps = [mapping(0.01, 0.0, "g/ml{SUVbw}"), mapping(2.5, -1.0, "Bq/ml")]
    path = write_nm(STORED, RealWorldValueMappingSequence=Sequence(maps), RescaleSlope=3, RescaleIntercept=0)
    volume = io.load(path)
    assert volume.unit == "Bq/mL"
    assert np.allclose(volume.array, STORED * 2.5 - 1.0)
    assert any("also offers SUVbw, counts" in warning for warning in volume.warnings)
    assert np.allclose(io.load(path, unit="SUVbw").array, STORED * 0.01)
    assert np.allclose(io.load(path, unit="counts").array, STORED * 3.0)


def test_kilobecquerel_becomes_becquerel(write_nm):
    path = write_nm(STORED, RealWorldValueMappingSequence=Sequence([mapping(0.5, 0.0, "kBq/ml")]))
    volume = io.load(path)
    assert volume.unit == "Bq/mL"
    assert np.allclose(volume.array, STORED * 500.0)


def test_gates_that_are_no_counts_are_not_summed(write_nm):
    """The mean of concentrations is one, their sum is none: three gates of 100 Bq/mL are not 300 Bq/mL."""
    gates = np.tile(STORED, (3, 1, 1))
    path = write_nm(
        gates,
        image_type="RECON GATED TOMO",
        FrameIncrementPointer=[0x00540070, 0x00540080],
        TimeSlotVector=np.repeat([1, 2, 3], len(STORED)).tolist(),
        SliceVector=list(range(1, len(STORED) + 1)) * 3,
        RealWorldValueMappingSequence=Sequence([mapping(2.5, 0.0, "Bq/ml")]),
    )
    with pytest.raises(InputError, match=r'gates are in Bq/mL, and only counts add up.*unit="counts"'):
        io.load(path, gate="sum")
    assert np.array_equal(io.load(path, gate="sum", unit="counts").array, 3.0 * STORED)
    assert np.array_equal(io.load(path, gate=2).array, 2.5 * STORED)


def test_items_of_one_unit_for_two_ranges(write_nm):
    maps = [mapping(1.0, 0.0, "Bq/ml", 0, 999), mapping(2.0, -1000.0, "Bq/ml", 1000, 65535)]
    volume = io.load(write_nm(STORED, RealWorldValueMappingSequence=Sequence(maps)))
    assert np.array_equal(volume.array, np.where(STORED < 1000, STORED, 2.0 * STORED - 1000))
    gap = [mapping(1.0, 0.0, "Bq/ml", 0, 99), mapping(2.0, 0.0, "Bq/ml", 2000, 65535)]
    with pytest.raises(InputError, match="outside the ranges"):
        io.load(write_nm(STORED, name="gap.dcm", RealWorldValueMappingSequence=Sequence(gap)))


def test_values_beyond_a_single_range_are_mapped_with_a_warning(write_nm):
    volume = io.load(write_nm(STORED, RealWorldValueMappingSequence=Sequence([mapping(2.0, 0.0, "Bq/ml", 0, 1000)])))
    assert np.array_equal(volume.array, STORED * 2.0)
    assert any("0..1000" in warning for warning in volume.warnings)


def test_a_slope_of_zero_is_refused(write_slices):
    with pytest.raises(InputError, match="Rescale Slope"):
        io.load(write_slices(STORED, modality="MR", RescaleSlope=0))


def test_unit_given_by_the_caller_relabels_with_a_warning(write_nm):
    volume = io.load(write_nm(STORED), unit="Bq/mL")
    assert volume.unit == "Bq/mL"
    assert np.array_equal(volume.array, STORED)
    assert any("given by the caller" in warning for warning in volume.warnings)
    assert "unit" in volume.acquisition.typed


@pytest.mark.parametrize(
    ("written", "unit"),
    [("Bq/ml", ("Bq/mL", 1)), ("{SUVlbm(Janma)}g/ml", ("SUVlbm", 1)), ("{SUVbsa}cm2/ml", ("SUVbsa", 1)),
     ("[hnsf'U]", ("HU", 1)), ("mm2/s", ("mm2/s", 1)), (None, ("", 1))],
)  # fmt: skip
def test_unit_codes(written, unit):
    assert unit_of(written) == unit


def tracer(nuclide):
    item, code = pydicom.Dataset(), pydicom.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "X", "99TEST", nuclide
    item.RadionuclideCodeSequence = Sequence([code])
    return Sequence([item])


@pytest.mark.parametrize(
    ("attributes", "modality"),
    [
        ({"RadiopharmaceuticalInformationSequence": tracer("^99m^Technetium")}, "NM"),
        ({"RadiopharmaceuticalInformationSequence": tracer("^18^Fluorine")}, "PT"),
        ({"CollimatorType": "PARA", "RadiopharmaceuticalInformationSequence": tracer("Yttrium Y^90^")}, "NM"),
        ({"CollimatorType": "RING", "RadiopharmaceuticalInformationSequence": tracer("Y-90")}, "PT"),
        ({"CollimatorType": "PARA", "RadiopharmaceuticalInformationSequence": tracer("F-18")}, "NM"),
        ({}, "PT"),
    ],
)
def test_emission_is_judged_by_content(write_slices, attributes, modality):
    volume = io.load(write_slices(STORED, sop_class=PET, modality="PT", Units="BQML", **attributes))
    assert volume.modality == modality
    assert volume.acquisition.protocol["file_modality"] == "PT"


def test_spect_called_other(write_slices, write_nm):
    secondary = "1.2.840.10008.5.1.4.1.1.7"
    spect = {"RadiopharmaceuticalInformationSequence": tracer("177 Lutetium")}
    assert io.load(write_slices(STORED, sop_class=secondary, modality="OT", **spect)).modality == "NM"
    assert io.load(write_nm(STORED, Modality="OT")).modality == "NM"
