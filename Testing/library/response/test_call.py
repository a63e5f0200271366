"""What all calls share: raw numbers, thresholds without rounding, flags, plain values, and finding the criteria."""

from __future__ import annotations

import importlib
import json
import math
import pickle
from datetime import date
from types import ModuleType

import bonequant.response as response
import pytest
from bonequant.errors import InputError
from bonequant.response.call import NE, PDU, Criterion
from bonequant.response.compare import check_order, equals, holds, percent_change


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (100, 60, -40.0),
        (100, 120, 20.0),
        (100, 0, -100.0),
        (0, 5, None),
        (-1, 5, None),
        (None, 5, None),
        (5, None, None),
        (float("nan"), 5, None),
        (5, float("inf"), None),
    ],
)
def test_percent_change(before: float | None, after: float | None, change: float | None) -> None:
    found = percent_change(before, after)
    assert math.isnan(found) if change is None else found == pytest.approx(change, rel=1e-12)


@pytest.mark.parametrize(
    ("value", "operator", "limit", "expected"),
    [
        (30.0, ">", 30.0, False), (30.0, ">=", 30.0, True), (30.001, ">", 30.0, True), (29.999, ">=", 30.0, False),
        (-30.0, "<", -30.0, False), (-30.0, "<=", -30.0, True), (-29.999, "<=", -30.0, False),
        (-39.996, "<=", -40.0, False),  # would round to -40.00: nothing is rounded
        (float("nan"), ">", 0.0, False), (float("nan"), "<=", 0.0, False), (math.inf, ">=", 20.0, True),
    ],
)  # fmt: skip
def test_operators(value: float, operator: str, limit: float, expected: bool) -> None:
    assert holds(value, operator, limit) is expected


@pytest.mark.parametrize("tenths", range(1, 400, 7))
def test_a_threshold_met_exactly_is_met_whatever_binary_fractions_make_of_it(tenths: int) -> None:
    before = tenths / 10
    change = percent_change(before, before * 0.6)
    assert equals(change, -40.0)
    assert holds(change, "<=", -40.0) and not holds(change, ">", -40.0)


def test_dates_in_order() -> None:
    check_order(date(2024, 1, 1), date(2024, 1, 2))
    check_order(None, date(2024, 1, 2))
    with pytest.raises(InputError, match="same scan"):
        check_order(date(2024, 1, 1), date(2024, 1, 1))
    with pytest.raises(InputError, match="older"):
        check_order(date(2024, 1, 2), date(2024, 1, 1))


def test_plain_values_survive_json_and_pickle() -> None:
    scans = [response.BoneScan(date(2024, 3, 1), frozenset({"a", "b"}))]
    call = response.pcwg3(date(2024, 1, 10), scans)
    plain = json.loads(json.dumps(call.to_dict(), allow_nan=False))
    assert plain["category"] == PDU and plain["values"]["treatment_start"] == "2024-01-10"
    assert plain["settings"]["flare_weeks"] == 12.0
    assert response.recip(None, 1.0, new_lesion=False).to_dict()["values"]["volume_before_ml"] is None
    assert pickle.loads(pickle.dumps(call)) == call


def test_ne_and_pdu_are_flags_too() -> None:
    assert NE in response.recip(None, 1.0, new_lesion=False).flags
    assert PDU in response.pcwg3(date(2024, 1, 1), [response.BoneScan(date(2024, 3, 1), frozenset("ab"))]).flags


def test_every_criterion_is_found_and_complete() -> None:
    found = response.criteria()
    expected = "adc_pattern ct_typing dce_vp eortc flare mda met_rads morphology oligometastatic pcwg3 percist promise"
    assert {*expected.split(), "recip", "recist11", "spino"} <= set(found)
    for name, criterion in found.items():
        assert response.function_of(name) is getattr(response, name)
        assert criterion.source and criterion.title and criterion.level in ("lesion", "region", "patient")
    with pytest.raises(InputError, match="recist11"):
        response.function_of("recist")


def test_a_new_criterion_is_a_new_file(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "my_rule.py").write_text(
        "from bonequant.response.call import STABLE, Criterion\n"
        "CRITERION = Criterion('my_rule', 'Mine', 'here', {'same': STABLE})\n"
        "def my_rule():\n    return CRITERION.call('same', 'always')\n"
    )
    monkeypatch.setattr(response, "__path__", [*response.__path__, str(tmp_path)])
    response.criteria.cache_clear()
    try:
        assert response.function_of("my_rule")().direction == "stable"
    finally:
        response.criteria.cache_clear()


def test_a_category_that_the_criterion_does_not_have_is_impossible() -> None:
    with pytest.raises(KeyError):
        Criterion("x", "X", "", {"PR": "response"}).call("PD", "")


def test_the_package_exports_what_the_design_names() -> None:
    for name in [
        "dce_vp",
        "recist11",
        "percist",
        "eortc",
        "mda",
        "pcwg3",
        "met_rads",
        "adc_pattern",
        "recip",
        "bsi",
        "match_lesions",
    ]:
        assert callable(getattr(response, name)) and not isinstance(getattr(response, name), ModuleType), name
        assert name in response.__all__


@pytest.mark.parametrize("name", ["mda", "met_rads", "spino"])
def test_rules_that_were_recalled_ask_to_be_verified(name: str) -> None:
    text = " ".join((importlib.import_module(f"bonequant.response.{name}").__doc__ or "").split())
    assert "verify against the primary paper" in text
