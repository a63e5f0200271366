"""A results folder that is either whole or not there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bonequant.errors import InputError

MARKER = "result.json"  # every job writes it; it tells our folders from the user's


def free_folder(out: str | Path, *, overwrite: bool = False) -> Path:
    """``out`` as an absolute path, if results may go there; asked before long work, so that none is lost.

    Raises InputError when it exists and is not empty (with ``overwrite``, when it is not a former result).
    """
    out = Path(out).resolve()
    occupied = out.exists() and (not out.is_dir() or any(out.iterdir()))
    if occupied and not overwrite:
        raise InputError(f"{out} already exists: give another folder with --out, or --overwrite to replace it.")
    if occupied and not (out / MARKER).is_file():
        raise InputError(f"{out} is not a BoneQuant result and is left alone: give another folder with --out.")
    return out


@contextmanager
def results_folder(out: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a private folder beside ``out`` that becomes ``out`` when the block ends without an error.

    Raises InputError as :func:`free_folder`, or when the place cannot be written.
    """
    out = free_folder(out, overwrite=overwrite)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise InputError(f"Cannot write beside {out}: {error.strerror or error}.") from error
    try:
        yield partial
        if out.exists():
            former = Path(tempfile.mkdtemp(prefix=f".{out.name}.former.", dir=out.parent))
            out.rename(former / out.name)
            partial.rename(out)
            shutil.rmtree(former)
        else:
            partial.rename(out)
        out.chmod(0o777 & ~_umask())  # mkdtemp makes it private while it is being written
    except OSError as error:
        raise InputError(f"Writing the results to {out} failed: {error.strerror or error}.") from error
    finally:
        if partial.exists():
            shutil.rmtree(partial, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
