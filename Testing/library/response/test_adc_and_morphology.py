"""DWI/ADC patterns, every row of the table and what it leaves out; morphological signs; SPINO."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from bonequant.errors import InputError
from bonequant.response import AdcPatternSettings, Call, DwiChange, SpinoMri, adc_pattern, morphology, spino
from bonequant.response.morphology import PROGRESSION_SIGNS, REGRESSION_SIGNS


@pytest.mark.parametrize(
    ("volume", "signal", "after", "category", "gap"),
    [
        # ADC before is 100
        ("up", "same", 100, "Progression", False),
        ("same", "up", 150, "Progression", False),  # whatever ADC does
        ("up", "down", None, "Progression", False),  # and without it
        ("same", "same", 139, "Undetermined", True),  # significant but not marked: not in the table
        ("same", "same", 140, "Response", False),  # marked
        ("same", "same", 141, "Response", False),
        ("same", "down", 111, "Undetermined", True),
        ("same", "down", 112, "Undetermined", True),  # exactly 12 % is not significant
        ("same", "down", 113, "Response", False),
        ("down", "down", 113, "Response", False),
        ("same", "same", 100, "Stability", False),
        ("same", "same", 112, "Stability", False),
        ("same", "same", 113, "Undetermined", True),
        ("same", "same", 88, "Stability", False),
        ("same", "same", 87, "Undetermined", True),
        ("same", "down", 99, "Undetermined", False),  # signal down, ADC fall: decide on morphology
        ("same", "down", 80, "Undetermined", False),
        ("same", "down", 100, "Undetermined", True),
        ("down", "same", 150, "Undetermined", True),
        ("same", "same", None, "NE", False),
        (None, "same", 100, "NE", False),
        ("same", None, 100, "NE", False),
    ],
)
def test_adc_pattern(volume: str | None, signal: str | None, after: float | None, category: str, gap: bool) -> None:
    call = adc_pattern(DwiChange(volume, signal, 100.0, after, new_area=False))
    assert (call.category, "gap" in call.flags) == (category, gap), call.rule


def test_adc_operators_and_new_area() -> None:
    strict = AdcPatternSettings(marked_operator=">", significant_operator=">=")
    assert adc_pattern(DwiChange("same", "same", 100, 140, new_area=False), strict).category == "Undetermined"
    assert adc_pattern(DwiChange("same", "down", 100, 112, new_area=False), strict).category == "Response"
    assert adc_pattern(DwiChange("same", "same", 100, 100, new_area=True)).category == "Progression"
    assert adc_pattern(DwiChange("same", "same", 0, 100, new_area=False)).category == "NE"
    with pytest.raises(InputError, match="up, same or down"):
        DwiChange("larger", "same", 1, 1)


def test_a_new_area_that_was_not_looked_for_and_an_adc_below_zero() -> None:
    assert adc_pattern(DwiChange("same", "down", 900, 1400)).category == "NE"
    assert adc_pattern(DwiChange("up", "down", 900, 1400)).category == "Progression"
    assert adc_pattern(DwiChange("same", "same", 900, -5, new_area=False)).category == "NE"


@pytest.mark.parametrize(("before", "after"), [(1.1, 1100.0), (900.0, 0.9)])
def test_adc_in_two_units_is_left_out(before: float, after: float) -> None:
    call = adc_pattern(DwiChange("same", "down", before, after, new_area=False))
    assert call.category == "NE" and "one unit" in call.warnings[0]
    assert adc_pattern(DwiChange("up", "down", before, after, new_area=False)).category == "Progression"
    assert adc_pattern(DwiChange("same", "down", 10.0, 999.0, new_area=False)).category == "Response"


@pytest.mark.parametrize(
    ("signs", "category", "flags"),
    [
        *(([sign], "Progression", ()) for sign in PROGRESSION_SIGNS),
        *(([sign], "Regression", ()) for sign in REGRESSION_SIGNS),
        (["smaller lesions", "new focal lesion"], "Progression", ("heterogeneous",)),  # progression wins
        ([], "No change", ()),
        (None, "NE", ("NE",)),
    ],
)
def test_morphology(signs: list[str] | None, category: str, flags: tuple[str, ...]) -> None:
    call = morphology(signs)
    assert (call.category, call.flags) == (category, flags)


def test_early_t1_fall_may_be_pseudoprogression() -> None:
    call = morphology(["larger lesions"], early_t1_fall=True)
    assert call.category == "Progression" and "pseudoprogression suspected" in call.flags
    with pytest.raises(InputError, match="larger lesions"):
        morphology(["bigger"])


END = date(2024, 1, 1)


def mri(week: float, growth: str | None = "none", epidural: str | None = "none", **more: object) -> SpinoMri:
    return SpinoMri(END + timedelta(days=round(7 * week)), growth, epidural, **more)  # type: ignore[arg-type]


def judge(*mris: SpinoMri, **more: object) -> Call:
    return spino(mris, END, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mris", "category"),
    [
        ([mri(8)], "no progression yet"),
        ([mri(8), mri(14)], "local control"),  # two MRIs, 6 weeks apart
        ([mri(8), mri(13.8)], "no progression yet"),  # less than 6 weeks
        ([mri(8), mri(11), mri(14)], "local control"),  # first and last are
        ([mri(8, "unequivocal"), mri(16)], "local progression"),  # stands once called
        ([mri(8), mri(16, "equivocal", neurological_decline=False)], "no progression yet"),
        ([mri(8), mri(16, "equivocal")], "NE"),  # a decline that was not looked for would make it progression
        ([mri(8, "equivocal"), mri(16), mri(24)], "local control"),
        ([mri(8), mri(16, epidural="new")], "local progression"),
        ([mri(8), mri(16, epidural="progressive")], "local progression"),
        ([mri(8), mri(16, epidural="stable")], "local control"),
        ([mri(8), mri(16, "equivocal", neurological_decline=True)], "local progression"),
        ([mri(8), mri(16, "none", neurological_decline=True)], "local control"),  # decline without growth
        ([mri(8), mri(16, None)], "NE"),
        ([mri(8), mri(16, epidural=None)], "NE"),
    ],
)
def test_spino(mris: list[SpinoMri], category: str) -> None:
    assert judge(*mris).category == category


@pytest.mark.parametrize(
    ("mris", "suspected"),
    [
        ([mri(12, "unequivocal")], True),  # soon after radiotherapy
        ([mri(25.7, "unequivocal")], True),  # day 180
        ([mri(25.9, "unequivocal")], False),  # day 181
        ([mri(12, "unequivocal", "new")], False),  # epidural tumour speaks against it
        ([mri(12, "equivocal", neurological_decline=True)], False),
        ([mri(40, "equivocal"), mri(48)], True),  # not borne out later
        ([mri(12)], False),
    ],
)
def test_pseudoprogression_is_only_suspected(mris: list[SpinoMri], suspected: bool) -> None:
    call = judge(*mris)
    assert ("pseudoprogression suspected" in call.flags) == suspected
    if mris[0].growth == "unequivocal":
        assert call.category == "local progression"


@pytest.mark.parametrize(("volume", "growth"), [(11.08, "none"), (11.09, "none"), (11.1, "equivocal")])
def test_volume_change_below_10_9_percent_cannot_be_detected(volume: float, growth: str) -> None:
    call = judge(mri(8, None, volume_ml=volume), baseline_volume_ml=10.0)
    assert list(call.values["growth"].values()) == [growth]


def test_spino_warnings_and_order() -> None:
    call = judge(mri(8, "unequivocal", volume_ml=10.5), baseline_volume_ml=10.0)
    assert "measurement error" in call.warnings[0]
    assert "every 2 to 3 months" in judge(mri(8), mri(22)).warnings[0]
    with pytest.raises(InputError, match="swap"):
        judge(mri(16), mri(8))
    with pytest.raises(InputError, match="at least one"):
        judge()


def test_spino_judges_mris_after_radiotherapy() -> None:
    with pytest.raises(InputError, match="older than the end of radiotherapy"):
        spino([SpinoMri(END - timedelta(days=1), "none", "none")], END)
