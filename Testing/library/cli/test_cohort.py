"""``bonequant cohort`` as it is typed: exit codes, every problem on a line of its own, scan, run and status."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.cli import main
from bonequant.io import write_volume
from bonequant.volume import Volume


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Two tiny patients, of whom the second's image is broken off."""
    lines = ["patient,spect,masks"]
    for number in (1, 2):
        folder = tmp_path / "data" / f"P{number}"
        folder.mkdir(parents=True)
        values = np.random.default_rng(number).gamma(4.0, 25.0, (8, 8, 8)).astype(np.float32)
        image = sitk.GetImageFromArray(values)
        write_volume(Volume(image, modality="NM", unit="counts"), folder / "spect.nrrd")
        sitk.WriteImage(sitk.Cast(image > 0, sitk.sitkUInt8), str(folder / "masks.nrrd"))
        lines.append(f"P{number},data/P{number}/spect.nrrd,data/P{number}/masks.nrrd")
    broken = tmp_path / "data" / "P2" / "spect.nrrd"
    broken.write_bytes(broken.read_bytes()[:250])
    path = tmp_path / "manifest.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["bonequant", "cohort", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_run_status_and_exit_codes(manifest, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    options = ["--out", out, "--job", "marrow", "--set", "quantity=native", "--workers", "1"]
    assert call(monkeypatch, "run", manifest, *options) == 1
    said = capsys.readouterr()
    assert said.out.strip() == str(out / "report.html")
    assert "P2: <spect>" in said.err
    assert (out / "cohort.csv").read_text().count("\n") == 2
    assert call(monkeypatch, "status", out) == 0
    assert capsys.readouterr().out == "marrow: 1 of 2 have results, 1 failed in the last run, ended\n"
    good = tmp_path / "good.csv"
    good.write_text("".join(manifest.read_text().splitlines(keepends=True)[:2]))
    assert call(monkeypatch, "run", good, *options) == 0


def test_problems_are_listed_and_nothing_is_started(manifest, tmp_path, monkeypatch, capsys):
    manifest.write_text(manifest.read_text() + "P 3,nowhere,\nP4,nowhere,\n")
    out = tmp_path / "out"
    assert call(monkeypatch, "run", manifest, "--out", out, "--job", "marrow") == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines[:-1]] == [
        "manifest.csv, line 4, patient", "manifest.csv, line 4, spect", "manifest.csv, line 5, spect"
    ]  # fmt: skip
    assert lines[-1].startswith("bonequant: ")
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "nowhere.csv", "--out", "out", "--job", "marrow"], "nowhere.csv"),
        (["run", "manifest.csv", "--out", "out", "--job", "knee"], "no job 'knee'"),
        (["run", "manifest.csv", "--out", "data", "--job", "marrow"], "within one another|no cohort"),
        (["run", "manifest.csv", "--out", "out", "--job", "marrow", "--fact", "weight=1"], "no fact 'weight'"),
        (["run", "manifest.csv", "--out", "out", "--job", "marrow", "--workers", "0"], "EngineSettings.workers"),
        (["scan", "data", "--out", "new.csv", "--job", "marrow"], "holds no"),
        (["status", "data"], "no folder of a cohort"),
    ],
)
def test_bad_input_is_one_line(manifest, tmp_path, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, *arguments) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("bonequant: ")]
    assert len(lines) == 1
    assert any(part in lines[0] for part in says.split("|"))
    assert not (tmp_path / "out").exists()
