"""Bad input ends in one clear line, exit code 2 and nothing on the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from bonequant.cli import main
from bonequant.phantom import preset, simulate_patient, write_patient
from pydicom.dataset import Dataset


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated patient as DICOM: CT/ and SPECT/recon.dcm."""
    return write_patient(simulate_patient(preset("small", seed=3)), tmp_path_factory.mktemp("patient"))


@pytest.fixture
def spect(patient: Path, tmp_path: Path) -> Path:
    """A copy of the SPECT that a test may spoil."""
    return Path(shutil.copy(patient / "SPECT" / "recon.dcm", tmp_path / "recon.dcm"))


def spoil(path: Path, change: Callable[[Dataset], None]) -> Path:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    return path


def fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, *arguments: object) -> str:
    """Run ``bonequant marrow``; return its one line on standard error after checking that it failed cleanly."""
    (folder / "results").mkdir()
    out = folder / "results" / "out"
    monkeypatch.setattr("sys.argv", ["bonequant", "marrow", "--out", str(out), *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("bonequant: ")]
    assert stop.value.code == 2
    assert len(lines) == 1
    assert os.listdir(out.parent) == []  # no result, and no temporary folder either
    return lines[0]


CALIBRATED = ("--fact", "calibration_factor_cps_per_mbq=100")


def test_empty_folder(patient, tmp_path, monkeypatch, capsys):
    (tmp_path / "empty").mkdir()
    line = fails(monkeypatch, capsys, tmp_path, "--spect", tmp_path / "empty", "--ct", patient / "CT")
    assert "empty" in line


def test_missing_path(patient, tmp_path, monkeypatch, capsys):
    line = fails(monkeypatch, capsys, tmp_path, "--spect", tmp_path / "nowhere", "--ct", patient / "CT")
    assert "does not exist" in line


def test_truncated_dicom(patient, spect, tmp_path, monkeypatch, capsys):
    spect.write_bytes(spect.read_bytes()[:-5000])
    line = fails(monkeypatch, capsys, tmp_path, "--spect", spect, "--ct", patient / "CT")
    assert "recon.dcm" in line
    assert "truncated" in line


@pytest.mark.parametrize(
    ("image_type", "says"),
    [("ORIGINAL PRIMARY STATIC EMISSION", "planar"), ("ORIGINAL PRIMARY TOMO EMISSION", "projections")],
)
def test_planar_images_and_projections(patient, spect, tmp_path, monkeypatch, capsys, image_type, says):
    spoil(spect, lambda dataset: setattr(dataset, "ImageType", image_type.split()))
    line = fails(monkeypatch, capsys, tmp_path, "--spect", spect, "--ct", patient / "CT")
    assert says in line


def test_missing_slice_spacing(patient, spect, tmp_path, monkeypatch, capsys):
    def without_spacing(dataset: Dataset) -> None:
        del dataset.SpacingBetweenSlices

    spoil(spect, without_spacing)
    line = fails(monkeypatch, capsys, tmp_path, "--spect", spect, "--ct", patient / "CT")
    assert "(0018,0088)" in line
    assert "spacing_between_slices_mm" in line


def test_missing_calibration_names_the_way_out(patient, spect, tmp_path, monkeypatch, capsys):
    line = fails(monkeypatch, capsys, tmp_path, "--spect", spect, "--ct", patient / "CT")
    assert "--fact calibration_factor_cps_per_mbq=" in line
    assert "quantity=native" in line


def test_two_patients_can_be_confirmed(patient, spect, tmp_path, monkeypatch, capsys):
    spoil(spect, lambda dataset: setattr(dataset, "PatientID", "SOMEBODY-ELSE"))
    line = fails(monkeypatch, capsys, tmp_path, "--spect", spect, "--ct", patient / "CT", *CALIBRATED)
    assert "--confirm-same-patient" in line
    assert "SOMEBODY-ELSE" not in line


def test_zero_dose(patient, spect, tmp_path, monkeypatch, capsys):
    def zero(dataset: Dataset) -> None:
        dataset.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose = 0

    spoil(spect, zero)
    line = fails(monkeypatch, capsys, tmp_path, "--spect", spect, "--ct", patient / "CT", *CALIBRATED)
    assert "injected_activity_bq" in line
    assert "(0018,1074)" in line


def test_injection_after_acquisition(patient, spect, tmp_path, monkeypatch, capsys):
    line = fails(
        monkeypatch, capsys, tmp_path,
        "--spect", spect, "--ct", patient / "CT", *CALIBRATED, "--fact", "injection_time=2030-01-01T00:00",
    )  # fmt: skip
    assert "after the start of the acquisition" in line


def test_mask_beside_the_image(patient, spect, tmp_path, monkeypatch, capsys):
    mask = sitk.Image(8, 8, 8, sitk.sitkUInt8) + 1
    mask.SetOrigin((5000.0, 0.0, 0.0))
    sitk.WriteImage(mask, str(tmp_path / "mask.nrrd"))
    line = fails(
        monkeypatch, capsys, tmp_path,
        "--spect", spect, "--ct", patient / "CT", *CALIBRATED, "--mask", tmp_path / "mask.nrrd", "--mask-on", "ct",
    )  # fmt: skip
    assert "overlap" in line


def test_nan_voxels(patient, tmp_path, monkeypatch, capsys):
    array = np.ones((16, 16, 16), dtype=np.float32)
    array[3, 3, 3] = np.nan
    sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / "nan.nrrd"))
    line = fails(monkeypatch, capsys, tmp_path, "--spect", tmp_path / "nan.nrrd", "--ct", patient / "CT")
    assert "nan.nrrd" in line


def test_four_dimensions(patient, tmp_path, monkeypatch, capsys):
    sitk.WriteImage(sitk.Image([8, 8, 8, 3], sitk.sitkFloat32), str(tmp_path / "dynamic.nrrd"))
    line = fails(monkeypatch, capsys, tmp_path, "--spect", tmp_path / "dynamic.nrrd", "--ct", patient / "CT")
    assert "dynamic.nrrd" in line
    assert "4" in line


def test_exchanged_images(patient, spect, tmp_path, monkeypatch, capsys):
    line = fails(monkeypatch, capsys, tmp_path, "--spect", patient / "CT", "--ct", spect)
    assert "exchanged" in line


def test_neither_ct_nor_mask(spect, tmp_path, monkeypatch, capsys):
    line = fails(monkeypatch, capsys, tmp_path, "--spect", spect)
    assert "give a CT" in line


def test_stopping_is_said_in_one_line(tmp_path, monkeypatch, capsys):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.argv", ["bonequant", "marrow", "--spect", "none", "--out", str(tmp_path / "out")])
    for place in ("bonequant.report.free_folder", "bonequant.cli._run"):  # within a command, and while importing
        monkeypatch.setattr(place, interrupt)
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 130
        assert capsys.readouterr().err == "bonequant: stopped, nothing was written.\n"
