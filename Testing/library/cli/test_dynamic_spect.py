"""``bonequant dynamic-spect``: from NM DICOM to a results folder; bad input ends in one line and exit code 2."""

from __future__ import annotations

import csv
import dataclasses
import os
import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.cli import main
from bonequant.io import write_dynamic, write_segmentation
from bonequant.phantom import DynamicSpectScan, dynamic_spect_preset, simulate_dynamic_spect, write_nm
from scipy import ndimage


@pytest.fixture(scope="module")
def scan() -> DynamicSpectScan:
    return simulate_dynamic_spect(dynamic_spect_preset("small", noise=False))


@pytest.fixture(scope="module")
def case(scan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NM/: one reconstruction in counts per frame; regions.seg.nrrd: the middle of liver and blood."""
    folder = tmp_path_factory.mktemp("dynamic")
    facts, geometry = scan.series.acquisition, scan.series.geometry
    rate = np.log(2) / facts.half_life_s
    start = 0.0
    for t, duration in enumerate(scan.settings.durations_s):
        decay = np.exp(-rate * start) * -np.expm1(-rate * duration) / (rate * duration)
        frame = scan.series.frame(t)
        own = dataclasses.replace(
            facts,
            acquisition_start=facts.acquisition_start + timedelta(seconds=start),
            frame_duration_s=duration / 60,
            number_of_projections=60,
            number_of_detectors=1,
            decay_correction="NONE",
        )
        counts = frame.array * 150e-6 * geometry.voxel_volume_ml * duration * decay
        volume = frame.with_array(counts, unit="counts").replace(acquisition=own)
        write_nm(volume, folder / "NM" / f"frame_{t:02d}.dcm", series=f"frame {t}")
        start += duration
    masks = {}
    for name, source in (("liver", "liver"), ("Blood pool", "blood_pool")):
        array = ndimage.binary_erosion(sitk.GetArrayFromImage(scan.masks[source]) > 0, iterations=2)
        masks[name] = geometry.apply_to(sitk.GetImageFromArray(array.astype(np.uint8)))
    write_segmentation(masks, folder / "regions.seg.nrrd")
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr("sys.argv", ["bonequant", "dynamic-spect", *map(str, arguments)])
    main()


def fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, *arguments: object) -> str:
    (folder / "results").mkdir(exist_ok=True)
    with pytest.raises(SystemExit) as stop:
        run(monkeypatch, "--out", folder / "results" / "out", *arguments)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("bonequant: ")]
    assert stop.value.code == 2
    assert len(lines) == 1
    assert os.listdir(folder / "results") == []
    return lines[0]


def test_from_dicom_to_the_table(scan, case, tmp_path, monkeypatch, capsys) -> None:
    """Counts in DICOM, a file per frame, to Ki: 3 %, of which the blur of the blood pool at 12 mm takes most."""
    with pytest.raises(SystemExit) as stop:
        run(monkeypatch, "--spect", case / "NM", "--mask", case / "regions.seg.nrrd", "--out", tmp_path / "out")
    assert stop.value.code in (0, None)
    capsys.readouterr()
    with (tmp_path / "out" / "regions.csv").open() as stream:
        rows = {row["region"]: row for row in csv.DictReader(stream)}
    assert float(rows["liver"]["ki"]) == pytest.approx(scan.truth["liver"].ki, rel=0.03)
    assert float(rows["liver"]["v0"]) == pytest.approx(scan.truth["liver"].vb, rel=0.06)
    assert rows["liver"]["unit"] == "counts/s"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "report.html", "result.json", "regions.csv", "curves.csv", "blood.csv", "regions.seg.nrrd",
    }  # fmt: skip


def test_bad_input(scan, case, tmp_path, monkeypatch, capsys) -> None:
    mask = ("--mask", case / "regions.seg.nrrd")
    shutil.copytree(case / "NM", tmp_path / "one", ignore=lambda _, names: [n for n in names if n != "frame_00.dcm"])
    write_dynamic(scan.series.replace(modality="CT", unit="HU"), tmp_path / "ct.seq.nrrd")
    short = scan.series.replace(
        frames=scan.series.frames[:2], times_s=scan.series.times_s[:2], durations_s=scan.series.durations_s[:2]
    )
    write_dynamic(short, tmp_path / "short.seq.nrrd")
    (tmp_path / "blood.csv").write_text("time,value\n0,0\n1000,5\n2000,3\n")
    for arguments, says in (
        (("--spect", case / "NM"), "no region"),
        (("--spect", tmp_path / "nowhere", *mask), "does not exist"),
        (("--spect", tmp_path / "one", *mask), "no dynamic series"),
        (("--spect", tmp_path / "ct.seq.nrrd", *mask), "modality CT"),
        (("--spect", tmp_path / "short.seq.nrrd", *mask), "2 frames"),
        (("--spect", case / "NM", "--mask", tmp_path / "none.nrrd"), "none.nrrd"),
        (("--spect", case / "NM", *mask, "--blood", tmp_path / "none.csv"), "none.csv"),
        (("--spect", case / "NM", *mask, "--blood", tmp_path / "blood.csv"), "calibration_cps_per_mbq"),
        (("--spect", case / "NM", *mask, "--set", "decay=perhaps"), "decay"),
        (("--spect", case / "NM", *mask, "--set", "late_s=[9000,9999]"), "No frame lies"),
        (("--spect", case / "NM", *mask, "--fact", "times_s=1,2"), "times"),
        (("--spect", case / "NM", *mask, "--transform", tmp_path / "none.tfm"), "none.tfm"),
    ):
        assert says in fails(monkeypatch, capsys, tmp_path, *arguments), arguments
