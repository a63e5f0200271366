"""A tree of DICOM becomes a manifest: pseudonyms, dates, pairs; what is not clear is left empty and remarked."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from bonequant.batch import propose, read_manifest, write_proposal
from bonequant.errors import InputError
from bonequant.phantom import (
    simulate_spine,
    spine_preset,
    write_ct_series,
    write_dynamic_series,
    write_mr_volume,
    write_nm,
)
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


@pytest.fixture(scope="module")
def with_flip_angles():
    small = spine_preset("small", matrix=(32, 40, 6), spacing_mm=(7.5, 7.0, 8.0), frames=20, vfa_deg=(2.0, 10.0))
    return simulate_spine(small)


def write_flip_angles(scan, root: Path, folders: dict[float, str], *, one_series: bool = False) -> None:
    """A DCE and its flip angles, all of one date, in folders of their own or in one."""
    write_dce(scan.series, root / "DCE", "20240301")
    for number, (angle, folder) in enumerate(folders.items(), 10):
        write_mr_volume(scan.vfa[angle], root / f"tmp{number}", name=f"FA{angle:g}", number=number)
        (root / folder).mkdir(exist_ok=True, parents=True)
        for path in sorted((root / f"tmp{number}").iterdir()):
            dataset = pydicom.dcmread(path)
            dataset.AcquisitionDate = dataset.SeriesDate = dataset.StudyDate = dataset.ContentDate = "20240301"
            if one_series:
                dataset.SeriesInstanceUID, dataset.SeriesNumber, dataset.SeriesDescription = "1.2.3", 9, "T1"
            dataset.save_as(root / folder / f"{number}_{path.name}")
        shutil.rmtree(root / f"tmp{number}")


@pytest.mark.parametrize(
    ("folders", "one_series", "due"),
    [
        ({10.0: "a/fa10", 2.0: "b/fa2"}, False, ["b/fa2", "a/fa10"]),  # in order of the angles
        ({2.0: "T1", 10.0: "T1"}, False, ["T1"]),
        ({2.0: "T1", 10.0: "T1"}, True, ["T1"]),
    ],
)
def test_flip_angles_beside_a_dce_are_its_t1_series(tmp_path, with_flip_angles, folders, one_series, due):
    write_flip_angles(with_flip_angles, tmp_path / "in", folders, one_series=one_series)
    found = propose(tmp_path / "in", "dce")
    assert found.columns == ("patient", "visit", "series", "t1_series", "which")
    assert (len(found.rows), found.remarks) == (1, ())
    write_proposal(found, tmp_path / "manifest.csv")
    (case,) = read_manifest(tmp_path / "manifest.csv", "dce").checked().cases
    assert case.paths["series"] == (tmp_path / "in" / "DCE",)
    assert case.paths["t1_series"] == tuple(tmp_path / "in" / name for name in due)


def test_flip_angles_that_are_not_clear_are_left_empty_with_a_remark(tmp_path, with_flip_angles):
    """One angle is no T1 mapping; two among the files of the DCE cannot be told from it by a path."""
    write_flip_angles(with_flip_angles, tmp_path / "one", {2.0: "T1"})
    write_flip_angles(with_flip_angles, tmp_path / "mixed", {2.0: "DCE", 10.0: "DCE"})
    for name, says in (("one", "no volumes of two flip angles"), ("mixed", "other series lie in the same folder")):
        found = propose(tmp_path / name, "dce")
        assert "t1_series" not in found.rows[0]
        (remark,) = found.remarks
        assert remark.startswith("P001 20240301: t1_series left empty") and says in remark


def test_nothing_that_fits(tmp_path):
    with pytest.raises(InputError, match="holds no"):
        propose(tmp_path, "marrow")
