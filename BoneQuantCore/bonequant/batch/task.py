"""What a worker does for one case: is it done already? If not, measure it and put the results in their place."""

from __future__ import annotations

import gc
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from bonequant.batch import output
from bonequant.batch.case import Case
from bonequant.batch.fingerprint import code_hash, files_of, fingerprint, hash_inputs, stamp
from bonequant.batch.jobs import Job, job_named
from bonequant.batch.record import read_record, write_record
from bonequant.batch.redact import with_columns, without_paths
from bonequant.batch.watchdog import overran, time_limit
from bonequant.errors import BoneQuantError, InputError
from bonequant.progress import no_progress
from bonequant.threads import VARIABLE


@dataclass(frozen=True)
class Order:
    """What all tasks of a run have in common."""

    run: str
    job: str
    out: Path
    threads: int
    code: str
    verify: bool
    limit_s: float | None = None


@dataclass(frozen=True)
class Outcome:
    """How a case ended.

    Attributes:
        status: "done", "unchanged", "failed", or "stop" where nobody can write results any more.
        reason: of a failure, without paths.
        resident_mb: memory of the worker after the case.
    """

    key: str
    status: str
    reason: str = ""
    kind: str = ""
    seconds: float = 0.0
    resident_mb: float = 0.0
    worker: str = ""


def process(case: Case, order: Order) -> Outcome:
    """Run one case. Never raises for what is wrong with the case: that is the outcome."""
    start = time.perf_counter()
    refused = _refuse_worker(order)
    if refused:
        return Outcome(case.key, "stop", refused, "worker", worker=socket.gethostname())
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(order.threads)
    os.environ[VARIABLE] = str(order.threads)
    status, reason, kind = _in_time(case, order)
    gc.collect()
    return Outcome(
        case.key,
        status,
        reason,
        kind,
        time.perf_counter() - start,
        _resident_mb(),
        f"{socket.gethostname()}:{os.getpid()}",
    )


def _in_time(case: Case, order: Order) -> tuple[str, str, str]:
    """As :func:`_attempt`, unless the case has overrun its time limit before."""
    if overran(order.out, case.key, order.run):
        return "failed", f"it took longer than {(order.limit_s or 0) / 60:g} minutes", "TimeLimit"
    try:
        with time_limit(order.out, case.key, order.run, order.limit_s):
            return _attempt(case, order)
    except OSError as error:
        return "stop", f"results cannot be written: {error.strerror or error}", "output"


def _attempt(case: Case, order: Order) -> tuple[str, str, str]:
    """Status, reason and kind of error."""
    files: dict[str, list[Path]] = {}
    job: Job | None = None
    try:
        job = job_named(order.job)
        files = files_of(case)
        return _run(case, order, job, files), "", ""
    except Exception as error:  # whatever a case does, the others go on
        full = output.broken(order.out, error)
        if full:
            return "stop", f"results cannot be written: {full}", "output"
        text = str(error) if isinstance(error, BoneQuantError) else f"{type(error).__name__}: {error}"
        return "failed", _said(text, case, job, files), type(error).__name__


def _run(case: Case, order: Order, job: Job, files: dict[str, list[Path]]) -> str:
    before = stamp(files)
    former = read_record(order.out / output.PATIENTS / case.key)
    trusted = former is not None and former.stamp == before and not order.verify
    inputs = former.fingerprint.get("inputs", {}) if former is not None and trusted else hash_inputs(case, files)
    due = fingerprint(case, order.job, inputs)
    if former is not None and former.fingerprint == due and trusted:
        return "unchanged"
    if former is not None and former.fingerprint == due:  # touched or verified, with the same contents
        write_record(order.out / output.PATIENTS / case.key, before, due, former.measured)
        return "unchanged"
    with output.case_folder(order.out, case.key, order.run) as folder:
        measured = job.measure(case, folder, no_progress)
        if stamp(files) != before:
            raise InputError("the input files changed while they were read: run again when they are complete")
        warnings = [_said(text, case, job, files) for text in measured.warnings]
        write_record(folder, before, due, type(measured)(measured.rows, measured.quality, warnings))
    return "done"


def _said(text: str, case: Case, job: Job | None, files: dict[str, list[Path]]) -> str:
    """A job's message as a cohort shows it; ``job`` is None where it could not be loaded."""
    clean = without_paths(text, case, files)
    return clean if job is None else with_columns(clean, job)


def _refuse_worker(order: Order) -> str:
    """Why this worker must not work: it has other code, or does not see the folder of the results."""
    if code_hash() != order.code:
        return f"worker on {socket.gethostname()} runs another version of BoneQuant: install the same one everywhere"
    if output.current_run(order.out) != order.run:
        return (
            f"worker on {socket.gethostname()} does not see the results folder as the run does: it must lie on a "
            "file system that all machines share, under the same path"
        )
    return ""


def _resident_mb() -> float:
    import psutil  # comes with distributed

    return float(psutil.Process().memory_info().rss) / 1e6
