"""``bonequant marrow`` as a user calls it: two dates, a scene, a gold standard, in one run."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from bonequant.cli import main
from bonequant.phantom import follow_up, preset, simulate_patient, write_patient


def test_two_dates_with_scene_and_gold_standard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    patient = simulate_patient(preset("small", seed=7))
    first = write_patient(patient, tmp_path / "first")
    later = write_patient(follow_up(patient, {"lesion_4": 1.5})[0], tmp_path / "later")
    factor = patient.spect.acquisition.calibration_factor_cps_per_mbq
    gold = tmp_path / "gold.csv"
    gold.write_text("region,value\nmarrow,3.0\nbone,2.8\npelvis,3.1\nspine,3.0\n")
    out = tmp_path / "out"
    arguments = [
        "--spect", first / "SPECT", "--ct", first / "CT", "--follow-up", later, "--out", out, "--scene",
        "--gold-standard", gold, "--set", "tracer=mdp",
        "--fact", f"calibration_factor_cps_per_mbq={factor}",
        "--fact", f"follow_up_1.calibration_factor_cps_per_mbq={factor}",
    ]  # fmt: skip
    monkeypatch.setattr("sys.argv", ["bonequant", "marrow", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 0
    assert capsys.readouterr().out.strip() == str(out / "report.html")

    summary = json.loads((out / "result.json").read_text())
    assert summary["settings"]["tracer"] == "mdp"
    assert summary["agreement"]["regions"] == ["marrow", "bone", "pelvis", "spine"]
    with (out / "follow_up.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {"region", "quantity", "value_0", "value_1", "change_percent_1"} <= set(rows[0])
    assert (out / "follow_up_1" / "result.json").is_file()
    assert (out / "scene.mrb").stat().st_size > 100_000
    assert "Follow-up" in (out / "report.html").read_text()


def test_info_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_patient(simulate_patient(preset("small", seed=7)), tmp_path / "patient")
    monkeypatch.setattr("sys.argv", ["bonequant", "info", str(folder)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "missing: Calibration factor of the camera" in text
    assert "calibration_factor_cps_per_mbq" in text
    assert "PHANTOM" not in text  # no patient name
