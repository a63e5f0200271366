"""A report as data: a page of sections of blocks, rendered to one self-contained HTML file.

Every text is escaped by the template engine, whatever file it came from; pictures are embedded; nothing is fetched
from a network. Values are rounded for the eye only: the CSV and JSON files beside the page hold them in full.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from typing import Any, Literal

import bonequant

Level = Literal["ok", "note", "warning", "error"]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    kind: str = field(default="text", init=False)


@dataclass(frozen=True)
class Notice:
    """A coloured line that must not be overlooked."""

    level: Level
    text: str
    kind: str = field(default="notice", init=False)


@dataclass(frozen=True)
class Facts:
    """Names and values in two columns; a value may be any plain object."""

    values: Mapping[str, Any]
    kind: str = field(default="facts", init=False)


@dataclass(frozen=True)
class Table:
    """Rows of the same columns.

    ``columns`` maps the key of a row to its heading; ``flags`` may mark a row (by index) with a level.
    """

    columns: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]
    caption: str = ""
    flags: Mapping[int, Level] = field(default_factory=dict)
    kind: str = field(default="table", init=False)

    @cached_property
    def numeric(self) -> set[str]:
        """Keys of the columns that hold numbers: these are aligned to the right."""
        return {
            key
            for key in self.columns
            if any(_is_number(row.get(key)) for row in self.rows)
            and all(row.get(key) is None or _is_number(row.get(key)) for row in self.rows)
        }


@dataclass(frozen=True)
class Picture:
    """A PNG, embedded."""

    png: bytes
    caption: str
    wide: bool = True
    kind: str = field(default="picture", init=False)

    @property
    def data_uri(self) -> str:
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")


Block = Text | Notice | Facts | Table | Picture


@dataclass(frozen=True)
class Section:
    """A headed part of a page. ``folded`` ones open on a click."""

    title: str
    blocks: Sequence[Block]
    folded: bool = False


@dataclass(frozen=True)
class Page:
    """A whole report. ``headline`` is a row of the few numbers that matter: (label, value, unit)."""

    title: str
    subtitle: str
    sections: Sequence[Section]
    headline: Sequence[tuple[str, Any, str]] = ()
    notices: Sequence[Notice] = ()


def render(page: Page) -> str:
    """The page as one HTML document."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["shown"] = shown
    source = resources.files("bonequant.report").joinpath("page.html").read_text(encoding="utf-8")
    return environment.from_string(source).render(
        page=page, disclaimer=bonequant.RESEARCH_USE_ONLY, version=bonequant.__version__
    )


def shown(value: Any) -> str:
    """A value for the eye: four significant digits, a dash for what is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _four_digits(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(item) for item in value) if value else "–"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {shown(item)}" for key, item in value.items()) if value else "–"
    return str(value)


def _four_digits(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = 3 - math.floor(math.log10(abs(value)))
    if -3 <= digits <= 7:
        return f"{value:,.{max(digits, 0)}f}".replace(",", " ")
    return f"{value:.3e}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
