"""Reading a date: folders of parts, manifests, and masks told apart by their names."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.io import write_segmentation, write_volume
from bonequant.studies.treatment_response import read_date
from bonequant.volume import Geometry, Volume, image_from_array

GRID = Geometry((12, 12, 8), (3.0, 3.0, 5.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))


def block(low: int, high: int) -> sitk.Image:
    array = np.zeros(GRID.shape, np.uint8)
    array[3:5, low:high, low:high] = 1
    return image_from_array(array, GRID)


@pytest.fixture
def parts(tmp_path):
    """A CT and an ADC map as files, and masks of every role."""
    values = np.random.default_rng(0).normal(100.0, 10.0, GRID.shape).astype(np.float32)
    write_volume(Volume(image_from_array(values, GRID), "CT", "HU"), tmp_path / "ct.nrrd")
    write_volume(Volume(image_from_array(values + 800.0, GRID), "MR", "um2/s"), tmp_path / "adc.nrrd")
    masks = {
        "L5": block(2, 6),
        "L5_extra_osseous": block(5, 8),
        "L5_reference": block(8, 10),
        "reference": block(9, 11),
        "normal_bone": block(0, 2),
        "skeleton": block(0, 11),
    }
    write_segmentation(masks, tmp_path / "drawn.seg.nrrd")
    return tmp_path


def test_a_folder_of_parts(parts):
    one = read_date(parts, "before")
    assert set(one.images) == {"ct", "adc"}
    assert one.images["ct"].unit == "HU"
    assert one.dce is None


def test_masks_are_told_apart_by_their_names(parts):
    one = read_date(parts, "before")
    assert set(one.lesions) == {"L5"}
    assert set(one.extra_osseous) == {"L5"}
    assert set(one.references) == {"", "L5"}
    assert one.normal_bone is not None
    assert one.skeleton is not None


def test_a_manifest_names_its_parts(parts):
    path = parts / "manifest.json"
    path.write_text(
        json.dumps(
            {
                "name": "baseline",
                "date": "2026-01-31",
                "masks": "drawn.seg.nrrd",
                "images": {"CT": "ct.nrrd", "map": {"path": "adc.nrrd", "facts": {"unit": "1e-6 mm2/s"}}},
            }
        )
    )
    one = read_date(path, "before")
    assert one.name == "baseline"
    assert one.scan_date == date(2026, 1, 31)
    assert one.images["map"].unit == "1e-6 mm2/s"
    assert set(one.lesions) == {"L5"}


def test_a_region_given_twice(parts):
    with pytest.raises(InputError, match="another mask"):
        read_date(parts, "before", [parts / "drawn.seg.nrrd"])


def test_a_part_of_no_lesion(parts):
    write_segmentation({"L1": block(2, 6), "L9_extra_osseous": block(5, 8)}, parts / "drawn.seg.nrrd")
    with pytest.raises(InputError, match="L9_extra_osseous belongs to no lesion"):
        read_date(parts, "before")
