"""SPECT and PET of two dates compared as SUV, and what leaves the program of a response without DCE."""

from __future__ import annotations

import csv
import dataclasses
import json
from datetime import datetime, timedelta
from pathlib import Path

import bonequant.io as io
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from bonequant.errors import MissingFactError
from bonequant.io.export import write_derived_series
from bonequant.report import Table
from bonequant.studies.treatment_response import (
    DateInputs,
    ResponseInputs,
    ResponseResult,
    ResponseSettings,
    page,
    read_date,
    run,
    write,
)
from bonequant.studies.treatment_response.uptake import as_suv
from bonequant.volume import Acquisition, Geometry, Volume, image_from_array

GRID = Geometry((48, 40, 36), (4.0, 4.0, 4.0), (-96.0, -80.0, -70.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
START = datetime(2024, 1, 5, 10, 0)
FACTS = Acquisition(
    patient_weight_kg=80.0,
    injected_activity_bq=4e8,
    injection_time=START - timedelta(hours=1),
    acquisition_start=START,
    decay_correction="ADMIN",
    half_life_s=6586.2,
)
LESION = np.zeros(GRID.shape, bool)
LESION[16:21, 20:25, 28:33] = True


def pet(level: float, facts: Acquisition = FACTS) -> Volume:
    """A body with a few hot organs and the lesion, in Bq/mL."""
    z, y, x = np.moveaxis(
        GRID.points_of(np.argwhere(np.ones(GRID.shape, bool))).reshape(*GRID.shape, 3)[..., ::-1], -1, 0
    )
    values = 1000.0 * ((x / 80) ** 2 + (y / 60) ** 2 < 1)
    for cx, cy, cz, radius, much in ((-40, -10, 30, 26, 4e3), (35, -20, 10, 20, 3e3), (-20, 25, -40, 16, 6e3)):
        values = np.where((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2 < radius**2, much, values)
    values = np.where(LESION, level, values)
    return Volume(image_from_array(values.astype(np.float32), GRID), "PT", "Bq/mL", facts, "pet")


def pair(later: Acquisition) -> ResponseInputs:
    mask = image_from_array(LESION.astype(np.uint8), GRID)
    return ResponseInputs(
        [
            DateInputs(name, images={"pet": pet(1e4, facts)}, lesions={"rib": mask})
            for name, facts in (("before", FACTS), ("after", later))
        ]
    )


def test_twice_the_injected_activity_is_half_the_suv():
    """Equal Bq/mL at both dates: SUV is 1e4 * 80 kg / 400 MBq = 2 g/mL before, 1 g/mL after."""
    inputs, warnings = as_suv(pair(dataclasses.replace(FACTS, injected_activity_bq=8e8)), ResponseSettings())
    levels = [float(one.images["pet"].array[LESION].mean()) for one in inputs.dates]
    assert levels == pytest.approx([2.0, 1.0], rel=1e-6)
    assert {one.images["pet"].unit for one in inputs.dates} == {"SUVbw"}
    assert warnings == ()


def test_a_fact_missing_at_one_date_leaves_both_as_stored():
    inputs = pair(dataclasses.replace(FACTS, patient_weight_kg=None))
    found, (warning,) = as_suv(inputs, ResponseSettings())
    assert {one.images["pet"].unit for one in found.dates} == {"Bq/mL"}
    assert "after, pet" in warning and "patient_weight_kg" in warning and "injected activity" in warning
    with pytest.raises(MissingFactError, match="manifest"):
        as_suv(inputs, ResponseSettings(quantity="suv"))
    assert as_suv(inputs, ResponseSettings(quantity="native")) == (inputs, ())


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[ResponseResult, Path]:
    """Two PET dates from DICOM, the lesion drawn at both: 10 kBq/mL, then 12 at twice the activity."""
    root = tmp_path_factory.mktemp("pet")
    dates = []
    for number, (name, level, activity) in enumerate((("before", 1e4, 4e8), ("after", 1.2e4, 8e8))):
        write_derived_series(pet(level), root / name / "PET")
        io.write_segmentation({"rib": image_from_array(LESION.astype(np.uint8), GRID)}, root / f"{name}.seg.nrrd")
        facts = {"patient_weight_kg": 80, "injected_activity_bq": activity, "decay_correction": "ADMIN"}
        facts["half_life_s"] = 6586.2
        manifest = {
            "name": name,
            "date": f"2024-0{number + 1}-05",
            "masks": [f"{name}.seg.nrrd"],
            "images": {"pet": {"path": f"{name}/PET", "facts": facts}},
        }
        (root / f"{name}.json").write_text(json.dumps(manifest))
        dates.append(read_date(root / f"{name}.json", name))
    result = run(ResponseInputs(dates))
    write(result, root / "out", dicom=True)
    return result, root / "out"


def test_changes_and_burden_are_in_suv(written):
    result, _ = written
    rows = {row["quantity"]: row for row in result.images.rows(result.dates, result.lesions)}
    assert rows["mean"]["unit"] == "SUVbw"
    # the fall is by 1.2 / 2; means are of a cubic spline through voxels stored in 16 bits
    assert rows["mean"]["change_percent_1"] == pytest.approx(-40.0, abs=0.5)
    assert rows["max"]["value_0"] == pytest.approx(2.0, rel=1e-3)
    assert result.images.burden[(0, "pet")].unit == "SUVbw"


def test_suv_maps_regions_and_measures_leave_as_dicom(written):
    result, out = written
    place = out / "dicom" / "after"
    suv = io.load(place / "pet_suv.dcm")
    assert suv.unit == "SUVbw"
    assert np.array_equal(suv.array, result.dates[1].images["pet"].array)
    (mask,) = io.load_masks(place / "regions.dcm").values()
    whole = sitk.Resample(mask, suv.image, sitk.Transform(), sitk.sitkNearestNeighbor)
    assert np.array_equal(sitk.GetArrayFromImage(whole) > 0, LESION)
    report = pydicom.dcmread(place / "measurements.dcm")
    text = str(report)
    assert "SUVbw" in text and "Maximum" in text


def test_suv_is_in_the_sdtm_rows_by_its_own_method(written):
    _, out = written
    with (out / "sdtm_tr.csv").open(newline="") as stream:
        rows = {(row["TRTESTCD"], row["VISIT"]): row for row in csv.DictReader(stream)}
    row = rows[("SUVMAX", "before")]
    assert (row["TRMETHOD"], row["TRSTRESU"]) == ("PET/CT SCAN", "g/mL")
    assert float(row["TRSTRESN"]) == pytest.approx(2.0, rel=1e-3)


def test_the_page_shows_both_dates_in_one_window(written):
    result, _ = written
    shown = page(result)
    (section,) = [one for one in shown.sections if one.title == "PET before and after, in one window"]
    assert len(section.blocks) == 2
    numbers = next(one for one in shown.sections if one.title == "The numbers")
    assert [block.caption for block in numbers.blocks if isinstance(block, Table)] == ["Size and state"]
    (card,) = [card for card in shown.headline if card[0] == "Change of total uptake, pet"]
    assert card[1] == pytest.approx(-40.0, abs=0.5)
