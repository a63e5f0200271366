"""``bonequant response`` as a user calls it, on DICOM: the call, what is written, and every kind of bad input."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from bonequant.cli import main
from bonequant.io import load_masks, write_segmentation
from bonequant.phantom import simulate_spine, spine_follow_up, spine_preset, write_dynamic_series
from bonequant.volume import image_from_array

POSE = (2.0, -4.0, 9.0, 3.0, -1.0, 4.0)
FAST = ("--set", "dce.signal.t1_s=0.8", "--set", "dce.descriptive=false")


def written(root: Path, frames: int) -> Path:
    """Two dates of one patient: ``before/``, ``after/`` and outlines drawn at each; another lesion at the later one."""
    before = simulate_spine(spine_preset("small", frames=frames))
    after = simulate_spine(spine_follow_up(before.settings, pose=POSE))
    for name, scan in (("before", before), ("after", after)):
        write_dynamic_series(scan.series, root / name)
        masks = {"lesion_1": scan.masks["lesion_1"]}
        if name == "after":
            array = np.zeros(scan.series.geometry.shape, np.uint8)
            z, y, x = np.argwhere(sitk.GetArrayFromImage(scan.masks["vertebra_7"]) > 0).mean(axis=0).astype(int)
            array[z - 1 : z + 2, y - 2 : y + 3, x - 2 : x + 3] = 1
            masks["another"] = image_from_array(array, scan.series.geometry)
        else:
            masks["reference"] = scan.masks["vertebra_4"]
        write_segmentation(masks, root / f"{name}.seg.nrrd")
    return root


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four frames of each date: enough to be refused."""
    return written(tmp_path_factory.mktemp("few"), frames=4)


def test_two_dates_from_dicom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scans = written(tmp_path / "scans", frames=26)  # 130 s
    evidence = tmp_path / "evidence.csv"
    evidence.write_text(
        "id,criterion,before.vp,before.vp_reference,after.vp,after.vp_reference,before,after,cycles,new_lesion\n"
        "zero baseline,dce_vp,0,0.02,0.01,0.02,,,,\n"
    )
    out = tmp_path / "out"
    arguments = [
        "--before", scans / "before", "--after", scans / "after", "--mask", scans / "before.seg.nrrd",
        "--after-mask", scans / "after.seg.nrrd", "--radiotherapy-end", "2024-03-20", "--dose-gy", "27",
        "--fractions", "3", "--reference-outside-field", "--no-fracture", "--evidence", evidence, "--dicom",
        "--out", out, *FAST,
    ]  # fmt: skip
    monkeypatch.setattr("sys.argv", ["bonequant", "response", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 0
    assert capsys.readouterr().out.strip() == str(out / "report.html")

    result = json.loads((out / "result.json").read_text())
    lesion = result["dce_vp"]["after"]["L01"]
    assert lesion["category"] == "success"
    # (0.022 / 0.02) / (0.12 / 0.02) - 1, with one T1 for all tissues, which normalising does not wholly take out
    assert lesion["values"]["vp_change_percent"] == pytest.approx(-81.7, abs=5.0)
    assert lesion["values"]["days_after_radiotherapy"] == 54
    assert lesion["warnings"] == []
    assert result["dce_vp"]["after"]["L02"]["category"] == "NE"  # drawn at the later date alone
    assert result["call"]["category"] == "success"  # of what was treated
    assert "new lesion" in result["call"]["flags"]
    assert result["other_criteria"][0]["category"] == "NE"  # zero baseline
    with (out / "calls.csv").open() as stream:
        assert {row["category"] for row in csv.DictReader(stream)} == {"success", "NE"}
    html = (out / "report.html").read_text()
    for part in ("The call, and why", "Before and after, in one window", "The numbers", "Warnings", "rule that fired"):
        assert part in html
    assert "PHANTOM" not in html
    assert set(load_masks(out / "dicom" / "after" / "regions.dcm")) >= {"L01", "L02"}
    report = pydicom.dcmread(out / "dicom" / "after" / "measurements.dcm")
    assert report.Modality == "SR"
    numbers = list(numbers_of(report))  # of L01, then of L02, which has no change
    changes = [value for name, value in numbers if name == "Change of normalised vp from baseline"]
    assert changes == [pytest.approx(lesion["values"]["vp_change_percent"], rel=1e-12)]
    assert [value for name, value in numbers if name == "Change of size from baseline"] == [
        pytest.approx(lesion["values"]["size_change_percent"], rel=1e-12)
    ]
    assert (out / "sdtm_rs.csv").is_file()


def numbers_of(item: pydicom.Dataset) -> Iterator[tuple[str, float]]:
    """Names and values of all numbers below an item of a structured report."""
    for inner in item.get("ContentSequence", ()):
        if inner.ValueType == "NUM":
            value = inner.MeasuredValueSequence[0]
            yield inner.ConceptNameCodeSequence[0].CodeMeaning, value.get("FloatingPointValue", value.NumericValue)
        yield from numbers_of(inner)


def fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, *arguments: object) -> str:
    """Run ``bonequant response``; its one line on standard error after checking that it failed cleanly."""
    (folder / "results").mkdir()
    out = folder / "results" / "out"
    monkeypatch.setattr("sys.argv", ["bonequant", "response", "--out", str(out), *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("bonequant: ")]
    assert stop.value.code == 2
    assert len(lines) == 1
    assert os.listdir(out.parent) == []
    return lines[0]


def test_dates_in_the_wrong_order(scans, tmp_path, monkeypatch, capsys):
    line = fails(
        monkeypatch, capsys, tmp_path,
        "--before", scans / "after", "--after", scans / "before", "--mask", scans / "after.seg.nrrd", *FAST,
    )  # fmt: skip
    assert "swap" in line


def test_one_date_only(scans, tmp_path, monkeypatch, capsys):
    line = fails(monkeypatch, capsys, tmp_path, "--before", scans / "before", "--mask", scans / "before.seg.nrrd")
    assert "two dates" in line


def test_one_scan_twice(scans, tmp_path, monkeypatch, capsys):
    line = fails(
        monkeypatch, capsys, tmp_path,
        "--before", scans / "before", "--after", scans / "before", "--mask", scans / "before.seg.nrrd",
    )  # fmt: skip
    assert "same scan" in line


def test_different_units(scans, tmp_path, monkeypatch, capsys):
    line = fails(
        monkeypatch, capsys, tmp_path, "--before", scans / "before", "--after", scans / "after",
        "--mask", scans / "before.seg.nrrd", "--fact", "after.unit=mM",
    )  # fmt: skip
    assert "do not compare" in line


def test_no_lesion(scans, tmp_path, monkeypatch, capsys):
    line = fails(monkeypatch, capsys, tmp_path, "--before", scans / "before", "--after", scans / "after")
    assert "No lesion" in line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "manifest"),
        ('{"dce": "nowhere"}', "nowhere"),
        ('{"series": "x"}', "series"),
        ('{"dce": "before", "date": "last week"}', "last week"),
    ],
)
def test_damaged_manifests(scans, tmp_path, monkeypatch, capsys, text, says):
    manifest = scans / "manifest.json"
    manifest.write_text(text)
    line = fails(monkeypatch, capsys, tmp_path, "--before", manifest, "--after", scans / "after")
    assert says in line


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--radiotherapy-end", "March"), "2026-01-31"),
        (("--after-mask", "nowhere.nrrd"), "nowhere.nrrd"),
        (("--fact", "later.unit=mM"), "no date later"),
        (("--set", "vp_of=luck"), "vp_of"),
    ],
)
def test_options_that_do_not_fit(scans, tmp_path, monkeypatch, capsys, options, says):
    line = fails(monkeypatch, capsys, tmp_path, "--before", scans / "before", "--after", scans / "after", *options)
    assert says in line


def test_evidence_that_does_not_fit(scans, tmp_path, monkeypatch, capsys):
    evidence = tmp_path / "evidence.json"
    evidence.write_text('[{"id": "L01", "criterion": "dce_vp", "evidence": {"before": {"vp": "much"}, "after": {}}}]')
    line = fails(
        monkeypatch, capsys, tmp_path, "--before", scans / "before", "--after", scans / "after",
        "--mask", scans / "before.seg.nrrd", "--evidence", evidence,
    )  # fmt: skip
    assert "vp" in line


def test_links_that_name_no_lesion(tmp_path):
    from bonequant.errors import InputError
    from bonequant.studies.treatment_response import read_links

    path = tmp_path / "links.csv"
    path.write_text("interval,before,after\n0,lesion_1;lesion_2,lesion_1\nx,a,b\n")
    with pytest.raises(InputError, match="line 3"):
        read_links(path)
    path.write_text("interval,before,after\n0,lesion_1;lesion_2,lesion_1\n1,,new one\n")
    assert read_links(path) == {0: [(("lesion_1", "lesion_2"), ("lesion_1",))], 1: [((), ("new one",))]}
