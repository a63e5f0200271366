"""Tables that cannot be used are refused with a way out; what can be used is, and what was left out is named."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from bonequant.errors import InputError, SettingsError
from bonequant.radiomics import ModelSettings, RadiomicsSettings, evaluate
from model_cohorts import QUICK, two_modalities

TABLE, LABELS, PATIENTS = two_modalities(60, 40, noise=2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.ones(60, dtype=int)}, "both classes"),
        ({"labels": LABELS[:50]}, "60 lesions in the table but 50 labels"),
        ({"labels": np.where(LABELS, 2, 1)}, "0/False"),
        ({"groups": PATIENTS[:50]}, "60 cases but 50 groups"),
        ({"table": {**TABLE, "short": [1.0, 2.0]}}, "differ in length"),
        ({"table": {**TABLE, "text": ["a"] * 60}}, "'text' does not hold numbers"),
        ({"table": {"a": np.full(60, np.nan), "b": np.ones(60)}}, "None of the 2 features"),
        ({"table": {}}, "no columns"),
        ({"table": np.zeros(60)}, r"shape is \(60,\)"),
        ({"table": [[1.0, 2.0], [1.0]] * 30}, "one row of numbers"),
        ({"groups": np.column_stack([PATIENTS, PATIENTS])}, "one name for each case"),
        ({"table": "features.csv"}, "mapping"),
        ({"settings": ModelSettings(folds=50)}, "too few for 50 folds"),
        ({"settings": dataclasses.replace(QUICK, sets=("CT",))}, "name=prefix"),
        ({"settings": dataclasses.replace(QUICK, sets=("MR=MR:",))}, "no column"),
        ({"settings": dataclasses.replace(QUICK, harmonise=True)}, "centre"),
        ({"sets": {"CT": ["CT:missing"]}}, "CT:missing"),
    ],
)
def test_refused_with_the_reason(change, message):
    arguments = {"table": TABLE, "labels": LABELS, "groups": PATIENTS, "settings": QUICK, **change}
    with pytest.raises(InputError, match=message):
        evaluate(**arguments)


def test_fewer_lesions_than_folds():
    few = {name: column[:8] for name, column in TABLE.items()}
    with pytest.raises(InputError, match="too few for 10 folds"):
        evaluate(few, [0, 1] * 4, range(8))


@pytest.mark.parametrize(
    ("positive", "folds", "message"),
    [(2, 2, "needs two"), (3, 2, "needs two"), (2, 3, r"Add patients of that class; 3 are the least")],
)
def test_too_few_patients_of_a_class_for_the_inner_folds(positive, folds, message):
    labels = np.arange(24) < positive
    settings = dataclasses.replace(QUICK, folds=folds, lasso_folds=2)
    few = {name: column[:24] for name, column in TABLE.items()}
    with pytest.raises(InputError, match=message):
        evaluate(few, labels, None, settings)
    three = evaluate(few, np.arange(24) < 3, None, dataclasses.replace(settings, folds=3))
    assert np.isfinite(three["CT"].performance.predicted).all()


def test_missing_and_constant_columns_are_left_out_with_the_reason():
    holed = np.array(TABLE["CT:noise0"])
    holed[[3, 5]] = np.nan
    infinite = np.array(TABLE["CT:noise0"])
    infinite[0] = np.inf
    table = {**TABLE, "CT:holed": holed, "CT:flat": np.full(60, 7.3), "CT:infinite": infinite}
    report = evaluate(table, LABELS, PATIENTS, QUICK)
    assert report.dropped == {
        "CT:holed": "missing for 2 of 60 lesions",
        "CT:flat": "constant over all 60 lesions",
        "CT:infinite": "missing for 1 of 60 lesions",
    }
    assert not set(report.dropped) & set(report["combined"].features)
    assert any("3 column(s)" in warning for warning in report.warnings)
    plain = evaluate(TABLE, LABELS, PATIENTS, QUICK)
    np.testing.assert_array_equal(plain["CT"].performance.predicted, report["CT"].performance.predicted)


def test_patients_in_both_classes_and_no_patients_are_told_of():
    report = evaluate(TABLE, LABELS, PATIENTS, QUICK)
    mixed = sum(len(set(LABELS[patient == PATIENTS])) == 2 for patient in range(40))
    assert mixed > 0
    assert any(f"{mixed} patient(s) have lesions of both classes" in warning for warning in report.warnings)
    fold = report["CT"].honest.run.fold
    assert all(len(set(fold[patient == PATIENTS])) == 1 for patient in range(40))
    alone = evaluate(TABLE, LABELS, None, QUICK)
    assert any("No patients were given" in warning for warning in alone.warnings)
    assert alone.n_patients == 60


def test_separated_classes_are_said():
    table = {**TABLE, "CT:truth": LABELS + 0.01 * TABLE["CT:noise0"]}
    report = evaluate(table, LABELS, PATIENTS, QUICK)
    assert report["CT"].fitted.logistic.separated
    assert any("Firth" in warning for warning in report["CT"].warnings)
    assert report["CT"].performance.auc.auc == 1.0
    assert np.isnan(report["CT"].performance.auc.ci[0])


def test_a_small_centre_and_uneven_classes_are_said():
    centres = ["A" if label else "B" for label in LABELS]
    centres[0] = "C"
    report = evaluate(TABLE, LABELS, PATIENTS, dataclasses.replace(QUICK, harmonise=True), centres=centres)
    assert any("unevenly" in warning for warning in report.warnings)
    assert any("centre C" in warning and "was not in the training" in warning for warning in report["CT"].warnings)


def test_every_kind_of_table_gives_the_same():
    import pandas

    by_name = evaluate(TABLE, LABELS, PATIENTS, QUICK)["CT"].performance.predicted
    rows = [{name: float(TABLE[name][at]) for name in TABLE} for at in range(60)]
    matrix = np.column_stack(list(TABLE.values()))
    for table, names in ((pandas.DataFrame(TABLE), None), (rows, None), (matrix, list(TABLE))):
        found = evaluate(table, LABELS, PATIENTS, QUICK, names=names)["CT"].performance.predicted
        np.testing.assert_array_equal(found, by_name)


def test_arrays_without_names_and_plain_settings():
    matrix = np.column_stack(list(TABLE.values()))
    one = evaluate(matrix, LABELS, PATIENTS, QUICK)["all features"]
    other = evaluate(matrix.tolist(), LABELS, PATIENTS, QUICK.to_dict())["all features"]
    assert one.features == tuple(f"feature_{at + 1}" for at in range(len(TABLE)))
    np.testing.assert_array_equal(one.performance.predicted, other.performance.predicted)
    with pytest.raises(SettingsError, match="not RadiomicsSettings"):
        evaluate(matrix, LABELS, PATIENTS, RadiomicsSettings())
