"""A CSV that names the lesions: which region of the masks is which lesion, its level and its label.

Columns: ``lesion_id``; optional ``mask`` (name of the region in the mask file, by default the lesion's id), ``level``
and ``label``. Regions that are not listed are left out.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from bonequant.errors import InputError
from bonequant.io.csv_table import read_csv_table

_COLUMNS = ("lesion_id", "mask", "level", "label")


@dataclass(frozen=True)
class Listed:
    lesion_id: str
    mask: str
    level: str = ""
    label: str = ""


def read_lesion_list(path: str | Path) -> tuple[Listed, ...]:
    """Raises InputError for a file that cannot be read, an unknown column, or an id that is empty or there twice."""
    table = read_csv_table(path)
    if "lesion_id" not in table.columns:
        raise InputError(f"{path} has no column lesion_id; it has: {', '.join(table.columns) or 'nothing'}.")
    if unknown := sorted(set(table.columns) - set(_COLUMNS)):
        raise InputError(f"{path} has unknown columns {', '.join(unknown)}; known are {', '.join(_COLUMNS)}.")
    found: list[Listed] = []
    for row in table.rows:
        text = {name: row.cells.get(name, "") for name in _COLUMNS}
        if not text["lesion_id"]:
            raise InputError(f"{row.where}: lesion_id is empty.")
        if text["lesion_id"] in {listed.lesion_id for listed in found}:
            raise InputError(f"{row.where}: lesion {text['lesion_id']} is there twice.")
        found.append(Listed(text["lesion_id"], text["mask"] or text["lesion_id"], text["level"], text["label"]))
    if not found:
        raise InputError(f"{path} lists no lesion.")
    return tuple(found)


def everything(names: Collection[str]) -> tuple[Listed, ...]:
    """The list where none was given: every region is a lesion, by its own name."""
    return tuple(Listed(name, name) for name in names)
