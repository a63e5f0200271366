"""PCWG3: flare window, 2+2, persistence, weeks, dates, states."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from bonequant.errors import InputError
from bonequant.response import BoneScan, Call, Pcwg3Settings, pcwg3

START = date(2024, 1, 1)


def at(week: float) -> date:
    return START + timedelta(days=round(7 * week))


def judge(*scans: tuple[float, str | None], settings: Pcwg3Settings | None = None) -> Call:
    """Scans as (week, letters of the lesions that baseline did not show)."""
    made = [BoneScan(at(week), None if new is None else frozenset(new)) for week, new in scans]
    return pcwg3(START, made, settings)


@pytest.mark.parametrize(
    ("scans", "category", "progression_week", "flags"),
    [
        # first scan within the flare window
        ([(8, "")], "Non-PD", None, ()),
        ([(8, "a")], "Non-PD", None, ()),
        ([(8, "ab")], "PDu", None, ("PDu", "flare")),  # no later scan: stays PDu
        ([(12, "ab")], "PDu", None, ("PDu", "flare")),  # week 12 is still within
        ([(8, "ab"), (14, "abcd")], "PD", 8, ()),  # two additional, dated at the first scan
        ([(8, "ab"), (14, "cd")], "PD", 8, ()),  # additional to the first scan; those need not persist
        ([(8, "ab"), (14, "abc")], "Non-PD", None, ("flare",)),  # one additional: flare
        ([(8, "ab"), (14, "ab")], "Non-PD", None, ("flare",)),
        ([(8, "ab"), (13.8, "abcd")], "PDu", None, ("PDu", "flare")),  # too early to confirm
        ([(8, "ab"), (13.8, "abcd"), (20, "abcd")], "PD", 8, ()),
        # flare makes the first scan the reference: lesions count from there
        ([(8, "ab"), (14, "abc"), (22, "abcd")], "PDu", None, ("PDu",)),  # c and d
        (
            [(8, "ab"), (14, "abc"), (22, "abcd"), (28, "abcd")],
            "PD",
            22,
            (),
        ),  # dated at the scan that first showed both
        ([(8, "ab"), (14, "abc"), (22, "abcd"), (28, "abc")], "Non-PD", None, ("flare",)),
        # after the window: counted from the first scan, confirmed by persistence
        ([(8, "a"), (20, "ab")], "Non-PD", None, ()),  # one new since the reference
        ([(8, "a"), (20, "abc")], "PDu", None, ("PDu",)),
        ([(8, "a"), (20, "abc"), (26, "abc")], "PD", 20, ()),
        ([(8, "a"), (20, "abc"), (26, "abcde")], "PD", 20, ()),
        ([(8, "a"), (20, "abc"), (25.8, "abc")], "PDu", None, ("PDu",)),  # too early
        ([(8, "a"), (20, "abc"), (26, "ab")], "Non-PD", None, ()),  # only one persists
        ([(8, ""), (20, "ab"), (26, "cd")], "PDu", None, ("PDu",)),  # a and b went, c and d are new
        ([(8, ""), (20, "a"), (28, "ab"), (34, "ab")], "PD", 28, ()),  # the second came later
        ([(8, ""), (20, "ab"), (26, "ab"), (40, "")], "PD", 20, ()),  # confirmed stays confirmed
        # a first scan after the window has only baseline before it: PCWG3 does not say
        ([(12.2, "ab")], "PDu", None, ("PDu", "gap")),
        ([(16, "ab"), (22, "ab")], "PD", 16, ("gap",)),
        ([(16, "a")], "Non-PD", None, ()),
        # scans that cannot be read
        ([(8, None)], "NE", None, ("NE",)),
        ([(8, "a"), (20, None)], "NE", None, ("NE",)),
        ([(8, ""), (20, "ab"), (26, None), (32, "ab")], "PD", 20, ()),
    ],
)
def test_states(scans, category, progression_week, flags) -> None:  # type: ignore[no-untyped-def]
    call = judge(*scans)
    assert call.category == category
    assert set(call.flags) == set(flags)
    expected = None if progression_week is None else at(progression_week)
    assert call.values["progression_date"] == expected


def test_windows_are_settings() -> None:
    assert judge((8, "ab"), (12, "abcd"), settings=Pcwg3Settings(confirm_weeks=4.0)).category == "PD"
    late = judge((16, "ab"), settings=Pcwg3Settings(flare_weeks=16.0))
    assert "flare" in late.flags
    assert judge((8, "abc"), settings=Pcwg3Settings(new_lesions=4)).category == "Non-PD"


def test_no_lesion_at_all_is_ned() -> None:
    call = pcwg3(START, [BoneScan(at(8), frozenset(), any_lesion=False)])
    assert (call.category, call.direction) == ("NED", "response")
    with pytest.raises(InputError, match="no lesion at all"):
        BoneScan(at(8), frozenset("a"), any_lesion=False)


def test_every_scan_says_how_it_was_judged() -> None:
    scans = judge((8, "ab"), (14, "abc"), (22, "abc")).values["scans"]
    assert list(scans) == [at(8), at(14), at(22)]
    assert "flare" in scans[at(8)] and "1 new since the reference" in scans[at(14)]


def test_bad_input() -> None:
    with pytest.raises(InputError, match="at least one"):
        pcwg3(START, [])
    with pytest.raises(InputError, match="older than the start"):
        judge((-1, ""))
    with pytest.raises(InputError, match="swap"):
        judge((20, ""), (8, ""))
    with pytest.raises(InputError, match="same scan"):
        judge((8, ""), (8, ""))


def test_names_of_lesions_are_a_set() -> None:
    with pytest.raises(InputError, match="one text"):
        BoneScan(date(2024, 3, 1), "rib")  # type: ignore[arg-type]


def test_a_scan_that_cannot_be_read_is_named() -> None:
    for scans in ([(8, None)], [(8, "a"), (20, None)], [(8, None), (20, "a")]):
        call = judge(*scans)
        assert call.warnings == tuple(
            f"The bone scan of {at(week)} cannot be read." for week, new in scans if new is None
        )
