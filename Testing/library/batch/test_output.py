"""The output folder: taken up or refused, held by one run at a time, cleared of what a killed run left."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from bonequant.batch import output
from bonequant.errors import InputError


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("x")
    with pytest.raises(InputError, match="no cohort's folder"):
        output.prepare(tmp_path / "out", "marrow")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_a_cohort_of_another_job_is_left_alone(tmp_path):
    out = output.prepare(tmp_path / "out", "marrow")
    output.begin_run(out, "marrow", "r", ["P1"])
    with pytest.raises(InputError, match="of the job marrow, not liver"):
        output.prepare(out, "liver")


def test_a_folder_called_patients_is_not_taken_for_ours(tmp_path):
    """It may hold somebody's data; a result of the same name would take its place."""
    (tmp_path / "out" / "patients" / "P001").mkdir(parents=True)
    with pytest.raises(InputError, match="no cohort's folder"):
        output.prepare(tmp_path / "out", "marrow")


def test_what_is_no_result_of_a_cohort_is_not_replaced(tmp_path):
    out = output.prepare(tmp_path / "out", "marrow")
    output.begin_run(out, "marrow", "r", ["P1"])
    (out / "patients" / "P1").mkdir()
    (out / "patients" / "P1" / "thesis.txt").write_text("x")
    with pytest.raises(InputError, match="left alone"), output.case_folder(out, "P1", "r") as folder:
        folder.mkdir()
    assert (out / "patients" / "P1" / "thesis.txt").exists()


def test_a_task_of_a_former_run_writes_over_nothing(tmp_path):
    """Cancelled tasks on far workers run to their end; a newer run may have its results there by then."""
    out = output.prepare(tmp_path / "out", "marrow")
    output.begin_run(out, "marrow", "first", ["P1"])
    with pytest.raises(InputError, match="another run"), output.case_folder(out, "P1", "first") as folder:
        folder.mkdir()
        output.begin_run(out, "marrow", "second", ["P1"])
    assert list((out / "patients").iterdir()) == []


def test_a_run_killed_before_its_first_word_can_be_taken_up(tmp_path):
    output.prepare(tmp_path / "out", "marrow")
    assert output.prepare(tmp_path / "out", "marrow").is_dir()


@pytest.mark.parametrize("name", [output.PATIENTS, output.WORK])
def test_links_out_of_the_folder_are_refused(tmp_path, name):
    out = output.prepare(tmp_path / "out", "marrow")
    output.begin_run(out, "marrow", "r", [])
    shutil.rmtree(out / name)
    (out / name).symlink_to(tmp_path)
    with pytest.raises(InputError, match="link"):
        output.prepare(out, "marrow")


def test_work_is_private(tmp_path):
    out = output.prepare(tmp_path / "out", "marrow")
    assert (out / output.WORK).stat().st_mode & 0o077 == 0


def test_a_read_only_output_is_one_clear_error(tmp_path):
    out = tmp_path / "out"
    (tmp_path / "file").write_text("a file where a folder is due")
    with pytest.raises(InputError, match=r"cannot be written|no cohort"):
        output.prepare(tmp_path / "file" / "out", "marrow")
    if os.geteuid() == 0:
        return  # nothing is read-only for root; the file in the way stands for it
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot be written"):
        output.prepare(out, "marrow")
    tmp_path.chmod(0o700)


def test_two_runs_cannot_share_a_folder_and_a_killed_one_lets_go(tmp_path):
    out = output.prepare(tmp_path / "out", "marrow")
    code = (
        "import sys, time; from pathlib import Path; from bonequant.batch import output\n"
        "with output.locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "held\n"
    with pytest.raises(InputError, match=f"in use by process {other.pid} on "), output.locked(out):
        pass
    other.kill()
    other.wait()
    other.stdout.close()
    with output.locked(out):
        pass


def test_what_a_killed_run_left_is_cleared(tmp_path):
    out = output.prepare(tmp_path / "out", "marrow")
    (out / output.WORK / "P1.abc").mkdir()
    (out / output.WORK / "P1.abc" / "half").write_text("x")
    (out / output.WORK / "link").symlink_to(tmp_path)
    output.clear_work(out)
    assert list((out / output.WORK).iterdir()) == []
    assert tmp_path.is_dir()
