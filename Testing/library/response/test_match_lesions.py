"""Lesions of two dates matched: simulated follow-ups with known truth, each kind, manual links, bad input."""

from __future__ import annotations

from collections import Counter

import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.response import MatchSettings, match_lesions
from simulated_lesions import ball, f1, simulate, union


@pytest.mark.parametrize("seed", [3, 11, 17])
def test_simulated_follow_ups(seed: int) -> None:
    """30 lesions, 20 % gone, 20 % new, two merges, two splits, 15 mm of smooth deformation: pairs with F1 >= .90."""
    truth = simulate(seed)
    found = match_lesions(truth.before, truth.after)
    assert f1(found.pairs, truth.pairs) >= 0.90
    kinds = {frozenset((*link.before, *link.after)): link.kind for link in found.links}
    right = Counter(kind for names, kind in truth.kinds.items() if kinds.get(frozenset(names)) == kind)
    of_all = Counter(truth.kinds.values())
    assert (of_all["gone"], of_all["new"], of_all["merged"], of_all["split"]) == (6, 6, 2, 2)
    assert sum(right.values()) >= 0.85 * len(truth.kinds)
    assert min(right["merged"], right["split"]) >= 1
    named = [name for link in found.links for name in (*link.before, *link.after)]
    assert sorted(named) == sorted([*truth.before, *truth.after])  # every lesion once


def test_without_deformation_every_link_is_right() -> None:
    truth = simulate(5, largest_mm=1e-6)
    assert match_lesions(truth.before, truth.after).pairs == truth.pairs


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": ball((0, 0, 0))}, {"x": ball((5, 0, 0))}, [("persistent", ("a",), ("x",))]),
        ({"a": ball((0, 0, 0))}, {}, [("gone", ("a",), ())]),
        ({}, {"x": ball((0, 0, 0))}, [("new", (), ("x",))]),
        # outlines 31 - 16 = 15 mm apart are within reach, 33 - 16 = 17 mm are not
        ({"a": ball((0, 0, 0))}, {"x": ball((30, 0, 0))}, [("persistent", ("a",), ("x",))]),
        ({"a": ball((0, 0, 0))}, {"x": ball((36, 0, 0))}, [("gone", ("a",), ()), ("new", (), ("x",))]),
        (
            {"a": ball((0, 0, 0), 10), "b": ball((24, 0, 0), 8)},
            {"x": union(ball((0, 0, 0), 13), ball((24, 0, 0), 12))},
            [("merged", ("a", "b"), ("x",))],
        ),
        (
            {"a": union(ball((0, 0, 0), 10), ball((14, 0, 0), 10))},
            {"x": ball((-2, 0, 0), 7), "y": ball((18, 0, 0), 6)},
            [("split", ("a",), ("x", "y"))],
        ),
    ],
)
def test_each_kind(before, after, expected) -> None:  # type: ignore[no-untyped-def]
    found = match_lesions(before, after)
    assert [(link.kind, link.before, link.after) for link in found.links] == expected


def test_neighbours_are_not_swapped() -> None:
    """A row of lesions 20 mm apart displaced by 9 mm: 9 mm from its own place, 11 mm from its neighbour's."""
    before = {f"b{i}": ball((20.0 * i, 0, 0), 5) for i in range(6)}
    after = {f"a{i}": ball((20.0 * i + 9.0, 0, 0), 5) for i in range(6)}
    assert match_lesions(before, after).pairs == frozenset((f"b{i}", f"a{i}") for i in range(6))


def test_the_transform_takes_points_before_to_points_after() -> None:
    before = {"a": ball((0, 0, 0)), "b": ball((60, 0, 0))}
    after = {"x": ball((100, 50, 0)), "y": ball((160, 50, 0))}
    there = sitk.TranslationTransform(3, (100.0, 50.0, 0.0))
    found = match_lesions(before, after, there)
    assert found.pairs == {("a", "x"), ("b", "y")}
    assert all(link.distance_mm < 0.5 and link.overlap > 0.99 for link in found.links)
    assert match_lesions(before, after).pairs == frozenset()
    bent = sitk.DisplacementFieldTransform(
        sitk.TransformToDisplacementField(there, sitk.sitkVectorFloat64, [40, 20, 20], [-60, -60, -60], [6.0] * 3)
    )
    assert match_lesions(before, after, bent).pairs == found.pairs


def test_volumes_are_those_of_the_masks() -> None:
    before, after = ball((0, 0, 0), 10), ball((0, 0, 0), 5)
    (link,) = match_lesions({"a": before}, {"x": after}).links
    for volume, mask in ((link.volume_before_ml, before), (link.volume_after_ml, after)):
        assert volume == pytest.approx(sitk.GetArrayViewFromImage(mask).sum() * 0.008)


def test_manual_links_override() -> None:
    before = {"a": ball((0, 0, 0)), "b": ball((60, 0, 0))}
    after = {"x": ball((1, 0, 0)), "y": ball((61, 0, 0))}
    found = match_lesions(before, after, manual=[(["a"], ["y"]), ([], ["x"])])
    assert {(link.kind, link.before, link.after, link.manual) for link in found.links} == {
        ("persistent", ("a",), ("y",), True),
        ("new", (), ("x",), True),
        ("gone", ("b",), (), False),
    }
    assert match_lesions(before, after, manual=[(["a", "b"], ["x", "y"])]).links[0].kind == "regrouped"
    for manual, words in (
        ([(["q"], ["x"])], "names 'q'"),
        ([(["a"], ["x"]), (["a"], ["y"])], "'a' of the earlier lesions twice"),
        ([([], [])], "no lesion at either date"),
    ):
        with pytest.raises(InputError, match=words):
            match_lesions(before, after, manual=manual)  # type: ignore[arg-type]


def test_reach_is_a_setting_and_order_does_not_matter() -> None:
    before, after = {"a": ball((0, 0, 0))}, {"x": ball((30, 0, 0))}
    assert match_lesions(before, after, settings=MatchSettings(dilation_mm=8.0)).pairs == frozenset()
    truth = simulate(2, lesions=10)
    turned = match_lesions(dict(reversed(truth.before.items())), dict(reversed(truth.after.items())))
    assert turned.pairs == match_lesions(truth.before, truth.after).pairs


def test_empty_and_fractional_masks() -> None:
    empty = sitk.Image([20, 20, 20], sitk.sitkUInt8)
    with pytest.raises(InputError, match="'a' is empty"):
        match_lesions({"a": empty}, {})
    with pytest.raises(InputError, match="0 to 1"):
        match_lesions({"a": ball((0, 0, 0)) * 3}, {})
    half = sitk.Cast(ball((0, 0, 0)), sitk.sitkFloat32) * 0.5
    (link,) = match_lesions({"a": half}, {"x": ball((0, 0, 0))}).links
    assert link.kind == "persistent"
    assert link.volume_before_ml == pytest.approx(link.volume_after_ml / 2)
