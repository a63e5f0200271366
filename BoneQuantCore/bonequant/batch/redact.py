"""Messages without paths: a path or file name often holds a patient's name, and logs and reports must not.

And in a cohort's words: where a job names an option of its own command, the manifest has a column.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bonequant.batch.case import Case
from bonequant.batch.jobs import Job

_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)")
_ABSOLUTE = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?[/\\][^\s:;,'\")]+")

# Names of files and folders that messages use as words; nobody is called so.
_WORDS = frozenset(
    [
        "ct",
        "mr",
        "mri",
        "pt",
        "pet",
        "nm",
        "spect",
        "spect/ct",
        "dce",
        "t1",
        "b1",
        "adc",
        "mask",
        "masks",
        "series",
        "dicom",
        "image",
        "images",
    ]
)


def without_paths(text: str, case: Case, files: Mapping[str, Sequence[Path]]) -> str:
    """``text`` in one line, the case's files as "<ct file 17 of 135>", its folders as "<ct>", other paths "<path>"."""
    names: dict[str, str] = {}
    for column, paths in case.paths.items():
        for number, path in enumerate(paths, 1):
            _name(names, path, f"<{column}>" if len(paths) == 1 else f"<{column} {number}>")
    for column, found in files.items():
        for number, file in enumerate(found, 1):
            _name(names, file, f"<{column} file {number} of {len(found)}>")
    folders = {folder for paths in (*case.paths.values(), *files.values()) for path in paths for folder in path.parents}
    for folder in folders:  # a folder within the data, or above them, may be the patient's own
        if folder.name:
            names.setdefault(str(folder), "<path>")
    text = " ".join(text.split())
    for name in sorted(names, key=len, reverse=True):
        # Only whole, so that a file "CT1" does not eat part of "CT10"; a word that files and messages share stays.
        if name in text and name.lower() not in _WORDS:
            text = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w])", lambda _, name=name: names[name], text)  # type: ignore[misc]
    return _ABSOLUTE.sub("<path>", text)


def without_cell(text: str, cell: str) -> str:
    """A manifest's problem without what stands in the cell, which may be a name or a path with one."""
    return _ABSOLUTE.sub("<path>", text.replace(cell, "<the cell>") if cell else text)


def with_columns(text: str, job: Job) -> str:
    """``text`` with options of the job's command as the columns of the manifest: ``--t1-series`` is t1_series."""
    columns = {column.name for column in job.columns}

    def column_of(found: re.Match[str]) -> str:
        name = found[1].replace("-", "_")
        known = next((one for one in (name, f"{name}s") if one in columns), None)  # --mask, one or more, is masks
        return f"column {known}" if known else found[0]  # --set and --fact hold for a cohort, too

    return _OPTION.sub(column_of, text)


def _name(names: dict[str, str], path: Path, name: str) -> None:
    """The path, its real place, and its bare name."""
    for known in (str(path), os.path.realpath(path), path.name):
        names.setdefault(known, name)
