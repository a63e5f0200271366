"""What every statistic asks of its input: numbers that are there, of one length, and enough of them.

A missing value is an error that names the entries; nothing is dropped, so what is analysed is the caller's own choice.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bonequant.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Interval = tuple[float, float]

UNDEFINED: Interval = (float("nan"), float("nan"))
_SHOWN = 8


def numbers(values: npt.ArrayLike, name: str, minimum: int = 1, dimensions: int = 1) -> Floats:
    """Finite float64 values, ``dimensions``-D, at least ``minimum`` of them along the first axis.

    Raises InputError that names the entries that are missing or infinite.
    """
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers: {error}.") from error
    if found.ndim != dimensions:
        raise InputError(f"{name} must have {dimensions} dimension(s), not the shape {found.shape}.")
    if not np.isfinite(found).all():
        bad = [
            tuple(map(int, entry)) if dimensions > 1 else int(entry[0]) for entry in np.argwhere(~np.isfinite(found))
        ]
        raise InputError(
            f"{name} has {len(bad)} missing or infinite value(s), at {_some(bad)} (counted from 0). "
            "Leave those cases out of every list, or supply their values."
        )
    if len(found) < minimum:
        raise InputError(f"{name} has {len(found)} value(s); at least {minimum} are needed.")
    return found


def paired(first: npt.ArrayLike, second: npt.ArrayLike, minimum: int = 1) -> tuple[Floats, Floats]:
    """Two equally long lists of finite numbers, entry by entry of the same case."""
    left, right = numbers(first, "the first list", minimum), numbers(second, "the second list", minimum)
    if len(left) != len(right):
        raise InputError(f"Paired lists must be equally long, not {len(left)} and {len(right)} values.")
    return left, right


def binary(values: npt.ArrayLike, name: str = "the labels") -> Booleans:
    """True/False or 1/0 entries as booleans; anything else is an error, since which class is positive is not
    guessed.
    """
    found = np.asarray(values)
    if found.ndim != 1 or len(found) == 0:
        raise InputError(f"{name} must be a list of 0/1 or True/False, not of shape {found.shape}.")
    if found.dtype != np.bool_:
        bad = [index for index, value in enumerate(found.tolist()) if not _is_binary(value)]
        if bad:
            raise InputError(
                f"{name} must be 1/True (positive) or 0/False; entries {_some(bad)} (counted from 0) are not, "
                f"the first being {found[bad[0]]!r}."
            )
    return found.astype(np.bool_)


def both_classes(labels: Booleans, each: int = 1) -> None:
    """Raise InputError unless there are at least ``each`` positive and ``each`` negative cases."""
    positive = int(labels.sum())
    if min(positive, len(labels) - positive) < each:
        raise InputError(
            f"{positive} positive and {len(labels) - positive} negative case(s): at least {each} of each are needed."
        )


def scored(labels: npt.ArrayLike, scores: npt.ArrayLike, each: int = 1) -> tuple[Booleans, Floats]:
    """Labels with both classes present and one finite score for each."""
    truth, values = binary(labels), numbers(scores, "the scores")
    if len(truth) != len(values):
        raise InputError(f"{len(truth)} labels but {len(values)} scores: give one score for each label.")
    both_classes(truth, each)
    return truth, values


def probabilities(values: npt.ArrayLike, cases: int) -> Floats:
    """``cases`` finite numbers within 0..1."""
    found = numbers(values, "the probabilities")
    if len(found) != cases:
        raise InputError(f"{cases} labels but {len(found)} probabilities: give one for each label.")
    bad = np.flatnonzero((found < 0) | (found > 1)).tolist()
    if bad:
        raise InputError(f"Probabilities must lie within 0 to 1; entries {_some(bad)} (counted from 0) do not.")
    return found


def table(counts: npt.ArrayLike, square: bool = False) -> Integers:
    """A two-way table of counts, at least 2 x 2: whole numbers >= 0, not all of them 0."""
    found = numbers(counts, "the table", 2, dimensions=2)
    if found.shape[1] < 2 or (square and found.shape[0] != found.shape[1]):
        raise InputError(f"The table must be {'square' if square else '2 x 2 or larger'}, not {found.shape}.")
    if (found < 0).any() or (found != np.floor(found)).any() or found.sum() == 0:
        raise InputError("A table of counts holds whole numbers, none negative and not all zero.")
    return found.astype(np.int64)


def codes(groups: npt.ArrayLike | None, cases: int) -> Integers:
    """0..G-1 for each case's group in order of first appearance; without groups each case is its own."""
    if groups is None:
        return np.arange(cases)
    given = np.asarray(groups)
    if given.ndim != 1:
        raise InputError(f"The groups (patients) must be one name for each case, not an array of {given.shape}.")
    names: list[Any] = given.tolist()
    if len(names) != cases:
        raise InputError(f"{cases} cases but {len(names)} groups: name the group (patient) of each case.")
    missing = [index for index, name in enumerate(names) if name is None or name != name]
    if missing:
        raise InputError(f"The group (patient) of entries {_some(missing)} (counted from 0) is missing.")
    order: dict[Any, int] = {}
    return np.array([order.setdefault(name, len(order)) for name in names], dtype=np.int64)


def level(confidence: float) -> float:
    """``confidence`` as it is, if it lies strictly within 0 and 1."""
    if not 0 < confidence < 1:
        raise InputError(f"The confidence must lie between 0 and 1 (0.95 for 95 %), not {confidence}.")
    return confidence


def _is_binary(value: Any) -> bool:
    return isinstance(value, (bool, int, float)) and value in (0, 1)


def _some(entries: list[Any]) -> str:
    return ", ".join(map(str, entries[:_SHOWN])) + (", ..." if len(entries) > _SHOWN else "")
