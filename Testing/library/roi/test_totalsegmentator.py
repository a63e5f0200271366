"""TotalSegmentator results as regions, by name and by number; and the user's masks over what was found."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from bonequant.errors import InputError
from bonequant.roi import TOTAL_CLASSES, is_totalsegmentator, merge_user_regions, regions_of_totalsegmentator


def mask_at(z: int, filled: bool = True) -> sitk.Image:
    array = np.zeros((40, 8, 8), dtype=np.uint8)
    if filled:
        array[z, 2:5, 2:5] = 1
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((1.0, 1.0, 3.0))
    return image


def voxels(mask: sitk.Image) -> int:
    return int((sitk.GetArrayViewFromImage(mask) > 0).sum())


def test_the_class_list_is_version_2s():
    # Label numbers as published with version 2 of the task "total": 117 classes.
    assert len(TOTAL_CLASSES) == len(set(TOTAL_CLASSES)) == 117
    labels = {1: "spleen", 5: "liver", 25: "sacrum", 27: "vertebrae_L5", 32: "vertebrae_T12", 50: "vertebrae_C1"}
    labels |= {
        52: "aorta",
        77: "hip_left",
        78: "hip_right",
        86: "autochthon_left",
        92: "rib_left_1",
        115: "rib_right_12",
    }
    assert {n: TOTAL_CLASSES[n - 1] for n in labels} == labels


def test_names_become_regions_and_bones_one_bone():
    masks = {"vertebrae_L1": mask_at(10), "vertebrae_T12": mask_at(14), "hip_left": mask_at(2), "sacrum": mask_at(4)}
    masks |= {"rib_left_5": mask_at(20), "rib_right_5": mask_at(22), "liver": mask_at(16), "stomach": mask_at(17)}
    masks |= {"lung_upper_lobe_left": mask_at(30), "my tumour": mask_at(33), "vertebrae_C1": mask_at(0, filled=False)}
    found = regions_of_totalsegmentator(masks)
    assert set(found) == {"L1", "T12", "spine", "pelvis", "ribs", "bone", "liver", "lung", "my tumour"}
    assert voxels(found["spine"]) == 18 and voxels(found["pelvis"]) == 18 and voxels(found["bone"]) == 54
    assert found["L1"] is masks["vertebrae_L1"]


def test_other_masks_come_back_as_they_are():
    masks = {"liver": mask_at(1), "lesion 1": mask_at(3), "label_4": mask_at(5)}
    assert not is_totalsegmentator(masks)
    assert regions_of_totalsegmentator(masks) == masks


def test_numbers_are_believed_only_where_the_vertebrae_stand_in_order():
    upright = {"label_27": mask_at(4), "label_28": mask_at(8), "label_31": mask_at(20), "label_5": mask_at(12)}
    assert set(regions_of_totalsegmentator(upright)) == {"L5", "L4", "L1", "spine", "bone", "liver"}
    shuffled = {**upright, "label_31": mask_at(1)}
    assert regions_of_totalsegmentator(shuffled) == shuffled
    few = {"label_27": mask_at(4), "label_5": mask_at(12)}
    assert regions_of_totalsegmentator(few) == few


def test_a_drawn_region_wins_and_is_told_apart():
    found = {"bone": mask_at(1), "liver": mask_at(2)}
    drawn = {"liver": mask_at(9), "tumour": mask_at(10)}
    merged, origins = merge_user_regions(found, drawn)
    assert merged["liver"] is drawn["liver"] and merged["bone"] is found["bone"]
    assert origins == {"bone": "found", "liver": "drawn", "tumour": "drawn"}
    with pytest.raises(InputError, match="'spleen' is empty"):
        merge_user_regions(found, {"spleen": mask_at(0, filled=False)})
