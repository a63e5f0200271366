"""A tree of DICOM becomes a manifest: pseudonyms, dates, pairs; what is not clear is left empty and remarked."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from bonequant.batch import propose, read_manifest, write_proposal
from bonequant.errors import InputError
from bonequant.phantom import simulate_spine, spine_preset, write_ct_series, write_dynamic_series, write_nm
from bonequant.volume import Acquisition, Geometry, Volume, image_from_array

GRID = Geometry((6, 5, 3), (4.0, 4.0, 5.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def write_visit(folder: Path, patient: str, date: str, *, spect: int = 1, ct: bool = True) -> None:
    """SPECT and CT of one patient and date, all in one folder, as archives hand them out."""
    facts = Acquisition(patient_id=patient, patient_name="DOE^JANE")
    image = image_from_array(np.ones(GRID.shape, np.float32), GRID)
    folder.mkdir(parents=True)
    for number in range(spect):
        write_nm(Volume(image, modality="NM", unit="counts", acquisition=facts), folder / f"nm{number}.dcm")
    if ct:
        write_ct_series(Volume(image, modality="CT", unit="HU", acquisition=facts), folder / "ct")
        for path in sorted((folder / "ct").iterdir()):
            shutil.move(path, folder / f"ct{path.name}")
        (folder / "ct").rmdir()
    for path in folder.glob("*"):
        if path.is_file():
            dataset = pydicom.dcmread(path)
            dataset.AcquisitionDate = dataset.SeriesDate = dataset.StudyDate = date
            dataset.SeriesInstanceUID = f"1.2.{abs(hash((path.name[:3], patient, date))) % 10**9}"
            dataset.save_as(path)


def test_patients_dates_and_pairs(tmp_path):
    write_visit(tmp_path / "in" / "x", "SECRET-7", "20240301")
    write_visit(tmp_path / "in" / "y", "SECRET-7", "20240601")
    write_visit(tmp_path / "in" / "z", "SECRET-2", "20240102", ct=False)
    found = propose(tmp_path / "in", "marrow")
    assert found.patients == 2
    assert [(row["patient"], row["visit"], "ct" in row) for row in found.rows] == [
        ("P001", "20240102", False), ("P002", "20240301", True), ("P002", "20240601", True)
    ]  # fmt: skip
    assert [text for text in found.remarks if "ct left empty" in text] != []
    write_proposal(found, tmp_path / "in" / "manifest.csv")
    text = (tmp_path / "in" / "manifest.csv").read_text()
    assert "SECRET" not in text
    assert "DOE" not in text
    cases = read_manifest(tmp_path / "in" / "manifest.csv", "marrow").checked().cases
    assert [case.key for case in cases] == ["P001_20240102", "P002_20240301", "P002_20240601"]
    assert cases[1].paths["ct"] == (tmp_path / "in" / "x",)
    assert cases[1].texts["ct_series"]  # the folder holds the SPECT too
    with pytest.raises(InputError, match="already exists"):
        write_proposal(found, tmp_path / "in" / "manifest.csv")


def test_two_series_of_a_date_are_two_rows_with_a_remark(tmp_path):
    write_visit(tmp_path / "in" / "x", "A", "20240301", spect=1)
    write_visit(tmp_path / "in" / "late", "A", "20240302")
    for path in (tmp_path / "in" / "late").glob("nm*"):
        dataset = pydicom.dcmread(path)
        dataset.AcquisitionDate = dataset.SeriesDate = dataset.StudyDate = "20240301"
        dataset.save_as(path)
    found = propose(tmp_path / "in", "marrow")
    assert [row["visit"] for row in found.rows] == ["20240301-1", "20240301-2"]
    assert sum("one of 2 series of that date" in text for text in found.remarks) == 2


@pytest.fixture(scope="module")
def spine():
    return simulate_spine(spine_preset("small", matrix=(32, 40, 6), spacing_mm=(7.5, 7.0, 8.0), frames=20)).series


def write_dce(series, folder: Path, date: str) -> None:
    write_dynamic_series(series, folder)
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.AcquisitionDate = dataset.SeriesDate = dataset.StudyDate = dataset.ContentDate = date
        dataset.SeriesInstanceUID = f"1.2.{date}.{ord(folder.name[0])}"
        dataset.save_as(path)


def test_dates_of_a_patient_are_one_row_where_they_are_compared(tmp_path, spine):
    for date in ("20240601", "20240301", "20240901"):
        write_dce(spine, tmp_path / date, date)
    found = propose(tmp_path, "response")
    assert (found.columns, found.patients, found.remarks) == (("patient", "before", "after"), 1, ())
    write_proposal(found, tmp_path / "manifest.csv")
    (case,) = read_manifest(tmp_path / "manifest.csv", "response").checked().cases
    assert case.paths["before"] == (tmp_path / "20240301",)
    assert case.paths["after"] == (tmp_path / "20240601", tmp_path / "20240901")


def test_dates_that_cannot_be_compared_are_left_out_with_a_remark(tmp_path, spine):
    for folder, date in (("a", "20240301"), ("b", "20240301"), ("c", "20240601")):
        write_dce(spine, tmp_path / folder, date)
    with pytest.raises(InputError, match=r"20240301: left out, one dated dynamic series is due.*two dates or more"):
        propose(tmp_path, "response")


def test_nothing_that_fits(tmp_path):
    with pytest.raises(InputError, match="holds no"):
        propose(tmp_path, "marrow")
