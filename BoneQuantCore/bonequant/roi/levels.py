"""Names of vertebrae, given only where something in the image justifies them.

L5 stands on the sacrum; T12 bears the last ribs; a level named by the user names all. Where sacrum and ribs
disagree (four or six lumbar vertebrae, in about one patient in ten) or neither is seen, the vertebrae are numbered
from the top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bonequant.errors import InputError

LEVELS = (
    *(f"C{i}" for i in range(1, 8)),
    *(f"T{i}" for i in range(1, 13)),
    *(f"L{i}" for i in range(1, 6)),
)


def is_level(region: str) -> bool:
    """Is this the name of a vertebra: "T12", "L1", or "vertebra_3" where the level is not known?"""
    return region in LEVELS or region.startswith("vertebra_")


@dataclass(frozen=True)
class Naming:
    """``names`` from the top; ``anchor`` says in words what they rest on ("" where they are mere numbers)."""

    names: tuple[str, ...]
    anchor: str
    warnings: tuple[str, ...] = ()


def name_levels(
    count: int, *, on_sacrum: bool = False, ribs: Sequence[int] = (), given: tuple[int, str] | None = None
) -> Naming:
    """Names of ``count`` vertebrae from the top.

    ``on_sacrum``: the lowest one stands on the sacrum. ``ribs``: number of ribs (0-2) each one bears, from the top.
    ``given``: index from the top and the level that the user named. Raises InputError for a level that cannot be.
    """
    if given is not None:
        index, level = given
        if level not in LEVELS:
            raise InputError(f"{level!r} is no vertebral level; give one of {LEVELS[0]} to {LEVELS[-1]}.")
        names = _counted(count, index, level)
        if names is None:
            raise InputError(
                f"With {level} as number {index + 1} of {count} vertebrae the spine would run past C1 or L5."
            )
        return Naming(names, f"{level} was given")
    by_sacrum = _counted(count, count - 1, "L5") if on_sacrum else None
    last = last_rib(ribs)
    by_ribs = None if last is None else _counted(count, last, "T12")
    if by_sacrum and last is not None:
        if by_sacrum == by_ribs:
            return Naming(by_sacrum, "sacrum and last ribs agree")
        warning = (
            f"Counted from the sacrum the last ribs would be those of {by_sacrum[last]}: a transitional vertebra or an "
            "uncertain region. The vertebrae are numbered; name one level to name them all."
        )
        return Naming(_numbers(count), "", (warning,))
    if by_sacrum:
        return Naming(
            by_sacrum, "L5 on the sacrum", ("Levels are counted from the sacrum alone; no ribs confirm them.",)
        )
    if by_ribs:
        return Naming(by_ribs, "T12 bears the last ribs", ("Levels are counted from the last ribs alone.",))
    return Naming(_numbers(count), "", ("Neither sacrum nor last ribs are seen: vertebrae are numbered from the top.",))


def _counted(count: int, index: int, level: str) -> tuple[str, ...] | None:
    first = LEVELS.index(level) - index
    return LEVELS[first : first + count] if first >= 0 and first + count <= len(LEVELS) else None


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(f"vertebra_{i}" for i in range(1, count + 1))


def last_rib(ribs: Sequence[int]) -> int | None:
    """Index of the last vertebra with a pair of ribs, if one without follows and two with pairs stand above it."""
    pairs = [i for i, number in enumerate(ribs) if number == 2]
    if not pairs or pairs[-1] + 1 >= len(ribs) or pairs[-1] < 2:
        return None
    last = pairs[-1]
    return last if min(ribs[last - 2 : last]) == 2 else None
