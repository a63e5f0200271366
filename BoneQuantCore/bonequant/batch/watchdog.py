"""A time limit for one case that holds whatever the case does, also inside native code that never returns.

A thread of the interpreter's C core (``faulthandler``) ends the worker process when the time is over, and leaves in a
file where it stood. Dask starts another worker and hands the case out again; that one finds the file and reports it.
"""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bonequant.batch.output import WORK


@contextmanager
def time_limit(out: Path, key: str, run: str, seconds: float | None) -> Iterator[None]:
    """End this process if the block takes longer. One block at a time in a process. Raises OSError on a full disk."""
    if seconds is None:
        yield
        return
    path = _file(out, key, run)
    with path.open("w", encoding="utf-8") as stream:
        faulthandler.dump_traceback_later(seconds, exit=True, file=stream)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
    path.unlink(missing_ok=True)


def overran(out: Path, key: str, run: str) -> bool:
    """Did an earlier attempt of this run end by its time limit? A worker that died otherwise leaves an empty file."""
    try:
        return _file(out, key, run).stat().st_size > 0
    except OSError:
        return False


def _file(out: Path, key: str, run: str) -> Path:
    return out / WORK / f"{key}.{run}.late"
