"""Vertebrae are named only where sacrum, ribs or the user justify it."""

from __future__ import annotations

import pytest
from bonequant.errors import InputError
from bonequant.roi import name_levels


def test_sacrum_and_ribs_that_agree_name_all():
    naming = name_levels(8, on_sacrum=True, ribs=[2, 2, 2, 0, 0, 0, 0, 0])
    assert naming.names == ("T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
    assert naming.warnings == () and "agree" in naming.anchor


def test_six_lumbar_vertebrae_are_numbered_with_a_warning():
    naming = name_levels(9, on_sacrum=True, ribs=[2, 2, 2, 0, 0, 0, 0, 0, 0])
    assert naming.names[0] == "vertebra_1" and naming.names[-1] == "vertebra_9" and naming.anchor == ""
    assert "transitional" in naming.warnings[0]


@pytest.mark.parametrize(
    ("ribs", "why"),
    [
        ([2, 2, 2, 2], "no vertebra without ribs follows"),
        ([0, 2, 0, 0], "no pairs stand above it"),
        ([2, 2, 1, 0], "the last pair is the second, with one pair above"),
        ([], "nothing is seen"),
    ],
)
def test_ribs_that_prove_nothing_give_numbers(ribs, why):
    naming = name_levels(4, ribs=ribs)
    assert naming.names == ("vertebra_1", "vertebra_2", "vertebra_3", "vertebra_4"), why
    assert naming.warnings


def test_last_ribs_alone_name_and_say_so():
    naming = name_levels(5, ribs=[2, 2, 2, 0, 0])
    assert naming.names == ("T10", "T11", "T12", "L1", "L2")
    assert "ribs alone" in naming.warnings[0]


def test_a_given_level_overrules_everything():
    naming = name_levels(4, on_sacrum=True, ribs=[2, 2, 2, 0], given=(1, "L1"))
    assert naming.names == ("T12", "L1", "L2", "L3")


def test_an_impossible_level_is_refused():
    with pytest.raises(InputError, match="no vertebral level"):
        name_levels(4, given=(0, "L6"))
    with pytest.raises(InputError, match="L5 as number 1 of 4"):
        name_levels(4, given=(0, "L5"))
