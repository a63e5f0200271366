"""One case: measured once, kept while nothing changes, made anew for what changes, reported when it fails."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import SimpleITK as sitk
from bonequant.batch import Case, output, read_manifest, task
from bonequant.batch.fingerprint import code_hash, files_of, hash_inputs, stamp
from bonequant.batch.record import RECORD, ROWS, read_record
from bonequant.errors import InputError
from bonequant.studies.marrow_perfusion import MarrowSettings

from .conftest import SETTINGS, write_tiny


@pytest.fixture
def order(tmp_path):
    out = output.prepare(tmp_path / "out", "marrow")
    output.begin_run(out, "marrow", "run", [])
    return task.Order("run", "marrow", out, 1, code_hash(), False)


@pytest.fixture
def case(tiny_cohort):
    return read_manifest(tiny_cohort(1), "marrow", settings=SETTINGS).checked().cases[0]


def folder(order) -> Path:
    return order.out / "patients" / "P001"


def test_measured_once_then_kept(order, case):
    assert task.process(case, order).status == "done"
    record = read_record(folder(order))
    assert len(record.measured.rows) == 1
    before = {path: path.stat().st_mtime_ns for path in folder(order).rglob("*")}
    assert task.process(case, order).status == "unchanged"
    assert task.process(dataclasses.replace(case, labels={"group": "other"}), order).status == "unchanged"
    assert {path: path.stat().st_mtime_ns for path in folder(order).rglob("*")} == before
    assert [path.name for path in (order.out / ".work").iterdir()] == ["run"]


def test_changed_settings_facts_or_files_are_measured_anew(order, case, tmp_path):
    task.process(case, order)
    first = read_record(folder(order)).measured.rows
    other = dataclasses.replace(case, settings=dataclasses.replace(case.settings, tracer="mdp"))
    assert task.process(other, order).status == "done"
    assert task.process(dataclasses.replace(other, facts={"patient_weight_kg": 80.0}), order).status == "done"
    spect = case.paths["spect"][0]
    shutil.copy(write_tiny(tmp_path / "other", 99) / "spect.nrrd", spect)
    assert task.process(case, order).status == "done"
    assert read_record(folder(order)).measured.rows[0]["mean"] != first[0]["mean"]
    os.utime(spect)  # touched, with the same contents: hashed, not measured
    assert task.process(case, order).status == "unchanged"


def test_verify_finds_a_file_changed_behind_its_date(order, case):
    mask = case.paths["masks"][0]
    task.process(case, order)
    before = mask.stat()
    text = mask.read_bytes()
    mask.write_bytes(text.replace(b"# Complete NRRD", b"# complete NRRD"))
    os.utime(mask, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert task.process(case, order).status == "unchanged"  # size and time of change are as they were
    assert task.process(case, dataclasses.replace(order, verify=True)).status == "done"


def test_a_damaged_record_is_made_anew(order, case):
    task.process(case, order)
    for name in (RECORD, ROWS):
        whole = (folder(order) / name).read_bytes()
        for damage in (b"", b"{}", b"[" * 100_000, whole[:-9], whole.replace(b'"mean": ', b'"mean": 1')):
            (folder(order) / name).write_bytes(damage)
            assert (read_record(folder(order)) is None) == (damage != whole)
        (folder(order) / name).write_bytes(b"" if name == ROWS else whole)
    assert task.process(case, order).status == "done"


def test_a_bad_patient_is_an_outcome_without_paths(order, case):
    spect = case.paths["spect"][0]
    spect.write_bytes(spect.read_bytes()[:300])
    outcome = task.process(case, order)
    assert outcome.status == "failed"
    assert "<spect>" in outcome.reason
    assert str(spect.parent) not in outcome.reason
    assert not folder(order).exists()
    assert [path.name for path in (order.out / ".work").iterdir()] == ["run"]


def test_a_former_result_outlives_a_failure(order, case):
    """The disk with the data may just be away; the table takes results of this run alone."""
    task.process(case, order)
    case.paths["masks"][0].rename(case.paths["masks"][0].with_suffix(".away"))
    assert task.process(case, order).status == "failed"
    assert read_record(folder(order)) is not None


def test_a_bug_in_a_job_is_a_failure_of_the_case(order, case, monkeypatch):
    monkeypatch.setattr(task, "job_named", lambda name: 1 / 0)
    outcome = task.process(case, order)
    assert (outcome.status, outcome.kind) == ("failed", "ZeroDivisionError")


def test_a_reason_names_the_column_and_not_the_option(order, case, monkeypatch):
    """Options of the job's own command are no options of a cohort."""
    job = task.job_named("marrow")

    def refuse(case, out, progress):
        raise InputError("say on which image it was drawn (--mask-on)")

    monkeypatch.setattr(task, "job_named", lambda name: dataclasses.replace(job, measure=refuse))
    assert task.process(case, order).reason == "say on which image it was drawn (column mask_on)"


def test_a_full_disk_stops_the_run(order, case, monkeypatch):
    """Nothing half-written stays, and the outcome says that no other case need be tried."""

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    outcome = task.process(case, order)
    assert outcome.status == "stop"
    assert "No space left" in outcome.reason
    monkeypatch.undo()
    assert not folder(order).exists()
    assert task.process(case, order).status == "done"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_full_disk_is_known_by_its_error(order, case, monkeypatch, number):
    """When the job has removed what it half-wrote, there is room again: a probe alone would find nothing."""

    def full(*arguments: object) -> None:
        raise InputError("writing the results failed") from OSError(number, os.strerror(number))

    job = dataclasses.replace(task.job_named("marrow"), measure=full)
    monkeypatch.setattr(task, "job_named", lambda name: job)
    outcome = task.process(case, order)
    assert (outcome.status, outcome.reason) == ("stop", f"results cannot be written: {os.strerror(number)}")


def test_a_worker_with_other_code_or_another_disk_is_refused(order, case):
    assert "another version" in task.process(case, dataclasses.replace(order, code="other")).reason
    assert "share" in task.process(case, dataclasses.replace(order, run="other")).reason


def test_files_that_change_while_they_are_read(order, case, monkeypatch):
    measure = task.job_named("marrow").measure

    def touched(*arguments):
        os.utime(case.paths["spect"][0])
        return measure(*arguments)

    job = dataclasses.replace(task.job_named("marrow"), measure=touched)
    monkeypatch.setattr(task, "job_named", lambda name: job)
    outcome = task.process(case, order)
    assert outcome.status == "failed"
    assert "changed while" in outcome.reason


def test_no_link_leads_results_out_of_the_folder(order, case, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("precious")
    folder(order).symlink_to(elsewhere)
    assert task.process(case, order).status == "done"
    assert folder(order).is_dir()
    assert not folder(order).is_symlink()
    assert [path.name for path in elsewhere.iterdir()] == ["mine"]


def test_record_holds_hashes_settings_version_and_code(order, case):
    task.process(case, order)
    found = json.loads((folder(order) / RECORD).read_text())["fingerprint"]
    assert set(found) == {"job", "inputs", "settings", "settings_files", "code", "versions"}
    assert found["code"] == code_hash()
    assert {"bonequant", "numpy", "SimpleITK"} <= set(found["versions"])
    assert len(found["inputs"]["spect"]) == 64


def test_names_and_order_of_files_count(order, case, tmp_path):
    """A renamed mask is another region, and dates that change places are another course: never "unchanged"."""
    masks = case.paths["masks"][0].parent / "regions"
    masks.mkdir()
    image = sitk.ReadImage(str(case.paths["masks"][0]))
    sitk.WriteImage(image, str(masks / "a.nrrd"))
    image *= 0
    image[0:4, 0:4, 0:4] = 1
    sitk.WriteImage(image, str(masks / "b.nrrd"))
    drawn = dataclasses.replace(case, paths={**case.paths, "masks": (masks,)})

    def means() -> dict[str, float]:
        assert task.process(drawn, order).status == "done"
        return {row["region"]: row["mean"] for row in read_record(folder(order)).measured.rows}

    first = means()
    for old, new in (("a", "c"), ("b", "a"), ("c", "b")):
        (masks / f"{old}.nrrd").rename(masks / f"{new}.nrrd")
    assert means() == {"a": first["b"], "b": first["a"]}
    paths = {"spect": case.paths["spect"], "masks": (masks / "a.nrrd", masks / "b.nrrd")}
    turned = dataclasses.replace(case, paths={**paths, "masks": paths["masks"][::-1]})
    files = [files_of(one) for one in (dataclasses.replace(case, paths=paths), turned)]
    assert hash_inputs(dataclasses.replace(case, paths=paths), files[0]) != hash_inputs(turned, files[1])


def test_data_that_moved_to_another_disk_are_not_measured_again(order, case, tmp_path):
    task.process(case, order)
    (tmp_path / "data").rename(tmp_path / "disk2")
    moved = {column: tuple(tmp_path / "disk2" / p.relative_to(tmp_path / "data") for p in paths)
             for column, paths in case.paths.items()}  # fmt: skip
    assert task.process(dataclasses.replace(case, paths=moved), order).status == "unchanged"


def test_a_link_to_a_folder_is_followed_as_the_readers_do(tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    (real / "slice").write_text("1")
    (tmp_path / "date").mkdir()
    (tmp_path / "date" / "DCE").symlink_to(real)
    (real / "back").symlink_to(tmp_path / "date")  # a circle
    case = Case("A", MarrowSettings(), paths={"before": (tmp_path / "date",)})
    files = files_of(case)
    assert [path.name for path in files["before"]] == ["slice"]
    before = hash_inputs(case, files), stamp(files)
    (real / "slice").write_text("22")
    assert (hash_inputs(case, files), stamp(files)) != before
    os.mkfifo(real / "pipe")
    with pytest.raises(InputError, match="no regular file"):
        stamp(files_of(case))


def test_a_case_that_hangs_is_ended_and_reported(order, case):
    """Also in native code that holds the interpreter: here a regular expression that would take centuries."""
    code = """
import dataclasses, pickle, re, sys
from bonequant.batch import task
case, order = pickle.load(sys.stdin.buffer)
job = dataclasses.replace(task.job_named("marrow"), measure=lambda *_: re.match("(a+)+b", "a" * 60))
task.job_named = lambda name: job
task.process(case, order)
"""
    limited = dataclasses.replace(order, limit_s=1.0)
    given = pickle.dumps((case, limited))  # between processes of our own, as Dask does
    ended = subprocess.run([sys.executable, "-c", code], input=given, check=False, timeout=60)
    assert ended.returncode == 1
    outcome = task.process(case, limited)
    assert (outcome.status, outcome.kind) == ("failed", "TimeLimit")
    assert "longer than 0.0166667 minutes" in outcome.reason
    output.begin_run(order.out, "marrow", "next", [])
    assert task.process(case, dataclasses.replace(order, run="next", limit_s=60.0)).status == "done"
    assert task.process(case, dataclasses.replace(order, run="next", limit_s=60.0)).status == "unchanged"
