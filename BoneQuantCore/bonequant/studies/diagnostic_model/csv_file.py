"""A CSV file of lesions as rows of text with their line numbers: comma, semicolon or tab, in UTF-8."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

from bonequant.errors import InputError

_LONGEST_CELL = 1 << 20
_SHOWN = 60  # characters of the first line


@dataclass(frozen=True)
class CsvFile:
    """Columns, and the rows below them; ``lines`` are their numbers in the file."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    lines: tuple[int, ...]

    def where(self, row: int) -> str:
        """For messages: file and line of a row."""
        return f"{self.path}, line {self.lines[row]}"


def read_csv(path: Path) -> CsvFile:
    """Read the file.

    Raises InputError: unreadable, no column lesion_id, a column twice or without a name, a row longer or shorter than
    the heading, no row.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no table: it holds no text in UTF-8. Save it as CSV in UTF-8.") from error
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist.") from error
    except OSError as error:
        raise InputError(f"{path} is not a readable CSV file: {error}.") from error
    first = text.partition("\n")[0]
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    columns: list[str] = []
    rows, lines = [], []
    try:
        for cells in reader:
            cells = [_plain(cell) for cell in cells]
            if not columns:
                columns = cells
                if columns and "lesion_id" not in columns:
                    raise InputError(
                        f"{path} is no table of lesions: its first line, {_begin(first)}, has no column lesion_id."
                    )
            elif any(cells):
                if len(cells) != len(columns):
                    raise InputError(f"{path}, line {reader.line_num}: {len(cells)} cells, {len(columns)} columns.")
                rows.append(dict(zip(columns, cells, strict=True)))
                lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}.") from error
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice or not all(columns):
        raise InputError(f"{path} has " + (f"the column {twice[0]!r} twice." if twice else "a column without a name."))
    if not rows:
        raise InputError(f"{path} lists no lesion.")
    return CsvFile(path, tuple(columns), tuple(rows), tuple(lines))


def number(text: str) -> float:
    """The number in a cell; NaN where it holds none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _begin(line: str) -> str:
    line = line.strip()
    return repr(line if len(line) <= _SHOWN else line[:_SHOWN] + "...")


def _plain(cell: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from running a text as a formula."""
    cell = cell.strip()
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in "=+-@" else cell
