"""The protocol record: what was done against a standard protocol, item by item: met, not met or unknown.

A standard is a readable JSON file (``protocols/*.json``; Docs/protocols explains its form). Each item says where its
limits come from: a guideline, or a default of this project.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bonequant.errors import InputError
from bonequant.spect.protocol_facts import find_fact
from bonequant.spreadsheet import not_a_formula
from bonequant.volume import Acquisition

STANDARDS = Path(__file__).with_name("protocols")
MET, NOT_MET, UNKNOWN = "met", "not met", "unknown"
_TOLERANCE = 1e-6  # relative; a limit is met at the limit, rounding of binary numbers aside


@dataclass(frozen=True)
class ProtocolItem:
    """One line of a standard. Exactly one of ``range``, ``one_of`` and ``required`` holds.

    Attributes:
        key: fact, see :mod:`bonequant.spect.protocol_facts`.
        series: role of the acquisition it is about: "spect", "ct" ...
        range: (low, high), inclusive; None is open. Every number of a tuple (a matrix) must lie inside.
        one_of: accepted words; a text that contains one of them, whatever the case, meets the item.
        required: True or False for a fact that is yes or no.
        basis: where the limits come from.
    """

    key: str
    label: str
    series: str
    basis: str
    unit: str = ""
    range: tuple[float | None, float | None] | None = None
    one_of: tuple[str, ...] | None = None
    required: bool | None = None

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.range, self.one_of, self.required)) != 1:
            raise InputError(f"Protocol item {self.key!r} needs exactly one of range, one_of and required.")

    @property
    def expected(self) -> str:
        """The limits in words."""
        if self.required is not None:
            return "yes" if self.required else "no"
        if self.one_of is not None:
            return " or ".join(self.one_of)
        low, high = self.range or (None, None)
        if low is None or high is None:
            text = f"at most {high:g}" if low is None else f"at least {low:g}"
        else:
            text = f"{low:g} to {high:g}" if low != high else f"{low:g}"
        return f"{text} {self.unit}".strip()

    def judge(self, found: Any) -> str:
        """ "met", "not met" or "unknown" for a value, None being unknown."""
        if found is None:
            return UNKNOWN
        if self.required is not None:
            return (MET if found == self.required else NOT_MET) if isinstance(found, bool) else UNKNOWN
        if self.one_of is not None:
            text = str(found).casefold()
            return MET if any(word.casefold() in text for word in self.one_of) else NOT_MET
        numbers = found if isinstance(found, (tuple, list)) else (found,)
        if not numbers or not all(isinstance(one, (int, float)) and math.isfinite(one) for one in numbers):
            return UNKNOWN
        low, high = self.range or (None, None)
        above = low is None or min(numbers) >= low - _TOLERANCE * abs(low)
        below = high is None or max(numbers) <= high + _TOLERANCE * abs(high)
        return MET if above and below else NOT_MET


@dataclass(frozen=True)
class ProtocolStandard:
    """A standard protocol: what it is for and its items."""

    name: str
    title: str
    version: str
    purpose: str
    items: tuple[ProtocolItem, ...]


@dataclass(frozen=True)
class ProtocolRow:
    """One item as found. ``source``: "file", "typed", "derived" or "" where unknown."""

    key: str
    label: str
    series: str
    unit: str
    expected: str
    found: Any
    status: str
    source: str
    basis: str


@dataclass(frozen=True)
class ProtocolRecord:
    """A standard applied to one study. Holds no patient identifier; ``centre`` is a label that the user gives."""

    standard: str
    version: str
    centre: str
    equipment: str
    rows: tuple[ProtocolRow, ...]

    def count(self, status: str) -> int:
        """How many items are "met", "not met" or "unknown"."""
        return sum(row.status == status for row in self.rows)

    def to_rows(self) -> list[dict[str, Any]]:
        """One flat dictionary per item, for a table or CSV."""
        head = {"standard": self.standard, "version": self.version, "centre": self.centre}
        return [{**head, **dataclasses.asdict(row), "found": as_text(row.found)} for row in self.rows]

    def to_csv(self) -> str:
        """The rows as CSV; a text that a spreadsheet would run as a formula gets an apostrophe in front."""
        rows = self.to_rows()
        stream = io.StringIO()
        writer = csv.DictWriter(stream, list(rows[0]) if rows else ["standard"], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            cells = {name: not_a_formula(value) if isinstance(value, str) else value for name, value in row.items()}
            writer.writerow(cells)
        return stream.getvalue()

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> ProtocolRecord:
        """Read a record back. Raises InputError for a text that is none."""
        try:
            values = json.loads(text)
            rows = tuple(ProtocolRow(**{**row, "found": _tupled(row["found"])}) for row in values.pop("rows"))
            return cls(rows=rows, **values)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"This is no protocol record: {error}.") from error


def load_standard(name_or_path: str | Path = "marrow_spect_ct") -> ProtocolStandard:
    """A standard that comes with the library, by name, or any JSON file of the same form.

    Raises InputError for an unknown name (listing the known ones) or a file that is no standard.
    """
    path = Path(name_or_path)
    if path.suffix != ".json":
        path = STANDARDS / f"{name_or_path}.json"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in STANDARDS.glob("*.json")))
        raise InputError(f"No standard protocol {str(name_or_path)!r}. Known: {known}; or give a .json file.")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        entries: list[dict[str, Any]] = values.pop("items")
        items = tuple(ProtocolItem(**{name: _tupled(value) for name, value in entry.items()}) for entry in entries)
        return ProtocolStandard(items=items, **values)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path.name} is no standard protocol: {error}.") from error


def check_protocol(
    acquisitions: Mapping[str, Acquisition],
    standard: ProtocolStandard | None = None,
    *,
    typed: Mapping[str, Mapping[str, Any]] | None = None,
    centre: str = "",
) -> ProtocolRecord:
    """Compare acquisitions by role, ``{"spect": ..., "ct": ...}``, with a standard (default: marrow SPECT/CT).

    ``typed`` gives items by hand, ``{"spect": {"collimator": "LEHR"}}``; they go before what the file says. An item
    about a role that is absent, or about a fact that nobody wrote down, is "unknown". Raises InputError for a typed
    item that the standard does not have.
    """
    standard = standard or load_standard()
    by_hand = {(series, key): value for series, facts in (typed or {}).items() for key, value in facts.items()}
    unknown = set(by_hand) - {(item.series, item.key) for item in standard.items}
    if unknown:
        names = ", ".join(f"{series} {key}" for series, key in sorted(unknown))
        raise InputError(f"The standard {standard.name} has no item {names}.")
    rows = []
    for item in standard.items:
        acquisition = acquisitions.get(item.series)
        if (item.series, item.key) in by_hand:
            found, source = by_hand[item.series, item.key], "typed"
        else:
            found, source = (None, "") if acquisition is None else find_fact(acquisition, item.key)
        status = item.judge(found)
        rows.append(
            ProtocolRow(item.key, item.label, item.series, item.unit, item.expected, found, status, source, item.basis)
        )
    devices = (
        " ".join(part for part in (one.manufacturer, one.scanner, one.software) if part)
        for one in acquisitions.values()
    )
    equipment = "; ".join(dict.fromkeys(device for device in devices if device))
    return ProtocolRecord(standard.name, standard.version, centre, equipment, tuple(rows))


def as_text(found: Any) -> str:
    """A found value as a reader wants it: yes/no, 128 x 128, full precision otherwise, empty where unknown."""
    if found is None:
        return ""
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, (tuple, list)):
        return " x ".join(as_text(one) for one in found)
    return repr(found) if isinstance(found, float) else str(found)


def _tupled(value: Any) -> Any:
    return tuple(_tupled(one) for one in value) if isinstance(value, list) else value
