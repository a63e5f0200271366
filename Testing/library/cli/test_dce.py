"""``bonequant dce`` as a user calls it, and bad input in one line with nothing on the disk."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from bonequant.cli import main
from bonequant.io import write_dynamic, write_segmentation
from bonequant.phantom import SpineScan, simulate_spine, spine_preset, write_dynamic_series, write_mr_volume
from bonequant.studies.dce_perfusion import read_inputs
from bonequant.volume import Geometry, image_from_array

SIGNAL = ("--set", "signal.relaxivity=5.2", "--set", "signal.t1_s=0.8")


@pytest.fixture(scope="module")
def scan() -> SpineScan:
    return simulate_spine(spine_preset("small", matrix=(48, 64, 6), spacing_mm=(5.0, 4.5, 8.0), frames=30))


@pytest.fixture(scope="module")
def folder(scan: SpineScan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DCE/ in DICOM, the same as dce.seq.nrrd, and regions.seg.nrrd with the lesion and the aorta."""
    folder = tmp_path_factory.mktemp("spine")
    write_dynamic_series(scan.series, folder / "DCE")
    write_dynamic(scan.series, folder / "dce.seq.nrrd")
    write_segmentation({name: scan.masks[name] for name in ("lesion_1", "aorta")}, folder / "regions.seg.nrrd")
    return folder


def called(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["bonequant", "dce", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, *arguments: object
) -> str:
    """The one line on standard error, after checking that nothing was written."""
    (tmp_path / "results").mkdir()
    out = tmp_path / "results" / "out"
    assert called(monkeypatch, "--out", out, *arguments) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("bonequant: ")]
    assert len(lines) == 1
    assert os.listdir(out.parent) == []
    return lines[0]


def test_a_study_with_the_artery_found(folder, tmp_path, monkeypatch, capsys) -> None:
    out = tmp_path / "out"
    masks = ("--mask", folder / "regions.seg.nrrd")
    assert called(monkeypatch, "--series", folder / "DCE", *masks, "--out", out, *SIGNAL) == 0
    assert capsys.readouterr().out.strip() == str(out / "report.html")
    summary = json.loads((out / "result.json").read_text())
    assert summary["input"]["method"] == "automatic"
    assert [row["region"] for row in summary["regions"]] == ["lesion_1", "aorta"]
    assert {"report.html", "rois.csv", "curves.csv", "aif.csv", "regions.seg.nrrd"} <= set(os.listdir(out))
    assert (out / "maps" / "vp.nrrd").is_file()


@pytest.mark.parametrize(("aif", "method"), [("aorta", "roi"), ("population:georgiou", "population"), ("FILE", "file")])
def test_other_inputs_and_times_of_the_caller(folder, scan, tmp_path, monkeypatch, aif, method) -> None:
    if aif == "FILE":
        rows = zip(scan.aif.times_s[::10], scan.aif.values[::10], strict=True)
        aif = tmp_path / "aif.csv"
        aif.write_text("time_s,plasma_mM\n" + "\n".join(f"{t},{v}" for t, v in rows))
    times = tmp_path / "times.txt"
    times.write_text("\n".join(str(5.0 * i) for i in range(30)))
    out = tmp_path / "out"
    code = called(
        monkeypatch, "--series", folder / "dce.seq.nrrd", "--mask", folder / "regions.seg.nrrd", "--times", times,
        "--aif", aif, "--out", out, *SIGNAL, "--set", "maps_of=regions",
    )  # fmt: skip
    assert code == 0
    summary = json.loads((out / "result.json").read_text())
    assert summary["input"]["method"] == method
    assert ("aorta" in [row["region"] for row in summary["regions"]]) == (method != "roi")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--times", "0,5,3"), "30 frames"),
        (("--times", ",".join(str(5.0 * i) for i in range(29, -1, -1))), "decreasing times"),
        (("--times", ",".join(str(5.0 * (i - (i == 7))) for i in range(30))), "the same time"),
        (("--aif", "nowhere.csv"), "neither auto, population:NAME, a file, nor the name of a mask"),
        (("--aif", "population:parkr"), "parker"),
        (("--set", "model=tofts3"), "extended_tofts"),
        (("--set", "vetoed_slices=[77]"), "no slice [77]"),
        (("--set", "signal.baseline_frames=30"), "baseline_frames is 30"),
        (("--fact", "times_s=0,5,3"), "30 frames"),
        (("--set", "signal.flip_angle_deg=0"), "range"),
        (("--set", "signal.tr_ms=0.1", "--set", "signal.flip_angle_deg=1"), "saturated"),
    ],
)
def test_bad_arguments(folder, tmp_path, monkeypatch, capsys, arguments, says) -> None:
    assert says in fails(monkeypatch, capsys, tmp_path, "--series", folder / "DCE", *SIGNAL, *arguments)


def test_t1_that_is_not_known(folder, tmp_path, monkeypatch, capsys) -> None:
    line = fails(monkeypatch, capsys, tmp_path, "--series", folder / "DCE", "--set", "signal.relaxivity=5.2")
    assert "--t1-series" in line
    assert "signal.t1_s" in line


def test_a_negative_t1_map(folder, scan, tmp_path, monkeypatch, capsys) -> None:
    grid = Geometry.of(scan.masks["aorta"])
    sitk.WriteImage(image_from_array(np.full(grid.shape, -1.0, np.float32), grid), str(tmp_path / "t1.nrrd"))
    line = fails(
        monkeypatch, capsys, tmp_path,
        "--series", folder / "DCE", "--t1-map", tmp_path / "t1.nrrd", "--set", "signal.relaxivity=5.2",
    )  # fmt: skip
    assert "t1.nrrd holds no T1 above zero" in line


def test_a_t1_map_with_unknown_voxels_is_read(folder, scan, tmp_path) -> None:
    """The job writes NaN into T1 maps and takes them back."""
    grid = Geometry.of(scan.masks["aorta"])
    t1 = np.full(grid.shape, 1.0, np.float32)
    t1[0, 0, 0] = np.nan
    sitk.WriteImage(image_from_array(t1, grid), str(tmp_path / "t1.nii.gz"))
    read = read_inputs(folder / "DCE", t1_map=tmp_path / "t1.nii.gz").t1_map
    assert np.argwhere(np.isnan(read.array)).tolist() == [[0, 0, 0]]


def test_a_b1_map_in_percent(folder, scan, tmp_path, monkeypatch, capsys) -> None:
    grid = Geometry.of(scan.masks["aorta"])
    sitk.WriteImage(image_from_array(np.full(grid.shape, 98.0, np.float32), grid), str(tmp_path / "b1.nrrd"))
    line = fails(monkeypatch, capsys, tmp_path, "--series", folder / "DCE", "--b1-map", tmp_path / "b1.nrrd", *SIGNAL)
    assert "b1.nrrd: the median B1 is 98" in line
    assert "in percent?" in line


def test_a_t1_map_of_another_patient_and_the_way_out(folder, scan, tmp_path, monkeypatch, capsys) -> None:
    """The way out that the error names is one: the series takes the ID that is typed."""
    write_mr_volume(scan.series.frame(0), tmp_path / "T1", name="T1")
    for path in (tmp_path / "T1").iterdir():
        header = pydicom.dcmread(path)
        header.PatientID = "ANOTHER"
        header.save_as(path)
    given = ("--series", folder / "DCE", "--mask", folder / "regions.seg.nrrd", "--t1-map", tmp_path / "T1", *SIGNAL)
    line = fails(monkeypatch, capsys, tmp_path, *given)
    assert "differ in patient ID" in line
    assert "--fact patient_id=VALUE" in line
    assert "ANOTHER" not in line
    (tmp_path / "results").rmdir()
    line = fails(monkeypatch, capsys, tmp_path, *given, "--fact", "patient_id=ANOTHER")
    assert "t1_map_unit" in line  # the next check: signals are no T1


def test_an_input_file_of_zeros(folder, tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "aif.csv").write_text("\n".join(f"{5 * i},0" for i in range(30)))
    line = fails(monkeypatch, capsys, tmp_path, "--series", folder / "DCE", "--aif", tmp_path / "aif.csv", *SIGNAL)
    assert "nowhere above zero" in line


def test_three_real_phases(data, tmp_path, monkeypatch, capsys) -> None:
    series = data / "dce_breast_dicom" / "UCSF-BR-06" / "image_dce_3dfgre_orig"
    line = fails(monkeypatch, capsys, tmp_path, "--series", series)
    assert "3 frames" in line
    assert "model=none" in line
