"""Numbers against thresholds, and dates in order: what every criterion does.

Two numbers that differ by less than 1e-9 of the threshold are equal: 100 (0.6 - 1) / 1 is -40 whatever binary fractions
make of it. That is the arithmetic's own error, far below any measurement; nothing else is rounded.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from datetime import date

from bonequant.errors import InputError

ABOVE = (">", ">=")  # choices of an operator setting
BELOW = ("<", "<=")
_EQUAL = 1e-9
NAN = float("nan")


def number(value: float | None) -> float:
    """``value``, or NaN where there is none or it is not finite."""
    return float(value) if value is not None and math.isfinite(value) else NAN


def percent_change(before: float | None, after: float | None) -> float:
    """100 (after - before) / before; NaN where a value is missing or ``before`` is not above zero."""
    first, second = number(before), number(after)
    return 100.0 * (second - first) / first if first > 0 else NAN


def equals(value: float, limit: float) -> bool:
    """Is ``value`` the threshold, but for the error of binary fractions? False for NaN."""
    return abs(value - limit) <= _EQUAL * max(1.0, abs(limit))


def holds(value: float, operator: str, limit: float) -> bool:
    """``value operator limit`` for ">", ">=", "<" or "<="; False for NaN."""
    if equals(value, limit):
        return operator in (">=", "<=")
    return value > limit if operator in ABOVE else value < limit


def percent(value: float) -> str:
    """For rule texts: a signed percentage, to six digits."""
    return f"{value:+.6g} %"


def check_order(before: date | None, after: date | None, first: str = "before", second: str = "after") -> None:
    """Raise InputError where both dates are known and the second is not later than the first."""
    if before is None or after is None or before < after:
        return
    if before == after:
        raise InputError(f"The scans {first} and {second} are both of {before}: was the same scan given twice?")
    raise InputError(f"The scan {second} ({after}) is older than the scan {first} ({before}): swap them.")


def check_sequence(dates: Iterable[tuple[str, date | None]]) -> None:
    """As :func:`check_order` for (name, date) of any number of scans; those without a date are passed over."""
    known = [(name, day) for name, day in dates if day is not None]
    for (first, before), (second, after) in itertools.pairwise(known):
        check_order(before, after, first, second)


def not_below_zero(where: str, **values: float | None) -> None:
    """Raise InputError for a quantity below zero that cannot be."""
    for name, value in values.items():
        if number(value) < 0:
            raise InputError(f"{where}{name} is {value:g}, which cannot be below zero.")
