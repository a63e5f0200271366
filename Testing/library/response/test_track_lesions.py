"""Lesions followed over three and more dates: ids that stay, lesions lost and found, merging, splitting, transforms."""

from __future__ import annotations

import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.response import LesionTracks, track_lesions
from simulated_lesions import ball, simulate, union

HERE, THERE, FAR = (0.0, 0.0, 0.0), (60.0, 0.0, 0.0), (120.0, 0.0, 0.0)


def states(found: LesionTracks) -> dict[str, tuple[str, ...]]:
    return {track.tracking_id: track.states for track in found.tracks}


def test_states_over_four_dates() -> None:
    dates = [
        {"p": ball(HERE), "q": ball(THERE)},
        {"one": ball((3, 0, 0)), "two": ball(FAR)},
        {"m": ball((5, 0, 0)), "n": ball(FAR), "o": ball((62, 0, 0))},
        {"z": ball((5, 0, 0))},
    ]
    found = track_lesions(dates)
    assert states(found) == {
        "L01": ("baseline", "persistent", "persistent", "persistent"),
        "L02": ("baseline", "gone", "reappeared", "gone"),
        "L03": ("not yet", "new", "persistent", "gone"),
    }
    assert [track.names for track in found.tracks] == [
        ("p", "one", "m", "z"),
        ("q", None, "o", None),
        (None, "two", "n", None),
    ]
    assert found.tracking_id(2, "o") == "L02"
    with pytest.raises(InputError, match="no lesion 'q'"):
        found.tracking_id(2, "q")


def test_merging_and_splitting() -> None:
    small, large = ball((24, 0, 0), 8), ball(HERE, 12)
    both = union(ball((24, 0, 0), 11), ball(HERE, 13))
    dates = [{"a": large, "b": small}, {"ab": both}, {"a": large, "b": small}]
    found = track_lesions(dates)
    assert states(found) == {
        "L01": ("baseline", "persistent", "persistent"),
        "L02": ("baseline", "merged", "merged"),
        "L03": ("not yet", "not yet", "split"),
    }
    assert found.tracks[1].merged_into == "L01" and found.tracks[2].split_from == "L01"
    assert [match.links[0].kind for match in found.matches] == ["merged", "split"]


def test_a_further_date_changes_no_id() -> None:
    first, second = simulate(1, lesions=15), simulate(1, lesions=15)
    dates = [first.before, first.after, second.before, {}]
    for count in (2, 3):
        fewer, more = track_lesions(dates[:count]), track_lesions(dates[: count + 1])
        for old, new in zip(fewer.tracks, more.tracks, strict=False):
            assert (old.tracking_id, old.names, old.states) == (new.tracking_id, new.names[:count], new.states[:count])
    assert {state for track in more.tracks for state in track.states[-1:]} <= {"gone", "merged"}


def test_transforms_of_each_interval_are_chained_for_lost_lesions() -> None:
    step = sitk.TranslationTransform(3, (200.0, 0.0, 0.0))
    dates = [
        {"a": ball(HERE), "b": ball(THERE)},
        {"a": ball((200, 0, 0))},
        {"a": ball((400, 0, 0)), "b": ball((460, 0, 0))},
    ]
    found = track_lesions(dates, [step, step])
    assert states(found) == {
        "L01": ("baseline", "persistent", "persistent"),
        "L02": ("baseline", "gone", "reappeared"),
    }


def test_manual_links_by_interval() -> None:
    dates = [{"a": ball(HERE)}, {"a": ball(HERE)}, {"a": ball(HERE), "c": ball(FAR)}]
    found = track_lesions(dates, manual={1: [(["a"], ["c"]), ([], ["a"])]})
    assert [track.names for track in found.tracks] == [("a", "a", "c"), (None, None, "a")]
    assert found.tracks[1].states[-1] == "new"


def test_bad_input() -> None:
    one = {"a": ball(HERE)}
    with pytest.raises(InputError, match="1 given"):
        track_lesions([one])
    with pytest.raises(InputError, match="2 transforms"):
        track_lesions([one, one, one], [None])
    with pytest.raises(InputError, match="intervals 0 to 0"):
        track_lesions([one, one], manual={1: []})
    with pytest.raises(InputError, match="no such lesion"):
        track_lesions([one, one], manual={0: [(["b"], ["a"])]})
    assert [track.states for track in track_lesions([{}, one, {}]).tracks] == [("not yet", "new", "gone")]
