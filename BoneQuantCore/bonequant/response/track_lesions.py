"""Lesions followed over any number of dates under ids that never change.

Each date is matched with the one before (:mod:`bonequant.response.match_lesions`); what is new then is looked for among
the lesions that were lost earlier. Ids are given in order of appearance, so a further date changes none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.response.lesion_clouds import LesionCloud, clouds_of
from bonequant.response.match_lesions import (
    GONE,
    MERGED,
    NEW,
    PERSISTENT,
    SPLIT,
    LesionMatches,
    ManualLink,
    MatchSettings,
    match_clouds,
)

BASELINE, REAPPEARED, NOT_YET = "baseline", "reappeared", "not yet"


@dataclass(frozen=True)
class LesionTrack:
    """One lesion over all dates.

    Attributes:
        tracking_id: "L01", "L02", ... in order of appearance.
        names: its name at each date; None where it is not seen.
        states: at each date "baseline", "new", "persistent", "reappeared", "split" (first seen as a part of
            ``split_from``), "merged" (from the date on which it is part of ``merged_into``), "gone" or "not yet".
    """

    tracking_id: str
    names: tuple[str | None, ...]
    states: tuple[str, ...]
    split_from: str | None = None
    merged_into: str | None = None


@dataclass(frozen=True)
class LesionTracks:
    """``tracks`` in order of id; ``matches`` between each date and the next, by tracking id before and name after."""

    tracks: tuple[LesionTrack, ...]
    matches: tuple[LesionMatches, ...]

    def tracking_id(self, date: int, name: str) -> str:
        """The id of lesion ``name`` at the date of that index. Raises InputError where there is none."""
        for track in self.tracks:
            if track.names[date] == name:
                return track.tracking_id
        raise InputError(f"Date {date} has no lesion {name!r}.")


def track_lesions(
    dates: Sequence[Mapping[str, sitk.Image]],
    transforms: Sequence[sitk.Transform | None] | None = None,
    settings: MatchSettings | None = None,
    *,
    manual: Mapping[int, Sequence[ManualLink]] | None = None,
) -> LesionTracks:
    """Follow lesions over the dates, oldest first.

    Where lesions merge, the id of the one assigned to the union goes on; where one splits, its id goes on in the part
    assigned to it, and the other parts get ids of their own.

    Args:
        dates: masks by name at each date; a date may hold none.
        transforms: one for each interval, points of a date's space to points of the next date's space; None throughout
            where all dates share a space.
        manual: links set by the reader, by index of the interval (0: first to second date), as in ``match_lesions``.

    Raises:
        InputError: fewer than two dates, a wrong number of transforms, an empty mask, or an impossible manual link.
    """
    if len(dates) < 2:
        raise InputError(f"Lesions are followed over two dates or more; {len(dates)} given.")
    steps = list(transforms) if transforms is not None else [None] * (len(dates) - 1)
    if len(steps) != len(dates) - 1:
        raise InputError(f"{len(dates)} dates need {len(dates) - 1} transforms; {len(steps)} given.")
    manual = manual or {}
    if any(not 0 <= interval < len(steps) for interval in manual):
        raise InputError(f"Manual links are for intervals 0 to {len(steps) - 1}; {sorted(manual)} given.")
    ledger = _Ledger()
    for name, cloud in clouds_of(dates[0]).items():
        ledger.open(0, name, cloud, BASELINE)
    matches = []
    for interval, (masks, step) in enumerate(zip(dates[1:], steps, strict=True)):
        ledger.move(step)
        matches.append(_advance(ledger, interval, clouds_of(masks), settings, manual.get(interval, ())))
    return LesionTracks(tuple(entry.track(len(dates)) for entry in ledger.entries.values()), tuple(matches))


@dataclass
class _Entry:
    """A track while it is being followed; ``cloud`` is where it was last seen, in the space of the current date."""

    tracking_id: str
    cloud: LesionCloud
    seen: dict[int, tuple[str, str]] = field(default_factory=dict)  # date to name and state
    split_from: str | None = None
    merged_into: str | None = None

    def track(self, dates: int) -> LesionTrack:
        first = min(self.seen)
        unseen = MERGED if self.merged_into else GONE
        names = [self.seen[date][0] if date in self.seen else None for date in range(dates)]
        states = [
            self.seen[date][1] if date in self.seen else NOT_YET if date < first else GONE for date in range(dates)
        ]
        states = [unseen if date > max(self.seen) else state for date, state in enumerate(states)]
        return LesionTrack(self.tracking_id, tuple(names), tuple(states), self.split_from, self.merged_into)


class _Ledger:
    """All tracks so far, by id."""

    def __init__(self) -> None:
        self.entries: dict[str, _Entry] = {}

    def open(self, date: int, name: str, cloud: LesionCloud, state: str, split_from: str | None = None) -> None:
        tracking_id = f"L{len(self.entries) + 1:02d}"
        self.entries[tracking_id] = _Entry(tracking_id, cloud, {date: (name, state)}, split_from)

    def see(self, tracking_id: str, date: int, name: str, cloud: LesionCloud, state: str) -> None:
        entry = self.entries[tracking_id]
        entry.cloud = cloud
        entry.seen[date] = (name, state)

    def move(self, transform: sitk.Transform | None) -> None:
        for entry in self.entries.values():
            entry.cloud = entry.cloud.through(transform)

    def at(self, date: int) -> dict[str, LesionCloud]:
        """Where the lesions of a date are now, by id."""
        return {key: _named(entry.cloud, key) for key, entry in self.entries.items() if date in entry.seen}

    def lost(self, date: int) -> dict[str, LesionCloud]:
        """Where lesions were last seen that were not there on ``date`` and did not merge into others, by id."""
        return {
            key: _named(entry.cloud, key)
            for key, entry in self.entries.items()
            if date not in entry.seen and entry.merged_into is None
        }


def _advance(
    ledger: _Ledger,
    date: int,
    found: dict[str, LesionCloud],
    settings: MatchSettings | None,
    manual: Sequence[ManualLink],
) -> LesionMatches:
    """Match the lesions of ``date`` with those ``found`` on the next one, and write that down."""
    id_of = {entry.seen[date][0]: key for key, entry in ledger.entries.items() if date in entry.seen}
    unknown = [name for names, _ in manual for name in names if name not in id_of]
    if unknown:
        raise InputError(f"Manual links of interval {date} name {', '.join(map(repr, unknown))}; no such lesion then.")
    by_id = [(tuple(id_of[name] for name in names), tuple(after)) for names, after in manual]
    matches = match_clouds(ledger.at(date), found, settings, manual=by_id)
    lost = ledger.lost(date)
    for link in matches.links:
        if not link.before or not link.after:
            continue
        heir = link.before[0]
        ledger.see(heir, date + 1, link.after[0], found[link.after[0]], PERSISTENT)
        for other in link.before[1:]:
            ledger.entries[other].merged_into = heir
        for name in link.after[1:]:
            ledger.open(date + 1, name, found[name], SPLIT, split_from=heir)
    new = {link.after[0]: found[link.after[0]] for link in matches.links if link.kind == NEW and not link.manual}
    for link in match_clouds(lost, new, settings).of_kind(PERSISTENT):
        ledger.see(link.before[0], date + 1, link.after[0], new[link.after[0]], REAPPEARED)
    seen_now = {entry.seen[date + 1][0] for entry in ledger.entries.values() if date + 1 in entry.seen}
    for name, cloud in found.items():
        if name not in seen_now:
            ledger.open(date + 1, name, cloud, NEW)
    return matches


def _named(cloud: LesionCloud, name: str) -> LesionCloud:
    return LesionCloud(name, cloud.points, cloud.volume_ml)
