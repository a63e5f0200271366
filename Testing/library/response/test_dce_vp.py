"""DCE Vp: cut-offs, equality, published examples, the cohort, windows, warnings, discordance with size."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import pytest
from bonequant.errors import InputError
from bonequant.response import DceScan, DceVpSettings, Radiotherapy, dce_vp
from bonequant.statistics import confusion


@pytest.mark.parametrize(
    ("before", "after", "cutoff", "operator", "category"),
    [
        (10.0, 5.9, -40, ">", "success"),  # -41 %
        (10.0, 6.0, -40, ">", "success"),  # -40 %: equality is success
        (10.0, 6.0, -40, ">=", "failure"),  # unless the operator says otherwise
        (10.0, 6.1, -40, ">", "failure"),  # -39 %
        (10.0, 6.0004, -40, ">", "failure"),  # -39.996 %: not rounded
        (10.0, 10.0, -40, ">", "failure"),
        (10.0, 0.0, -40, ">", "success"),
        (10.0, 7.9, -20, ">", "success"),  # Kumar 2017
        (10.0, 8.0, -20, ">", "success"),
        (10.0, 8.1, -20, ">", "failure"),
        (0.0, 5.0, -40, ">", "NE"),  # nothing to divide by
        (-0.1, 5.0, -40, ">", "NE"),
        (float("nan"), 5.0, -40, ">", "NE"),
        (10.0, float("nan"), -40, ">", "NE"),
        (10.0, -0.1, -40, ">", "NE"),  # no volume: not a fall of 101 %
    ],
)
def test_cutoff(before: float, after: float, cutoff: float, operator: str, category: str) -> None:
    call = dce_vp(before, after, settings=DceVpSettings(vp_cutoff_percent=cutoff, vp_operator=operator))
    assert call.category == category
    assert category in call.rule


@pytest.mark.parametrize(
    ("before", "after", "percent", "category"), [(9.26, 1.13, -87.8, "success"), (5.48, 9.03, 64.8, "failure")]
)
def test_published_examples(before: float, after: float, percent: float, category: str) -> None:
    call = dce_vp(before, after)
    assert call.values["vp_change_percent"] == pytest.approx(percent, abs=0.05)  # printed to one decimal
    assert call.category == category


def test_published_discordance_is_shown() -> None:
    """Vp rose by 64.8 % while size fell by 19.4 %: failure by Vp, success by size."""
    before = DceScan(vp=5.48, vp_reference=1.0, diameters_mm=(30.0, 20.0))
    after = DceScan(vp=9.03, vp_reference=1.0, diameters_mm=(30.0, 20.0 * 0.806))
    call = dce_vp(before, after)
    assert call.values["size_change_percent"] == pytest.approx(-19.4)
    assert (call.category, call.values["size_category"]) == ("failure", "success")
    assert "discordant" in call.flags


@pytest.mark.parametrize(
    ("factor", "operator", "category"),
    [
        (0.89, ">", "success"),
        (0.90, ">", "success"),
        (0.90, ">=", "failure"),
        (0.91, ">", "failure"),
        (1.2, ">", "failure"),
    ],
)
def test_size_cutoff(factor: float, operator: str, category: str) -> None:
    scan = DceScan(vp=2.0, vp_reference=1.0, diameters_mm=(30.0, 20.0))
    after = replace(scan, vp=1.0, diameters_mm=(30.0 * factor, 20.0))
    call = dce_vp(scan, after, settings=DceVpSettings(size_operator=operator))
    assert call.values["size_category"] == category
    assert call.category == "success" and ("discordant" in call.flags) == (category == "failure")
    assert call.values["size_product_before_mm2"] == 600.0


def test_the_healthy_vertebra_normalises_each_date() -> None:
    call = dce_vp(
        DceScan(vp=0.08, vp_reference=0.02, ktrans=0.10, ktrans_reference=0.05),
        DceScan(vp=0.03, vp_reference=0.01, ktrans=0.06, ktrans_reference=0.05),
    )
    assert call.values["vp_normalised_before"] == pytest.approx(4.0)
    assert call.values["vp_normalised_after"] == pytest.approx(3.0)
    assert call.values["vp_change_percent"] == pytest.approx(-25.0)  # and not -62.5 % as without the vertebra
    assert call.values["ktrans_change_percent"] == pytest.approx(-40.0)
    assert call.values["ktrans_normalised_change_percent"] == pytest.approx(-40.0)
    assert call.category == "failure"


@pytest.mark.parametrize(
    "before", [DceScan(vp=1.0), DceScan(vp_reference=1.0), DceScan(vp=1.0, vp_reference=0.0), DceScan()]
)
def test_no_reference_no_lesion_no_call(before: DceScan) -> None:
    call = dce_vp(before, DceScan(vp=1.0, vp_reference=1.0))
    assert call.category == "NE" and "before" in call.rule and math.isnan(call.values["vp_change_percent"])


def test_extra_osseous_part_and_units() -> None:
    before = DceScan(vp=2.0, vp_reference=1.0, extra_osseous_mm=(8.0, 6.0, 4.0), ktrans=0.1)
    after = DceScan(vp=1.0, vp_reference=1.0, extra_osseous_mm=(5.0, 6.0, 0.0), ktrans=6.0, ktrans_unit="mL/100mL/min")
    call = dce_vp(before, after)
    assert call.values["extra_osseous_change_mm"] == (-3.0, 0.0, -4.0)
    assert math.isnan(call.values["ktrans_change_percent"])
    assert any("Ktrans unit differs" in text for text in call.warnings)


COMPLETE = DceScan(
    vp=4.0, vp_reference=1.0, scan_date=date(2024, 1, 1), contrast_agent="gadobutrol", protocol="FSPGR FA 25",
    reference_in_field=False, fracture=False,
)  # fmt: skip
LATER = replace(COMPLETE, vp=1.0, scan_date=date(2024, 4, 1))
THERAPY = Radiotherapy(date(2024, 2, 1), 24.0, 1)


@pytest.mark.parametrize(
    ("change", "therapy", "words"),
    [
        ({}, THERAPY, None),
        ({"reference_in_field": True}, THERAPY, "radiation field"),
        ({"fracture": True}, THERAPY, "fracture"),
        ({"contrast_agent": "gadoterate"}, THERAPY, "contrast agent differs"),
        ({"protocol": "FSPGR FA 15"}, THERAPY, "protocol differs"),
        ({"scan_date": date(2025, 1, 31)}, THERAPY, None),  # day 365
        ({"scan_date": date(2025, 2, 1)}, THERAPY, "366 days after"),
        ({"scan_date": date(2024, 1, 22)}, THERAPY, "10 days before radiotherapy ended"),
        ({}, Radiotherapy(date(2024, 2, 1), 27.0, 3), None),
        ({}, Radiotherapy(date(2024, 2, 1), 30.0, 3), None),
        ({}, Radiotherapy(date(2024, 2, 1), 20.0, 5), "20 Gy in 5"),
        ({"fracture": None}, THERAPY, "Not stated, so not checked: fracture"),
        ({}, None, "end of radiotherapy"),
        ({}, Radiotherapy(date(2024, 1, 1), 24.0, 1), None),  # scanned on the last day
        ({}, Radiotherapy(date(2023, 12, 31), 24.0, 1), "earlier scan was made 1 days after radiotherapy"),
    ],
)
def test_warnings(change: dict[str, object], therapy: Radiotherapy | None, words: str | None) -> None:
    call = dce_vp(COMPLETE, replace(LATER, **change), therapy)  # type: ignore[arg-type]
    assert call.category == "success"
    if words is None:
        assert call.warnings == ()
    else:
        assert len(call.warnings) == 1 and words.lower() in call.warnings[0].lower()


def test_bad_input() -> None:
    with pytest.raises(InputError, match="swap"):
        dce_vp(LATER, COMPLETE)
    with pytest.raises(InputError, match="same scan"):
        dce_vp(COMPLETE, COMPLETE)
    with pytest.raises(InputError, match=r"1\.2\.3"):
        dce_vp(replace(COMPLETE, series_uid="1.2.3", scan_date=None), replace(LATER, series_uid="1.2.3"))


@pytest.mark.parametrize(
    ("measure", "counts", "sensitivity", "specificity", "low_high"),
    [
        ("vp", (10, 1, 33, 5), 90.9, 86.8, ((62.3, 98.4), (72.7, 94.2))),
        ("size", (9, 2, 18, 20), 81.8, 47.4, ((52.3, 94.9), (32.5, 62.7))),
    ],
)
def test_cohort(measure, counts, sensitivity, specificity, low_high) -> None:  # type: ignore[no-untyped-def]
    """The 49 lesions of the cohort by their calls: TP/FN/TN/FP, percentages and Wilson intervals to one decimal."""
    tp, fn, tn, fp = counts
    fails, succeeds = {"vp": (0.61, 0.60), "size": (0.91, 0.90)}[measure]
    truth, called = [], []
    for failed, factor, number in ((1, fails, tp), (1, succeeds, fn), (0, succeeds, tn), (0, fails, fp)):
        for _ in range(number):
            before = DceScan(vp=5.0, vp_reference=1.0, diameters_mm=(25.0, 16.0))
            after = DceScan(vp=5.0 * factor, vp_reference=1.0, diameters_mm=(25.0 * factor, 16.0))
            call = dce_vp(before, after)
            truth.append(failed)
            called.append(int((call.category if measure == "vp" else call.values["size_category"]) == "failure"))
    table = confusion(truth, called)
    assert (table.tp, table.fn, table.tn, table.fp) == counts
    assert 100 * table.sensitivity.value == pytest.approx(sensitivity, abs=0.05)
    assert 100 * table.specificity.value == pytest.approx(specificity, abs=0.05)
    assert [100 * limit for limit in table.sensitivity.ci] == pytest.approx(low_high[0], abs=0.05)
    assert [100 * limit for limit in table.specificity.ci] == pytest.approx(low_high[1], abs=0.05)


def test_defaults_are_those_of_the_paper() -> None:
    """-40 % for Vp, -10 % for the product of diameters, scans up to a year after radiotherapy."""
    settings = DceVpSettings()
    assert (settings.vp_cutoff_percent, settings.size_cutoff_percent) == (-40.0, -10.0)
    assert settings.longest_interval_days == 365
    assert dce_vp(10.0, 6.001).category == "failure" and dce_vp(10.0, 6.0).category == "success"


def test_lengths_below_zero() -> None:
    with pytest.raises(InputError, match="diameters_mm"):
        DceScan(vp=1.0, vp_reference=1.0, diameters_mm=(-3.0, -2.0))
