"""Every job as a cohort runs it: from the cells of a manifest to tidy rows, kept on the second run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from bonequant.batch import output, read_manifest, task
from bonequant.batch.fingerprint import code_hash, fingerprint
from bonequant.batch.jobs import NAMES, job_named
from bonequant.batch.record import read_record
from bonequant.errors import InputError
from bonequant.io import write_dynamic, write_segmentation
from bonequant.phantom import (
    liver_preset,
    simulate_liver,
    simulate_spine,
    spine_follow_up,
    spine_preset,
    write_dynamic_series,
)
from bonequant.settings import Settings

from .conftest import write_tiny

FAST = {
    "marrow": {"quantity": "native"},
    "radiomics": {"stability": {"count": 1}},
    "dce": {"signal": {"relaxivity": 5.2, "t1_s": 0.8}, "input": "parker", "maps_of": "regions", "descriptive": False},
    "liver": {"correct_motion": False, "blomley": False},
    "response": {"dce": {"signal": {"t1_s": 0.8}, "descriptive": False}},
}


def write_dce(folder: Path) -> str:
    scan = simulate_spine(spine_preset("small", matrix=(32, 40, 6), spacing_mm=(7.5, 7.0, 8.0), frames=20))
    write_dynamic(scan.series, folder / "series.seq.nrrd")
    write_segmentation({"lesion_1": scan.masks["lesion_1"]}, folder / "masks.seg.nrrd")
    return "series.seq.nrrd"


def write_liver(folder: Path) -> str:
    settings = liver_preset("small", breathing_mm=0.0, noise_hu=2.0, interval_s=3.0, field_mm=(384.0, 288.0, 70.0))
    scan = simulate_liver(settings)
    write_dynamic(scan.series, folder / "ct.seq.nrrd")
    needed = ("aorta", "portal_vein", "spleen", "liver")
    write_segmentation({name: scan.masks[name] for name in needed}, folder / "masks.seg.nrrd")
    return "ct.seq.nrrd"


def write_lesion(folder: Path) -> str:
    write_tiny(folder / "tiny", 1)
    for name in ("spect.nrrd", "masks.nrrd"):
        (folder / "tiny" / name).rename(folder / name)
    (folder / "masks.nrrd").rename(folder / "lesion.nrrd")
    return "spect.nrrd"


def write_response(folder: Path) -> str:
    """Two dates: a folder of parts each."""
    before = simulate_spine(spine_preset("small", frames=20))
    for name, scan in (("before", before), ("after", simulate_spine(spine_follow_up(before.settings)))):
        write_dynamic_series(scan.series, folder / name / "DCE")
    write_segmentation(
        {"lesion_1": before.masks["lesion_1"], "reference": before.masks["vertebra_4"]}, folder / "masks.seg.nrrd"
    )
    return "before"


@pytest.mark.parametrize(
    ("name", "write", "cells"),
    [
        ("response", write_response, "patient,before,after,masks,dose_gy\nA,{0},after,masks.seg.nrrd,27\n"),
        ("dce", write_dce, "patient,series,masks\nA,{0},masks.seg.nrrd\n"),
        ("liver", write_liver, "patient,ct,masks\nA,{0},masks.seg.nrrd\n"),
        ("radiomics", write_lesion, "patient,spect,masks,mask_on\nA,{0},lesion.nrrd,spect\n"),
    ],
)
def test_a_job_of_a_cohort(tmp_path, name, write, cells):
    data = tmp_path / "data"
    data.mkdir()
    (data / "m.csv").write_text(cells.format(write(data)))
    case = read_manifest(data / "m.csv", name, settings=FAST[name]).checked().cases[0]
    out = output.prepare(tmp_path / "out", name)
    output.begin_run(out, name, "run", ["A"])
    order = task.Order("run", name, out, 1, code_hash(), False)
    outcome = task.process(case, order)
    assert (outcome.status, outcome.reason) == ("done", "")
    measured = read_record(out / "patients" / "A").measured
    job = job_named(name)
    assert measured.rows
    for row in measured.rows:
        assert job.group in row
    known = [column for column in job.values if any(np.isfinite(row.get(column) or np.nan) for row in measured.rows)]
    assert next(iter(job.values)) in known
    assert any(isinstance(value, float) for value in measured.quality.values())
    assert (out / "patients" / "A" / "report.html").is_file()
    assert task.process(case, order).status == "unchanged"


@pytest.mark.parametrize("name", NAMES)
def test_an_adapter_is_whole(name):
    job = job_named(name)
    assert job.name == name
    assert issubclass(job.settings(), Settings)
    names = [column.name for column in job.columns]
    assert len(set(names)) == len(names)
    assert {column.series for column in job.columns if column.series} <= set(names)
    assert any(column.required for column in job.columns) or name == "radiomics"  # CT, SPECT or both


def test_numbers_of_a_cell_are_checked_with_the_manifest(tmp_path):
    (tmp_path / "s").write_bytes(b"x")
    (tmp_path / "m.csv").write_text("patient,series,times_s\nA,s,0 1.5 3\nB,s,0 nan\nC,s,a\n")
    manifest = read_manifest(tmp_path / "m.csv", "dce")
    assert manifest.cases[0].numbers("times_s") == [0.0, 1.5, 3.0]
    assert [(problem.line, problem.column) for problem in manifest.problems] == [(3, "times_s"), (4, "times_s")]


def test_an_unknown_job():
    with pytest.raises(InputError, match="choose one of marrow"):
        job_named("os.path")


def test_a_protocol_of_ones_own_belongs_to_the_fingerprint(tmp_path, tiny_cohort):
    case = read_manifest(tiny_cohort(1), "marrow").checked().cases[0]
    own = tmp_path / "own.json"
    own.write_text("{}")
    case = dataclasses.replace(case, settings=dataclasses.replace(case.settings, protocol=str(own)))
    before = fingerprint(case, "marrow", {})
    own.write_text('{"changed": 1}')
    assert fingerprint(case, "marrow", {}) != before
