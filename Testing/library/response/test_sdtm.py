"""Rows in the shape of TU, TR and RS: keys that join, terms of the codelists, nothing made up for what is missing."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.response import LesionPlace, LesionTrack, LesionTracks, Visit, dce_vp, sdtm, track_lesions
from bonequant.volume import Geometry, image_from_array

GRID = Geometry((30, 30, 30), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
VISITS = [Visit("BASELINE", 1, date(2024, 1, 5), "MRI"), Visit("WEEK 12", 2, date(2024, 4, 1), "MRI")]


def box(*place):
    array = np.zeros(GRID.shape, np.uint8)
    z, y, x = place
    array[z : z + 4, y : y + 4, x : x + 4] = 1
    return image_from_array(array, GRID)


@pytest.fixture
def tracks():
    return track_lesions([{"a": box(2, 2, 2), "b": box(20, 20, 20)}, {"a": box(2, 2, 2), "c": box(10, 22, 4)}])


def test_domains(tracks):
    call = dce_vp(9.26, 1.13)
    tables = sdtm(
        "STUDY1",
        "STUDY1-007",
        tracks,
        VISITS,
        {("L01", 0): {"vp_normalised": 9.26, "long_diameter_mm": 31.5}, ("L01", 1): {"vp_normalised": float("nan")}},
        {("L01", 1): call, ("", 1): call},
        {"L01": LesionPlace("VERTEBRAL COLUMN"), "L02": LesionPlace("FEMUR", "LEFT", "NON-TARGET")},
    )
    tu, tr, rs = tables["TU"], tables["TR"], tables["RS"]
    assert [(row["TULNKID"], row["TUORRES"], row["TULOC"], row["TULAT"], row["VISIT"]) for row in tu] == [
        ("L01", "TARGET", "VERTEBRAL COLUMN", "", "BASELINE"),
        ("L02", "NON-TARGET", "FEMUR", "LEFT", "BASELINE"),
        ("L03", "NEW", "BONE", "", "WEEK 12"),
    ]
    states = {(row["TRLNKID"], row["VISITNUM"]): row["TRORRES"] for row in tr if row["TRTESTCD"] == "TUMSTATE"}
    assert states == {("L01", 1): "PRESENT", ("L01", 2): "PRESENT", ("L02", 1): "PRESENT", ("L02", 2): "ABSENT",
                      ("L03", 2): "PRESENT"}  # fmt: skip
    (diameter,) = [row for row in tr if row["TRTESTCD"] == "LDIAM"]
    assert (diameter["TRORRES"], diameter["TRSTRESN"], diameter["TRORRESU"]) == ("31.5", 31.5, "mm")
    first, second = [row for row in tr if row["TRTESTCD"] == "VPNORM"]
    assert first["TRSTRESN"] == 9.26 and first["TRSTAT"] == ""
    assert (second["TRSTRESN"], second["TRORRES"], second["TRSTAT"]) == (None, "", "NOT DONE")
    assert [(row["RSTESTCD"], row["RSLNKID"], row["RSORRES"], row["RSDTC"]) for row in rs] == [
        ("LESNRESP", "L01", "success", "2024-04-01"),
        ("OVRLRESP", "", "success", "2024-04-01"),
    ]
    assert [(row["IDVAR"], row["IDVARVAL"], row["QNAM"], row["QVAL"]) for row in tables.pop("SUPPRS")] == [
        ("RSSEQ", "1", "RSRULE", call.rule),
        ("RSSEQ", "2", "RSRULE", call.rule),
    ]
    for domain, rows in tables.items():
        assert list(rows[0])[:4] == ["STUDYID", "DOMAIN", "USUBJID", f"{domain}SEQ"]
        assert [row[f"{domain}SEQ"] for row in rows] == list(range(1, len(rows) + 1))
        assert {row["DOMAIN"] for row in rows} == {domain}
        assert all(len(name) <= 8 for row in rows for name in row)  # the limit of the transport format
        assert all(len(row.get(f"{domain}TESTCD", "")) <= 8 for row in rows)
        assert len({tuple(row) for row in rows}) == 1


def test_what_does_not_fit_is_refused(tracks):
    for arguments, message in (
        ((VISITS[:1],), "2 dates, and 1 visits"),
        ((VISITS, {("L09", 0): {"vp": 1.0}}), "no lesion 'L09'"),
        ((VISITS, {("L01", 2): {"vp": 1.0}}), "no visit 2"),
        ((VISITS, None, None, {"L01": LesionPlace(role="MAIN")}), "role 'MAIN'"),
    ):
        with pytest.raises(InputError, match=message):
            sdtm("S", "S-1", tracks, *arguments)


def test_a_call_that_is_not_evaluable_is_a_result(tracks):
    """REASND goes with NOT DONE alone; the reason is the rule that fired, in parts of 200 characters."""
    call = dce_vp(float("nan"), 1.0)
    long = dataclasses.replace(call, rule="x" * 450)
    tables = sdtm("S", "S-1", tracks, VISITS, calls={("L01", 1): call, ("L02", 1): long})
    assert {(row["RSORRES"], row["RSSTAT"], row["RSREASND"]) for row in tables["RS"]} == {("NE", "", "")}
    assert tables["SUPPRS"][0]["QVAL"] == call.rule
    parts = [(row["IDVARVAL"], row["QNAM"], len(row["QVAL"])) for row in tables["SUPPRS"][1:]]
    assert parts == [("2", "RSRULE", 200), ("2", "RSRULE1", 200), ("2", "RSRULE2", 50)]


def test_a_part_of_a_split_lesion_is_no_new_one():
    whole = sitk.Or(box(2, 2, 2), box(2, 2, 6))
    tables = sdtm("S", "S-1", track_lesions([{"a": whole}, {"a": box(2, 2, 2), "b": box(2, 2, 6)}]), VISITS)
    assert [(row["TULNKID"], row["TUTESTCD"], row["TUORRES"]) for row in tables["TU"]] == [
        ("L01", "TUMIDENT", "TARGET"),
        ("L02", "TUSPLIT", "TARGET"),
    ]


def test_a_lesion_that_nobody_drew_at_first_is_no_new_one():
    tracks = LesionTracks((LesionTrack("L01", (None, "a"), ("not yet", "baseline")),), ())
    (row,) = sdtm("S", "S-1", tracks, VISITS)["TU"]
    assert (row["TUORRES"], row["VISIT"]) == ("TARGET", "WEEK 12")
