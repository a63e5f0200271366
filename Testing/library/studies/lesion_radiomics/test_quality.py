"""ICC of redrawn lesions against the table that can be worked out by hand, and the stable set."""

from __future__ import annotations

import math

import pytest
import SimpleITK as sitk
from bonequant.errors import Cancelled, InputError
from bonequant.progress import no_progress
from bonequant.radiomics import StabilitySettings
from bonequant.statistics import icc
from bonequant.studies.lesion_radiomics.quality import feature_quality

# Shrout and Fleiss 1979: six subjects, the first two of the four judges; mean squares by hand.
JUDGES = {"a": (9.0, 2.0), "b": (6.0, 1.0), "c": (8.0, 4.0), "d": (7.0, 1.0), "e": (10.0, 5.0), "f": (6.0, 2.0)}
MASK = sitk.Image(4, 4, 4, sitk.sitkUInt8) + 1


def quality(second, *, first=None, perturb=False, measure=None, settings=None):
    given = first or {name: {"x": pair[0], "same": pair[0]} for name, pair in JUDGES.items()}
    return feature_quality(
        given,
        dict.fromkeys(given, (MASK, None)),
        {kind: dict.fromkeys(lesions, MASK) for kind, lesions in second.items()},
        measure or (lambda name, mask, adjusted: {"x": JUDGES[name][1], "same": JUDGES[name][0]}),
        settings or StabilitySettings(count=2),
        perturb,
        no_progress,
    )


def test_two_readers_give_the_iccs_of_their_table():
    found = quality({"second reader": JUDGES})
    row = found.tables["second reader"]["x"]
    table = list(JUDGES.values())
    # Sums of squares by hand: subjects 281/12 (5 df), judges 961/12 (1), residual 41/12 (5).
    subjects, judges, residual = 281 / 60, 961 / 12, 41 / 60
    shared = subjects + residual
    assert row.agreement.value == pytest.approx((subjects - residual) / (shared + 2 * (judges - residual) / 6))
    assert row.consistency.value == pytest.approx((subjects - residual) / shared)
    assert row.agreement == icc(table, "2,1")
    assert row.agreement.ci[0] < row.agreement.value < row.agreement.ci[1]
    assert row.cv == pytest.approx(
        math.sqrt(sum(((a - b) ** 2 / 2) / ((a + b) / 2) ** 2 for a, b in table) / len(table))
    )
    assert found.tables["second reader"]["same"].agreement.value == 1.0
    assert found.stable == ("same",)
    assert any("6 lesions" in text for text in found.warnings)


def test_stable_means_stable_for_every_kind_of_drawing():
    def measure(name, mask, adjusted):
        return {"x": JUDGES[name][0], "same": JUDGES[name][0]}

    assert quality({"second time": JUDGES}, measure=measure).stable == ("x", "same")
    turned = {"second time": JUDGES, "second reader": JUDGES}
    calls = iter([measure] * 6 + [lambda name, mask, adjusted: {"x": JUDGES[name][1], "same": JUDGES[name][0]}] * 6)
    assert quality(turned, measure=lambda *given: next(calls)(*given)).stable == ("same",)


def test_consistency_forgives_what_agreement_does_not():
    settings = StabilitySettings(icc_form="3,1", threshold=0.7)
    assert quality({"second reader": JUDGES}, settings=settings).stable == ("x", "same")


def test_a_single_lesion_has_no_icc_but_a_spread():
    found = quality({"second reader": ["a"]}, first={"a": {"x": 9.0, "same": 9.0}})
    assert found.stable is None
    assert "only one" in found.reason
    assert math.isnan(found.tables["second reader"]["x"].agreement.value)
    assert found.tables["second reader"]["x"].cv == pytest.approx(math.sqrt(24.5) / 5.5)


def test_a_feature_missing_in_one_drawing_leaves_that_lesion_out():
    def measure(name, mask, adjusted):
        return {"x": math.nan if name == "f" else JUDGES[name][1], "same": JUDGES[name][0]}

    row = quality({"second reader": JUDGES}, measure=measure).tables["second reader"]["x"]
    assert row.agreement == icc(list(JUDGES.values())[:5], "2,1")


def test_a_lesion_too_small_to_be_redrawn_is_named():
    def measure(name, mask, adjusted):
        if name == "b":
            raise InputError("nothing left")
        return {"x": JUDGES[name][0], "same": JUDGES[name][0]}

    found = quality({}, perturb=True, measure=measure, settings=StabilitySettings(count=2, grow_mm=0.1, shift_mm=0.1))
    assert len(found.readings["perturbation"]) == 5
    assert any("b." in text and "Too small" in text for text in found.warnings)


def test_it_can_be_cancelled():
    def stop(fraction, message):
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        feature_quality({"a": {"x": 1.0}}, {"a": (MASK, None)}, {}, lambda *given: {}, StabilitySettings(), True, stop)
