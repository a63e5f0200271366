"""The protocol record: limits below, at and above; facts absent, typed, derived; centres compared; the standards."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from datetime import datetime

import pytest
from bonequant.errors import InputError
from bonequant.spect import ProtocolItem, ProtocolRecord, check_protocol, compare_protocols, load_standard
from bonequant.spect.protocol import STANDARDS
from bonequant.spect.protocol_facts import _DERIVED, find_fact
from bonequant.volume import Acquisition

SPECT = Acquisition(
    patient_id="SECRET",
    patient_name="Secret^Patient",
    manufacturer="SIEMENS NM",
    scanner="Encore2",
    patient_weight_kg=80.0,
    radionuclide="Tc-99m",
    radiopharmaceutical="99mTc-HDP",
    injected_activity_bq=640e6,
    injection_time=datetime(2024, 3, 1, 9, 0),
    acquisition_start=datetime(2024, 3, 1, 12, 0),
    frame_duration_s=15.0,
    number_of_projections=60,
    corrections=("UNIF", "ATTN", "SCAT"),
    protocol={
        "collimator": "LEHR",
        "energy_windows_kev": ((108.0, 129.5), (130.0, 151.1)),
        "matrix": (128, 128),
        "scan_arc_deg": 180.0,
        "reconstruction_method": "OSEM3D 8i4s",
    },
)
CT = Acquisition(manufacturer="SIEMENS", protocol={"kvp": 130.0, "exposure_mas": 60.0, "slice_thickness_mm": 1.25})


def row(record, key):
    return next(one for one in record.rows if one.key == key)


def test_a_study_by_the_book():
    record = check_protocol({"spect": SPECT, "ct": CT}, centre="A")
    assert [one.key for one in record.rows if one.status != "met"] == []
    assert (row(record, "activity_mbq_per_kg").found, row(record, "activity_mbq_per_kg").source) == (8.0, "derived")
    assert row(record, "uptake_time_min").found == 180
    # 130.0 to 151.1 keV: 21.1 keV of 140.55, not the scatter window of 21.5 keV below.
    assert row(record, "energy_window_width_percent").found == pytest.approx(15.0124, abs=1e-4)
    assert record.equipment == "SIEMENS NM Encore2; SIEMENS"


def test_no_identifier_leaves():
    text = check_protocol({"spect": SPECT, "ct": CT}).to_json()
    assert "SECRET" not in text and "Secret" not in text


def test_not_met_and_unknown():
    late = dataclasses.replace(SPECT, acquisition_start=datetime(2024, 3, 1, 15, 0), corrections=("ATTN",))
    record = check_protocol({"spect": dataclasses.replace(late, radiopharmaceutical=None)})
    assert row(record, "uptake_time_min").status == "not met"
    assert row(record, "scatter_corrected").status == "not met"
    assert row(record, "attenuation_corrected").status == "met"
    assert (row(record, "radiopharmaceutical").status, row(record, "radiopharmaceutical").source) == ("unknown", "")
    assert row(record, "kvp").status == "unknown"
    assert record.count("met") + record.count("not met") + record.count("unknown") == len(record.rows)


def test_typed_facts_are_said_to_be_typed():
    acquisition = dataclasses.replace(SPECT, injected_activity_bq=None, protocol={}).with_typed(
        injected_activity_bq=500e6
    )
    record = check_protocol({"spect": acquisition}, typed={"spect": {"collimator": "LEHR", "matrix": (64, 64)}})
    assert row(record, "activity_mbq").source == "typed"
    assert (row(record, "collimator").status, row(record, "collimator").source) == ("met", "typed")
    assert row(record, "matrix").status == "not met"
    with pytest.raises(InputError, match="ct collimator"):
        check_protocol({"ct": CT}, typed={"ct": {"collimator": "LEHR"}})


@pytest.mark.parametrize(
    ("limits", "found", "status"),
    [
        ({"range": (15, 20)}, 15.0, "met"),
        ({"range": (15, 20)}, 14.99, "not met"),
        ({"range": (15, 20)}, 20.0, "met"),
        ({"range": (15, 20)}, 20.01, "not met"),
        ({"range": (None, 5)}, -3.0, "met"),
        ({"range": (60, None)}, 1e6, "met"),
        ({"range": (128, 256)}, (128, 64), "not met"),
        ({"range": (128, 256)}, "wide", "unknown"),
        ({"range": (128, 256)}, float("nan"), "unknown"),
        ({"one_of": ("LEHR",)}, "Siemens lehr parallel", "met"),
        ({"one_of": ("LEHR",)}, "MEGP", "not met"),
        ({"required": True}, True, "met"),
        ({"required": True}, False, "not met"),
        ({"required": False}, False, "met"),
        ({"required": True}, None, "unknown"),
    ],
)
def test_limits(limits, found, status):
    assert ProtocolItem("x", "X", "spect", "test", **limits).judge(found) == status


def test_limits_in_words():
    def words(**limits):
        return ProtocolItem("x", "X", "spect", "test", **limits).expected

    assert words(range=(15, 20), unit="%") == "15 to 20 %"
    assert words(range=(None, 5), unit="mm") == "at most 5 mm"
    assert words(range=(60, None)) == "at least 60"
    assert words(one_of=("LEHR", "LEAP")) == "LEHR or LEAP"
    assert words(required=True) == "yes"


@pytest.mark.parametrize(
    ("corrections", "method", "found"),
    [
        ((), None, None),
        (("DECY",), None, False),
        (("ATTN",), None, True),
        ((), "CT-derived mu-map", True),
        ((), "NONE", False),
    ],
)
def test_corrections(corrections, method, found):
    protocol = {"attenuation_correction": method} if method else {}
    acquisition = Acquisition(corrections=corrections, protocol=protocol)
    assert find_fact(acquisition, "attenuation_corrected")[0] is found


def test_the_photopeak_of_an_unnamed_nuclide_is_the_widest_window():
    tew = Acquisition(protocol={"energy_windows_kev": ((177.0, 187.0), (187.2, 228.8), (229.0, 239.0))})
    assert find_fact(tew, "energy_window_centre_kev")[0] == pytest.approx(208)
    assert find_fact(tew, "energy_window_width_percent")[0] == pytest.approx(20)


def test_json_and_csv():
    record = check_protocol({"spect": SPECT, "ct": CT}, centre="=cmd()")
    assert ProtocolRecord.from_json(record.to_json()) == record
    rows = list(csv.DictReader(io.StringIO(record.to_csv())))
    assert len(rows) == len(record.rows)
    assert rows[0]["centre"] == "'=cmd()"
    assert next(one["found"] for one in rows if one["key"] == "matrix") == "128 x 128"
    assert next(one["found"] for one in rows if one["key"] == "scatter_corrected") == "yes"
    for broken in ("", "{}", "[]", '{"rows": [1]}'):
        with pytest.raises(InputError, match="no protocol record"):
            ProtocolRecord.from_json(broken)


def test_centres_side_by_side():
    other = dataclasses.replace(
        SPECT, injected_activity_bq=560e6, protocol={**SPECT.protocol, "collimator": "LEGP", "scan_arc_deg": None}
    )
    records = [check_protocol({"spect": one, "ct": CT}, centre=name) for name, one in (("A", SPECT), ("B", other))]
    rows = {one.key: one for one in compare_protocols(records)}
    assert rows["activity_mbq"].found == (640.0, 560.0)
    assert rows["activity_mbq"].spread_percent == pytest.approx(100 * 80 / 600)
    assert rows["activity_mbq"].same is False and rows["activity_mbq"].comparable
    assert rows["collimator"].statuses == ("met", "not met") and not rows["collimator"].comparable
    assert rows["scan_arc_deg"].same is None
    assert rows["kvp"].same is True and rows["kvp"].spread_percent == 0
    with pytest.raises(InputError, match="Two"):
        compare_protocols(records[:1])
    with pytest.raises(InputError, match="different standards"):
        compare_protocols([records[0], check_protocol({"spect": SPECT}, load_standard("liver_maa_spect_ct"))])


def known_keys():
    from bonequant.io.dicom_protocol import PROTOCOL

    extra = {"matrix", "energy_windows_kev", "iterations", "subsets", "post_filter"}
    return {field.name for field in dataclasses.fields(Acquisition)} | set(_DERIVED) | set(PROTOCOL) | extra


@pytest.mark.parametrize("path", sorted(STANDARDS.glob("*.json")), ids=lambda path: path.stem)
def test_packaged_standards(path):
    standard = load_standard(path.stem)
    assert standard.name == path.stem
    assert len({(item.series, item.key) for item in standard.items}) == len(standard.items)
    assert {item.series for item in standard.items} == {"spect", "ct"}
    assert all(item.basis for item in standard.items)
    # An item that no reader can fill would be unknown for ever.
    assert {item.key for item in standard.items} <= known_keys()


def test_own_standard_and_broken_ones(tmp_path):
    values = json.loads((STANDARDS / "marrow_spect_ct.json").read_text())
    values["name"], values["items"] = "ours", values["items"][:2]
    path = tmp_path / "ours.json"
    path.write_text(json.dumps(values))
    assert len(load_standard(path).items) == 2
    with pytest.raises(InputError, match="marrow_spect_ct"):
        load_standard("nobody")
    for broken in ("{", "[]", '{"items": [{"key": "x"}]}', '{"items": 3}'):
        path.write_text(broken)
        with pytest.raises(InputError, match=r"ours.json"):
            load_standard(path)
    with pytest.raises(InputError, match="exactly one"):
        ProtocolItem("x", "X", "spect", "test")
