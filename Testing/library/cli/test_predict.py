"""``bonequant predict``: what it says is what the model says; what does not match the training is refused."""

from __future__ import annotations

import copy
import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from bonequant.cli import main
from bonequant.radiomics import load_model, predict
from bonequant.report import write_csv
from bonequant.studies.diagnostic_model import DiagnosticSettings, read_inputs, run
from tables_of_lesions import RECIPES, make_rows, write_folder

Call = Callable[..., tuple[object, str]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A combined model of 40 lesions."""
    folder = tmp_path_factory.mktemp("model")
    rows = make_rows(40)
    chosen = {"model": {"folds": 3, "lasso_folds": 3, "resamples": 50}}
    result = run(read_inputs(write_folder(folder / "in", rows)), DiagnosticSettings.from_dict(chosen))
    return result.models["combined"].model.save(folder / "model.json")


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command; its exit code and its last line of output or the one line of its error."""

    def run_it(*arguments: object) -> tuple[object, str]:
        monkeypatch.setattr("sys.argv", ["bonequant", "predict", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        errors = [line for line in said.err.splitlines() if line.startswith("bonequant: ")]
        assert len(errors) == (stop.value.code != 0)
        return stop.value.code, errors[0] if errors else said.out.strip()

    return run_it


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_probabilities_and_contributions_are_those_of_the_model(model, call, tmp_path):
    new = make_rows(6, seed=9)
    new[1]["CT:Teta1"] = 40.0  # far outside the training range
    write_folder(tmp_path / "in", new)
    code, said = call(model, tmp_path / "in", "--out", tmp_path / "out")
    assert (code, said) == (0, str(tmp_path / "out" / "report.html"))
    rows = table(tmp_path / "out" / "predictions.csv")
    stored = load_model(model)
    parts = table(tmp_path / "out" / "contributions.csv")
    for row, lesion in zip(rows, new, strict=True):
        expected = predict(stored, lesion, RECIPES)
        assert float(row["probability"]) == pytest.approx(expected.probability, abs=1e-15)
        own = [float(part["log_odds"]) for part in parts if part["lesion"] == row["lesion"]]
        assert stored.intercept + sum(own) == pytest.approx(float(row["log_odds"]), abs=1e-12)
    assert "outside the training range" in rows[1]["warnings"]
    assert [row["patient"] for row in rows] == ["P01", "P01", "P02", "P02", "P03", "P03"]
    summary = json.loads((tmp_path / "out" / "result.json").read_text())
    assert summary["model"]["sha256"] == stored.sha256
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert html.count("data:image/png") == 6 and "extrapolates" in html


def test_one_lesion_by_its_id(model, call, tmp_path):
    write_folder(tmp_path / "in", make_rows(4))
    code, _ = call(model, tmp_path / "in", "--lesion", "P002-1", "--out", tmp_path / "out", "--identified")
    assert code == 0
    (row,) = table(tmp_path / "out" / "predictions.csv")
    assert (row["patient"], row["lesion"]) == ("P002", "P002-1")


def other_settings(folder: Path, rows: list) -> None:
    recipes = copy.deepcopy(RECIPES)
    recipes["SPECT"]["unit"] = "Bq/mL"
    write_folder(folder, rows, recipes=recipes)


def one_image(folder: Path, rows: list) -> None:
    kept = [{name: value for name, value in row.items() if not name.startswith("SPECT:")} for row in rows]
    write_folder(folder, kept, recipes={"CT": RECIPES["CT"]})


def feature_gone(folder: Path, rows: list) -> None:
    write_folder(folder, [{name: value for name, value in row.items() if name != "CT:Teta1"} for row in rows])


def feature_missing_everywhere(folder: Path, rows: list) -> None:
    write_folder(folder, [row | {"CT:Teta1": ""} for row in rows[:2]])


def no_recipe(folder: Path, rows: list) -> None:
    (write_folder(folder, rows) / "features.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (other_settings, "settings of SPECT differ from those the model 'combined' was trained with: unit is 'Bq/mL'"),
        (one_image, "needs the extraction settings of SPECT"),
        (feature_gone, "The model needs feature 'CT:Teta1'"),
        (feature_missing_everywhere, "line 2, lesion P001-1 is refused: Feature 'CT:Teta1' does not exist"),
        (feature_missing_everywhere, "So is the other lesion."),
        (no_recipe, "features.json"),
    ],
)
def test_lesions_measured_otherwise_are_refused_and_nothing_is_written(model, call, tmp_path, spoil, says):
    spoil(tmp_path / "in", make_rows(4))
    (tmp_path / "results").mkdir()
    code, said = call(model, tmp_path / "in", "--out", tmp_path / "results" / "out")
    assert code == 2
    assert says in said
    assert os.listdir(tmp_path / "results") == []


def test_a_lesion_without_a_feature_is_refused_with_its_reason_and_the_others_are_judged(model, call, tmp_path):
    rows = make_rows(4)
    folder = write_folder(tmp_path / "in", [rows[0], rows[1] | {"CT:Teta1": ""}, *rows[2:]])
    reason = "the section has one pixel"
    cells = {"lesion_id": "P001-2", "image": "CT", "feature": "Teta1", "value": "", "missing_because": reason}
    write_csv(folder / "features.csv", [cells])
    code, said = call(model, folder, "--out", tmp_path / "out")
    assert (code, said) == (1, "bonequant: 1 of 4 lesions refused: P001-2.")
    judged = {row["lesion"]: row for row in table(tmp_path / "out" / "predictions.csv")}
    stored = load_model(model)
    for lesion in (rows[0], *rows[2:]):
        row = judged.pop(lesion["lesion_id"])
        assert float(row["probability"]) == pytest.approx(predict(stored, lesion, RECIPES).probability, abs=1e-15)
        assert row["refused"] == ""
    (refused,) = judged.values()
    assert (refused["probability"], refused["called_positive"]) == ("", "")
    assert f"'CT:Teta1' does not exist for this lesion ({reason})" in refused["refused"]
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert html.count("data:image/png") == 3
    assert reason in html
    assert json.loads((tmp_path / "out" / "result.json").read_text())["predictions"][1]["probability"] is None


def test_lesions_of_a_folder_measured_otherwise_are_refused_and_those_of_another_judged(model, call, tmp_path):
    rows = make_rows(4)
    write_folder(tmp_path / "good", rows[:2])
    other_settings(tmp_path / "other", rows[2:])
    code, _ = call(model, tmp_path / "good", tmp_path / "other", "--out", tmp_path / "out")
    assert code == 1
    found = table(tmp_path / "out" / "predictions.csv")
    assert [bool(row["probability"]) for row in found] == [True, True, False, False]
    assert "unit is 'Bq/mL', trained with 'SUVbw'" in found[3]["refused"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("model.json", None, "is no table of lesions: its first line, '{', has no column lesion_id"),
        (
            "report.html",
            b"<!DOCTYPE html>\n<p>1,2,3</p>\n",
            "is no table of lesions: its first line, '<!DOCTYPE html>'",
        ),
        ("lesions.xlsx", b"PK\x03\x04\xff\xfe", "is no table: it holds no text in UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_said_to_be_none(model, call, tmp_path, name, content, says):
    file = tmp_path / name
    file.write_bytes(model.read_bytes() if content is None else content)
    code, said = call(model, file, "--out", tmp_path / "out")
    assert code == 2
    assert f"{name} {says}" in said


def tampered(model: Path) -> str:
    content = json.loads(model.read_text())
    content["features"][0]["coefficient"] *= -1
    return json.dumps(content)


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (tampered, "was changed after it was written"),
        (lambda _: "{}", "is no diagnostic model"),
        (lambda _: "not JSON", "model.json"),
        (lambda model: model.read_text()[:200], "model.json"),
    ],
)
def test_a_model_that_is_none(model, call, tmp_path, write, says):
    write_folder(tmp_path / "in", make_rows(4))
    (tmp_path / "model.json").write_text(write(model))
    (tmp_path / "results").mkdir()
    code, said = call(tmp_path / "model.json", tmp_path / "in", "--out", tmp_path / "results" / "out")
    assert code == 2
    assert says in said
    assert os.listdir(tmp_path / "results") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("nowhere",), "does not exist"), (("in", "in"), "is there twice"), (("in", "--lesion", "L9"), "no lesion L9")],
)
def test_lesions_that_are_not_there(model, call, tmp_path, monkeypatch, arguments, says):
    write_folder(tmp_path / "in", make_rows(4))
    monkeypatch.chdir(tmp_path)
    code, said = call(model, *arguments, "--out", tmp_path / "out")
    assert code == 2
    assert says in said
    assert not (tmp_path / "out").exists()
