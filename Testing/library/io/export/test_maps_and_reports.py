"""Parametric maps and structured reports, read back by dcmqi, by pydicom and by our own reader: values exact."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import bonequant.io as io
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.io.export import (
    MeasuredLesion,
    Quantity,
    Response,
    Segment,
    quantity,
    source_series,
    write_derived_series,
    write_dicom_seg,
    write_measurement_report,
    write_parametric_map,
)
from bonequant.io.export.codes import _DERIVATIONS, _VOXELS, KINDS, SITES
from bonequant.volume import Acquisition, Volume, image_from_array
from pydicom.sr._concepts_dict import concepts

_spec = importlib.util.spec_from_file_location("export_conftest", Path(__file__).with_name("conftest.py"))
helpers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(helpers)
OBLIQUE = helpers.OBLIQUE


@pytest.fixture
def values():
    return np.random.default_rng(5).normal(0.1, 0.3, OBLIQUE.shape).astype(np.float32)


@pytest.mark.parametrize("kind", ["slices", "nm"])
@pytest.mark.parametrize("double", [False, True])
def test_map_values_and_place_are_exact(kind, double, tmp_path, values, dcmqi):
    place = helpers.write_slices(tmp_path / "s") if kind == "slices" else helpers.write_nm(tmp_path / "nm.dcm")
    image = image_from_array(values, OBLIQUE)
    write_parametric_map(image, tmp_path / "map.dcm", source_series(place), "ktrans", double=double)
    own = io.load(tmp_path / "map.dcm")
    assert own.unit == "1/min"
    assert np.array_equal(own.array, values)
    assert helpers.farthest_mm(own.image, image) < 0.01
    header = pydicom.dcmread(tmp_path / "map.dcm")
    assert ("DoubleFloatPixelData" if double else "FloatPixelData") in header
    mapping = header.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1, 0)
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "/min"
    assert mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeValue == "126312"
    if not double:  # dcmqi reads float32 maps alone
        _, folder = dcmqi("paramap2itkimage", tmp_path / "map.dcm")
        theirs = sitk.ReadImage(str(folder / "pmap.nrrd"))
        assert np.array_equal(sitk.GetArrayViewFromImage(theirs), values)
        assert helpers.farthest_mm(theirs, image) < 0.01


def test_a_voxel_without_value_stays_without(tmp_path, values):
    source = source_series(helpers.write_slices(tmp_path / "s"))
    values[2, 3, 4] = np.nan
    cropped = image_from_array(values, OBLIQUE)[2:12, 1:9, 1:6]
    write_parametric_map(Volume(cropped), tmp_path / "map.dcm", source, "vp", description="Vp map")
    stored = pydicom.dcmread(tmp_path / "map.dcm").pixel_array
    inside = np.zeros(OBLIQUE.shape, bool)
    inside[1:6, 1:9, 2:12] = True
    inside[2, 3, 4] = False
    assert np.array_equal(np.isfinite(stored), inside)
    assert np.array_equal(stored[inside], values[inside])
    flat = image_from_array(np.full(OBLIQUE.shape, 2.5, np.float32), OBLIQUE)
    write_parametric_map(flat, tmp_path / "flat.dcm", source, "suv")
    assert io.load(tmp_path / "flat.dcm").unit == "SUVbw"
    nothing = image_from_array(np.full(OBLIQUE.shape, np.nan, np.float32), OBLIQUE)
    with pytest.raises(InputError, match="no finite voxel"):
        write_parametric_map(nothing, tmp_path / "none.dcm", source, "suv")
    with pytest.raises(InputError, match="near: ktrans"):
        write_parametric_map(flat, tmp_path / "none.dcm", source, "ktran")


def test_report_as_dcmqi_reads_it(tmp_path, masks, dcmqi):
    source = source_series(helpers.write_slices(tmp_path / "s"))
    seg = write_dicom_seg([Segment(masks[n], n, tracking_id=n, site="L1") for n in masks], tmp_path / "seg.dcm", source)
    own = Quantity(("mine", "99BONEQUANT", "My measure"), ("mm", "UCUM", "millimeter"))
    numbers = {"suv_max": 11.25, "suv_mean": 5.1, "suv_peak": 9.75, "volume_ml": 3.125, "metabolic_volume_ml": 2.5,
               "total_lesion_uptake_g": 12.75, "vp": 0.0812345678, "ktrans": 0.25, "ve": 0.4, "vp_normalised": 1.5,
               "vp_change_percent": -87.8, own: 4.5, "adc_mean": float("nan")}  # fmt: skip
    rule = "change of normalised Vp -87.8 % <= -40 %: success"
    lesions = [
        MeasuredLesion("L01", numbers, "L01", site="left femur", responses=[Response("DCE Vp", "success", rule)]),
        MeasuredLesion("L02", {"volume_ml": 1.0}, "L02", kind="bone metastasis"),
        MeasuredLesion("patient", kind="lesion", responses=[Response("RECIST 1.1", "PR", "sum -30 %")]),
    ]
    write_measurement_report(lesions, tmp_path / "sr.dcm", source, seg)
    meta, _ = dcmqi("tid1500reader", tmp_path / "sr.dcm")
    first, second, patient = meta["Measurements"]
    found = {
        (item["quantity"]["CodeMeaning"], item.get("derivationModifier", {}).get("CodeMeaning")): (
            float(item["value"]),
            item["units"]["CodeValue"],
        )
        for item in first["measurementItems"]
    }
    assert found == {
        ("SUVbw", "Maximum"): (11.25, "{SUVbw}g/ml"),
        ("SUVbw", "Mean"): (5.1, "{SUVbw}g/ml"),
        ("SUVbw", "Peak Value Within ROI"): (9.75, "{SUVbw}g/ml"),
        ("Volume", None): (3.125, "ml"),
        ("Metabolic Volume", None): (2.5, "ml"),
        ("Total lesion uptake (SUVmean x volume)", None): (12.75, "g"),
        ("vp", None): (0.0812345678, "1"),
        ("Ktrans", None): (0.25, "/min"),
        ("ve", None): (0.4, "1"),
        ("vp relative to the reference region", None): (1.5, "{ratio}"),
        ("Change of vp from baseline", None): (-87.8, "%"),
        ("My measure", None): (4.5, "mm"),
    }
    assert (first["TrackingIdentifier"], first["TrackingUniqueIdentifier"]) == ("L01", seg.tracking["L01"][1])
    assert (first["ReferencedSegment"], second["ReferencedSegment"]) == (1, 2)
    assert first["segmentationSOPInstanceUID"] == seg.sop_instance_uid
    assert first["SourceSeriesForImageSegmentation"] == source.series_uid
    assert first["FindingSite"]["CodeMeaning"] == "Femur" and first["Laterality"]["CodeMeaning"] == "Left"
    assert second["Finding"]["CodeMeaning"] == "Bony metastasis"
    said = {item["conceptCode"]["CodeMeaning"]: item["conceptValue"] for item in first["qualitativeEvaluations"]}
    assert said["Disease Response"]["CodeMeaning"] == "success"
    assert said["Rule that fired"] == f"DCE Vp: success; {rule}"
    assert said["Comment"] == "Not measured: adc_mean"
    response = patient["qualitativeEvaluations"][0]["conceptValue"]
    assert (response["CodeValue"], response["CodingSchemeDesignator"]) == ("C18058", "NCIt")
    raw = (tmp_path / "sr.dcm").read_bytes()
    assert b"SECRET-1" not in raw and b"research use only" in raw
    sr = pydicom.dcmread(tmp_path / "sr.dcm")
    evidence = [
        instance.ReferencedSOPInstanceUID
        for name in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")
        for study in sr.get(name, [])
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    ]
    assert seg.sop_instance_uid in evidence


def test_report_says_what_is_wrong(tmp_path, masks):
    source = source_series(helpers.write_slices(tmp_path / "s"))
    for lesions, message in (
        ([], "no lesion"),
        ([MeasuredLesion("L01"), MeasuredLesion("L01")], "given twice: L01"),
        ([MeasuredLesion("L01", segment="L09")], "no segment 'L09'"),
        ([MeasuredLesion("L01", {"suvmax": 1.0})], "'suvmax'"),
        ([MeasuredLesion("L01", {"suv_max": float("inf")})], "infinite"),
    ):
        with pytest.raises(InputError, match=message):
            write_measurement_report(lesions, tmp_path / "sr.dcm", source)
        assert not (tmp_path / "sr.dcm").exists()


def test_codes_are_those_of_the_standard():
    """Every code with a public scheme that pydicom's copy of PS3.16 knows has that meaning there."""
    known = {scheme: {} for scheme in ("DCM", "SCT", "UCUM")}
    for scheme, of_scheme in known.items():
        for entry in concepts[scheme].values():
            for value, (meaning, _) in entry.items():
                of_scheme.setdefault(value, set()).add(meaning.lower())
    named = [*SITES.values(), *(concept for pair in KINDS.values() for concept in pair)]
    for name in ("suv_max", "suv_lbm_mean", "vp_peak", "ktrans_sd", "kep_min", "ve_median", "adc_mean", "hu",
                 "blood_flow", "volume_ml", "metabolic_volume_ml", "total_lesion_glycolysis_g", "long_diameter_mm",
                 "short_diameter_mm"):  # fmt: skip
        codes = quantity(name)
        named += [codes.concept, *([codes.derivation] if codes.derivation else [])]
    checked = 0
    for value, scheme, meaning in named:
        if value in known.get(scheme, {}):
            assert meaning.lower() in known[scheme][value] or value == "123037004", (value, meaning)
            checked += 1
    assert checked >= len(named) - 2  # all but the reference region (NCIt)


@pytest.mark.parametrize(("modality", "unit"), [("CT", "HU"), ("MR", ""), ("NM", "Bq/mL"), ("OT", "")])
def test_an_image_without_dicom_becomes_a_series(modality, unit, tmp_path, values, masks):
    volume = Volume(image_from_array(np.rint(values * 1000), OBLIQUE), modality, unit, Acquisition(), "image")
    write_derived_series(volume, tmp_path / "derived")
    again = io.load(tmp_path / "derived")
    assert np.array_equal(again.array, volume.array)
    assert helpers.farthest_mm(again.image, volume.image) < 0.01
    assert modality not in ("CT", "MR") or (again.modality, again.unit) == (modality, unit)
    source = source_series(tmp_path / "derived")
    write_dicom_seg(masks, tmp_path / "seg.dcm", source, keep_empty_frames=True)
    found = io.load_masks(tmp_path / "seg.dcm", like=volume)
    assert all(
        np.array_equal(sitk.GetArrayViewFromImage(found[n]), sitk.GetArrayViewFromImage(masks[n])) for n in masks
    )
    with pytest.raises(InputError, match="not empty"):
        write_derived_series(volume, tmp_path / "derived")


def test_every_measure_has_a_code_of_its_own():
    """Also those whose names begin alike; a code value holds 16 characters."""
    names = [
        f"{base}{ending}"
        for base in ("vp", "ktrans", "size", *(f"{one}_{how}" for one in _VOXELS for how in _DERIVATIONS))
        for ending in ("_change_percent", "_normalised", "_normalised_change_percent")
    ]
    codes = [quantity(name).concept[0] for name in names]
    assert max(map(len, codes)) <= 16
    assert len(set(codes)) == len(codes)
