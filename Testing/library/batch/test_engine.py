"""Whole cohorts on real worker processes: nothing lost and nothing twice, whoever is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask
import pytest
from bonequant.batch import EngineSettings, cohort_status, engine, output, read_manifest, run_cohort
from bonequant.batch.cluster import dask_options
from bonequant.errors import Cancelled, InputError

from .conftest import SETTINGS

TABLES = ("cohort.csv", "cohort.parquet", "patients.csv", "patients.parquet")
COMMAND = [sys.executable, "-m", "bonequant", "cohort", "run"]
OPTIONS = ["--job", "marrow", "--set", "quantity=native", "--workers", "2"]


def events(out: Path, event: str) -> list[dict]:
    """The log's events of the last run."""
    run = output.former_run(out)["run"]
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["run"] == run and line["event"] == event]


def tables(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in TABLES]


def test_a_cohort_from_start_to_end(tiny_cohort, tmp_path):
    manifest = tiny_cohort(4)
    bad = tmp_path / "data" / "P002" / "spect.nrrd"
    whole = bad.read_bytes()
    bad.write_bytes(whole[:250])
    cases = read_manifest(manifest, "marrow", settings=SETTINGS).checked()
    said: list[tuple[float, str]] = []
    chosen = EngineSettings(workers=2)
    result = run_cohort(cases, tmp_path / "out", chosen, lambda fraction, text: said.append((fraction, text)))
    assert [outcome.status for outcome in result.outcomes] == ["done", "failed", "done", "done"]
    assert result.outcomes[1].reason.startswith("<spect>")
    assert said[0] == (0.0, "2 workers")
    assert "4 of 4 patients, 1 failed" in said[-2][1]
    lines = (tmp_path / "out" / "cohort.csv").read_text().splitlines()
    assert [line.split(",")[:3] for line in lines[1:]] == [
        ["P001", "", "case"], ["P003", "", "case"], ["P004", "", "control"]
    ]  # fmt: skip
    assert "P002" in result.report.read_text()
    everything = b"".join(path.read_bytes() for path in (tmp_path / "out").glob("*") if path.is_file())
    assert str(tmp_path).encode() not in everything  # a path may hold a name
    assert sorted((tmp_path / "out" / ".work").iterdir()) == []

    bad.write_bytes(whole)  # repaired: that patient alone is computed
    result = run_cohort(cases, tmp_path / "out", chosen)
    assert [outcome.status for outcome in result.outcomes] == ["unchanged", "done", "unchanged", "unchanged"]
    assert cohort_status(tmp_path / "out").done == 4
    assert cohort_status(tmp_path / "out").state == "ended"


def test_a_worker_is_killed_and_a_run_is_cancelled(tiny_cohort, tmp_path):
    cases = read_manifest(tiny_cohort(6), "marrow", settings=SETTINGS).checked()
    chosen = EngineSettings(workers=2)
    out = tmp_path / "out"

    killed: list[int] = []

    def kill_first_worker(fraction: float, message: str) -> None:
        ended = events(out, "case")
        if len(ended) == 1 and not killed:
            killed.append(int(ended[0]["worker"].rpartition(":")[2]))
            os.kill(killed[0], signal.SIGKILL)

    result = run_cohort(cases, out, chosen, kill_first_worker)
    assert killed
    assert not result.failed
    assert sorted(event["case"] for event in events(out, "case")) == [case.key for case in cases.cases]
    undisturbed = tables(out)

    def cancel(fraction: float, message: str) -> None:
        if fraction > 0:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        run_cohort(cases, tmp_path / "second", chosen, cancel)
    assert cohort_status(tmp_path / "second").state.startswith("not complete")
    result = run_cohort(cases, tmp_path / "second", chosen)
    assert "unchanged" in {outcome.status for outcome in result.outcomes}
    assert tables(tmp_path / "second") == undisturbed


def test_a_killed_run_is_continued(tiny_cohort, tmp_path):
    manifest = tiny_cohort(6)
    undisturbed = subprocess.run(
        [*COMMAND, str(manifest), "--out", str(tmp_path / "whole"), *OPTIONS], check=True, capture_output=True
    )
    assert undisturbed.stdout.decode().strip() == str(tmp_path / "whole" / "report.html")
    out = tmp_path / "out"
    command = [*COMMAND, str(manifest), "--out", str(out), *OPTIONS]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as run:
        _wait(lambda: (out / "cohort.json").exists() and events(out, "case"))
        run.send_signal(signal.SIGSTOP)  # so that it does not end while others look at it
        refused = subprocess.run(command, check=False, capture_output=True, text=True)
        assert (refused.returncode, f"in use by process {run.pid}" in refused.stderr) == (2, True)
        assert cohort_status(out).state == "running"
        run.kill()
    done = len(list((out / "patients").iterdir()))
    assert 1 <= done < 6
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert len([event for event in events(out, "case") if event["status"] == "unchanged"]) >= done
    assert tables(out) == tables(tmp_path / "whole")


def test_a_scheduler_that_runs_elsewhere(tiny_cohort, tmp_path):
    """A scheduler and two workers of their own; one of them is killed, with its nanny, while it works."""
    cases = read_manifest(tiny_cohort(6), "marrow", settings=SETTINGS).checked()
    out, file = tmp_path / "out", tmp_path / "scheduler.json"
    with contextlib.ExitStack() as stack:
        _start(stack, "dask_scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard", file=file)
        workers = [
            _start(stack, "dask_worker", "--nthreads", "1", "--local-directory", str(tmp_path), file=file)
            for _ in range(2)
        ]
        _wait(file.exists)
        chosen = EngineSettings(scheduler=json.loads(file.read_text())["address"])

        def kill_one(fraction: float, message: str) -> None:
            if len(events(out, "case")) == 1:
                with contextlib.suppress(ProcessLookupError):  # it is told of the same case more than once
                    os.killpg(workers[0].pid, signal.SIGKILL)

        result = run_cohort(cases, out, chosen, kill_one)
    assert not result.failed
    assert sorted(event["case"] for event in events(out, "case")) == [case.key for case in cases.cases]


def test_no_scheduler_and_no_worker(tiny_cohort, tmp_path):
    cases = read_manifest(tiny_cohort(1), "marrow", settings=SETTINGS).checked()
    with pytest.raises(InputError, match="No Dask scheduler answers"):
        run_cohort(cases, tmp_path / "out", EngineSettings(scheduler="tcp://127.0.0.1:9", wait_s=1.0))


def test_results_do_not_go_among_the_inputs(tiny_cohort, tmp_path):
    cases = read_manifest(tiny_cohort(1), "marrow", settings=SETTINGS).checked()
    folder_input = tmp_path / "data" / "P001"
    nested = read_manifest(tmp_path / "data", "marrow", settings=SETTINGS).checked()
    assert nested.cases[0].paths["spect"][0].parent == folder_input
    with pytest.raises(InputError, match="within one another"):
        run_cohort(cases, cases.cases[0].paths["spect"][0])


def _start(stack: contextlib.ExitStack, program: str, *options: str, file: Path) -> subprocess.Popen:
    """A Dask program in a process group of its own, killed at the end."""
    command = [sys.executable, "-m", f"distributed.cli.{program}", *options, "--scheduler-file", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def end() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    stack.callback(end)
    return process


def _wait(ready, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_a_hanging_patient_costs_its_worker_and_nothing_else(tiny_cohort, tmp_path):
    """The worker's process is ended, Dask starts another, and the others go on; the wait is told every second."""
    from distributed import LocalCluster

    def spoil() -> None:  # workers that start later are sound
        import dataclasses
        import re

        from bonequant.batch import task

        job = task.job_named("marrow")

        def hang(case, out, progress):
            return re.match("(a+)+b", "a" * 60) if case.patient == "P002" else job.measure(case, out, progress)

        task.job_named = lambda name: dataclasses.replace(job, measure=hang)

    cases = read_manifest(tiny_cohort(4), "marrow", settings=SETTINGS).checked()
    said: list[str] = []
    with (
        dask.config.set(dask_options(1)),
        LocalCluster(2, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path)) as cluster,
        cluster.get_client() as client,
    ):
        client.run(spoil)
        chosen = EngineSettings(scheduler=cluster.scheduler_address, patient_minutes=0.1)
        result = run_cohort(cases, tmp_path / "out", chosen, lambda fraction, text: said.append(text))
    assert [outcome.status for outcome in result.outcomes] == ["done", "failed", "done", "done"]
    assert result.outcomes[1].reason == "it took longer than 0.1 minutes"
    assert len(said) > 6  # the greeting, four cases, the tables; and the seconds of the wait
    assert sorted((tmp_path / "out" / ".work").iterdir()) == []


def test_workers_that_cannot_load_the_code_stop_the_run_with_one_line():
    class Refused:
        def result(self):
            raise ModuleNotFoundError("No module named 'bonequant'")

    with pytest.raises(InputError, match="install the same everywhere"):
        engine._outcome_of(Refused(), "P1")
