"""MET-RADS-P: categories 1 to 5 of a lesion, limits of ADC and their gaps, primary and secondary of a region."""

from __future__ import annotations

import pytest
from bonequant.errors import InputError
from bonequant.response import MetRadsLesion, met_rads, met_rads_lesion
from bonequant.response.met_rads import REGIONS


def lesion(before: float | None, after: float | None, signal: str | None = "same", **more: object) -> MetRadsLesion:
    return MetRadsLesion(**{"size": "same", "adc_before": before, "adc_after": after, "high_b_signal": signal, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "category", "gap"),
    [
        # 1: morphology, ADC across 1400, or +40 % with falling signal
        (lesion(None, None, regression=True), "1", False),
        (lesion(900, 900, size="down"), "1", False),
        (lesion(1400, 1401), "1", False),
        (lesion(900, 1401), "1", False),
        (lesion(900, 1260, "down"), "1", False),  # exactly +40 %
        (lesion(900, 1400), "3", True),  # ends at exactly 1400: +55.6 %, no category covers it
        (lesion(1401, 1500), "3", False),  # from above 1400, +7 %
        (lesion(1401, 1962, "down"), "1", False),  # +40.04 %
        # 2: from <= 1000 to < 1400 by more than 12 %, or +25 to +40 % with falling signal
        (lesion(1000, 1120.1), "2", False),  # +12.01 %
        (lesion(1000, 1120), "3", False),  # exactly +12 %: not significant
        (lesion(1000, 1399), "2", False),
        (lesion(1001, 1200), "3", True),  # +19.9 % from above 1000: not covered
        (lesion(1050, 1313, "down"), "2", False),  # +25.05 %
        (lesion(1050, 1312.5, "down"), "3", True),  # exactly +25 %
        (lesion(1050, 1312.5), "3", True),
        (lesion(1050, 1399, "down"), "2", False),  # +33 %
        (lesion(1050, 1260, "down"), "3", True),  # +20 % with falling signal: not covered
        # 3
        (lesion(1000, 1000), "3", False),
        (lesion(1000, 900), "3", False),  # -10 %
        (lesion(1000, 870), "3", True),  # -13 %: a change without a category
        (lesion(1000, 1000, "down"), "3", True),
        # 4: equivocal new lesion, or same size, rising signal and ADC < 1400
        (lesion(None, None, new_lesion="equivocal"), "4", False),
        (lesion(900, 1399, "up"), "4", False),
        (lesion(900, 900, "up"), "4", False),
        (lesion(1300, 1400, "up"), "3", True),  # exactly 1400
        (lesion(1500, 1500, "up"), "3", True),  # above: T2 shine-through
        # 5
        (lesion(None, None, new_lesion="unequivocal"), "5", False),
        (lesion(900, 1500, "down", size="up"), "5", False),  # progression before response
        (lesion(None, None, focal_to_diffuse=True), "5", False),
        (lesion(None, None, more_soft_tissue=True), "5", False),
        (lesion(None, None, critical_fracture=True), "5", False),
        (lesion(900, 600, new_high_b_signal=True), "5", False),
        (lesion(900, 1000, new_high_b_signal=True), "5", False),
        (lesion(610, 599, new_high_b_signal=True), "3", True),
        (lesion(1000, 1001, new_high_b_signal=True), "3", True),
        # missing
        (lesion(None, 900), "NE", False),
        (lesion(900, 900, None), "NE", False),
        (lesion(0, 900), "NE", False),
        # growth that was not looked for is not ruled out
        (lesion(900, 1500, "down", size=None), "NE", False),
        (lesion(900, 900, size=None), "NE", False),
        (lesion(None, None, size=None, regression=True), "1", False),
        (lesion(None, None, size=None, new_lesion="unequivocal"), "5", False),
    ],
)
def test_lesion(found: MetRadsLesion, category: str, gap: bool) -> None:
    call = met_rads_lesion(found)
    assert (call.category, "gap" in call.flags) == (category, gap), call.rule


def test_a_hair_across_1400_is_warned_of() -> None:
    assert "only" in met_rads_lesion(lesion(1390, 1410)).warnings[0]
    assert met_rads_lesion(lesion(900, 1410)).warnings == ()


ONE, THREE, FIVE = lesion(None, None, regression=True), lesion(1000, 1000), lesion(None, None, size="up")


@pytest.mark.parametrize(
    ("lesions", "primary", "secondary", "mixed"),
    [
        ([ONE, ONE, THREE], "1", "3", False),
        ([ONE, THREE], "3", "1", False),  # a tie goes to the higher
        ([ONE, ONE], "1", "1", False),
        ([ONE, ONE, FIVE], "1", "5", True),
        ([FIVE, THREE, ONE], "5", "3", True),
        ([lesion(None, None)], "NE", None, False),
    ],
)
def test_region(lesions: list[MetRadsLesion], primary: str, secondary: str | None, mixed: bool) -> None:
    call = met_rads({"pelvis": lesions})
    region = call.parts["pelvis"]
    assert region.category == primary and region.values.get("secondary") == secondary
    assert ("heterogeneous" in region.flags) == mixed
    assert len(region.parts) == len(lesions)


def test_patient_over_all_regions() -> None:
    call = met_rads({"skull": [ONE], "pelvis": [FIVE, FIVE]})
    assert (call.category, call.values["secondary"], call.direction) == ("5", "1", "progression")
    assert "heterogeneous" in call.flags and set(call.parts) == {"skull", "pelvis"}
    assert met_rads({}).category == "NE"
    assert len(set(REGIONS)) == 14
    with pytest.raises(InputError, match="skull"):
        met_rads({"head": [ONE]})
    with pytest.raises(InputError, match="size"):
        MetRadsLesion(size="bigger")


@pytest.mark.parametrize("adc", [0.0009, 0.9])
def test_an_adc_in_another_unit_is_refused(adc: float) -> None:
    with pytest.raises(InputError, match="um2/s"):
        MetRadsLesion(high_b_signal="up", adc_before=900.0, adc_after=adc)


def test_lesions_that_cannot_be_judged_are_said() -> None:
    call = met_rads({"pelvis": [ONE, lesion(None, None)]})
    assert call.category == "1" and "1 not evaluable" in call.rule
    assert call.warnings == ("Not evaluable, so left out: pelvis 2.",) == call.parts["pelvis"].warnings


def test_an_omitted_size_is_not_known() -> None:
    assert met_rads_lesion(MetRadsLesion(high_b_signal="same", adc_before=900.0, adc_after=900.0)).category == "NE"
