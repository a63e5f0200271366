"""A CSV file that a user wrote: rows of text by column name, with line numbers (comma, semicolon or tab; UTF-8)."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path

from bonequant.errors import InputError
from bonequant.spreadsheet import without_apostrophe

_MOST_BYTES = 100_000_000  # a table of a million rows; a larger file is something else
_LONGEST_CELL = 1 << 20


@dataclass(frozen=True)
class CsvRow:
    """Cells that are filled, stripped of blanks; ``line`` is the one on which the row starts, ``where`` for messages.
    ``extra`` counts cells beyond the heading."""

    line: int
    cells: dict[str, str]
    where: str = ""
    extra: int = 0


@dataclass(frozen=True)
class CsvTable:
    """The columns of the heading in their order, and the rows below it that are not blank."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[CsvRow, ...]


def read_csv_table(path: str | os.PathLike[str], *, extra_cells: bool = False) -> CsvTable:
    """Read the file. The separator is the one that the heading has most of.

    Args:
        extra_cells: leave rows with more cells than columns to the caller (``CsvRow.extra``).

    Raises InputError naming file and line: unreadable, no CSV, a column twice or without a name, too many cells.
    """
    source = Path(path)
    text = _text_of(source)
    csv.field_size_limit(_LONGEST_CELL)
    heading = next((line for line in text.splitlines() if line.strip(" ,;\t")), "")
    delimiter = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: tuple[str, ...] = ()
    rows: list[CsvRow] = []
    line = 1
    try:
        for given in reader:
            cells = [without_apostrophe(cell.strip()) for cell in given]
            where = f"{source}, line {line}"
            if not any(cells):
                pass
            elif not columns:
                columns = _heading(cells, where)
            else:
                extra = max(len(cells) - len(columns), 0)
                if extra and not extra_cells:
                    raise InputError(f"{where}: {len(cells)} cells for {len(columns)} columns.")
                filled = {name: cell for name, cell in zip(columns, cells, strict=False) if cell}
                rows.append(CsvRow(line, filled, where, extra))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{source}, line {line}: {error}.") from error
    return CsvTable(source, columns, tuple(rows))


def _text_of(source: Path) -> str:
    try:
        if source.stat().st_size > _MOST_BYTES:
            raise InputError(f"{source} is larger than {_MOST_BYTES // 1_000_000} MB: that is no such table.")
        return source.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{source} does not exist.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{source} is not a readable CSV file in UTF-8: {error}.") from error


def _heading(cells: list[str], where: str) -> tuple[str, ...]:
    twice = sorted({name for name in cells if cells.count(name) > 1})
    if "" in cells or twice:
        raise InputError(f"{where}: the heading has {'an empty name' if '' in cells else f'{twice[0]} twice'}.")
    return tuple(cells)
