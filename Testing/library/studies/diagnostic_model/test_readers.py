"""Readers beside models against counts by hand and the statistics themselves; kappa against a published table."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.statistics import delong
from bonequant.studies.diagnostic_model import DiagnosticSettings, Lesion, read_inputs, run
from bonequant.studies.diagnostic_model.classes import calls_of
from bonequant.studies.diagnostic_model.readers import agreement_of
from tables_of_lesions import make_rows, write_folder

SETTINGS = DiagnosticSettings.from_dict(
    {"reader_positive_from": 3, "model": {"folds": 4, "lasso_folds": 4, "resamples": 50}}
)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """Reader A calls in words, each eighth wrongly; reader B grades 1 to 5 and leaves out two lesions."""
    folder = tmp_path_factory.mktemp("readers")
    rows = make_rows(48)
    random = np.random.default_rng(3)
    lines = ["lesion_id,patient_id,reader_A,reader_B,sex,age,side"]
    for at, row in enumerate(rows):
        positive = row["label"] == "metastasis"
        word = {True: "metastasis", False: "benign"}[positive != (at % 8 == 0)]
        grade = "NE" if at in (5, 6) else int(np.clip(round(random.normal(4 if positive else 2, 1)), 1, 5))
        patient = int(row["patient_id"][1:])
        sex = "female" if patient % 3 else "male"
        lines.append(f"{row['lesion_id']},{row['patient_id']},{word},{grade},{sex},{50 + patient},{'lr'[at % 2]}")
    (folder / "labels.csv").write_text("\n".join(lines))
    return run(read_inputs(write_folder(folder / "features", rows), folder / "labels.csv"), SETTINGS)


def test_calls_in_words(result):
    reader = result.readers[0]
    wrong = [at for at in range(48) if at % 8 == 0]
    missed = sum(bool(result.labels[at]) for at in wrong)
    assert (reader.confusion.fn, reader.confusion.fp) == (missed, len(wrong) - missed)
    assert (reader.confusion.tp, reader.confusion.tn) == (24 - missed, 24 - (len(wrong) - missed))
    beside = {item.model: item for item in reader.beside}["combined"]
    said = result.models["combined"].performance.predicted >= 0.5
    right = np.array([at not in wrong for at in range(48)])
    positive = result.labels
    assert beside.sensitivity.first_only == int((right & ~said)[positive].sum())
    assert beside.sensitivity.second_only == int((~right & said)[positive].sum())
    assert beside.specificity.first_only == int((right & said)[~positive].sum())
    assert beside.specificity.second_only == int((~right & ~said)[~positive].sum())


def test_grades_on_the_lesions_that_were_graded(result):
    reader = result.readers[1]
    assert (reader.judged, reader.graded, reader.called) == (46, True, 3.0)
    rows = [at for at in range(48) if at not in (5, 6)]
    grades = [float(result.inputs.lesions[at].readers["reader B"]) for at in rows]
    predicted = result.models["CT"].performance.predicted[rows]
    expected = delong(result.labels[rows], grades, predicted, groups=result.models.patients[rows])
    beside = {item.model: item for item in reader.beside}["CT"]
    assert beside.auc.difference == expected.difference and beside.auc.p_value == expected.p_value
    called = np.array(grades) >= 3
    assert reader.confusion.tp == int((called & result.labels[rows]).sum())
    assert result.agreement == ()  # words and grades do not compare


def test_grades_without_a_cut_off_have_an_auc_and_nothing_else(result):
    again = run(result.inputs, dataclasses.replace(SETTINGS, reader_positive_from=None))
    reader = again.readers[1]
    assert reader.confusion is None and reader.auc.auc == result.readers[1].auc.auc
    assert all(item.sensitivity is None for item in reader.beside)
    assert any("reader_positive_from" in text for text in again.warnings)


def test_weighted_kappa_of_two_readers_is_the_published_one():
    """Agresti's table of two raters: linear weights 0.23738, interval 0.0839 to 0.3909."""
    table = [[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]]
    lesions = []
    for one, row in enumerate(table, start=1):
        for other, count in enumerate(row, start=1):
            for _ in range(count):
                readers = {"reader 1": str(one), "reader 2": str(other)}
                lesions.append(Lesion(str(len(lesions)), "", "benign", readers=readers))
    calls = [calls_of(name, lesions, ("metastasis", "benign"), SETTINGS) for name in ("reader 1", "reader 2")]
    (found,) = agreement_of(calls, 0.95)
    assert found.kappa.value == pytest.approx(0.23738, abs=5e-6)
    assert found.kappa.ci == pytest.approx((0.0839, 0.3909), abs=5e-5)
    assert found.categories == ("1", "2", "3", "4")


def test_a_call_that_is_none_is_named():
    lesions = [Lesion("a", "", "benign", readers={"reader 1": "perhaps"})]
    with pytest.raises(InputError, match="reader 1 says 'perhaps'"):
        calls_of("reader 1", lesions, ("metastasis", "benign"), SETTINGS)


def test_facts_of_patients_and_of_lesions(result):
    facts = {found.fact: found for found in result.facts}
    assert facts["sex"].unit == "patients" and facts["sex"].test == "Fisher exact"  # 12 patients a class: small counts
    assert facts["age"].unit == "patients"
    assert facts["side"].unit == "lesions" and facts["side"].test == "chi-square"
    assert facts["side"].p_value == 1.0  # left and right alike in both classes
    assert facts["level"].test == "" and facts["level"].rule == "one value only"
    # Patients 1, 3, 5 ... are metastatic: ages 51, 53 ... 73 against 52, 54 ... 74.
    assert facts["age"].positive.startswith("62 ± 7.2")
    assert facts["age"].negative.startswith("63 ± 7.2")
