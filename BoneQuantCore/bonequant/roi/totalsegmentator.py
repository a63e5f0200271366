"""Regions from a TotalSegmentator result the user already has: a folder of masks, or a multi-label file.

TotalSegmentator is never bundled or run here. Its class list (task "total", version 2, Wasserthal et al. 2023,
Radiology AI 5:e230024) is a fact that its files rely on: labels in a multi-label image are numbers only.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import numpy as np
import SimpleITK as sitk

from bonequant.volume import Geometry, image_from_array

_SPINE = (
    *(f"L{i}" for i in range(5, 0, -1)),
    *(f"T{i}" for i in range(12, 0, -1)),
    *(f"C{i}" for i in range(7, 0, -1)),
)


def _sides(*names: str) -> list[str]:
    return [f"{name}_{side}" for name in names for side in ("left", "right")]


TOTAL_CLASSES: tuple[str, ...] = (  # label 1 first
    "spleen", "kidney_right", "kidney_left", "gallbladder", "liver", "stomach", "pancreas", "adrenal_gland_right",
    "adrenal_gland_left", "lung_upper_lobe_left", "lung_lower_lobe_left", "lung_upper_lobe_right",
    "lung_middle_lobe_right", "lung_lower_lobe_right", "esophagus", "trachea", "thyroid_gland", "small_bowel",
    "duodenum", "colon", "urinary_bladder", "prostate", "kidney_cyst_left", "kidney_cyst_right", "sacrum",
    "vertebrae_S1", *(f"vertebrae_{level}" for level in _SPINE), "heart", "aorta", "pulmonary_vein",
    "brachiocephalic_trunk", "subclavian_artery_right", "subclavian_artery_left", "common_carotid_artery_right",
    "common_carotid_artery_left", *_sides("brachiocephalic_vein"), "atrial_appendage_left", "superior_vena_cava",
    "inferior_vena_cava", "portal_vein_and_splenic_vein",
    *_sides("iliac_artery", "iliac_vena", "humerus", "scapula", "clavicula", "femur", "hip"), "spinal_cord",
    *_sides("gluteus_maximus", "gluteus_medius", "gluteus_minimus", "autochthon", "iliopsoas"), "brain", "skull",
    *(f"rib_left_{i}" for i in range(1, 13)), *(f"rib_right_{i}" for i in range(1, 13)), "sternum",
    "costal_cartilages",
)  # fmt: skip

_VERTEBRAE = {f"vertebrae_{level}": level for level in _SPINE}
_UNIONS: dict[str, tuple[str, ...]] = {
    "spine": tuple(_VERTEBRAE),
    "pelvis": ("hip_left", "hip_right", "sacrum", "vertebrae_S1"),
    "ribs": tuple(name for name in TOTAL_CLASSES if name.startswith("rib_")),
    "femora": ("femur_left", "femur_right"),
    "other_bone": (*_sides("humerus", "scapula", "clavicula"), "skull", "sternum"),
    "aorta": ("aorta",),
    "heart": ("heart",),
    "liver": ("liver",),
    "spleen": ("spleen",),
    "kidney": ("kidney_left", "kidney_right"),
    "lung": tuple(name for name in TOTAL_CLASSES if name.startswith("lung_")),
    "muscle": ("autochthon_left", "autochthon_right"),
}
_BONES = ("spine", "pelvis", "ribs", "femora", "other_bone")
_SIGNATURE = ("vertebrae_", "hip_", "rib_left_", "rib_right_", "lung_upper_lobe", "lung_lower_lobe", "autochthon_")
_LEAST_NUMBERED = 3  # vertebrae that must stand in order before numbers are believed


def is_totalsegmentator(names: Iterable[str]) -> bool:
    """Are these names of mask files or segments those of a TotalSegmentator result?"""
    return any(name.startswith(_SIGNATURE) and name in TOTAL_CLASSES for name in names)


def regions_of_totalsegmentator(masks: Mapping[str, sitk.Image]) -> dict[str, sitk.Image]:
    """The regions of this library from masks named by TotalSegmentator; any other masks come back as they are.

    ``masks``: by class name, or by number (``label_27``) as read from a multi-label image. Numbers are believed
    only where at least three vertebrae stand in the order of the class list, lowest first. Vertebrae become "T12",
    "L1"; hips and sacrum "pelvis"; ribs "ribs"; lung lobes "lung"; the back muscles "muscle"; all bones together
    "bone". Classes that are no region here and empty masks (classes outside the field of view) are left out.
    """
    named = _with_class_names(masks)
    if not is_totalsegmentator(named):
        return dict(masks)
    present = {name: mask for name, mask in named.items() if sitk.GetArrayViewFromImage(mask).any()}
    result = {name: mask for name, mask in present.items() if name not in TOTAL_CLASSES}
    result |= {level: present[name] for name, level in _VERTEBRAE.items() if name in present}
    for region, parts in _UNIONS.items():
        members = [present[name] for name in parts if name in present]
        if members:
            result[region] = _union(members)
    bones = [result[name] for name in _BONES if name in result]
    if bones:
        result["bone"] = _union(bones)
    return result


def _with_class_names(masks: Mapping[str, sitk.Image]) -> dict[str, sitk.Image]:
    """Numbers turned into class names where the order of the vertebrae bears the numbering out."""
    numbered = {name: int(name[6:]) for name in masks if name.startswith("label_") and name[6:].isdigit()}
    if not numbered or len(numbered) < len(masks) or max(numbered.values()) > len(TOTAL_CLASSES):
        return dict(masks)
    named = {TOTAL_CLASSES[number - 1]: masks[name] for name, number in numbered.items() if number > 0}
    heights = [_height_mm(named[name]) for name in _VERTEBRAE if name in named]
    if len(heights) < _LEAST_NUMBERED or any(b <= a for a, b in itertools.pairwise(heights)):
        return dict(masks)
    return named


def _height_mm(mask: sitk.Image) -> float:
    """Mean z (LPS mm) of the mask's voxels."""
    z, y, x = np.nonzero(sitk.GetArrayViewFromImage(mask))
    centre = np.array([x.mean(), y.mean(), z.mean(), 1.0]) if len(z) else np.full(4, np.nan)
    return float((Geometry.of(mask).index_to_physical @ centre)[2])


def _union(masks: list[sitk.Image]) -> sitk.Image:
    if len(masks) == 1:
        return masks[0]
    total = sitk.GetArrayFromImage(masks[0]) > 0.5
    for mask in masks[1:]:
        total |= sitk.GetArrayViewFromImage(mask) > 0.5
    return image_from_array(total, Geometry.of(masks[0]))
