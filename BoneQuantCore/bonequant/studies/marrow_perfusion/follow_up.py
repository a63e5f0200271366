"""Two or more dates side by side.

Anatomical regions are found at each date from that date's own CT. Drawn regions and lesions are those of the first
date, carried by registering its CT to the later CT, so that the same piece of tissue is measured; candidates that a
later date shows by itself stand under names of their own ("lesion_1_follow_up_1").
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bonequant.errors import InputError
from bonequant.studies.marrow_perfusion.result import MarrowResult

QUANTITIES = ("volume_ml", "mean", "max", "peak", "total", "hu_mean")


@dataclass(frozen=True)
class FollowUp:
    """``rows``: per region and quantity, the values at each date and the change in percent from the first.

    ``once``: regions that were measured at one date only and therefore have no row.
    """

    dates: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...] = ()
    once: tuple[str, ...] = ()


def compare(results: Sequence[MarrowResult]) -> FollowUp:
    """Put two or more dates side by side, the first being the baseline.

    Raises InputError for fewer than two dates, one scan given twice, dates out of order or different quantities.
    """
    if len(results) < 2:
        raise InputError("A follow-up needs two dates or more.")
    first = results[0]
    warnings: list[str] = []
    for before, later in itertools.pairwise(results):
        if before.provenance.inputs["functional"] == later.provenance.inputs["functional"]:
            raise InputError(f"{before.name} and {later.name} are the same scan; give one scan per date.")
        start, end = before.functional.acquisition.acquisition_start, later.functional.acquisition.acquisition_start
        if start is None or end is None:
            warnings.append(f"The date of {before.name} or {later.name} is unknown: their order was taken as given.")
        elif end <= start:
            raise InputError(f"{later.name} ({end}) is not later than {before.name} ({start}); give dates in order.")
    for later in results[1:]:
        if later.functional.unit != first.functional.unit:
            raise InputError(
                f"{first.name} is in {first.functional.unit}, {later.name} in {later.functional.unit}: "
                "these do not compare. Give the facts that bring both to one quantity."
            )
        warnings += _differences(first, later)
    rows = _rows(results)
    shown = {row["region"] for row in rows}
    once = dict.fromkeys(row["region"] for result in results for row in result.rows if row["region"] not in shown)
    return FollowUp(tuple(result.name for result in results), tuple(rows), tuple(warnings), tuple(once))


def _differences(first: MarrowResult, later: MarrowResult) -> list[str]:
    """Facts whose difference changes uptake without any change in the patient."""
    found = []
    a, b = first.functional.acquisition, later.functional.acquisition
    for what in ("radiopharmaceutical", "scanner", "corrections"):
        before, after = getattr(a, what), getattr(b, what)
        if before and after and before != after:
            found.append(f"{what.capitalize()} changed from {before} to {after} at {later.name}.")
    if None not in (a.injection_time, a.acquisition_start, b.injection_time, b.acquisition_start):
        minutes = [(x.acquisition_start - x.injection_time).total_seconds() / 60 for x in (a, b)]  # type: ignore[operator]
        if abs(minutes[1] - minutes[0]) > 15:
            found.append(
                f"Time from injection to scan changed from {minutes[0]:.0f} to {minutes[1]:.0f} min at {later.name}."
            )
    return found


def _rows(results: Sequence[MarrowResult]) -> list[dict[str, Any]]:
    tables = [{row["region"]: row for row in result.rows} for result in results]
    unit = results[0].functional.unit
    units = {"volume_ml": "mL", "hu_mean": "HU", "total": f"{unit} mL"}
    rows = []
    for region in dict.fromkeys(name for table in tables for name in table):
        for quantity in QUANTITIES:
            values = [table.get(region, {}).get(quantity) for table in tables]
            if sum(value is not None for value in values) < 2 and not region.startswith("lesion"):
                continue  # what one date alone shows is no follow-up, unless it is a lesion that came
            row: dict[str, Any] = {"region": region, "quantity": quantity, "unit": units.get(quantity, unit)}
            for i, value in enumerate(values):
                row[f"value_{i}"] = value
                if i:
                    row[f"change_percent_{i}"] = _change_percent(values[0], value, quantity)
            rows.append(row)
    return rows


def _change_percent(before: float | None, after: float | None, quantity: str) -> float | None:
    """100 (after - before) / before; None where that has no meaning (CT numbers, a baseline that is not positive)."""
    if before is None or after is None or before <= 0 or quantity == "hu_mean":
        return None
    return 100.0 * (after - before) / before
