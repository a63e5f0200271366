"""What a case's result depends on: contents of its files, settings, facts, the code and the packages under it.

Names count as well as contents: masks and the parts of a date are told apart by theirs, and several paths of a cell
stand in an order. What lies above a path does not count, so that data may move to another disk.

Hashing every file anew on each start would read the whole cohort; a file whose size and time of change are as they
were is taken as unchanged, unless ``verify`` is asked for.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import bonequant
from bonequant.batch.case import Case
from bonequant.errors import InputError
from bonequant.provenance import hash_files, versions
from bonequant.report import jsonable


def files_of(case: Case) -> dict[str, list[Path]]:
    """Every file under the case's paths, sorted, by column. Raises OSError for what cannot be listed."""
    return {column: [file for path in paths for file in _files(path)] for column, paths in case.paths.items()}


def stamp(files: Mapping[str, Iterable[Path]]) -> str:
    """A hash over names, sizes and times of change: equal as long as nobody touched a file.

    Raises OSError for what is gone, InputError for a pipe or device, which may never end.
    """
    digest = hashlib.sha256()
    for column, paths in sorted(files.items()):
        for path in paths:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise InputError(f"{path} is no regular file.")
            digest.update(repr((column, str(path), found.st_size, found.st_mtime_ns)).encode())
    return digest.hexdigest()


def hash_inputs(case: Case, files: Mapping[str, Iterable[Path]]) -> dict[str, str]:
    """SHA-256 by column over the contents of the files, their names below the path, and the order of the paths."""
    return {column: _hash_column(case.paths[column], found) for column, found in sorted(files.items())}


def fingerprint(case: Case, job: str, inputs: Mapping[str, str]) -> dict[str, Any]:
    """All that the result depends on; two equal ones give the same result. Labels are not among it."""
    chosen = {"settings": case.settings.to_dict(), "facts": dict(case.facts), "texts": dict(case.texts)}
    text = json.dumps(jsonable({**chosen, "visit": case.visit}), sort_keys=True)
    return {
        "job": job,
        "inputs": dict(inputs),
        "settings": hashlib.sha256(text.encode()).hexdigest(),
        "settings_files": _hash_named(chosen["settings"]),
        "code": code_hash(),
        "versions": dict(_versions()),
    }


def _hash_column(paths: Sequence[Path], files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        place, path = next((k, path) for k, path in enumerate(paths) if path == file or path in file.parents)
        digest.update(repr((place, file.relative_to(path.parent).as_posix(), hash_files([file]))).encode())
    return digest.hexdigest()


@functools.cache
def code_hash() -> str:
    """SHA-256 over the library's source files, with their places."""
    root = Path(bonequant.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".json", ".html"):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def _versions() -> tuple[tuple[str, str], ...]:
    return tuple((name, version) for name, version in versions().items() if name != "python")


def _hash_named(values: Any) -> str:
    """A hash over the files that settings name (a protocol of the user's own, say); "" where they name none."""
    if isinstance(values, (dict, list)):
        return "".join(_hash_named(value) for value in (values.values() if isinstance(values, dict) else values))
    if not isinstance(values, str) or not values.endswith((".json", ".csv")) or not Path(values).is_file():
        return ""
    return hash_files([values])


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]

    def refuse(error: OSError) -> None:
        raise error

    found: list[Path] = []
    seen: set[str] = set()  # links are followed, since readers follow them, and may lead in a circle
    for folder, inner, names in os.walk(path, onerror=refuse, followlinks=True):
        real = os.path.realpath(folder)
        inner[:] = [] if real in seen else sorted(inner)
        if real not in seen:
            found += [Path(folder) / name for name in names]
        seen.add(real)
    return sorted(found)
