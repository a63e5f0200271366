"""Run a cohort: hand the cases to Dask, follow them, and put the tables and the report beside their results.

A run that ended early, in whatever way, is continued by starting it again: cases whose files, facts, settings and code
are as they were keep their results.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonequant.batch import output
from bonequant.batch.case import Case
from bonequant.batch.cluster import has_bokeh, open_cluster
from bonequant.batch.fingerprint import code_hash
from bonequant.batch.jobs import job_named
from bonequant.batch.log import Log
from bonequant.batch.manifest import Manifest
from bonequant.batch.pace import Pace, what_are
from bonequant.batch.settings import EngineSettings
from bonequant.batch.task import Order, Outcome, process
from bonequant.batch.write import write_cohort
from bonequant.errors import InputError, MissingDependencyError
from bonequant.progress import Progress, no_progress

if TYPE_CHECKING:
    from distributed import Client, Future

_POLL_S, _SAY_S = 0.05, 1.0


@dataclass(frozen=True)
class CohortResult:
    """``outcomes`` in the manifest's order; ``report`` is the path of the cohort's report."""

    out: Path
    report: Path
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.status == "failed")


def run_cohort(
    manifest: Manifest,
    out: str | Path,
    engine: EngineSettings | None = None,
    progress: Progress | None = None,
    *,
    verify: bool = False,
) -> CohortResult:
    """Run every case of a manifest that is not done yet, and write tables and report.

    Rows with problems (:attr:`Manifest.problems`) are reported as failures; call :meth:`Manifest.checked` to refuse
    them instead.

    Args:
        out: folder of the cohort, new or of an earlier run of the same job.
        progress: fraction of cases, and a line with counts, rate and the time that is left; may raise Cancelled.
        verify: hash every input anew, also where its size and time of change are as they were.

    Raises InputError where the folder is in use, cannot be written, or nobody works; Cancelled.
    """
    engine, report = engine or EngineSettings(), progress or no_progress
    _check_parquet()
    job = job_named(manifest.job)
    _refuse_inputs_inside(manifest, Path(out).resolve())
    out = output.prepare(out, manifest.job)
    with output.locked(out):
        output.prepare(out, manifest.job)
        output.clear_work(out)
        limit_s = 60 * engine.patient_minutes
        order = Order(uuid.uuid4().hex, manifest.job, out, engine.threads, code_hash(), verify, limit_s)
        cases = [case.key for case in manifest.cases]
        output.begin_run(out, manifest.job, order.run, cases)
        with Log(out / "log.jsonl", order.run) as log:
            log.write("start", job=manifest.job, cases=len(cases), engine=engine.to_dict())
            try:
                with open_cluster(engine, job.memory_gb, out / output.WORK) as client:
                    log.write("cluster", workers=_workers(client))
                    report(0.0, _greeting(client))
                    outcomes = _follow(client, manifest.cases, order, log, report)
                stopped = next((outcome for outcome in outcomes.values() if outcome.status == "stop"), None)
                if stopped is not None:
                    raise InputError(f"{stopped.reason}. What is done is kept: put it right and run again to continue.")
                ordered = tuple(outcomes[key] for key in cases)
                report(1.0, "Writing tables and report")
                page = write_cohort(out, manifest, ordered)
            except BaseException as error:
                with suppress(InputError):  # the disk may be full
                    log.write("stopped", error=type(error).__name__)
                raise
            log.write("end", **_counts(ordered))
        output.clear_work(out)
    return CohortResult(out, page, ordered)


def _follow(client: Client, cases: tuple[Case, ...], order: Order, log: Log, report: Progress) -> dict[str, Outcome]:
    """Outcomes by case, complete unless one of them is a "stop"."""
    from distributed import as_completed

    outcomes: dict[str, Outcome] = {}
    pace = Pace(len(cases), what=what_are(case.patient for case in cases))
    with _submitted(client, cases, order) as futures:
        for future in _as_they_end(as_completed(list(futures), loop=client.loop), client, pace, report):
            key = futures[future]
            outcome = _outcome_of(future, key)
            future.release()
            outcomes[key] = outcome
            log.outcome(outcome)
            pace.add(outcome.status)
            report(pace.fraction, pace.line())
            if outcome.status == "stop":
                break
    return outcomes


def _as_they_end(ended: Any, client: Client, pace: Pace, report: Progress) -> Iterator[Future[Outcome]]:
    """Futures as they end. In between the caller hears of it every second, and may cancel a run of long cases."""
    said = time.monotonic()
    while not ended.is_empty():
        batch = ended.next_batch(block=False)
        yield from batch
        if not batch:
            time.sleep(_POLL_S)
        if time.monotonic() - said >= _SAY_S:
            said = time.monotonic()
            waiting = ", no worker is there: waiting for one" if _workers(client) == 0 else ""
            report(pace.fraction, pace.line() + waiting)


def _outcome_of(future: Future[Outcome], key: str) -> Outcome:
    """Raises InputError where it is not the case that failed, but Dask or the worker's installation."""
    from distributed import CancelledError, KilledWorker

    try:
        return future.result()
    except KilledWorker:
        reason = "its worker died again and again, most likely for want of memory"
        return Outcome(key, "failed", reason, "KilledWorker")
    except CancelledError as error:
        raise InputError("The connection to Dask's scheduler was lost. Run again to continue.") from error
    except Exception as error:  # a case's own errors are outcomes: what is left is code that a worker cannot load
        raise InputError(
            f"A worker cannot run this BoneQuant ({type(error).__name__}: {error}): install the same everywhere."
        ) from error


@contextmanager
def _submitted(client: Client, cases: tuple[Case, ...], order: Order) -> Iterator[dict[Future[Outcome], str]]:
    """The futures with their case's key; what is left of them is cancelled at the end."""
    futures = {
        client.submit(process, case, order, key=f"bonequant-{order.run}-{case.key}", pure=False): case.key
        for case in cases
    }
    try:
        yield futures
    finally:
        left = [future for future in futures if not future.done()]
        if left and client.status == "running":
            client.cancel(left, force=True)


def _refuse_inputs_inside(manifest: Manifest, out: Path) -> None:
    for case in manifest.cases:
        for column, paths in case.paths.items():
            for path in paths:
                real = path.resolve()
                if real == out or out in real.parents or real in out.parents:
                    raise InputError(
                        f"line {case.line}, {column}: input and results lie within one another; give another --out."
                    )


def _workers(client: Client) -> int:
    """How many there are, -1 where the scheduler does not answer now."""
    try:
        return len(client.nthreads())
    except OSError:
        return -1


def _greeting(client: Client) -> str:
    workers = _workers(client)
    dashboard = f", dashboard at {client.dashboard_link}" if has_bokeh() else ""
    return f"{workers} worker{'s' * (workers != 1)}{dashboard}"


def _counts(outcomes: tuple[Outcome, ...]) -> dict[str, int]:
    return {status: sum(o.status == status for o in outcomes) for status in ("done", "unchanged", "failed")}


def _check_parquet() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError("A cohort needs pyarrow: pip install 'bonequant[cohort]'.") from error
