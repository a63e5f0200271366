"""RECIST 1.1: thresholds from baseline and nadir, tables 1 and 2, new lesions in bone, what may be a target."""

from __future__ import annotations

from datetime import date

import pytest
from bonequant.errors import InputError
from bonequant.response import Recist11Settings, Recist11Target, Recist11Visit, recist11, why_not_measurable

SOFT = (
    Recist11Target("a", "bone", 40.0, bone_type="lytic", soft_tissue=True),
    Recist11Target("b", "liver", 60.0),
)


def seen(diameters: dict[str, float | None] | None = None, **rest: object) -> Recist11Visit:
    """A visit at which all was looked for; no non-target disease and no new lesion unless said."""
    return Recist11Visit(diameters or {}, **{"non_target": "absent", "new_lesion": "none", **rest})  # type: ignore[arg-type]


def visit(a: float | None, b: float | None = 0.0, **rest: object) -> Recist11Visit:
    return seen({"a": a, "b": b}, **rest)


@pytest.mark.parametrize(
    ("sums", "category", "words"),
    [
        # baseline, (nadir,) now
        ((100, 71), "SD", "-29"),
        ((100, 70), "PR", "-30"),  # at least 30 %
        ((100, 69), "PR", "-31"),
        ((100, 100), "SD", ""),
        ((100, 119), "SD", "+19"),
        ((100, 120), "PD", "+20"),  # at least 20 %, baseline counts as nadir
        ((100, 50, 59), "PR", ""),  # +18 % over the nadir, still -41 % from baseline
        ((100, 50, 60), "PD", "+20"),  # +20 % and +10 mm over the nadir, although below baseline
        ((100, 20, 24), "PR", ""),  # +20 % but only +4 mm
        ((100, 20, 24.9), "PR", ""),  # +24.5 %, 4.9 mm
        ((100, 20, 25), "PD", "+5 mm"),  # +25 % and 5 mm
        ((22, 26.5), "SD", ""),  # +20.5 %, 4.5 mm
        ((100, 0), "CR", "all targets gone"),
        ((100, 0, 4), "PR", ""),  # seen again, 4 mm: under 5 mm
        ((100, 0, 5), "PD", "inf"),  # back after complete response
    ],
)
def test_sum_of_diameters(sums: tuple[float, ...], category: str, words: str) -> None:
    call = recist11(SOFT[:1], [seen({"a": total}) for total in sums])
    assert call.category == category and words in call.rule
    assert call.values["sum_baseline_mm"] == sums[0] and call.values["sum_mm"] == sums[-1]


@pytest.mark.parametrize(
    ("setting", "sums", "category"),
    [
        ({"pr_operator": "<"}, (100, 70), "SD"),
        ({"pd_operator": ">"}, (100, 120), "SD"),
        ({"pd_operator": ">"}, (100, 121), "PD"),
        ({"pd_mm": 0.0}, (10.0, 12.0), "PD"),
    ],
)
def test_operators(setting: dict[str, object], sums: tuple[float, ...], category: str) -> None:
    settings = Recist11Settings(**setting)  # type: ignore[arg-type]
    call = recist11(SOFT[:1], [seen({"a": total}) for total in sums], settings)
    assert call.category == category and call.settings == settings.to_dict()


@pytest.mark.parametrize(
    ("now", "non_target", "new_lesion", "category"),
    [
        # table 1: targets, non-targets, new lesions
        (0, "absent", "none", "CR"),
        (0, "present", "none", "PR"),
        (0, None, "none", "PR"),
        (60, "present", "none", "PR"),
        (60, None, "none", "PR"),
        (100, "present", "none", "SD"),
        (100, None, "none", "SD"),
        (None, "present", "none", "NE"),
        (120, "absent", "none", "PD"),
        (60, "unequivocal progression", "none", "PD"),
        (0, "absent", "unequivocal", "PD"),
        (None, None, "unequivocal", "PD"),
        # bone: flare and healing are no new lesions; an equivocal one waits
        (60, "present", "flare", "PR"),
        (60, "present", "healing", "PR"),
        (60, "present", "equivocal", "PR"),
        (60, "present", None, "NE"),
        (120, "present", None, "PD"),
    ],
)
def test_table_1(now: float | None, non_target: str | None, new_lesion: str | None, category: str) -> None:
    last = seen({"a": now}, non_target=non_target, new_lesion=new_lesion)
    call = recist11(SOFT[:1], [seen({"a": 100.0}, non_target="present"), last])
    assert call.category == category
    assert ("flare" in call.flags) == (new_lesion == "flare")
    assert bool(call.warnings) == (new_lesion in ("flare", "healing", "equivocal"))


@pytest.mark.parametrize(
    ("baseline", "now", "new_lesion", "category"),
    [
        ("present", "absent", "none", "CR"),
        ("present", "present", "none", "non-CR/non-PD"),
        ("present", None, "none", "NE"),
        ("present", "unequivocal progression", "none", "PD"),
        ("present", "absent", "unequivocal", "PD"),
        ("absent", "absent", "none", "NE"),  # no disease to follow
    ],
)
def test_table_2_without_targets(baseline: str, now: str | None, new_lesion: str, category: str) -> None:
    visits = [seen(non_target=baseline), seen(non_target=now, new_lesion=new_lesion)]
    assert recist11((), visits).category == category


@pytest.mark.parametrize(
    ("now", "category"),
    [
        (visit(30, None), "NE"),  # a target was not assessed
        (visit(125, None), "PD"),  # unless what was assessed is progression already
        (visit(0, 0, too_small=("b",)), "PR"),  # 5 mm, not gone
    ],
)
def test_targets_missing_or_too_small(now: Recist11Visit, category: str) -> None:
    call = recist11(SOFT, [visit(40, 60), now])
    assert call.category == category
    if category == "PR":
        assert call.values["sum_mm"] == 5.0


@pytest.mark.parametrize(("short_axis", "category"), [(9.9, "CR"), (10.0, "PR"), (14.0, "SD")])
def test_nodes_are_normal_below_10_mm(short_axis: float, category: str) -> None:
    node = Recist11Target("n", "nodes", 18.0, node=True)
    assert recist11([node], [seen({"n": 18.0}), seen({"n": short_axis})]).category == category


@pytest.mark.parametrize(
    ("lesion", "reason"),
    [
        (Recist11Target("x", "bone", 10.0, 5.0, bone_type="lytic"), None),
        (Recist11Target("x", "bone", 9.9, 5.0, bone_type="lytic"), "less than 10"),
        (Recist11Target("x", "bone", 15.9, 8.0, bone_type="mixed"), "less than 16"),  # thick slices: twice
        (Recist11Target("x", "bone", 16.0, 8.0, bone_type="mixed"), None),
        (Recist11Target("x", "bone", 40.0, bone_type="blastic"), "never measurable"),
        (Recist11Target("x", "bone", 40.0, bone_type="lytic", soft_tissue=False), "without soft tissue"),
        (Recist11Target("x", "liver", 40.0, irradiated=True), "irradiated"),
        (Recist11Target("x", "liver", 40.0, irradiated=True, progressing_since=True), None),
        (Recist11Target("x", "nodes", 14.9, node=True), "less than 15"),
        (Recist11Target("x", "nodes", 15.0, node=True), None),
    ],
)
def test_measurable(lesion: Recist11Target, reason: str | None) -> None:
    found = why_not_measurable(lesion)
    assert found is None if reason is None else found is not None and reason in found


def test_forbidden_targets_and_visits() -> None:
    bones = [Recist11Target(f"b{i}", "bone", 20.0) for i in range(3)]
    with pytest.raises(InputError, match="at most 2 an organ"):
        recist11(bones, [visit(1), visit(1)])
    with pytest.raises(InputError, match="at most 5"):
        recist11([Recist11Target(str(i), f"organ {i}") for i in range(6)], [visit(1), visit(1)])
    with pytest.raises(InputError, match="non-target"):
        recist11([Recist11Target("x", "bone", 20.0, bone_type="blastic")], [visit(1), visit(1)])
    with pytest.raises(InputError, match="share a name"):
        recist11([Recist11Target("x", "a"), Recist11Target("x", "b")], [visit(1), visit(1)])
    with pytest.raises(InputError, match="1 given"):
        recist11(SOFT, [visit(1)])
    dated = [visit(1, scan_date=date(2024, 2, 1)), visit(1, scan_date=date(2024, 1, 1))]
    with pytest.raises(InputError, match="swap"):
        recist11(SOFT, dated)
    with pytest.raises(InputError, match="choose one of"):
        visit(1, new_lesion="maybe")


@pytest.mark.parametrize(
    ("baseline_mm", "slice_mm", "fits"), [(9.9, 5.0, False), (10.0, 5.0, True), (11.9, 6.0, False), (12.0, 6.0, True)]
)
def test_a_target_is_measurable_at_the_baseline_visit(baseline_mm: float, slice_mm: float, fits: bool) -> None:
    """Whether its size stands with the target or with the first visit."""
    target = Recist11Target("a", "liver", slice_mm=slice_mm)
    visits = [seen({"a": baseline_mm}), seen({"a": 5.0})]
    if fits:
        assert recist11([target], visits).category == "PR"
    else:
        with pytest.raises(InputError, match="less than"):
            recist11([target], visits)


def test_diameters_of_no_target_or_below_zero() -> None:
    with pytest.raises(InputError, match="Visit 2 measures 'b', which is no target"):
        recist11(SOFT[:1], [seen({"a": 40.0}), seen({"a": 30.0, "b": 3.0})])
    with pytest.raises(InputError, match="Visit 2 measures 'c'"):
        recist11(SOFT[:1], [seen({"a": 40.0}), seen({"a": 30.0}, too_small=("c",))])
    with pytest.raises(InputError, match="below zero"):
        recist11(SOFT[:1], [seen({"a": 40.0}), seen({"a": -3.0})])


@pytest.mark.parametrize(
    ("now", "category", "words"),
    [
        (Recist11Visit({"a": 60.0}), "NE", "new lesions were not looked for"),
        (Recist11Visit({"a": 120.0}), "PD", ""),
        (Recist11Visit({"a": 0.0}, new_lesion="none"), "PR", "non-target disease not assessed"),
    ],
)
def test_what_is_not_said_of_a_visit_is_not_known(now: Recist11Visit, category: str, words: str) -> None:
    call = recist11(SOFT[:1], [Recist11Visit({"a": 100.0}), now])
    assert call.category == category and words in call.rule


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Recist11Target("a", "bone", 40.0, bone_type="lytic", soft_tissue=True), None),
        (Recist11Target("a", "bone", 40.0, soft_tissue=True), "blastic is never measurable"),
        (Recist11Target("a", "Bone ", 40.0, bone_type="mixed"), "soft tissue part"),
        (Recist11Target("a", "liver", 40.0), None),
    ],
)
def test_a_bone_target_of_unknown_kind_is_warned_of(target: Recist11Target, words: str | None) -> None:
    warnings = recist11([target], [seen({"a": 40.0}), seen({"a": 40.0})]).warnings
    assert warnings == () if words is None else len(warnings) == 1 and words in warnings[0]


def test_one_organ_in_two_spellings_is_one() -> None:
    bones = [Recist11Target(f"b{i}", organ, 20.0) for i, organ in enumerate(("bone", "Bone", " BONE"))]
    with pytest.raises(InputError, match="at most 2 an organ"):
        recist11(bones, [seen(), seen()])


def test_a_visit_without_date_hides_no_wrong_order() -> None:
    days = (date(2024, 3, 1), None, date(2024, 1, 1))
    with pytest.raises(InputError, match="swap"):
        recist11(SOFT[:1], [seen({"a": 40.0}, scan_date=day) for day in days])


def test_non_target_disease_out_of_nothing_is_warned_of() -> None:
    call = recist11(SOFT[:1], [seen({"a": 40.0}), seen({"a": 0.0}, non_target="present")])
    assert call.category == "PR" and "absent at baseline" in call.warnings[0]
