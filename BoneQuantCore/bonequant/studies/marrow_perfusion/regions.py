"""Regions of the marrow job: found on the CT, by uptake, or drawn; a drawn one always wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.progress import Progress, part_of
from bonequant.roi import LesionCandidate, Vertebrae, lesion_candidates, segment_skeleton, vertebrae
from bonequant.studies.marrow_perfusion.inputs import MarrowInputs
from bonequant.studies.marrow_perfusion.maa import NORMAL_LIVER, tumours_in
from bonequant.studies.marrow_perfusion.settings import MarrowSettings
from bonequant.volume import Volume, same_grid

FOUND, BY_UPTAKE, DRAWN = "found on CT", "by uptake", "drawn"


@dataclass(frozen=True, eq=False)
class Regions:
    """Masks on the grid of the CT and on that of the functional image, and how each came to be."""

    on_ct: Mapping[str, sitk.Image]
    on_functional: Mapping[str, sitk.Image]
    origins: Mapping[str, str]
    vertebrae: tuple[str, ...] = ()
    lesions: tuple[LesionCandidate, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def lesion_names(self) -> list[str]:
        return [lesion.name for lesion in self.lesions]


def find_regions(
    inputs: MarrowInputs,
    functional: Volume,
    transform: sitk.Transform | None,
    settings: MarrowSettings,
    progress: Progress,
) -> Regions:
    """All regions of one date. ``transform``: points of the CT to points of the functional image."""
    on_functional = dict(inputs.masks_on_functional)
    drawn = dict(inputs.masks_on_ct)
    origins = dict.fromkeys([*drawn, *on_functional], DRAWN)
    if inputs.ct is None:
        return Regions({}, _with_normal_liver(on_functional, origins), origins)

    skeleton = segment_skeleton(inputs.ct, settings.skeleton, part_of(progress, 0.0, 0.4))
    warnings = list(skeleton.warnings)
    found = _inside_drawn_bone(dict(skeleton.masks), drawn)
    spine, remarks = _vertebrae(inputs.ct, {**found, **drawn}, settings, part_of(progress, 0.4, 0.6))
    warnings += remarks
    found |= spine.masks if spine is not None else {}

    origins = {**dict.fromkeys(found, FOUND), **origins}
    on_ct = {name: mask for name, mask in {**found, **drawn}.items() if name not in on_functional}
    lesions = _lesions(inputs.ct, functional, on_ct, transform, settings, part_of(progress, 0.8, 1.0))
    for lesion in lesions:
        on_ct[lesion.name] = lesion.mask
        origins[lesion.name] = BY_UPTAKE
    return Regions(
        on_ct=_with_normal_liver(on_ct, origins),
        on_functional=_with_normal_liver(on_functional, origins),
        origins=origins,
        vertebrae=tuple(spine.masks) if spine is not None else tuple(name for name in drawn if _is_level(name)),
        lesions=lesions,
        warnings=tuple(warnings),
    )


def _inside_drawn_bone(found: dict[str, sitk.Image], drawn: Mapping[str, sitk.Image]) -> dict[str, sitk.Image]:
    """Where the user gives the bone, marrow is what was found inside it and cortical bone is the rest."""
    if "bone" not in drawn or not same_grid(drawn["bone"], found["bone"]):
        return found
    bone = sitk.GetArrayViewFromImage(drawn["bone"]) > 0.5
    marrow = (sitk.GetArrayViewFromImage(found["marrow"]) > 0) & bone
    return {"marrow": _like(found["bone"], marrow), "cortical": _like(found["bone"], bone & ~marrow)}


def _vertebrae(
    ct: Volume, masks: Mapping[str, sitk.Image], settings: MarrowSettings, progress: Progress
) -> tuple[Vertebrae | None, tuple[str, ...]]:
    """The vertebral bodies, or None with the reason; drawn ones (a whole-body segmentation) are taken as they are."""
    if any(_is_level(name) for name in masks):
        return None, ()
    level = (settings.level, settings.level_z_mm) if settings.level and settings.level_z_mm is not None else None
    try:
        found = vertebrae(ct, masks, level=level, progress=progress)
    except InputError as error:
        return None, (f"Vertebrae are not told apart: {error}",)
    return found, found.warnings


def _lesions(
    ct: Volume,
    functional: Volume,
    masks: Mapping[str, sitk.Image],
    transform: sitk.Transform | None,
    settings: MarrowSettings,
    progress: Progress,
) -> tuple[LesionCandidate, ...]:
    """Candidates; none where the user drew lesions, or where tracer in bone is not what is looked for (MAA)."""
    if settings.tracer == "maa" or tumours_in(masks):
        return ()
    bones = {name: mask for name, mask in masks.items() if same_grid(mask, ct.image)}
    return lesion_candidates(
        ct, functional, bones, transform, sd=settings.lesion_sd, min_ml=settings.lesion_min_ml, progress=progress
    )


def _with_normal_liver(masks: dict[str, sitk.Image], origins: dict[str, str]) -> dict[str, sitk.Image]:
    """Adds the liver without its tumours, where both were drawn on one grid."""
    tumours = [name for name in tumours_in(masks) if "liver" in masks and same_grid(masks[name], masks["liver"])]
    if NORMAL_LIVER in masks or not tumours:
        return masks
    liver = sitk.GetArrayViewFromImage(masks["liver"]) > 0.5
    for name in tumours:
        liver = liver & ~(sitk.GetArrayViewFromImage(masks[name]) > 0.5)
    origins[NORMAL_LIVER] = "liver without tumours"
    return {**masks, NORMAL_LIVER: _like(masks["liver"], liver)}


def _is_level(name: str) -> bool:
    return name.startswith("vertebra_") or (name[:1] in "CTL" and name[1:].isdigit())


def _like(image: sitk.Image, array: np.ndarray) -> sitk.Image:
    mask = sitk.GetImageFromArray(array.astype(np.uint8))
    mask.CopyInformation(image)
    return mask
