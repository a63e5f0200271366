"""The cohort's output folder: whose it is, how a case's results get into it whole, and who may write now.

OUT/cohort.json      what is run here: job, cases, the current run
OUT/patients/KEY/    results folder of each case, with ``record.json`` and ``rows.json``
OUT/.work/           private; what is being written, and whose turn it is; removed at the end
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from bonequant.batch.record import RECORD
from bonequant.errors import InputError
from bonequant.io.files import written_whole

MARKER, PATIENTS, WORK, LOCK, RUN = "cohort.json", "patients", ".work", ".lock", "run"
_PROBE_BYTES, _LEAST_FREE_BYTES = 1 << 20, 100 << 20
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def prepare(out: str | Path, job: str) -> Path:
    """Make the folder, or take up that of a former run of the same job. Returns it as an absolute path.

    Raises InputError for a folder that is something else, holds links that lead out of it, or cannot be written.
    """
    out = Path(out).resolve()
    if out.exists() and (not out.is_dir() or not _is_ours(out)):
        former = former_run(out)
        if former is None:
            raise InputError(f"{out} is not empty and no cohort's folder: give another one with --out.")
        if former.get("job") != job:
            raise InputError(f"{out} holds a cohort of the job {former.get('job')}, not {job}: give another --out.")
    try:
        for folder in (out, out / PATIENTS, out / WORK):
            if folder.is_symlink():
                raise InputError(f"{folder} is a link that leads out of the results folder; remove it.")
            folder.mkdir(parents=True, exist_ok=True)
        (out / WORK).chmod(0o700)
        with tempfile.TemporaryFile(dir=out / WORK) as probe:
            probe.write(b"0")
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror or error}.") from error
    return out


def _is_ours(out: Path) -> bool:
    """Is the folder empty, or what a run leaves that was killed before it wrote its first word?"""
    entries = {entry.name for entry in out.iterdir()}
    patients = out / PATIENTS
    return not entries - {PATIENTS, WORK, LOCK} and not (patients.is_dir() and any(patients.iterdir()))


def former_run(out: Path) -> dict[str, Any] | None:
    """What ``cohort.json`` holds; None where the folder is no cohort's."""
    try:
        values = json.loads((out / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) and isinstance(values.get("cases"), list) else None


def begin_run(out: Path, job: str, run: str, cases: Sequence[str]) -> None:
    """Say in ``cohort.json`` what runs here now. Raises InputError where it cannot be written."""
    values = {"job": job, "run": run, "cases": list(cases)}
    with written_whole(out / MARKER, ".json") as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.write(json.dumps(values, indent=2) + "\n")
        stream.flush()
        os.fsync(stream.fileno())  # without it no later run would know the folder as its own
    with written_whole(out / WORK / RUN, ".txt") as temporary:
        temporary.write_text(run, encoding="utf-8")


def current_run(out: Path) -> str:
    """Whose turn it is, "" where nothing runs or the folder is not seen."""
    try:
        return (out / WORK / RUN).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


@contextmanager
def locked(out: Path, *, say: bool = True) -> Iterator[None]:
    """Hold the folder for one run; the system lets go when the process ends, however it ends.

    ``say`` leaves word for others who it is. Raises InputError that names the other run.
    """
    path = out / LOCK
    try:
        stream = path.open("a+" if say else "r", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    with stream:
        try:
            _take(stream)
        except OSError as error:
            stream.seek(0)
            holder = stream.read(200).strip() or "another run"
            raise InputError(f"{out} is in use by {holder}: wait for its end, or give another --out.") from error
        if say:
            try:
                stream.seek(0)
                stream.truncate()
                stream.write(
                    f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now():%Y-%m-%d %H:%M:%S}"
                )
                stream.flush()
            except OSError as error:
                raise InputError(f"{path} cannot be written: {error.strerror}.") from error
        yield


def _take(stream: IO[str]) -> None:
    """An exclusive lock on an open file, without waiting. Raises OSError where another process has it."""
    if os.name == "nt":
        import msvcrt

        stream.seek(0x7FFF0000)  # beyond the text, which others must be able to read
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def clear_work(out: Path) -> None:
    """Remove what an interrupted run left half-written."""
    for entry in (out / WORK).iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


@contextmanager
def case_folder(out: Path, key: str, run: str) -> Iterator[Path]:
    """Yield a private folder that takes the place of ``OUT/patients/KEY`` when the block ends without an error.

    Raises OSError for a disk that is full or gone, InputError for a folder that is no former result, and where another
    run has taken over: a task that was left behind on a far worker must not write over what is newer.
    """
    final = out / PATIENTS / key
    private = Path(tempfile.mkdtemp(prefix=f"{key}.", dir=out / WORK))
    try:
        yield private / key
        _settle(private / key)
        if current_run(out) != run:
            raise InputError("another run has taken over the results folder")
        if final.is_dir() and not final.is_symlink() and not (final / RECORD).exists():
            raise InputError(f"{final} is no result of a cohort and is left alone: move it away, or give another --out")
        if final.is_symlink():
            final.unlink()  # the link, not what it leads to
        if final.exists():
            final.rename(private / "former")
        (private / key).rename(final)
        _settle(final.parent, deep=False)
    finally:
        shutil.rmtree(private, ignore_errors=True)


def broken(out: Path, error: BaseException) -> str:
    """Why nobody can write any more (full disk, read-only, gone) after ``error``; "" where writing is not the trouble.

    What a failure half-wrote is removed before it is known here, so that a full disk has room again: the error says it.
    """
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno in _NO_ROOM:
            return os.strerror(cause.errno)
    try:
        of_itk = any(isinstance(cause, RuntimeError) for cause in causes)  # it gives no number
        if of_itk and shutil.disk_usage(out).free < _LEAST_FREE_BYTES:
            return "the disk is as good as full"
        with tempfile.TemporaryFile(dir=out / WORK) as probe:
            probe.write(bytes(_PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as found:
        return found.strerror or str(found)
    return ""


def _settle(folder: Path, deep: bool = True) -> None:
    """Bring files and folders to the disk before the rename says that they are there (no effect on Windows)."""
    if os.name == "nt":
        return
    for path in [*folder.rglob("*"), folder] if deep else [folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
