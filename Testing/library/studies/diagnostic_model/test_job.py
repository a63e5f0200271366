"""The training job adds nothing to what evaluate finds, leaves out what it says, never shows paper mode alone."""

from __future__ import annotations

import csv
import dataclasses
import json
import math

import numpy as np
import pytest
from bonequant.errors import InputError, SettingsError
from bonequant.radiomics import evaluate, load_model, predict
from bonequant.radiomics.model.paper import WARNING
from bonequant.studies.diagnostic_model import DiagnosticSettings, page, read_inputs, run, summary, write
from bonequant.studies.diagnostic_model.checklists import AUTHORS, sheet_rows
from tables_of_lesions import COLUMNS, RECIPES, make_rows, redraw, write_folder


def settings(**model):
    return DiagnosticSettings.from_dict({"model": {"folds": 4, "lasso_folds": 4, "resamples": 50, **model}})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("train") / "features", make_rows())


@pytest.fixture(scope="module")
def result(folder):
    return run(read_inputs(folder), settings(mode="paper"))


def table(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_the_planted_features_are_found_and_the_numbers_are_those_of_evaluate(result):
    rows = make_rows()
    direct = evaluate(
        {name: [row[name] for row in rows] for name in COLUMNS},
        [row["label"] == "metastasis" for row in rows],
        [row["patient_id"] for row in rows],
        result.settings.model,
        extraction=RECIPES,
    )
    assert set(result.models["combined"].fitted.selected) >= {"CT:Teta1", "SPECT:Mean"}
    for name in ("CT", "SPECT", "combined"):
        assert np.array_equal(result.models[name].performance.predicted, direct[name].performance.predicted)
        assert result.models[name].model.sha256 == direct[name].model.sha256
    # Two independent features, each 1.6 SD apart: AUC = Phi(1.6 sqrt 2 / sqrt 2); SE of 60 lesions about 0.03.
    assert result.models["combined"].performance.auc.auc == pytest.approx(0.945, abs=0.09)


def test_the_default_rule_is_lambda_1se_and_stands_in_the_model(result):
    assert DiagnosticSettings().model.lambda_rule == "1se"
    model = result.models["combined"]
    lasso = model.fitted.lasso
    assert len(model.fitted.selected) == lasso.path.nonzero[lasso.at_1se]
    assert model.model.model_settings["lambda_rule"] == "1se"


def test_paper_mode_never_stands_alone(result):
    assert result.settings.model.mode == "both"
    assert any("honest mode was run beside" in text for text in result.warnings)
    for model in result.models.models.values():
        assert model.honest is not None and model.paper is not None
        assert model.performance is model.honest.performance
    shown = page(result).sections[0]
    assert any(getattr(block, "text", "") == WARNING for block in shown.blocks)


def test_results_folder(result, tmp_path):
    report = write(result, tmp_path / "out")
    out = report.parent
    names = {path.name for path in out.iterdir()}
    assert names >= {
        "report.html", "result.json", "predictions.csv", "performance.csv", "comparisons.csv",
        "selected_features.csv", "metrics_and_clear.csv", "model_CT.json", "model_SPECT.json", "model_combined.json",
    }  # fmt: skip
    rows = table(out / "predictions.csv")
    assert len(rows) == 60
    predicted = result.models["combined"].honest.performance.predicted
    assert [float(row["combined_probability"]) for row in rows] == predicted.tolist()
    folds = {row["patient"]: {r["fold"] for r in rows if r["patient"] == row["patient"]} for row in rows}
    assert all(len(found) == 1 for found in folds.values())
    everything = "".join(path.read_text(encoding="utf-8") for path in out.iterdir())
    assert "P001-1" not in everything  # lesions by number; "P001" is the number of a patient, too
    assert write(result, tmp_path / "named", identified=True)
    assert table(tmp_path / "named" / "predictions.csv")[0]["lesion"] == "P001-1"
    honest = [row for row in table(out / "performance.csv") if row["judged"].startswith("honest")]
    assert [float(row["auc"]) for row in honest] == [
        result.models[name].performance.auc.auc for name in ("CT", "SPECT", "combined")
    ]
    loaded = load_model(out / "model_combined.json")
    said = predict(loaded, make_rows()[0], RECIPES)
    z = result.models["combined"].fitted.z_scores(result.values[:, : len(COLUMNS)])
    coefficients = result.models["combined"].fitted.logistic
    assert said.log_odds == pytest.approx(float(z[0] @ coefficients.coefficients + coefficients.intercept), abs=1e-9)
    stored = json.loads((out / "result.json").read_text())
    assert stored["cards"]["combined"]["sha256"] == loaded.sha256
    assert stored == json.loads(json.dumps(stored, allow_nan=False))
    assert summary(result)["performance"][0]["lesions"] == 60


def test_unstable_features_are_not_offered(tmp_path):
    rows = make_rows()
    unsteady = ["CT:GrMean", "SPECT:Mean"]
    half = len(rows) // 2
    for name, part in (("a", rows[:half]), ("b", rows[half:])):
        write_folder(tmp_path / name, part, readings=redraw(part, unsteady))
    chosen = dataclasses.replace(settings(), stable_only=True)
    found = run(read_inputs(tmp_path), chosen)
    assert found.unstable == ("CT:GrMean", "SPECT:Mean")
    assert set(found.columns) == set(COLUMNS) - set(unsteady)
    assert any("perturbation: 60 lesions" in text for text in found.warnings)
    assert "SPECT:Mean" not in found.models["combined"].fitted.names
    bare = write_folder(tmp_path / "bare", rows)
    with pytest.raises(InputError, match="stable_only needs two redrawn lesions"):
        run(read_inputs(bare), chosen)
    known = write_folder(tmp_path / "known", rows, stable=["CT:Teta1", "SPECT:Sigma"])
    assert run(read_inputs(known), chosen).columns == ("CT:Teta1", "SPECT:Sigma")


def test_a_lesion_without_one_image_is_left_out_and_a_gap_costs_its_column(tmp_path):
    rows = make_rows()
    for name in COLUMNS:
        if name.startswith("SPECT"):
            rows[7][name] = math.nan
    rows[3]["CT:GrMean"] = math.nan
    found = run(read_inputs(write_folder(tmp_path / "a", rows)), settings())
    assert len(found.labels) == 59 and found.models.n_lesions == 59
    assert rows[7]["lesion_id"] not in {lesion.id for lesion in found.inputs.lesions}
    assert any("1 of 60 lesions were left out: 1 have no feature of SPECT" in text for text in found.warnings)
    assert found.models.dropped == {"CT:GrMean": "missing for 1 of 59 lesions"}


def test_a_patient_in_both_classes_is_kept_and_told_of(tmp_path):
    rows = make_rows()
    rows[0]["label"] = "benign"
    found = run(read_inputs(write_folder(tmp_path / "a", rows)), settings())
    assert any("1 patient(s) have lesions of both classes" in text for text in found.warnings)
    fold = found.models["CT"].honest.run.fold
    assert fold[0] == fold[1]


def test_labels_0_and_1_need_no_word(tmp_path):
    rows = [row | {"label": str(int(row["label"] == "metastasis"))} for row in make_rows()]
    found = run(read_inputs(write_folder(tmp_path / "a", rows)), settings())
    assert (found.positive, found.negative) == ("metastasis", "no metastasis")
    assert found.labels.tolist() == [row["label"] == "1" for row in rows]


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"label": "benign"}, InputError, "Only one class: all 60 lesions are 'benign'"),
        ({"label": "sarcoma"}, InputError, "metastasis"),
    ],
)
def test_classes_that_are_not_two(tmp_path, change, error, says):
    rows = make_rows()
    count = len(rows) if change["label"] == "benign" else 2
    rows[2 : 2 + count] = [row | change for row in rows[2 : 2 + count]]
    if change["label"] == "benign":
        rows[:2] = [row | change for row in rows[:2]]
    with pytest.raises(error, match=says):
        run(read_inputs(write_folder(tmp_path / "a", rows)), settings())


def test_the_wrong_word_and_too_few_patients(folder, tmp_path):
    with pytest.raises(SettingsError, match="'tumour'; the labels are metastasis and benign"):
        run(read_inputs(folder), DiagnosticSettings(positive="tumour"))
    few = write_folder(tmp_path / "few", make_rows(12))
    with pytest.raises(InputError, match="Only 3 patient"):
        run(read_inputs(few), settings())


def test_one_image_of_noise_is_called_by_its_name_and_said_to_show_nothing(tmp_path):
    rows = [{k: v for k, v in row.items() if not k.startswith("SPECT")} for row in make_rows(effect=0.0, seed=3)]
    found = run(read_inputs(write_folder(tmp_path / "a", rows, recipes={"CT": RECIPES["CT"]})), settings())
    assert list(found.models.models) == ["CT"]
    auc = found.models["CT"].performance.auc
    assert auc.auc == 0.5 and math.isnan(auc.ci[0])  # no fold kept a feature: all lesions alike, no interval
    assert any("nothing was found" in text for text in found.warnings)
    assert any("nothing was found" in text for text in summary(found)["cards"]["CT"]["limits"])
    assert write(found, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").glob("model_*")] == ["model_CT.json"]
    assert "nan" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8").partition("METRICS")[0].split()


def test_classes_that_are_apart_have_no_interval_and_are_told_of(tmp_path):
    found = run(read_inputs(write_folder(tmp_path / "a", make_rows(40, effect=30.0))), settings())
    combined = found.models["combined"]
    assert combined.performance.auc.auc == 1.0 and combined.model.training["fit"] == "Firth"
    assert not any("nothing was found" in text for text in found.warnings)
    assert any("separate the classes" in text for text in summary(found)["cards"]["combined"]["limits"])
    assert write(found, tmp_path / "out")


def test_sheets_have_all_items_and_claim_only_what_was_done(result):
    rows = sheet_rows(result)
    for sheet, count in (("METRICS", 30), ("CLEAR", 58)):
        own = {row["item"]: row for row in rows if row["sheet"] == sheet}
        assert list(own) == list(range(1, count + 1))
        assert all((row["answered_by"] == "authors") == (row["answer"] == AUTHORS) for row in own.values())
    by_number = {(row["sheet"], row["item"]): row["answer"] for row in rows}
    # Study design, ethics, acquisition and discussion are nothing that a program can know.
    for key in [("METRICS", n) for n in (1, 2, 3, 5, 6, 7, 9, 10, 28)] + [
        ("CLEAR", n) for n in (*range(1, 12), 49, 53)
    ]:
        assert by_number[key] == AUTHORS
    assert by_number["METRICS", 14].startswith("no:")  # the stability filter was not used
    assert by_number["METRICS", 27].startswith("no:")  # nothing was tested elsewhere
    assert by_number["METRICS", 4] == AUTHORS  # no centre was named
    assert "4 outer folds of whole patients" in by_number["METRICS", 18]
    assert "readers" not in by_number["METRICS", 24]
