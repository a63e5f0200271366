"""Protocol records of several centres or dates side by side: what differs, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bonequant.errors import InputError
from bonequant.spect.protocol import NOT_MET, UNKNOWN, ProtocolRecord


@dataclass(frozen=True)
class ProtocolDifference:
    """One item over all records, in their order.

    Attributes:
        same: True or False where every record knows the value; None where one of them does not.
        spread_percent: (highest - lowest) / mean of the known numbers; None without two of them.
    """

    key: str
    label: str
    series: str
    unit: str
    expected: str
    found: tuple[Any, ...]
    statuses: tuple[str, ...]
    same: bool | None
    spread_percent: float | None

    @property
    def comparable(self) -> bool:
        """No record misses the item, and none leaves it unknown."""
        return NOT_MET not in self.statuses and UNKNOWN not in self.statuses


def compare_protocols(records: Sequence[ProtocolRecord]) -> list[ProtocolDifference]:
    """Records of one standard, item by item, in the standard's order.

    Raises InputError for fewer than two records and for records of different standards or versions.
    """
    if len(records) < 2:
        raise InputError("Two protocol records or more are needed to compare them.")
    standards = sorted({f"{record.standard} {record.version}" for record in records})
    if len(standards) > 1:
        raise InputError(f"The records are of different standards ({', '.join(standards)}); check them against one.")
    keys = [[(row.series, row.key) for row in record.rows] for record in records]
    if any(one != keys[0] for one in keys[1:]):
        raise InputError("The records of this standard have different items; write them anew with one version.")
    differences = []
    for rows in zip(*(record.rows for record in records), strict=True):
        found = tuple(row.found for row in rows)
        known = [value for value in found if value is not None]
        numbers = [float(value) for value in known if isinstance(value, (int, float)) and not isinstance(value, bool)]
        mean = sum(numbers) / len(numbers) if numbers else 0.0
        first = rows[0]
        differences.append(
            ProtocolDifference(
                key=first.key,
                label=first.label,
                series=first.series,
                unit=first.unit,
                expected=first.expected,
                found=found,
                statuses=tuple(row.status for row in rows),
                same=all(value == known[0] for value in known) if len(known) == len(found) else None,
                spread_percent=100 * (max(numbers) - min(numbers)) / mean if len(numbers) > 1 and mean else None,
            )
        )
    return differences
