"""A table drives any criterion, and gives the call that the function gives; what is wrong is named by row and field."""

from __future__ import annotations

import json
from datetime import date

import bonequant.response as response
import numpy as np
import pytest
from bonequant.errors import InputError, SettingsError

# the same evidence as the function takes it, and as cells of a CSV
CASES = {
    "dce_vp": (
        lambda: response.dce_vp(
            response.DceScan(
                vp=9.26, vp_reference=1.0, diameters_mm=(30.0, 20.0), scan_date=date(2024, 1, 5), fracture=False
            ),
            response.DceScan(vp=1.13, vp_reference=1.0, diameters_mm=(28.0, 20.0), scan_date=date(2024, 4, 1)),
            response.Radiotherapy(date(2024, 1, 20), 27.0, 3),
        ),
        {"before.vp": "9.26", "before.vp_reference": "1", "before.diameters_mm": "30; 20", "before.fracture": "no",
         "before.scan_date": "2024-01-05", "after.vp": "1.13", "after.vp_reference": "1", "after.diameters_mm": "28;20",
         "after.scan_date": "2024-04-01", "radiotherapy.end_date": "2024-01-20", "radiotherapy.dose_gy": "27",
         "radiotherapy.fractions": "3"},
    ),
    "recist11": (
        lambda: response.recist11(
            [
                response.Recist11Target("T1", "bone", 40.0, bone_type="lytic"),
                response.Recist11Target("T2", "liver", 20.0),
            ],
            [
                response.Recist11Visit({"T1": 40.0, "T2": 20.0}, scan_date=date(2024, 1, 1)),
                response.Recist11Visit({"T1": 25.0, "T2": None}, too_small=("T2",), new_lesion="none",
                                       scan_date=date(2024, 3, 1)),
            ],
        ),
        {"targets.0.name": "T1", "targets.0.organ": "bone", "targets.0.diameter_mm": "40",
         "targets.0.bone_type": "lytic", "targets.1.name": "T2",
         "targets.1.organ": "liver", "targets.1.diameter_mm": "20", "visits.0.diameters_mm": "T1=40; T2=20",
         "visits.0.scan_date": "2024-01-01", "visits.1.diameters_mm.T1": "25", "visits.1.too_small": "T2",
         "visits.1.new_lesion": "none",
         "visits.1.scan_date": "2024-03-01"},
    ),
    "percist": (
        lambda: response.percist(
            response.PercistScan((response.PetLesion("a", 8.0), response.PetLesion("b", 5.0)), 2.0, 0.3, uptake_min=60),
            response.PercistScan((response.PetLesion("a", 4.0),), 2.1, 0.3, uptake_min=62.0),
            new_lesion=False,
        ),
        {"before.lesions.0.name": "a", "before.lesions.0.sul_peak": "8", "before.lesions.1.name": "b",
         "before.lesions.1.sul_peak": "5", "before.liver_mean": "2",
         "before.liver_sd": ".3", "before.uptake_min": "60", "after.lesions.0.name": "a",
         "after.lesions.0.sul_peak": "4",
         "after.liver_mean": "2.1", "after.liver_sd": "0.3", "after.uptake_min": "62",
         "new_lesion": "FALSE"},
    ),
    "eortc": (
        lambda: response.eortc(response.EortcScan(10.0), response.EortcScan(8.0), cycles=1, new_lesion=False),
        {"before.suv": "10", "after.suv": "8", "cycles": "1", "new_lesion": "no"},
    ),
    "pcwg3": (
        lambda: response.pcwg3(
            date(2024, 1, 1),
            [
                response.BoneScan(date(2024, 1, 20), frozenset()),
                response.BoneScan(date(2024, 3, 1), frozenset({"rib", "L3"})),
            ],
        ),
        {"treatment_start": "2024-01-01", "scans.0.scan_date": "2024-01-20", "scans.0.new_lesions": "-",
         "scans.1.scan_date": "2024-03-01", "scans.1.new_lesions": "rib;L3"},
    ),
    "adc_pattern": (
        lambda: response.adc_pattern(response.DwiChange("same", "down", 900.0, 1500.0, new_area=False)),
        {"change.volume": "same", "change.high_b_signal": "down", "change.adc_before": "900",
         "change.adc_after": "1500", "change.new_area": "no"},
    ),
    "met_rads": (
        lambda: response.met_rads(
            {"thoracic spine": [response.MetRadsLesion("same", adc_before=900.0, adc_after=1500.0)]}
        ),
        {"lesions.thoracic spine.0.adc_before": "900", "lesions.thoracic spine.0.adc_after": "1500",
         "lesions.thoracic spine.0.size": "same"},
    ),
    "mda": (
        lambda: response.mda(response.MdaFindings(ct=("sclerotic rim",))),
        {"findings.ct": "sclerotic rim"},
    ),
    "recip": (
        lambda: response.recip(100.0, 60.0, new_lesion=False),
        {"volume_before_ml": "100", "volume_after_ml": "60", "new_lesion": "false"},
    ),
    "oligometastatic": (
        lambda: response.oligometastatic({"bone": 3}),
        {"lesions.bone": "3", "lesions.liver": ""},
    ),
    "spino": (
        lambda: response.spino([response.SpinoMri(date(2024, 5, 1), growth="none", epidural="none")], date(2024, 2, 1)),
        {"mris.0.scan_date": "2024-05-01", "mris.0.growth": "none", "mris.0.epidural": "none",
         "radiotherapy_end": "2024-02-01"},
    ),
    "promise": (
        lambda: response.promise(9.0, response.PsmaReferences(1.5, 12.0, liver=5.0)),
        {"lesion_suv": "9", "references.blood_pool": "1.5", "references.parotid": "12", "references.liver": "5"},
    ),
    "morphology": (
        lambda: response.morphology(["fat dot or halo"]),
        {"signs": "fat dot or halo"},
    ),
    "ct_typing": (
        lambda: response.ct_typing(np.linspace(0, 400, 40), response.NormalBone(200.0, 40.0)),
        {"hu": ";".join(map(repr, np.linspace(0, 400, 40).tolist())), "normal.mean_hu": "200", "normal.sd_hu": "40"},
    ),
    "flare": (
        lambda: response.flare(
            response.FlareFindings("bone scan", date(2024, 2, 1), date(2024, 1, 1), rise=True, drugs=("abiraterone",))
        ),
        {"findings.method": "bone scan", "findings.scan_date": "2024-02-01", "findings.treatment_start": "2024-01-01",
         "findings.rise": "yes", "findings.drugs": "abiraterone"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_a_row_gives_the_call_of_the_function(name):
    function, cells = CASES[name]
    due = function().to_dict()
    assert due["category"] != "NE"
    assert response.call_from(name, response.unflatten(cells)).to_dict() == due


def test_every_criterion_is_driven_here():
    assert set(CASES) == set(response.criteria())


def test_csv_and_json_files(tmp_path):
    names = ("dce_vp", "eortc")
    columns = sorted({column for name in names for column in CASES[name][1]})
    lines = [",".join(["id", "criterion", *columns])]
    lines += [",".join(["P1", name, *(CASES[name][1].get(column, "") for column in columns)]) for name in names]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    records = [{"id": "P1", "criterion": name, "evidence": response.unflatten(CASES[name][1])} for name in names]
    (tmp_path / "t.json").write_text(json.dumps(records))
    for file in ("t.csv", "t.json"):
        calls = response.calls_of(response.read_evidence(tmp_path / file))
        assert {key: call.to_dict() for key, call in calls.items()} == {
            ("P1", name): CASES[name][0]().to_dict() for name in names
        }
    assert calls["P1", "dce_vp"].values["vp_change_percent"] == pytest.approx(-87.797, abs=5e-4)  # published: -87.8


@pytest.mark.parametrize(
    "evidence",
    [
        response.DceScan(9.26, 1.0, diameters_mm=(30.0, 20.0), scan_date=date(2024, 1, 5), fracture=True),
        response.Recist11Visit({"T1": 12.0, "T2": None}, ("T1",), None, "flare", date(2024, 1, 1)),
        response.PercistScan((response.PetLesion("a", 8.0), response.PetLesion("b", None, "liver", 3.0)), 2.0),
        response.BoneScan(date(2024, 1, 1), frozenset({"b", "a"}), True),
        response.BoneScan(date(2024, 1, 1), None),
        response.MetRadsLesion(adc_before=900.0, regression=True),
        response.MdaFindings(ct=("sclerotic rim",), bone_modifying_agent=True),
        response.FlareFindings("FDG PET", None, date(2024, 1, 1), drugs=("tamoxifen",)),
        response.SpinoMri(date(2024, 1, 1), "none", volume_ml=3.5),
        response.DwiChange("up", None, None, 1200.0),
    ],
)
def test_evidence_survives_json(evidence):
    plain = json.loads(json.dumps(response.evidence_to_dict(evidence)))
    assert response.evidence_from_dict(type(evidence), plain) == evidence


@pytest.mark.parametrize(
    ("name", "evidence", "error", "message"),
    [
        ("dce_vp", {"before": {"vp": "abc"}, "after": 1}, InputError, "row 3: dce_vp: before.vp should .* it is 'abc'"),
        ("dce_vp", {"before": {"vpp": 1}, "after": 1}, InputError, "row 3: dce_vp: before.there is no field vpp"),
        ("dce_vp", {"after": 1.0}, InputError, "row 3: dce_vp: before is missing"),
        ("dce_vp", {"before": 1, "after": "inf"}, InputError, "after should be a number"),
        ("dce_vp", {"before": {"diameters_mm": "1;2;3"}, "after": 1}, InputError, "diameters_mm should be 2 values"),
        ("dce_vp", {"before": {"fracture": "perhaps"}, "after": 1}, InputError, "fracture should be yes or no"),
        ("dce_vp", {"before": {"scan_date": "5.1.2024"}, "after": 1}, InputError, "scan_date should be a date"),
        ("dce_vp", {"before": 1, "after": 1, "settings": {"vp_cut": 2}}, SettingsError, "row 3: .*vp_cut"),
        ("eortc", {"before": {"suv": 1}, "after": {"suv": 1}, "cycles": "1.5"}, InputError, "cycles .* whole number"),
        ("recist11", {"targets": [], "visits": [{"diameters_mm": "T1:3"}]}, InputError, "diameters_mm should be"),
        ("recist11", {"targets": [], "visits": [{"non_target": "gone"}]}, InputError, "row 3: recist11: visits.0: "),
        ("dce_vp", [1, 2], InputError, "row 3: dce_vp should be an object of fields"),
        ("recist12", {}, InputError, "no response criterion 'recist12'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(name, evidence, error, message):
    with pytest.raises(error, match=message):
        response.call_from(name, evidence, "row 3")


def test_missing_is_not_evaluable():
    assert response.call_from("dce_vp", {"before": {"vp": None}, "after": {"vp": ""}}).category == "NE"
    assert response.call_from("eortc", {"before": {}, "after": {}}).category == "NE"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no row"),
        ("id,criterion,id\n1,eortc,2\n", "line 1: the heading"),
        ("id,a\n1,2\n", "line 2: the criterion is not named"),
        ("id,criterion,new_lesion\n1,eortc,no,9\n", "line 2: 4 cells for 3 columns"),
        ("id,criterion\n1,eortc\n1,eortc\n", "line 3: the id 1 is there twice for eortc"),
        (
            "ID,criterion\n1,eortc\n",
            "line 2: eortc: there is no field ID.* Known: criterion, id, before, after, cycles",
        ),
        ("id,criterion,befor.suv\n1,eortc,1\n", "there is no field befor; near: before"),
        ("id,criterion,a,a.b\n1,eortc,1,2\n", "line 2: .* lies below a"),
    ],
)
def test_bad_files(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        response.read_evidence(tmp_path / "t.csv")


@pytest.mark.parametrize("name", ["nope.csv", "nope.json"])
def test_a_file_that_is_not_there(tmp_path, name):
    with pytest.raises(InputError) as caught:
        response.read_evidence(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name} does not exist."


def test_bad_json(tmp_path):
    for text in ("{", '{"a": 1}', "[1]"):
        (tmp_path / "t.json").write_text(text)
        with pytest.raises(InputError, match=r"t\.json"):
            response.read_evidence(tmp_path / "t.json")


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("recist11", "visits.1.new_lesion"),
        ("adc_pattern", "change.new_area"),
        ("met_rads", "lesions.thoracic spine.0.size"),
        ("percist", "new_lesion"),
        ("eortc", "new_lesion"),
        ("recip", "new_lesion"),
    ],
)
def test_an_empty_cell_is_not_known_and_never_a_good_sign(name, cell):
    """Nobody looked for new lesions or growth: no category but progression."""
    cells = {**CASES[name][1], cell: ""}
    assert response.call_from(name, response.unflatten(cells)).category == "NE"


def test_settings_come_as_text_too():
    cells = {**CASES["dce_vp"][1], "settings.vp_cutoff_percent": "-90"}
    assert response.call_from("dce_vp", response.unflatten(cells)).category == "failure"
    with pytest.raises(InputError, match=r"settings\.vp_cutoff_percent should be a number, it is 'low'"):
        response.call_from("dce_vp", response.unflatten({**cells, "settings.vp_cutoff_percent": "low"}))
