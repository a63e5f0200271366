"""The model file: what is saved predicts the same, a changed file does not load, other features are refused."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.radiomics import Features, MazdaSettings, RadiomicsSettings, evaluate, load_model, predict
from model_cohorts import QUICK, two_modalities
from scipy.special import expit

TABLE, LABELS, PATIENTS = two_modalities(90, 60, noise=2)
TABLE["CT:original_glcm_Contrast"] = TABLE.pop("CT:a")
CENTRES = [("A", "B")[patient % 2] for patient in PATIENTS]
EXTRACTION = {"CT": RadiomicsSettings(), "SPECT": RadiomicsSettings(mazda=MazdaSettings(normalisation="none"))}


def lesion(at: int) -> dict[str, float]:
    return {name: float(column[at]) for name, column in TABLE.items()}


@pytest.fixture(scope="module")
def report():
    settings = dataclasses.replace(QUICK, harmonise=True)
    return evaluate(TABLE, LABELS, PATIENTS, settings, centres=CENTRES, extraction=EXTRACTION)


@pytest.fixture(scope="module")
def plain_report():
    return evaluate(TABLE, LABELS, PATIENTS, QUICK)


def test_a_saved_model_predicts_what_the_fit_does(report, tmp_path):
    found = report["combined"]
    model = load_model(found.model.save(tmp_path / "model.json"))
    assert model == found.model
    x = np.column_stack([TABLE[name] for name in found.features])
    expected = expit(found.fitted.log_odds(x, CENTRES))
    for at in range(0, 90, 9):
        seen = predict(model, lesion(at), EXTRACTION, centre=CENTRES[at])
        assert seen.probability == pytest.approx(expected[at], abs=1e-12)
        assert seen.log_odds == pytest.approx(seen.intercept + sum(part.log_odds for part in seen.contributions))
        assert seen.called == (seen.probability >= model.threshold)
        assert not seen.warnings


def test_the_file_can_be_read_by_a_person(report, tmp_path):
    content = json.loads(report["CT"].model.save(tmp_path / "model.json").read_text(encoding="utf-8"))
    features = {feature["name"]: feature for feature in content["features"]}
    assert features["CT:original_glcm_Contrast"]["ibsi_id"] == "ACUI"
    assert "verified" in features["CT:original_glcm_Contrast"]["status"]
    assert list(content["extraction"]) == ["CT"]  # what a CT model needs
    assert content["intended_use"].startswith("Research use only")
    assert content["training"]["lesions"] == 90 and content["training"]["patients"] == 60
    auc = report["CT"].performance.auc
    assert content["training"]["performance"]["honest"]["auc"] == auc.auc
    assert content["model_settings"] == report.settings.to_dict()
    assert set(content["versions"]) >= {"bonequant", "numpy"}
    assert list(tmp_path.iterdir()) == [tmp_path / "model.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace('"lesions": 90', '"lesions": 900', 1), "was changed"),
        (lambda text: text.replace("Research use only", "Diagnosis", 1), "was changed"),
        (lambda text: text.replace('"format_version": 1', '"format_version": 2', 1), "format version 2"),
        (lambda text: text.replace("bonequant diagnostic model", "other", 1), "no diagnostic model"),
        (lambda text: text[:-30], "not a readable model"),
        (lambda text: text.replace('"threshold": ', '"threshold": NaN, "x": ', 1), "not a readable model"),
        (lambda text: "[1, 2]", "no diagnostic model"),
    ],
)
def test_a_changed_file_does_not_load(report, tmp_path, change, message):
    path = report["CT"].model.save(tmp_path / "model.json")
    text = path.read_text(encoding="utf-8")
    path.write_text(change(text), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != text
    with pytest.raises(InputError, match=message):
        load_model(path)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="not a readable model"):
        load_model(tmp_path / "none.json")


def test_other_settings_are_refused_and_named(report):
    model = report["combined"].model
    with pytest.raises(InputError, match="give their settings"):
        predict(model, lesion(0), centre="A")
    with pytest.raises(InputError, match="settings of SPECT; given are those of CT"):
        predict(model, lesion(0), {"CT": EXTRACTION["CT"]}, centre="A")
    other = {**EXTRACTION, "CT": RadiomicsSettings(mazda=MazdaSettings(gradient_size="3x3"))}
    with pytest.raises(InputError, match=r"of CT differ.*mazda.gradient_size is '3x3', trained with '5x5'"):
        predict(model, lesion(0), other, centre="A")
    stored = {name: settings.to_dict() for name, settings in EXTRACTION.items()}
    assert predict(model, lesion(0), stored, centre="A") == predict(model, lesion(0), EXTRACTION, centre="A")


def test_missing_features_are_refused_with_their_reason(report):
    model = report["CT"].model
    name = "CT:original_glcm_Contrast"
    without = {key: value for key, value in lesion(0).items() if key != name}
    with pytest.raises(InputError, match=r"needs feature 'CT:original_glcm_Contrast'"):
        predict(model, without, EXTRACTION, centre="A")
    absent = Features(lesion(0))
    absent.lose([name], "the region is one pixel")
    with pytest.raises(InputError, match=r"does not exist for this lesion .the region is one pixel"):
        predict(model, absent, EXTRACTION, centre="A")
    with pytest.raises(InputError, match="not a number"):
        predict(model, {**lesion(0), name: "high"}, EXTRACTION, centre="A")


def test_extrapolation_and_unknown_centres_are_said(report):
    model = report["CT"].model
    far = {**lesion(0), "CT:original_glcm_Contrast": 1e3}
    warned = predict(model, far, EXTRACTION, centre="A").warnings
    assert len(warned) == 1 and "outside the training range" in warned[0]
    for centre, words in (("Z", "centre 'Z' was not in the training"), (None, "no centre was given")):
        assert words in predict(model, lesion(0), EXTRACTION, centre=centre).warnings[0]


def test_a_model_that_does_not_know_its_settings_says_so(plain_report):
    warned = predict(plain_report["CT"].model, lesion(0), RadiomicsSettings()).warnings
    assert "could not be compared" in warned[0]
    assert plain_report["CT"].model.extraction_hash == ""
