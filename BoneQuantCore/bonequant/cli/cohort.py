"""``bonequant cohort``: any job over many patients; an interrupted run is continued by starting it again."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from bonequant.cli.bar import progress_bar
from bonequant.cli.facts import parse_facts, parse_settings, settings_values
from bonequant.errors import Cancelled

cohort = typer.Typer(no_args_is_help=True, help="Many patients, unattended. Research use only.")


@cohort.command()
def run(
    manifest: Annotated[Path, typer.Argument(help="CSV with one row per patient and visit, or a folder of patients.")],
    out: Annotated[Path, typer.Option(help="Folder for the results: new, or that of a run to be continued.")],
    job: Annotated[str | None, typer.Option(help="Which job: marrow ... Not needed where a column says it.")] = None,
    settings: Annotated[Path | None, typer.Option(help="Settings of the job for all rows, a JSON file.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="One setting for all rows, as name=value.")] = None,
    fact: Annotated[list[str] | None, typer.Option(help="One fact for all rows, as name=value.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes; by default from cores and memory.")] = None,
    threads: Annotated[int, typer.Option(help="Threads in each worker.")] = 1,
    memory_gb: Annotated[float | None, typer.Option(help="Memory limit of a worker.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Dask scheduler that is running, tcp://HOST:8786.")] = None,
    slurm: Annotated[Path | None, typer.Option(help="SLURM settings, a JSON file: start the workers there.")] = None,
    wait_s: Annotated[float | None, typer.Option(help="How long to wait for the first worker.")] = None,
    patient_minutes: Annotated[float, typer.Option(help="Time limit of a patient, who then counts as failed.")] = 240.0,
    keep_going: Annotated[
        bool, typer.Option(help="Leave out rows with problems instead of refusing to start.")
    ] = False,
    verify: Annotated[bool, typer.Option(help="Read every input again, also where nobody touched it.")] = False,
) -> None:
    """Run a job over a cohort. Exit code 0: all done; 1: some failed; 2: it could not run; 130: interrupted."""
    from bonequant.batch import EngineSettings, ManifestError, SlurmSettings, read_manifest, run_cohort

    engine = EngineSettings(
        workers=workers,
        threads=threads,
        memory_gb=memory_gb,
        scheduler=scheduler,
        wait_s=wait_s,
        patient_minutes=patient_minutes,
        slurm=parse_settings(SlurmSettings, slurm, []) if slurm else None,
    )
    cases = read_manifest(manifest, job, settings=settings_values(settings, set_ or []), facts=parse_facts(fact or []))
    try:
        if not (keep_going and cases.cases):
            cases = cases.checked()
        _list(manifest, cases.problems)
    except ManifestError as error:
        _list(manifest, error.problems)
        print(f"bonequant: {manifest}: {len(error.problems)} problems; nothing was started.", file=sys.stderr)
        raise typer.Exit(2) from error
    try:
        with _stopped_by_signal(), progress_bar("Starting workers") as progress:
            result = run_cohort(cases, out, engine, progress, verify=verify)
    except (Cancelled, KeyboardInterrupt):
        print("bonequant: interrupted; run the same command again to continue.", file=sys.stderr)
        raise typer.Exit(130) from None
    for outcome in result.failed:
        print(f"{outcome.key}: {outcome.reason}", file=sys.stderr)
    print(result.report)
    if result.failed or cases.problems:
        raise typer.Exit(1)


@cohort.command()
def scan(
    folder: Annotated[Path, typer.Argument(help="Folder with DICOM of many patients, however it is ordered.")],
    out: Annotated[Path, typer.Option(help="The manifest to write, a CSV.")],
    job: Annotated[str, typer.Option(help="Which job is to run.")] = "marrow",
    overwrite: Annotated[bool, typer.Option(help="Replace a file of that name.")] = False,
) -> None:
    """Propose a manifest from a tree of DICOM: patients under pseudonyms, dates, and which series belong together."""
    from bonequant.batch import propose, write_proposal

    with progress_bar("Reading headers") as progress:
        proposal = propose(folder, job, progress)
    write_proposal(proposal, out, overwrite=overwrite)
    for remark in proposal.remarks:
        print(f"note: {remark}", file=sys.stderr)
    print(
        f"{len(proposal.rows)} rows, {proposal.patients} patients: look at them before you run them.", file=sys.stderr
    )
    print(out)


@cohort.command()
def status(out: Annotated[Path, typer.Argument(help="Folder of a cohort, running or not.")]) -> None:
    """Say how far a cohort is."""
    from bonequant.batch import cohort_status

    found = cohort_status(out)
    print(
        f"{found.job}: {found.done} of {found.cases} have results, {found.failed} failed in the last run, {found.state}"
    )


def _list(manifest: Path, problems: Iterable[object]) -> None:
    for problem in problems:
        print(f"{manifest.name}, {problem}", file=sys.stderr)


@contextmanager
def _stopped_by_signal() -> Iterator[None]:
    """SIGTERM, with which batch systems announce the end, stops as Ctrl-C does."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
