"""``bonequant liver``: from files to a results folder; bad input ends in one line, exit code 2, nothing on the disk."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.cli import main
from bonequant.io import write_dynamic, write_segmentation
from bonequant.phantom import LiverScan, liver_preset, simulate_liver, write_dynamic_series


@pytest.fixture(scope="module")
def scan() -> LiverScan:
    return simulate_liver(
        liver_preset("small", breathing_mm=0.0, noise_hu=2.0, interval_s=3.0, field_mm=(384.0, 288.0, 70.0))
    )


@pytest.fixture(scope="module")
def case(scan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CT/ in DICOM, regions.seg.nrrd, maa.csv."""
    folder = tmp_path_factory.mktemp("liver")
    write_dynamic_series(scan.series, folder / "CT", timing="siemens", name="perfusion")
    write_segmentation(scan.masks, folder / "regions.seg.nrrd")
    (folder / "maa.csv").write_text("lesion,ratio\ntumour_1,5\ntumour_2,2.5\ntumour_3,0.6\n")
    return folder


QUICK = ("--set", "correct_motion=false")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr("sys.argv", ["bonequant", "liver", *map(str, arguments)])
    main()


def fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, *arguments: object) -> str:
    (folder / "results").mkdir()
    with pytest.raises(SystemExit) as stop:
        run(monkeypatch, "--out", folder / "results" / "out", *arguments)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("bonequant: ")]
    assert stop.value.code == 2
    assert len(lines) == 1
    assert os.listdir(folder / "results") == []
    return lines[0]


def segmentation(scan: LiverScan, path: Path, without: str = "", **renamed: str) -> Path:
    masks = {renamed.get(name, name): mask for name, mask in scan.masks.items() if name != without}
    write_segmentation(masks, path)
    return path


def test_from_files_to_the_folder(scan, case, tmp_path, monkeypatch, capsys) -> None:
    second = segmentation(scan, tmp_path / "second.seg.nrrd", without="aorta")
    with pytest.raises(SystemExit) as stop:
        run(
            monkeypatch, "--ct", case / "CT", "--mask", case / "regions.seg.nrrd", "--second-reader", second,
            "--maa-table", case / "maa.csv", "--out", tmp_path / "out", *QUICK,
        )  # fmt: skip
    assert stop.value.code in (0, None)
    assert str(tmp_path / "out" / "report.html") in capsys.readouterr().out.replace("\n", "")
    summary = json.loads((tmp_path / "out" / "result.json").read_text())
    assert summary["maa"]["source"] == "table"
    assert {row["region"] for row in summary["maa"]["lesions"]} == {"tumour_1", "tumour_2", "tumour_3"}
    assert all(row["mean_difference"] == 0.0 for row in summary["readers"]["statistics"])
    with (tmp_path / "out" / "regions.csv").open() as stream:
        rows = {row["region"]: row for row in csv.DictReader(stream)}
    assert float(rows["tumour_1"]["alp_dual_input"]) > 3 * float(rows["liver"]["alp_dual_input"])


def test_no_masks(case, tmp_path, monkeypatch, capsys) -> None:
    line = fails(monkeypatch, capsys, tmp_path, "--ct", case / "CT", *QUICK)
    assert "portal_vein" in line
    assert "--mask" in line


@pytest.mark.parametrize("name", ["portal_vein", "spleen", "liver"])
def test_a_region_that_is_missing(scan, case, tmp_path, monkeypatch, capsys, name) -> None:
    mask = segmentation(scan, tmp_path / "m.seg.nrrd", without=name)
    assert name in fails(monkeypatch, capsys, tmp_path, "--ct", case / "CT", "--mask", mask, *QUICK)


def test_a_name_that_is_unknown_is_listed(scan, case, tmp_path, monkeypatch, capsys) -> None:
    mask = segmentation(scan, tmp_path / "m.seg.nrrd", portal_vein="pv")
    line = fails(monkeypatch, capsys, tmp_path, "--ct", case / "CT", "--mask", mask, *QUICK)
    assert "portal_vein" in line
    assert "'pv'" in line


def test_an_empty_lesion(scan, case, tmp_path, monkeypatch, capsys) -> None:
    masks = {**scan.masks, "tumour_1": sitk.Image(scan.masks["tumour_1"]) * 0}
    write_segmentation(masks, tmp_path / "m.seg.nrrd")
    line = fails(monkeypatch, capsys, tmp_path, "--ct", case / "CT", "--mask", tmp_path / "m.seg.nrrd", *QUICK)
    assert "tumour_1" in line
    assert "empty" in line


def test_one_mask_given_twice(case, tmp_path, monkeypatch, capsys) -> None:
    mask = case / "regions.seg.nrrd"
    line = fails(monkeypatch, capsys, tmp_path, "--ct", case / "CT", "--mask", mask, "--mask", mask, *QUICK)
    assert "already" in line


def test_a_series_that_ends_before_the_portal_phase(scan, case, tmp_path, monkeypatch, capsys) -> None:
    short = scan.series.replace(frames=scan.series.frames[:7], times_s=scan.series.times_s[:7])
    write_dynamic_series(short, tmp_path / "CT", timing="siemens", name="short")
    line = fails(monkeypatch, capsys, tmp_path, "--ct", tmp_path / "CT", "--mask", case / "regions.seg.nrrd", *QUICK)
    assert "one phase has no frames" in line


def test_too_few_frames(scan, case, tmp_path, monkeypatch, capsys) -> None:
    short = scan.series.replace(frames=scan.series.frames[:4], times_s=scan.series.times_s[:4])
    write_dynamic_series(short, tmp_path / "CT", timing="siemens", name="short")
    line = fails(monkeypatch, capsys, tmp_path, "--ct", tmp_path / "CT", "--mask", case / "regions.seg.nrrd")
    assert "4 frames" in line


def test_wrong_modality_and_unit(scan, case, tmp_path, monkeypatch, capsys) -> None:
    small = scan.series.replace(modality="MR", unit="")
    write_dynamic(small, tmp_path / "mr.seq.nrrd")
    mask = case / "regions.seg.nrrd"
    line = fails(monkeypatch, capsys, tmp_path, "--ct", tmp_path / "mr.seq.nrrd", "--mask", mask)
    assert "modality MR" in line
    shutil.rmtree(tmp_path / "results")
    line = fails(
        monkeypatch, capsys, tmp_path, "--ct", tmp_path / "mr.seq.nrrd", "--mask", mask, "--fact", "modality=CT"
    )
    assert "unit=HU" in line


def test_one_static_ct(case, tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "one").mkdir()
    for path in sorted((case / "CT").iterdir()):
        if "_001_" in path.name:
            shutil.copy(path, tmp_path / "one")
    line = fails(monkeypatch, capsys, tmp_path, "--ct", tmp_path / "one", "--mask", case / "regions.seg.nrrd")
    assert "no dynamic series" in line


def test_frame_times_by_hand(case, tmp_path, monkeypatch, capsys) -> None:
    common = ("--ct", case / "CT", "--mask", case / "regions.seg.nrrd", *QUICK)
    assert "times_s=soon" in fails(monkeypatch, capsys, tmp_path, *common, "--fact", "times_s=soon")
    shutil.rmtree(tmp_path / "results")
    assert "2" in fails(monkeypatch, capsys, tmp_path, *common, "--fact", "times_s=0,3")
    shutil.rmtree(tmp_path / "results")
    falling = ",".join(str(45 - 3 * i) for i in range(15))
    line = fails(monkeypatch, capsys, tmp_path, *common, "--fact", f"times_s={falling}")
    assert "increas" in line or "decreas" in line


def test_bad_settings_and_tables(case, tmp_path, monkeypatch, capsys) -> None:
    common = ("--ct", case / "CT", "--mask", case / "regions.seg.nrrd")
    for arguments, says in (
        (("--set", "delay=often"), "delay"),
        (("--set", "mask_frame=40"), "15 frames"),
        (("--set", "kinetics.fit_delay=true"), "portal_delay_s"),
        (("--maa-table", tmp_path / "none.csv"), "none.csv"),
        (("--maa-ct", case / "CT", "--maa-ct-series", "nothing"), "nothing"),
        (("--maa-transform", tmp_path / "none.tfm"), "none.tfm"),
        (("--second-reader", tmp_path / "none.nrrd"), "none.nrrd"),
    ):
        assert says in fails(monkeypatch, capsys, tmp_path, *common, *arguments)
        shutil.rmtree(tmp_path / "results")


def test_a_lesion_beside_the_image(scan, case, tmp_path, monkeypatch, capsys) -> None:
    array = np.ones((3, 3, 3), np.uint8)
    mask = sitk.GetImageFromArray(array)
    mask.SetOrigin((5000.0, 0.0, 0.0))
    write_segmentation({"tumour_9": mask}, tmp_path / "m.seg.nrrd")
    line = fails(
        monkeypatch, capsys, tmp_path,
        "--ct", case / "CT", "--mask", case / "regions.seg.nrrd", "--mask", tmp_path / "m.seg.nrrd", *QUICK,
    )  # fmt: skip
    assert "overlap" in line
