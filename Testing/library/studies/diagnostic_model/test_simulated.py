"""The demo's cohort: files in the layout of lesion radiomics, whose features follow what was planted."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from bonequant.phantom import LesionCohortSettings
from bonequant.statistics import roc, spearman
from bonequant.studies import lesion_radiomics
from bonequant.studies.diagnostic_model import DiagnosticSettings, read_inputs, run, simulate_cohort_files, write
from bonequant.studies.diagnostic_model.simulated import EXTRACTION


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort") / "files"
    return folder, simulate_cohort_files(folder, LesionCohortSettings(lesions=30, patients=24, seed=2))


def test_the_files_are_read_as_those_of_lesion_radiomics(made):
    folder, truth = made
    inputs = read_inputs(folder / "features", folder / "labels.csv")
    assert len(inputs.lesions) == 30 and set(inputs.recipes) == {"CT", "SPECT"}
    assert inputs.recipes["SPECT"]["unit"] == "SUVbw"
    assert all((folder / "images" / lesion.id / "ct.nrrd").is_file() for lesion in inputs.lesions)
    assert {len(drawings) for drawings in inputs.drawings["perturbation"].values()} == {3}
    at = inputs.columns.index("SPECT:original_firstorder_Mean")
    # Uptake is what the SPECT signal sets; noise and lesion size leave a rank correlation of well over 0.8.
    assert spearman(inputs.values[:, at], truth.signals["SPECT"]).value > 0.8
    assert json.loads((folder / "features" / "features.json").read_text())["stable"] is None


def test_a_folder_that_lesion_radiomics_wrote_holds_the_same_numbers(made, tmp_path):
    """From the images on the disk through the job's own results folder, as a user makes it."""
    folder, _ = made
    inputs = read_inputs(folder / "features", folder / "labels.csv")
    lesion = inputs.lesions[3]
    images = folder / "images" / lesion.id
    read = lesion_radiomics.read_inputs(
        images / "spect.nrrd", images / "ct.nrrd", [images / "lesion.nrrd"], mask_on="ct", patient=lesion.patient
    )
    lesion_radiomics.write(lesion_radiomics.run(read, EXTRACTION), tmp_path / "one")
    labels = tmp_path / "labels.csv"
    name = next(iter(read.lesions)).id
    labels.write_text(f"lesion_id,label\n{name},{lesion.label}\n")
    again = read_inputs(tmp_path / "one", labels)
    assert again.columns == inputs.columns and again.recipes == inputs.recipes
    assert np.array_equal(again.values[0], inputs.values[3], equal_nan=True)


def test_readers_see_the_signals_and_the_report_stands_beside_the_truth(made, tmp_path):
    folder, truth = made
    inputs = read_inputs(folder / "features", folder / "labels.csv")
    chosen = {"reader_positive_from": 4, "model": {"folds": 4, "lasso_folds": 4, "resamples": 50}}
    result = run(inputs, DiagnosticSettings.from_dict(chosen))
    for reader in result.readers:
        assert 0.65 < reader.auc.auc < 1.0
    assert result.agreement[0].kappa.value > 0.4
    report = write(result, tmp_path / "out", truth=truth, attachments={"cohort": folder})
    assert (report.parent / "cohort" / "labels.csv").is_file()
    with (report.parent / "planted.csv").open(encoding="utf-8") as stream:
        rows = {row["model"]: row for row in csv.DictReader(stream)}
    # Phi(1.5/sqrt 2) and Phi(1.5 sqrt 2/sqrt 2).
    assert float(rows["CT"]["best_auc"]) == pytest.approx(0.85558, abs=1e-5)
    assert float(rows["combined"]["best_auc"]) == pytest.approx(0.93319, abs=1e-5)
    both = 1.5 * np.asarray(truth.signals["CT"]) + 1.5 * np.asarray(truth.signals["SPECT"])
    assert float(rows["combined"]["auc_of_signal_here"]) == roc(result.labels, both).auc
