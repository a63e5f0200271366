"""The cells of a CSV by column name, with the line on which each row starts."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from bonequant.errors import InputError

_MOST_BYTES = 100_000_000  # a manifest of a million rows; a larger file is something else


@dataclass(frozen=True)
class Row:
    """Cells that are filled, stripped of blanks; ``extra`` counts cells beyond the heading."""

    line: int
    cells: dict[str, str]
    extra: int = 0


def read_rows(path: Path) -> list[Row]:
    """Rows of a CSV in UTF-8, parted by comma, semicolon or tab. Raises InputError for what is none, or has no row."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path} is larger than {_MOST_BYTES // 1_000_000} MB: that is no manifest.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a readable CSV file in UTF-8: {error}.") from error
    heading = text.partition("\n")[0]
    delimiter = max(",;\t", key=heading.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    columns: list[str] = []
    line = 1
    try:
        for cells in reader:
            if not columns:
                columns = _heading(cells, path)
            elif any(cell.strip() for cell in cells):
                filled = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if cell.strip()}
                rows.append(Row(line, filled, max(len(cells) - len(columns), 0)))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{path}, line {line}: {error}.") from error
    if not rows:
        raise InputError(f"{path} holds no row below its heading.")
    return rows


def _heading(cells: list[str], path: Path) -> list[str]:
    columns = [cell.strip() for cell in cells]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if "" in columns or twice:
        raise InputError(
            f"{path}, line 1: the heading has {'an empty name' if '' in columns else 'twice ' + twice[0]}."
        )
    return columns
