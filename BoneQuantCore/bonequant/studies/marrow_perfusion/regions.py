"""Regions of the marrow job: found on the CT, by uptake, or drawn; a drawn one always wins."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.progress import Progress, part_of
from bonequant.roi import (
    LesionCandidate,
    anatomical_regions,
    lesion_candidates,
    lungs,
    merge_user_regions,
    red_marrow,
    reference_regions,
)
from bonequant.roi.levels import is_level
from bonequant.studies.marrow_perfusion.inputs import MarrowInputs
from bonequant.studies.marrow_perfusion.maa import NORMAL_LIVER, tumours_in
from bonequant.studies.marrow_perfusion.settings import MarrowSettings
from bonequant.volume import Volume, image_from_array, same_grid
from bonequant.volume.geometry import Geometry

FOUND, BY_UPTAKE, DRAWN = "found on CT", "by uptake", "drawn"
_DERIVED = ("marrow", "cortical", "red_marrow")  # no one draws these beside lesions: such masks are our own export
_PARTS_OF_BONE = ("marrow", "cortical", "spine", "pelvis", "femora", "ribs", "other_bone")
_TOLERATED = 0.01  # of a region's volume outside the one that it lies in


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
    drawn, on_functional = dict(inputs.masks_on_ct), dict(inputs.masks_on_functional)
    origins = dict.fromkeys([*drawn, *on_functional], DRAWN)
    if inputs.ct is None:
        if settings.tracer == "maa":
            on_functional = _with_normal_liver(on_functional, origins)
        return Regions({}, on_functional, origins, warnings=tuple(_stale(on_functional, on_functional)))

    found, warnings = _on_ct(inputs.ct, drawn, settings, part_of(progress, 0.0, 0.7))
    on_ct, _ = merge_user_regions(found, drawn)
    on_ct = {name: mask for name, mask in on_ct.items() if name not in on_functional}
    origins = {**dict.fromkeys(found, FOUND), **origins}
    warnings += [*_stale(inputs.masks_on_ct, on_ct), *_stale(on_functional, on_functional)]
    warnings += _without_lesions(inputs.masks_on_ct, settings)

    lesions = tuple(
        dataclasses.replace(lesion, name=lesion.name + inputs.lesion_suffix)
        for lesion in _lesions(inputs.ct, functional, on_ct, transform, settings, part_of(progress, 0.7, 0.9))
    )
    for lesion in lesions:
        on_ct[lesion.name], origins[lesion.name] = lesion.mask, BY_UPTAKE
    progress(0.9, "Red marrow")
    if "red_marrow" not in origins and settings.tracer != "maa":
        try:
            on_ct["red_marrow"] = red_marrow(functional, on_ct, transform, settings.red_marrow_sd).mask
            origins["red_marrow"] = BY_UPTAKE
        except InputError as error:
            warnings.append(f"Red marrow is not told apart: {error}")
    if settings.tracer == "maa":
        on_ct, on_functional = _with_normal_liver(on_ct, origins), _with_normal_liver(on_functional, origins)
    return Regions(
        on_ct=_in_order(on_ct),
        on_functional=on_functional,
        origins=origins,
        vertebrae=tuple(name for name in on_ct if is_level(name)),
        lesions=lesions,
        warnings=tuple(warnings),
    )


def _on_ct(
    ct: Volume, drawn: Mapping[str, sitk.Image], settings: MarrowSettings, progress: Progress
) -> tuple[dict[str, sitk.Image], list[str]]:
    """Bones and reference regions; where the user gives vertebrae (a whole-body segmentation) none are looked for."""
    level = (settings.level, settings.level_z_mm) if settings.level and settings.level_z_mm is not None else None
    anatomy = anatomical_regions(ct, settings=settings.skeleton, level=level, progress=part_of(progress, 0.0, 0.8))
    found, warnings = dict(anatomy.masks), list(anatomy.warnings)
    if any(is_level(name) for name in drawn):
        found = {name: mask for name, mask in found.items() if not is_level(name)}
    if "bone" in drawn and same_grid(drawn["bone"], ct.image):
        # The user's bone: marrow is what was found inside it, cortical bone is the rest.
        bone = sitk.GetArrayViewFromImage(drawn["bone"]) > 0.5
        marrow = (sitk.GetArrayViewFromImage(found["marrow"]) > 0) & bone
        found["marrow"], found["cortical"] = _like(ct.image, marrow), _like(ct.image, bone & ~marrow)
    for reference in reference_regions(ct, found, part_of(progress, 0.8, 1.0)).values():
        if reference.mask is not None:
            found[reference.name] = reference.mask
        elif reference.name not in drawn:
            warnings.append(reference.message)
    if settings.tracer == "maa" and "lung" not in drawn and (lung := lungs(ct)) is not None:
        found["lung"] = lung
    if settings.tracer == "maa" and "liver" not in drawn:
        found.pop("liver", None)  # a sphere in the liver is a reference, not the organ
    return found, warnings


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


def _without_lesions(drawn: Mapping[str, sitk.Image], settings: MarrowSettings) -> list[str]:
    """A warning where an export given back whole keeps lesions from being looked for."""
    derived = [name for name in _DERIVED if name in drawn]
    lesions = tumours_in(drawn)
    if settings.tracer == "maa" or not lesions or not derived:
        return []
    return [
        f"No lesion candidates were looked for: the masks hold {', '.join(lesions)}, taken as drawn like "
        f"{', '.join(derived)}. If the file is an edited export, keep only the regions that you changed in it."
    ]


def _stale(drawn: Mapping[str, sitk.Image], masks: Mapping[str, sitk.Image]) -> list[str]:
    """Warnings about drawn regions that do not fit those they follow from: an export, edited in one place only."""

    def voxels(name: str) -> np.ndarray:
        return sitk.GetArrayViewFromImage(masks[name]) > 0.5

    def outside(child: str, parent: str) -> float:
        if not same_grid(masks[child], masks[parent]):
            return 0.0
        inner = voxels(child)
        return float((inner & ~voxels(parent)).sum() / max(inner.sum(), 1))

    advice = "it was taken as drawn; leave it out of the mask file to have it found anew."
    pairs = [("red_marrow", "marrow")] if "red_marrow" in drawn and "marrow" in masks else []
    if "bone" in drawn:  # the edges of a bone found here differ from those of parts that another program drew
        pairs += [(name, "bone") for name in _PARTS_OF_BONE if name in drawn]
    shares = {pair: outside(*pair) for pair in pairs}
    texts = [
        f"{child} lies outside {parent} by {100 * share:.3g} %: {advice}"
        for (child, parent), share in shares.items()
        if share > _TOLERATED
    ]
    whole = [name for name in ("bone", "marrow", "cortical") if name in drawn]
    if len(whole) == 3 and all(same_grid(masks[name], masks["bone"]) for name in whole):
        bone = voxels("bone")
        wrong = float((bone & (voxels("cortical") == voxels("marrow"))).sum() / max(bone.sum(), 1))
        if wrong > _TOLERATED:
            texts.append(f"cortical is not bone without marrow ({100 * wrong:.3g} % of bone differs): {advice}")
    return texts


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


def _in_order(masks: dict[str, sitk.Image]) -> dict[str, sitk.Image]:
    """Marrow first, then bones, vertebrae, references and lesions: the order of every table."""
    first = ("marrow", "red_marrow", "cortical", "bone", "spine", "pelvis", "femora", "ribs", "other_bone")
    kinds = [
        [name for name in first if name in masks],
        [name for name in masks if is_level(name)],
        [name for name in masks if name not in first and not is_level(name)],
    ]
    return {name: masks[name] for kind in kinds for name in kind}


def _like(image: sitk.Image, array: np.ndarray) -> sitk.Image:
    return image_from_array(array, Geometry.of(image))
