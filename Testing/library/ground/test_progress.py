"""Progress callbacks: parts of a whole, never beyond their range."""

from __future__ import annotations

from bonequant.progress import no_progress, part_of


def test_a_part_maps_into_its_range():
    seen = []
    part = part_of(lambda fraction, message: seen.append((fraction, message)), 0.2, 0.6)
    for fraction in (0.0, 0.5, 1.0, 1.7, -1.0):
        part(fraction, "working")
    assert [round(fraction, 12) for fraction, _ in seen] == [0.2, 0.4, 0.6, 0.6, 0.2]
    assert {message for _, message in seen} == {"working"}


def test_parts_nest():
    seen = []
    part_of(part_of(lambda fraction, message: seen.append(fraction), 0.5, 1.0), 0.0, 0.5)(1.0, "")
    assert seen == [0.75]


def test_nobody_listens():
    assert part_of(None, 0, 1) is no_progress
