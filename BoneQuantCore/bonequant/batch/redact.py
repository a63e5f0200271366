"""Messages without paths: a path or file name often holds a patient's name, and logs and reports must not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bonequant.batch.case import Case

_ABSOLUTE = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?[/\\][^\s:;,'\")]+")


def without_paths(text: str, case: Case, files: Mapping[str, Sequence[Path]]) -> str:
    """``text`` in one line, the case's files as "<ct file 17 of 135>", its folders as "<ct>", other paths "<path>"."""
    names: dict[str, str] = {}
    for column, paths in case.paths.items():
        for number, path in enumerate(paths, 1):
            names[str(path)] = f"<{column}>" if len(paths) == 1 else f"<{column} {number}>"
            names.setdefault(path.name, names[str(path)])
    for column, found in files.items():
        for number, file in enumerate(found, 1):
            if str(file) not in names:
                names[str(file)] = f"<{column} file {number} of {len(found)}>"
                names.setdefault(file.name, names[str(file)])
    text = " ".join(text.split())
    for name in sorted(names, key=len, reverse=True):
        # A file named like a word of the message ("CT") must not eat that word.
        if ("/" in name or "\\" in name or "." in name or len(name) > 5) and name in text:
            text = text.replace(name, names[name])
    return _ABSOLUTE.sub("<path>", text)
