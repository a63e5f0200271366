"""``bonequant train`` as a user calls it: a cohort of folders, bad input of every kind, and the demo."""

from __future__ import annotations

import copy
import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import bonequant.phantom
import pytest
from bonequant.cli import main
from tables_of_lesions import RECIPES, make_rows, write_folder

QUICK = ("--set", "model.folds=4", "--set", "model.lasso_folds=4", "--set", "model.resamples=50")
Call = Callable[..., tuple[object, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command; its exit code and its last line of output or the one line of its error."""

    def run(*arguments: object) -> tuple[object, str]:
        monkeypatch.setattr("sys.argv", ["bonequant", "train", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        errors = [line for line in said.err.splitlines() if line.startswith("bonequant: ")]
        assert len(errors) == (stop.value.code != 0)
        return stop.value.code, errors[0] if errors else said.out.strip()

    return run


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_cohort_of_results_folders(call, tmp_path):
    rows = make_rows(48)
    for at in range(0, 48, 2):  # a folder for each patient, as lesion radiomics writes them
        write_folder(tmp_path / "cohort" / rows[at]["patient_id"], rows[at : at + 2])
    out = tmp_path / "out"
    code, said = call(tmp_path / "cohort", "--out", out, "--mode", "paper", *QUICK)
    assert (code, said) == (0, str(out / "report.html"))
    assert {path.name for path in out.glob("model_*.json")} == {
        "model_CT.json", "model_SPECT.json", "model_combined.json",
    }  # fmt: skip
    ways = {row["judged"] for row in table(out / "performance.csv")}
    assert {"honest, out of fold", "paper, validation part"} <= ways
    html = (out / "report.html").read_text(encoding="utf-8")
    for part in ("too optimistic", "METRICS sheet", "CLEAR sheet", "Model card", "Decision curve", "Youden"):
        assert part in html
    code, said = call(tmp_path / "cohort", "--out", out, *QUICK)
    assert code == 2 and "already exists" in said
    summary = json.loads((out / "result.json").read_text())
    assert summary["settings"]["model"]["mode"] == "both" and summary["lesions"] == 48


def one_class(rows):
    return [row | {"label": "benign"} for row in rows]


def three_classes(rows):
    return [row | {"label": "benign" if at else "sarcoma"} for at, row in enumerate(rows)] + [
        rows[0] | {"lesion_id": "x"}
    ]


def too_few(rows):
    return rows[:6]


def twice(rows):
    return [*rows, rows[0]]


def no_labels(rows):
    return [row | {"label": ""} for row in rows]


def words(rows):
    return [row | {"CT:Mean": "high"} for row in rows]


def only_gaps(rows):
    return [{name: "" if name.startswith("CT:") else value for name, value in row.items()} for row in rows]


def constant(rows):
    return [{name: 1.0 if ":" in name else value for name, value in row.items()} for row in rows]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (one_class, "Only one class"),
        (three_classes, "two classes"),
        (too_few, "too few for 4 folds"),
        (twice, "lesions.csv, line 26: the lesion P001-1 of patient P001 is there twice"),
        (no_labels, "no label for this lesion, nor for 23 others"),
        (words, "CT:Mean is 'high', not a number"),
        (only_gaps, "all its 4 columns are missing or constant"),
        (constant, "None of the 8 features can be used"),
    ],
)
def test_a_spoilt_table_is_one_line_and_nothing_on_the_disk(call, tmp_path, spoil, says):
    write_folder(tmp_path / "in", spoil(make_rows(24)))
    (tmp_path / "results").mkdir()
    code, said = call(tmp_path / "in", "--out", tmp_path / "results" / "out", *QUICK)
    assert code == 2
    assert says in said
    assert os.listdir(tmp_path / "results") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "try --demo"),
        (("nowhere",), "does not exist"),
        (("empty",), "holds no lesions.csv"),
        (("in", "other"), "other: its features were made otherwise than those of in: CT.plane is 'coronal'"),
        (("in", "--labels", "labels.csv"), "labels no lesion"),
        (("in", "--labels", "nowhere.csv"), "nowhere.csv does not exist."),
        (("in", "--labels", "in/features.json"), "features.json"),
        (("in", "--set", "positive=tumour"), "the labels are metastasis and benign"),
        (("in", "--set", "stable_only=true"), "stable_only needs two redrawn lesions"),
        (("in", "--mode", "quick"), "choose one of honest, paper, both"),
        (("in", "--set", "model.harmonise=true"), "centre"),
        (("in", "--demo"), "--demo simulates its own"),
    ],
)
def test_what_does_not_fit_together(call, tmp_path, monkeypatch, arguments, says):
    other = copy.deepcopy(RECIPES)
    other["CT"]["plane"] = "coronal"
    write_folder(tmp_path / "in", make_rows(24))
    write_folder(tmp_path / "other", make_rows(48)[24:], recipes=other)
    (tmp_path / "empty").mkdir()
    (tmp_path / "labels.csv").write_text("lesion_id,label\nX,benign\n")
    (tmp_path / "results").mkdir()
    monkeypatch.chdir(tmp_path)
    code, said = call(*arguments, "--out", tmp_path / "results" / "out", *QUICK)
    assert code == 2
    assert says in said
    assert os.listdir(tmp_path / "results") == []


def test_what_is_flagged_and_not_refused(call, tmp_path):
    rows = make_rows(48)
    rows[0]["label"] = "benign"  # a patient in both classes
    rows[5]["CT:GrMean"] = ""  # a gap
    for name in [name for name in rows[9] if name.startswith("SPECT:")]:
        rows[9][name] = ""  # a lesion without SPECT
    write_folder(tmp_path / "in", rows)
    labels = tmp_path / "labels.csv"
    labels.write_text("lesion_id,age\n" + "\n".join(f"{r['lesion_id']},{60 + i}" for i, r in enumerate(rows)) + "\nZ,1")
    code, _ = call(tmp_path / "in", "--labels", labels, "--out", tmp_path / "out", *QUICK)
    assert code == 0
    summary = json.loads((tmp_path / "out" / "result.json").read_text())
    said = " ".join(summary["warnings"])
    for part in (
        "lesions of both classes",
        "1 have no feature of SPECT",
        "label(s) have no lesion",
        "could not be used",
    ):
        assert part in said
    assert summary["dropped"] == {"CT:GrMean": "missing for 1 of 47 lesions"}


def test_the_demo_on_a_small_cohort(call, tmp_path, monkeypatch):
    whole = bonequant.phantom.LesionCohortSettings
    monkeypatch.setattr(
        bonequant.phantom, "LesionCohortSettings", lambda seed, **_: whole(lesions=24, patients=20, seed=seed)
    )
    code, said = call("--demo", "--out", tmp_path / "out", *QUICK)
    assert (code, said) == (0, str(tmp_path / "out" / "report.html"))
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Beside what was planted" in html and "Beside the readers" in html
    assert len(list((tmp_path / "out" / "cohort" / "images").iterdir())) == 24
