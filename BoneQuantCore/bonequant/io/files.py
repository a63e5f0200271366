"""Files that are whole or absent: written under a temporary name in the same folder, then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bonequant.errors import InputError


@contextmanager
def written_whole(path: Path, suffix: str) -> Iterator[Path]:
    """Give a temporary path that ends in ``suffix``; rename it to ``path`` on success, remove it on failure."""
    if not path.parent.is_dir():
        raise InputError(f"The folder {path.parent} does not exist; create it before writing {path.name}.")
    try:
        handle, name = tempfile.mkstemp(prefix=".bonequant-", suffix=suffix, dir=path.parent)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path} cannot be written: {error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
