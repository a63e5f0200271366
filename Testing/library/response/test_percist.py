"""PERCIST 1.0: eligibility, comparability, both limits of each change, TLG, growth, complete response."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bonequant.errors import InputError
from bonequant.response import Call, PercistScan, PercistSettings, PetLesion, percist

BASE = PercistScan(
    (PetLesion("a", 10.0, tlg=100.0, longest_mm=20.0), PetLesion("b", 6.0, tlg=50.0, longest_mm=10.0)),
    liver_mean=2.0, liver_sd=0.3, aorta_mean=1.5, aorta_sd=0.2, uptake_min=60.0,
)  # fmt: skip


def after(peak: float, other: float = 1.0, **changes: object) -> PercistScan:
    lesions = (PetLesion("a", peak, tlg=100.0, longest_mm=20.0), PetLesion("b", other, tlg=50.0, longest_mm=10.0))
    return replace(BASE, lesions=lesions, **changes)


def judge(before: PercistScan, later: PercistScan, **more: object) -> Call:
    return percist(before, later, **{"new_lesion": False, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "now", "category"),
    [
        (10.0, 7.1, "SMD"),  # -29 %
        (10.0, 7.0, "PMR"),  # -30 %
        (10.0, 6.9, "PMR"),
        (10.0, 13.0, "SMD"),  # +30 % is not more than 30 %
        (10.0, 13.1, "PMD"),
        (10.0, 10.0, "SMD"),
        (4.0, 2.75, "PMR"),  # -31 %, -1.25
        (2.5, 1.7, "NE"),  # below 1.5 * 2.0 + 2 * 0.3 = 3.6: not measurable
        (3.6, 2.5, "PMR"),  # exactly at the threshold
        (3.59, 2.5, "NE"),
    ],
)
def test_hottest_lesion(before: float, now: float, category: str) -> None:
    early = replace(BASE, lesions=(PetLesion("a", before, longest_mm=20.0),))
    late = replace(BASE, lesions=(PetLesion("a", now, longest_mm=20.0),))
    assert judge(early, late).category == category


@pytest.mark.parametrize(
    ("before", "now", "category"),
    [
        (2.0, 1.2, "PMR"),  # -40 % and exactly -0.8
        (2.0, 1.21, "SMD"),  # -39.5 % but only -0.79
        (2.0, 2.8, "SMD"),  # +40 % but exactly +0.8
        (2.0, 2.81, "PMD"),
    ],
)
def test_both_the_percentage_and_the_units_must_change(before: float, now: float, category: str) -> None:
    cool = {"liver_mean": 0.8, "liver_sd": 0.1}  # threshold 1.4, so that small values are eligible
    early = replace(BASE, lesions=(PetLesion("a", before),), **cool)
    assert judge(early, replace(early, lesions=(PetLesion("a", now),))).category == category


@pytest.mark.parametrize(
    ("setting", "now", "category"), [({"pmr_operator": "<"}, 7.0, "SMD"), ({"pmd_operator": ">="}, 13.0, "PMD")]
)
def test_operators(setting: dict[str, str], now: float, category: str) -> None:
    call = judge(BASE, after(now), settings=PercistSettings(**setting))  # type: ignore[arg-type]
    assert call.category == category


def test_the_hottest_lesion_need_not_be_the_same() -> None:
    call = judge(BASE, after(5.0, 9.0))  # a: -50 %; but b is hottest now: 9.0 against 10.0
    assert call.category == "SMD" and call.values["sul_peak_change_percent"] == pytest.approx(-10.0)


@pytest.mark.parametrize(
    ("changes", "category", "words"),
    [
        ({"liver_mean": 2.3}, "PMR", ""),  # +15 %, +0.3
        ({"liver_mean": 2.31}, "NE", "not comparable"),  # more than 0.3
        ({"liver_mean": 1.69}, "NE", "not comparable"),
        ({"uptake_min": 75.0}, "PMR", ""),
        ({"uptake_min": 75.01}, "NE", "uptake times"),
        ({"uptake_min": 44.9}, "NE", "uptake times"),
        ({"uptake_min": None}, "NE", "missing"),
        ({"liver_mean": None}, "NE", "missing"),
        ({"liver_diseased": True, "liver_mean": 9.0}, "PMR", ""),  # the aorta is the reference then: 2 * 1.5 + 0.4
        ({"liver_diseased": True, "aorta_mean": None}, "NE", "missing"),
    ],
)
def test_comparable_scans(changes: dict[str, object], category: str, words: str) -> None:
    call = judge(BASE, after(6.0, **changes))
    assert call.category == category and words in call.rule


@pytest.mark.parametrize(("peak", "category"), [(3.39, "NE"), (3.4, "PMR"), (3.41, "PMR")])
def test_eligibility_by_the_aorta_where_the_liver_is_diseased(peak: float, category: str) -> None:
    """2.0 times the mean of 1.5 and two standard deviations of 0.2: 3.4."""
    early = replace(BASE, lesions=(PetLesion("a", peak),), liver_diseased=True)
    assert judge(early, replace(early, lesions=(PetLesion("a", 2.0),))).category == category


def test_a_fifth_of_a_low_liver_is_too_much() -> None:
    early = replace(BASE, liver_mean=1.0)
    assert judge(early, after(6.0, liver_mean=1.2)).category == "PMR"  # exactly 20 %
    assert judge(early, after(6.0, liver_mean=1.2001)).category == "NE"


@pytest.mark.parametrize(
    ("tlg", "peak", "category", "gap"),
    [
        (174.9, 10.0, "SMD", False),
        (175.0, 10.0, "SMD", False),
        (175.1, 10.0, "PMD", False),
        (175.1, 9.0, "PMD", True),
        (175.1, 6.0, "PMD", True),
    ],
)
def test_total_lesion_glycolysis(tlg: float, peak: float, category: str, gap: bool) -> None:
    early = replace(BASE, lesions=(PetLesion("a", 10.0, tlg=100.0),))
    call = judge(early, replace(BASE, lesions=(PetLesion("a", peak, tlg=tlg),)))
    assert (call.category, "gap" in call.flags) == (category, gap)


@pytest.mark.parametrize(
    ("now", "background", "category"),
    [
        (1.9, True, "CMR"),  # below the liver's 2.0 and at background
        (1.9, False, "PMR"),
        (1.9, None, "PMR"),  # with a warning
        (2.0, True, "PMR"),  # not below the liver
    ],
)
def test_complete_response(now: float, background: bool | None, category: str) -> None:
    call = judge(BASE, after(now), at_background=background)
    assert call.category == category and bool(call.warnings) == (background is None)


def test_no_lesion_left() -> None:
    none = replace(BASE, lesions=())
    assert judge(BASE, none, at_background=True).category == "CMR"
    assert judge(BASE, none).category == "NE"
    assert judge(none, BASE).category == "NE"


@pytest.mark.parametrize(("longest", "category", "gap"), [(26.0, "PMR", False), (26.01, "SMD", True)])
def test_growth_by_more_than_30_percent_is_no_response(longest: float, category: str, gap: bool) -> None:
    late = replace(BASE, lesions=(PetLesion("a", 5.0, longest_mm=longest),))
    call = judge(BASE, late)
    assert (call.category, "gap" in call.flags) == (category, gap)


@pytest.mark.parametrize(
    ("new_lesion", "now", "category"), [(True, 1.0, "PMD"), (None, 5.0, "NE"), (None, 14.0, "PMD")]
)
def test_new_lesions(new_lesion: bool | None, now: float, category: str) -> None:
    assert judge(BASE, after(now), new_lesion=new_lesion).category == category


def test_secondary_sum_of_five_two_an_organ() -> None:
    peaks = [("bone", 9.0), ("bone", 8.0), ("bone", 7.0), ("liver", 6.0), ("lung", 5.0), ("node", 4.0), ("skin", 3.0)]
    early = replace(BASE, lesions=tuple(PetLesion(str(i), peak, organ) for i, (organ, peak) in enumerate(peaks)))
    call = judge(early, early)
    assert call.values["sum_before"] == 9 + 8 + 6 + 5 + 4
    assert call.values["sum_change_percent"] == 0.0


def test_tlg_that_is_not_known_is_warned_of() -> None:
    """Of one lesion is enough: the sum would look smaller than it is."""
    assert judge(BASE, after(5.0)).warnings == ()
    part = replace(BASE, lesions=(PetLesion("a", 5.0, tlg=100.0, longest_mm=20.0), PetLesion("b", 4.0, longest_mm=9.0)))
    call = judge(BASE, part)
    assert call.category == "PMR" and len(call.warnings) == 1 and "TLG" in call.warnings[0]


def test_measures_below_zero() -> None:
    for name in ("sul_peak", "tlg", "longest_mm"):
        with pytest.raises(InputError, match=f"rib: {name} is -1"):
            PetLesion("rib", **{"sul_peak": 1.0, name: -1.0})  # type: ignore[arg-type]
