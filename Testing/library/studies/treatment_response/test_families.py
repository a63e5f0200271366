"""Lesions that split, merge or were drawn late: what their volumes are compared with, and what the reader is told."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.response import Call
from bonequant.studies.treatment_response import DateInputs, ResponseInputs, ResponseSettings
from bonequant.studies.treatment_response.alignment import Alignment
from bonequant.studies.treatment_response.images import measure_images
from bonequant.studies.treatment_response.inputs import check
from bonequant.studies.treatment_response.lesions import Lesion, Outline, family_at, follow, said_of_families
from bonequant.studies.treatment_response.sizes import size_of
from bonequant.volume import Acquisition, Geometry, Volume, image_from_array

GRID = Geometry((30, 30, 30), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
FACTS = Acquisition(frame_of_reference_uid="1.2.3")
REFERENCE = (slice(24, 28), slice(24, 28), slice(24, 28))


def box(low: int, high: int, width: int = 6) -> sitk.Image:
    """Along z from ``low`` to ``high``."""
    array = np.zeros(GRID.shape, np.uint8)
    array[low:high, 4 : 4 + width, 4 : 4 + width] = 1
    return image_from_array(array, GRID)


def a_date(name: str, lesions: dict[str, sitk.Image], adc: float, signal: float) -> DateInputs:
    inside = np.zeros(GRID.shape, bool)
    for mask in lesions.values():
        inside |= sitk.GetArrayFromImage(mask) > 0
    high_b = np.where(inside, signal, 50.0)
    high_b[REFERENCE] = 100.0
    images = {"adc": (np.where(inside, adc, 800.0), "um2/s"), "high_b": (high_b, "")}
    return DateInputs(
        name,
        images={
            role: Volume(image_from_array(values.astype(np.float32), GRID), "MR", unit, FACTS, role)
            for role, (values, unit) in images.items()
        },
        lesions=lesions,
    )


def patterns(dates: list[DateInputs]) -> tuple[tuple[Lesion, ...], dict[str, Call]]:
    """The lesions as the job follows them, and their DWI patterns by "lesion, date"."""
    none = (None,) * len(dates)
    settings = ResponseSettings()
    lesions = follow(ResponseInputs(dates), Alignment(0, none, none), settings)
    array = np.zeros(GRID.shape, np.uint8)
    array[REFERENCE] = 1
    healthy = tuple(Outline("drawn", image_from_array(array, GRID), k) for k in range(len(dates)))
    sizes = {(one.tracking_id, k): size_of(one, k, dates[k], settings) for one in lesions for k in range(len(dates))}
    anatomies = [("adc", one.images["adc"]) for one in dates]
    references = {one.tracking_id: healthy for one in lesions}
    return lesions, dict(measure_images(dates, anatomies, lesions, references, sizes, settings).calls)


def test_a_lesion_that_falls_apart_as_it_shrinks_is_no_progression():
    whole, parts = {"a": box(2, 20)}, {"x": box(2, 9, 5), "y": box(13, 20, 5)}
    lesions, calls = patterns([a_date("before", whole, 900.0, 300.0), a_date("after", parts, 1500.0, 150.0)])
    assert [one.split_from for one in lesions] == [None, "L01"]
    (pattern,) = calls.values()  # of the whole: its parts have no ADC before
    assert pattern.category == "Response"
    assert (pattern.values["volume"], pattern.values["new_area"]) == ("down", False)
    (said,) = said_of_families(lesions, [a_date("before", whole, 1, 1), a_date("after", parts, 1, 1)])
    assert "has split from L01 (a) at after" in said and "Vp of the whole" in said


def test_a_later_split_says_nothing_of_the_dates_before():
    whole, parts = {"a": box(2, 20)}, {"x": box(2, 9, 5), "y": box(13, 20, 5)}
    dates = [a_date(name, whole, adc, 300.0) for name, adc in (("one", 900.0), ("two", 910.0))]
    dates.append(a_date("three", parts, 1500.0, 150.0))
    lesions, calls = patterns(dates)
    assert {name: call.category for name, call in calls.items()} == {
        "L01 (a), two": "Stability",
        "L01 (a), three": "Response",
    }
    assert [len(family_at(lesions[0], lesions, k)) for k in range(3)] == [1, 1, 2]


def test_two_lesions_that_merge_have_not_grown():
    before, after = {"a": box(2, 10), "b": box(11, 19)}, {"ab": box(2, 18)}
    lesions, calls = patterns([a_date("before", before, 900.0, 300.0), a_date("after", after, 900.0, 300.0)])
    assert lesions[1].merged_into == "L01"
    pattern = calls["L01 (a), after"]
    assert (pattern.category, pattern.values["volume"]) == ("Stability", "same")
    (said,) = said_of_families(lesions, [a_date("before", before, 1, 1), a_date("after", after, 1, 1)])
    assert said.startswith("L02 (b) has merged into L01 (a) at after: sizes of L01 (a) hold both")


def test_what_grew_while_it_split_or_merged_is_progression():
    dates = [a_date("before", {"a": box(4, 14, 5)}, 900.0, 300.0)]
    dates.append(a_date("after", {"x": box(2, 9), "y": box(11, 18)}, 900.0, 300.0))
    assert [call.category for call in patterns(dates)[1].values()] == ["Progression"]


def test_a_lesion_drawn_at_the_later_date_alone_is_not_new():
    dates = [a_date("before", {}, 900.0, 300.0), a_date("after", {"a": box(2, 12)}, 900.0, 300.0)]
    (lesion,) = follow(ResponseInputs(dates), Alignment(1, (None, None), (None, None)), ResponseSettings())
    assert lesion.states == ("not drawn", "baseline")


def test_an_undated_scan_between_two_hides_no_wrong_order():
    days = (date(2024, 3, 1), None, date(2024, 1, 1))
    dates = [
        dataclasses.replace(a_date(f"date_{k}", {"a": box(2, 12)}, 900.0 + k, 300.0 + k), typed_date=day)
        for k, day in enumerate(days)
    ]
    with pytest.raises(InputError, match=r"date_2 \(2024-01-01\) is older than the scan date_0"):
        check(ResponseInputs(dates))


def test_dates_whose_names_make_one_folder():
    mask = {"a": box(2, 12)}
    dates = [a_date("week 1", mask, 900.0, 300.0), a_date("Week_1", mask, 901.0, 301.0)]
    with pytest.raises(InputError, match="one folder"):
        check(ResponseInputs(dates))
