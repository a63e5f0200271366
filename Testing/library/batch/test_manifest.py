"""A manifest is checked whole before anything starts, and every problem is listed with its line."""

from __future__ import annotations

import json
import os

import pytest
from bonequant.batch import ManifestError, read_manifest
from bonequant.errors import InputError, SettingsError


def test_rows_become_cases_with_typed_facts_settings_and_labels(tiny_cohort, tmp_path):
    tiny_cohort(2)
    (tmp_path / "own.json").write_text('{"skeleton": {"low_hu": 120}, "tracer": "dpd"}')
    manifest = tmp_path / "rows.csv"
    manifest.write_text(
        "patient;visit;spect;masks;mask_on;fact.patient_weight_kg;set.tracer;settings;label.group\n"
        "A;v1;data/P001/spect.nrrd;data/P001/masks.nrrd;SPECT;70,5;;;case\n".replace("70,5", "70.5")
        + "A;v2;data/P002/spect.nrrd;data/P002/masks.nrrd;;;mdp;own.json;control\n",
        encoding="utf-8-sig",
    )
    common = {"quantity": "native", "skeleton": {"high_hu": 310}}
    first, second = read_manifest(manifest, "marrow", settings=common, facts={"patient_height_m": 1.7}).checked().cases
    assert (first.key, second.key) == ("A_v1", "A_v2")
    assert first.facts == {"patient_weight_kg": 70.5, "patient_height_m": 1.7}
    assert first.texts == {"mask_on": "spect"}
    assert first.labels == {"group": "case"}
    assert first.paths["spect"] == (tmp_path / "data/P001/spect.nrrd",)
    assert first.settings.quantity == second.settings.quantity == "native"
    # Cells come before the row's file, the file before what is common; groups are merged.
    assert second.settings.tracer == "mdp"
    assert (second.settings.skeleton.low_hu, second.settings.skeleton.high_hu) == (120.0, 310.0)


def test_every_problem_is_listed_with_its_line(tiny_cohort, tmp_path):
    tiny_cohort(1)
    (tmp_path / "empty").mkdir()
    good = "data/P001/spect.nrrd"
    manifest = tmp_path / "rows.csv"
    manifest.write_text(
        "patient,spect,ct,mask_on,fact.patient_weight_kg,set.tracer,diagnosis\n"
        f"../A,{good},,,,,\n"  # 2: leads out of the folder
        f"B,nowhere.nrrd,,,,,\n"  # 3
        f"C,,,,,,\n"  # 4: required
        f"D,{good},empty,,,,\n"  # 5
        f"E,{good},,above,,,\n"  # 6
        f"F,{good},,,heavy,,\n"  # 7
        f"G,{good},,,,gold,\n"  # 8
        f"H,{good},,,,,x\n"  # 9: unknown column
        f"I,{good},,,,,,too,many\n"  # 10
        f"J,{good},,,,,\n"  # 11 and 12: twice, also on a disk that does not tell cases apart
        f"j,{good},,,,,\n"
        f"K,../{manifest.parent.name}/{good},,,,,\n"  # 13
        f"con,{good},,,,,\n"  # 14: no folder on Windows
        f"L,{good},,,,,\n"  # 15: sound
    )
    found = read_manifest(manifest, "marrow")
    assert [(problem.line, problem.column) for problem in found.problems] == [
        (2, "patient"), (3, "spect"), (4, "spect"), (5, "ct"), (6, "mask_on"), (7, "fact.patient_weight_kg"),
        (8, "set.tracer"), (9, "diagnosis"), (10, "row"), (11, "patient"), (12, "patient"), (13, "spect"),
        (14, "patient"),
    ]  # fmt: skip
    assert [case.key for case in found.cases] == ["L"]
    with pytest.raises(ManifestError, match=r"line 3, spect: nowhere\.nrrd does not exist") as caught:
        found.checked()
    assert len(caught.value.problems) == 13


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no row"),
        (b"patient,spect\n", "no row"),
        (b"patient,patient\nA,B\n", "patient twice"),
        (b"patient,,spect\nA,B,C\n", "empty name"),
        (b"patient,spect\n\xff\xfe,x\n", "UTF-8"),
        (b'patient,spect\nA,"x\n', "line 2"),
        (b"patient,spect\nA,x\n", "--job"),
        (b"patient,job\nA,marrow\nB,knee\n", "several jobs"),
        (b"patient,job\nA,knee\n", "no job 'knee'"),
    ],
)
def test_what_is_no_manifest(tmp_path, content, says):
    (tmp_path / "m.csv").write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_manifest(tmp_path / "m.csv")


def test_a_settings_file_is_data_and_must_hold_an_object(tiny_cohort, tmp_path):
    tiny_cohort(1)
    for name, text in (("list.json", "[1]"), ("deep.json", "[" * 100_000), ("no.json", json.dumps({"nothing": 1}))):
        (tmp_path / name).write_text(text)
        (tmp_path / "m.csv").write_text(f"patient,spect,settings\nA,data/P001/spect.nrrd,{name}\n")
        (problem,) = read_manifest(tmp_path / "m.csv", "marrow").problems
        assert (problem.line, problem.column) == (2, "settings")


def test_a_folder_says_the_same(tiny_cohort, tmp_path):
    tiny_cohort(2)
    (tmp_path / "data" / "P003" / "v1" / "SPECT").mkdir(parents=True)
    (tmp_path / "data" / "P003" / "v1" / "SPECT" / "slice").write_bytes(b"x")
    cases = read_manifest(tmp_path / "data", "marrow").checked().cases
    assert [case.key for case in cases] == ["P001", "P002", "P003_v1"]
    assert set(cases[0].paths) == {"spect", "masks"}
    assert cases[2].paths["spect"] == (tmp_path / "data/P003/v1/SPECT",)


def test_a_folder_says_which_patient_is_wrong(tiny_cohort, tmp_path):
    """Neither a patient without data nor one with two of a kind is passed over, or guessed at."""
    tiny_cohort(3)
    data = tmp_path / "data"
    (data / "P002" / "SPECT").mkdir()
    (data / "P002" / "SPECT" / "slice").write_bytes(b"x")
    (data / "P004").mkdir()
    (data / "P005" / "v1" / "SPCT").mkdir(parents=True)
    found = read_manifest(data, "marrow")
    assert [case.key for case in found.cases] == ["P001", "P003"]
    assert [str(problem) for problem in found.problems] == [
        "folder P002, spect: two entries would be this: SPECT, spect.nrrd",
        "folder P004, spect: is empty",
        "folder P005/v1, spect: is empty",
    ]


def test_every_wrong_setting_of_a_row_is_listed_and_a_common_one_once(tiny_cohort, tmp_path):
    tiny_cohort(1)
    good = "data/P001/spect.nrrd"
    (tmp_path / "m.csv").write_text(
        f"patient,spect,set.tracer,set.skeleton.low_hu,set.tracer.deep\nA,{good},gold,low,1\n"
    )
    found = read_manifest(tmp_path / "m.csv", "marrow")
    assert [problem.column for problem in found.problems] == ["set.tracer", "set.skeleton.low_hu", "set.tracer.deep"]
    with pytest.raises(SettingsError, match="gold"):
        read_manifest(tmp_path / "m.csv", "marrow", settings={"tracer": "gold"})


def test_a_pipe_is_no_input(tiny_cohort, tmp_path):
    """Reading it would never end."""
    tiny_cohort(1)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "m.csv").write_text("patient,spect\nA,pipe\nB,/dev/zero\n")
    found = read_manifest(tmp_path / "m.csv", "marrow").problems
    assert [(problem.line, "neither a file nor a folder" in problem.text) for problem in found] == [
        (2, True),
        (3, True),
    ]


@pytest.mark.parametrize(
    ("job", "heading", "cells", "column"),
    [
        ("radiomics", "spect,ct,find", ",,yes", "spect"),
        ("radiomics", "spect,masks", "s,", "masks"),
        ("radiomics", "spect,masks,mask_on", "s,s,ct", "mask_on"),
        ("marrow", "spect,masks,mask_on", "s,s,ct", "mask_on"),
        ("dce", "series,masks,aif,aif_region", "s,s,s,aorta", "aif_region"),
        ("dce", "series,aif_region", "s,aorta", "aif_region"),
        ("response", "before,after", "s,s;list.json", "after"),
        ("response", "before,after,radiotherapy_end", "s,s,31.1.2026", "radiotherapy_end"),
        ("response", "before,after,dose_gy", "s,s,thirty", "dose_gy"),
        ("response", "before,after,dose_gy", "s,s,0", "dose_gy"),
        ("response", "before,after,fractions", "s,s,2.5", "fractions"),
    ],
)
def test_cells_that_do_not_go_together_are_found_before_the_start(tmp_path, job, heading, cells, column):
    for name in ("s", "list.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "m.csv").write_text(f"patient,{heading}\nA,{cells}\n")
    found = read_manifest(tmp_path / "m.csv", job)
    assert [problem.column for problem in found.problems] == [column]
    assert found.cases == ()


def test_a_wrong_date_says_what_is_due_and_whose_row_it_is(tmp_path):
    (tmp_path / "s").write_text("{}")
    (tmp_path / "m.csv").write_text("patient,visit,before,after,radiotherapy_end\nA,v 1,s,s,31.1.2026\nB,v2,s,s,soon\n")
    first, second = read_manifest(tmp_path / "m.csv", "response").problems
    assert (first.column, first.patient, first.visit) == ("visit", "A", "")  # the visit itself is wrong
    assert (second.column, second.patient, second.visit) == ("radiotherapy_end", "B", "v2")
    assert second.text == "a date as 2026-01-31 is due, it is 'soon'"
