"""Lesions in SPECT and CT of two dates: uptake, burden, skeleton fraction and types, beside what was painted."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from bonequant.studies.treatment_response import DateInputs, ResponseSettings
from bonequant.studies.treatment_response.images import measure_images
from bonequant.studies.treatment_response.lesions import Lesion, Outline
from bonequant.studies.treatment_response.sizes import size_of
from bonequant.volume import Acquisition, Geometry, Volume, image_from_array

GRID = Geometry((40, 40, 30), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
FACTS = Acquisition(frame_of_reference_uid="1.2.3")


def box(z: int, size: int) -> np.ndarray:
    array = np.zeros(GRID.shape, bool)
    array[z : z + size, 10 : 10 + size, 10 : 10 + size] = True
    return array


LESION, SKELETON, NORMAL = box(5, 8), box(2, 20), box(16, 6)


def volume(array: np.ndarray, modality: str, unit: str) -> Volume:
    return Volume(image_from_array(array.astype(np.float32), GRID), modality, unit, FACTS, modality)


def a_date(name: str, uptake: float, hu: float) -> DateInputs:
    rng = np.random.default_rng(1)
    ct = rng.normal(0.0, 20.0, GRID.shape) + 200.0 * SKELETON
    ct[LESION] = hu
    spect = 1.0 * SKELETON
    spect[LESION] = uptake
    return DateInputs(
        name,
        images={"spect": volume(spect, "NM", "g/mL"), "ct": volume(ct, "CT", "HU")},
        lesions={"a": image_from_array(LESION, GRID)},
        normal_bone=image_from_array(NORMAL, GRID),
        skeleton=image_from_array(SKELETON, GRID),
    )


@pytest.fixture(scope="module")
def found():
    """Uptake falls from 8 to 4 g/mL and the lytic lesion becomes blastic."""
    dates = [a_date("before", 8.0, 20.0), a_date("after", 4.0, 700.0)]
    outlines = tuple(Outline("drawn", one.lesions["a"], k) for k, one in enumerate(dates))
    lesion = Lesion("L01", ("a", "a"), ("baseline", "persistent"), outlines)
    settings = dataclasses.replace(ResponseSettings(), skeleton_threshold=3.0)
    sizes = {("L01", k): size_of(lesion, k, one, settings) for k, one in enumerate(dates)}
    anatomies = [("ct", one.images["ct"]) for one in dates]
    return measure_images(dates, anatomies, [lesion], {}, sizes, settings), dates, lesion


def test_uptake_and_its_change(found):
    findings, dates, lesion = found
    rows = {(row["image"], row["quantity"]): row for row in findings.rows(dates, [lesion])}
    mean = rows[("spect", "mean")]
    assert (mean["value_0"], mean["value_1"]) == pytest.approx((8.0, 4.0))
    assert mean["change_percent_1"] == pytest.approx(-50.0)
    assert rows[("spect", "total")]["unit"] == "g/mL mL"
    assert rows[("spect", "total")]["value_0"] == pytest.approx(8.0 * 512 * 0.008)


def test_burden_and_skeleton_fraction(found):
    findings, _, _ = found
    assert findings.burden[(0, "spect")].total_uptake == pytest.approx(8.0 * 512 * 0.008)
    assert findings.burden[(1, "spect")].volume_ml == pytest.approx(512 * 0.008)
    assert findings.skeleton[(0, "spect")].percent == pytest.approx(100.0 * 512 / 8000)
    assert (0, "ct") not in findings.burden


def test_types_on_ct(found):
    findings, _, _ = found
    types = [call.category for subject, call in findings.calls if call.criterion.startswith("CT type")]
    assert types == ["lytic", "blastic"]


def test_a_soft_tissue_part_has_three_dimensions():
    """A box of 8 voxels of 2 mm: 16 mm high; across it the diagonal of its section is the longest diameter."""
    one = dataclasses.replace(a_date("before", 8.0, 20.0), extra_osseous={"a": image_from_array(LESION, GRID)})
    lesion = Lesion("L01", ("a",), ("baseline",), (Outline("drawn", one.lesions["a"], 0),))
    size = size_of(lesion, 0, one, ResponseSettings())
    longest, across, height = size.extra_osseous_mm
    assert longest == pytest.approx(16.0 * 2**0.5, abs=2.0)
    assert across == pytest.approx(16.0 * 2**0.5, abs=2.0)
    assert height == pytest.approx(16.0, abs=1.0)
    assert size.volume_ml == pytest.approx(512 * 0.008)
    carried = dataclasses.replace(lesion, outlines=(Outline("carried", one.lesions["a"], 0),))
    assert size_of(carried, 0, one, ResponseSettings()).diameters is None


def test_a_lesion_that_is_new_is_a_new_area_on_diffusion():
    """Without ADC or volume before: the first row of the table needs neither."""
    dates = [DateInputs(name, images={"adc": volume(np.full(GRID.shape, 900.0), "MR", "um2/s")}) for name in "ab"]
    mask = image_from_array(LESION, GRID)
    lesion = Lesion("L01", (None, "x"), ("not yet", "new"), (Outline("absent"), Outline("drawn", mask, 1)))
    settings = ResponseSettings()
    sizes = {("L01", k): size_of(lesion, k, one, settings) for k, one in enumerate(dates)}
    anatomies = [("adc", one.images["adc"]) for one in dates]
    ((subject, call),) = measure_images(dates, anatomies, [lesion], {}, sizes, settings).calls
    assert (subject, call.category) == ("L01 (x), b", "Progression")
    assert "new area" in call.rule
