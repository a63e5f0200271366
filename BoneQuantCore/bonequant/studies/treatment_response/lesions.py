"""Lesions over the dates: who is who, and by which mask each is measured at each date.

Lesions drawn at two dates or more are matched (:mod:`bonequant.response.track_lesions`; the reader's links come first).
Where a lesion is not drawn, the mask of the nearest earlier date is carried, which the alignment does without changing
the mask. A mask drawn at the later date takes the place of the carried one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.response import track_lesions
from bonequant.response.match_lesions import MERGED
from bonequant.response.track_lesions import BASELINE
from bonequant.studies.treatment_response.alignment import Alignment
from bonequant.studies.treatment_response.inputs import DateInputs, ResponseInputs
from bonequant.studies.treatment_response.settings import ResponseSettings

DRAWN, CARRIED, PROPOSED, ABSENT = "drawn", "carried", "proposed", "absent"


@dataclass(frozen=True, eq=False)
class Outline:
    """The mask by which something is measured at a date.

    Attributes:
        origin: "drawn", "carried", "proposed" or "absent" (a lesion that was not there yet: mask None).
        mask: on the grid on which it was drawn.
        drawn_at: index of that date.
        transform: points of the mask to points of the date; None for the date's own.
    """

    origin: str
    mask: sitk.Image | None = None
    drawn_at: int = 0
    transform: sitk.Transform | None = None


@dataclass(frozen=True, eq=False)
class Lesion:
    """One lesion over all dates: ``names`` as drawn (None where it is not), ``states`` and ``outlines`` per date."""

    tracking_id: str
    names: tuple[str | None, ...]
    states: tuple[str, ...]
    outlines: tuple[Outline, ...]
    split_from: str | None = None
    merged_into: str | None = None

    @property
    def label(self) -> str:
        """Id, and the name under which it was first drawn."""
        name = next(name for name in self.names if name is not None)
        return name if name == self.tracking_id else f"{self.tracking_id} ({name.replace('_', ' ')})"

    @property
    def first_name(self) -> str:
        return next(name for name in self.names if name is not None)


def follow(inputs: ResponseInputs, alignment: Alignment, settings: ResponseSettings) -> tuple[Lesion, ...]:
    """Lesions in order of appearance.

    Raises InputError for a link of the reader's that names what is not there.
    """
    dates = inputs.dates
    drawn = [k for k, one in enumerate(dates) if one.lesions]
    if len(drawn) < 2:
        if inputs.links:
            raise InputError("Links between lesions need lesions drawn at two dates; they are drawn at one.")
        only = drawn[0]
        return tuple(
            _lesion(f"L{n:02d}", {only: name}, {}, dates, alignment) for n, name in enumerate(dates[only].lesions, 1)
        )
    steps = [alignment.between(a, b) for a, b in itertools.pairwise(drawn)]
    found = track_lesions([dates[k].lesions for k in drawn], steps, settings.matching, manual=inputs.links)
    lesions = []
    for track in found.tracks:
        names = {k: name for k, name in zip(drawn, track.names, strict=True) if name is not None}
        states = dict(zip(drawn, track.states, strict=True))
        one = _lesion(track.tracking_id, names, states, dates, alignment, track.split_from, track.merged_into)
        lesions.append(one)
    return tuple(lesions)


def names_that_do_not_match(lesions: Sequence[Lesion], dates: Sequence[DateInputs]) -> tuple[str, ...]:
    """Warnings about one name given at two dates to what lies at different places."""
    where: dict[str, set[str]] = {}
    for lesion in lesions:
        for name in lesion.names:
            if name is not None:
                where.setdefault(name, set()).add(lesion.tracking_id)
    return tuple(
        f"The name {name} is given to lesions at different places ({', '.join(sorted(ids))}): they are followed by "
        "their place. Link them by hand if they are one."
        for name, ids in where.items()
        if len(ids) > 1
    )


def family_at(lesion: Lesion, lesions: Sequence[Lesion], k: int) -> list[Lesion]:
    """``lesion`` and all that had split from it or merged with it, at any remove, by date ``k``."""
    links: list[tuple[str, str]] = []
    for one in lesions:
        if one.split_from is not None and any(name is not None for name in one.names[: k + 1]):
            links.append((one.tracking_id, one.split_from))
        if one.merged_into is not None and MERGED in one.states[: k + 1]:
            links.append((one.tracking_id, one.merged_into))
    found, before = {lesion.tracking_id}, 0
    while len(found) > before:
        before = len(found)
        found.update(name for link in links if found & set(link) for name in link)
    return [one for one in lesions if one.tracking_id in found]


def seen_in(lesion: Lesion, lesions: Sequence[Lesion], k: int) -> Lesion:
    """The lesion that ``lesion`` was a part of at date ``k``, before it split off; itself where it was there."""
    by_id = {one.tracking_id: one for one in lesions}
    while lesion.outlines[k].origin == ABSENT and lesion.split_from is not None:
        lesion = by_id[lesion.split_from]
    return lesion


def said_of_families(lesions: Sequence[Lesion], dates: Sequence[DateInputs]) -> tuple[str, ...]:
    """Warnings about lesions that merged or split: sizes of one id are then those of more or of less."""
    labels = {one.tracking_id: one.label for one in lesions}
    found = []
    for one in lesions:
        if one.merged_into is not None:
            when = dates[one.states.index(MERGED)].name
            found.append(
                f"{one.label} has merged into {labels[one.merged_into]} at {when}: sizes of "
                f"{labels[one.merged_into]} hold both from then on, and {one.label} keeps its former outline."
            )
        if one.split_from is not None:
            when = dates[next(k for k, name in enumerate(one.names) if name is not None)].name
            found.append(
                f"{one.label} has split from {labels[one.split_from]} at {when}: sizes of {labels[one.split_from]} are "
                f"those of the part that keeps its id; before, {one.label} has the Vp of the whole and no size."
            )
    return tuple(found)


def _lesion(
    tracking_id: str,
    names: dict[int, str],
    states: dict[int, str],
    dates: Sequence[DateInputs],
    alignment: Alignment,
    split_from: str | None = None,
    merged_into: str | None = None,
) -> Lesion:
    first = min(names)
    outlines, said = [], []
    for k in range(len(dates)):
        state = states.get(k, BASELINE if k == first else "not drawn")
        if k in names:
            outline = Outline(DRAWN, dates[k].lesions[names[k]], k)
        elif k < first and states and min(states) < first:  # others were drawn before, this one was not there yet
            outline = Outline(ABSENT)
        else:
            source = max((j for j in names if j < k), default=first)
            outline = _carried(names, dates, source, k, alignment)
        outlines.append(outline)
        said.append(state)
    return Lesion(
        tracking_id,
        tuple(names.get(k) for k in range(len(dates))),
        tuple(said),
        tuple(outlines),
        split_from,
        merged_into,
    )


def _carried(
    names: dict[int, str], dates: Sequence[DateInputs], source: int, target: int, alignment: Alignment
) -> Outline:
    return Outline(CARRIED, dates[source].lesions[names[source]], source, alignment.between(source, target))
