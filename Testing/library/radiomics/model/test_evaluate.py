"""Models side by side: what is planted is found, what is judged never trained, and the numbers are the statistics'."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from bonequant.errors import Cancelled
from bonequant.phantom import null_features
from bonequant.radiomics import ModelSettings, evaluate
from bonequant.radiomics.model.folds import stratified_folds
from bonequant.radiomics.model.honest import judge_honestly, outer_folds
from bonequant.radiomics.model.table import read_cohort
from bonequant.statistics import brier, confusion, delong, roc
from model_cohorts import QUICK, two_modalities
from scipy.special import ndtr

BOTH = dataclasses.replace(QUICK, mode="both")


@pytest.fixture(scope="module")
def planted():
    table, labels, patients = two_modalities()
    return table, labels, patients, evaluate(table, labels, patients, BOTH)


def test_planted_effects_are_found_and_both_beat_one(planted):
    """The best possible AUC is Phi(1.3/sqrt 2) = 0.82 for one and Phi(1.3) = 0.90 for both; SE of each about 0.04."""
    _, _, _, report = planted
    assert list(report.models) == ["CT", "SPECT", "combined"]
    honest = {name: found.performance.auc.auc for name, found in report.models.items()}
    assert honest["combined"] > max(honest["CT"], honest["SPECT"])
    for name, best in (("CT", ndtr(1.3 / np.sqrt(2))), ("SPECT", ndtr(1.3 / np.sqrt(2))), ("combined", ndtr(1.3))):
        assert abs(honest[name] - best) < 0.1, name
        assert report[name].paper.cross_validated.auc.auc > 0.7
    assert {"CT:a", "SPECT:a"} <= set(report["combined"].fitted.selected)
    frequency = report["combined"].honest.selection_frequency
    assert frequency["CT:a"] == frequency["SPECT:a"] == 1.0
    assert any("Paper mode" in warning for warning in report.warnings)
    assert any("both parts" in warning for warning in report.warnings)


def test_the_numbers_are_those_of_the_statistics_package(planted):
    _, labels, patients, report = planted
    for found in report.models.values():
        seen = found.honest.performance
        assert seen.auc == delong(labels, seen.predicted, groups=patients)
        assert seen.brier == brier(labels, seen.predicted)
        assert seen.roc.auc == pytest.approx(seen.auc.auc, abs=1e-12)
        assert seen.at_half.confusion == confusion(labels, seen.predicted >= 0.5)
        assert seen.at_youden.sensitivity == seen.at_youden.confusion.sensitivity
        assert seen.bootstrap.ci[0] < seen.auc.auc < seen.bootstrap.ci[1]
    pairs = [(pair.first, pair.second) for pair in report.comparisons]
    assert pairs == [("CT", "SPECT"), ("CT", "combined"), ("SPECT", "combined")]
    first = report.comparisons[1].result
    assert first.difference == pytest.approx(
        report["CT"].performance.auc.auc - report["combined"].performance.auc.auc, abs=1e-12
    )


def test_paper_mode_validates_on_the_other_lesions(planted):
    _, labels, _, report = planted
    paper = report["CT"].paper
    both = np.sort(np.concatenate([paper.train.rows, paper.validation.rows]))
    np.testing.assert_array_equal(both, np.arange(len(labels)))
    assert len(paper.train.rows) == pytest.approx(0.7 * len(labels), abs=1)
    assert report["CT"].performance is report["CT"].honest.performance


def test_the_same_seed_gives_the_same_report(planted):
    table, labels, patients, report = planted
    again = evaluate(table, labels, patients, BOTH)
    for name, found in report.models.items():
        np.testing.assert_array_equal(found.performance.predicted, again[name].performance.predicted)
        assert found.model.sha256 == again[name].model.sha256
    shuffled = np.random.default_rng(0).permutation(list(table))
    columns = evaluate({name: table[name] for name in shuffled}, labels, patients, QUICK)
    np.testing.assert_allclose(columns["CT"].performance.predicted, report["CT"].performance.predicted, atol=1e-5)


@pytest.mark.parametrize("harmonise", [False, True])
def test_a_prediction_depends_on_its_own_lesion_and_the_training_lesions_alone(harmonise):
    """Whatever is done to the other lesions of its fold: nothing of them leaks into scaling, filter, ComBat or fit."""
    table, labels, patients = two_modalities(seed=5)
    centres = [("A", "B", "C")[patient % 3] for patient in patients]
    settings = dataclasses.replace(QUICK, harmonise=harmonise)
    cohort = read_cohort(table, labels, patients, centres=centres)
    fold = outer_folds(cohort, settings)
    before = judge_honestly(cohort, cohort.names, fold, settings)
    others = np.flatnonzero(fold == 0)[1:]
    x = cohort.x.copy()
    x[others] = 100.0 * np.random.default_rng(0).normal(size=x[others].shape)
    after = judge_honestly(dataclasses.replace(cohort, x=x), cohort.names, fold, settings)
    own = np.flatnonzero(fold == 0)[0]
    assert after.predicted[own] == before.predicted[own]
    assert after.records[0].selected == before.records[0].selected
    assert not np.allclose(after.predicted[others], before.predicted[others])


def test_folds_keep_patients_together_and_classes_in_balance():
    random = np.random.default_rng(2)
    patients = np.sort(np.concatenate([np.arange(132), random.integers(0, 132, 60)]))
    labels = random.random(192) < 0.4
    fold = stratified_folds(labels, patients, 10, seed=7)
    assert all(len(set(fold[patients == patient])) == 1 for patient in range(132))
    positive = np.array([labels[fold == k].sum() for k in range(10)])
    assert np.ptp(positive) <= 2
    assert np.ptp(np.bincount(fold)) <= 4
    np.testing.assert_array_equal(fold, stratified_folds(labels, patients, 10, seed=7))
    assert (fold != stratified_folds(labels, patients, 10, seed=8)).any()


def test_an_intercept_alone_ranks_nobody():
    """Pooled as they are, its predictions would rank the wrong way round; here the AUC is 0.5 exactly."""
    cohort = null_features(60, 45, 8, seed=1)
    report = evaluate(cohort.x, cohort.labels, cohort.patients, BOTH, names=cohort.names)["all features"]
    assert report.fitted.selected == ()
    assert all(record.selected == () for record in report.honest.run.records)
    fold = report.honest.run.fold
    assert roc(cohort.labels, [cohort.labels[fold != k].mean() for k in fold]).auc < 0.48
    assert report.performance.auc.auc == 0.5
    assert any("no feature survived" in warning for warning in report.warnings)
    assert report.model.features == ()
    assert np.isnan(report.performance.calibration.slope)


def test_noise_is_noise_in_honest_mode():
    """Eight cohorts of 100 lesions: the mean AUC has an SD of at most 0.06/sqrt 8 = 0.02."""
    areas = []
    for seed in range(8):
        cohort = null_features(100, 70, 80, seed=seed)
        report = evaluate(cohort.x, cohort.labels, cohort.patients, QUICK, names=cohort.names)
        areas.append(report["all features"].performance.auc.auc)
    assert np.mean(areas) == pytest.approx(0.5, abs=0.05)


def test_paper_mode_finds_what_is_not_there():
    """A cohort of noise on which the LASSO selects something: paper mode's AUC is far above 0.5, honest mode's is not
    (SE 0.042).
    """
    cohort = null_features(seed=2)
    settings = ModelSettings(mode="both", folds=3, resamples=50)
    found = evaluate(cohort.x, cohort.labels, cohort.patients, settings, names=cohort.names)["all features"]
    assert len(found.paper.run.fitted.selected) > 5
    assert found.paper.cross_validated.auc.auc > 0.75
    assert found.performance.auc.auc == pytest.approx(0.5, abs=3 * 0.042)


def test_honest_is_the_default_and_cancelling_works():
    table, labels, patients = two_modalities(60, 40)
    assert ModelSettings().mode == "honest"

    def stop(fraction: float, message: str) -> None:
        assert 0 <= fraction <= 1
        if fraction > 0.3:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        evaluate(table, labels, patients, QUICK, progress=stop)
