"""The lesion radiomics job: check, quantify, align, place each lesion on each image, take features, judge them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping

import SimpleITK as sitk

from bonequant.errors import InputError, RegistrationError
from bonequant.progress import Progress, no_progress, part_of
from bonequant.provenance import Provenance, hash_image
from bonequant.radiomics import IbsiSettings
from bonequant.radiomics.maps import check_maps
from bonequant.registration import RegistrationResult, register
from bonequant.roi import measure
from bonequant.studies.lesion_radiomics.candidates import find_lesions
from bonequant.studies.lesion_radiomics.features_of import NOT_INSTALLED, features_of
from bonequant.studies.lesion_radiomics.inputs import Lesion, LesionInputs, Space, check
from bonequant.studies.lesion_radiomics.maps import lesion_maps
from bonequant.studies.lesion_radiomics.quality import feature_quality
from bonequant.studies.lesion_radiomics.quantify import quantify
from bonequant.studies.lesion_radiomics.regions import Region, regions_of
from bonequant.studies.lesion_radiomics.result import LesionResult, OnImage, image_name
from bonequant.studies.lesion_radiomics.settings import LesionSettings, image_recipe, recipe_hash
from bonequant.studies.lesion_radiomics.table import columns_of
from bonequant.volume import Volume, is_linear

_FEW_PIXELS = 64  # texture of fewer is said to be little but noise (LIFEx, Nioche et al., Cancer Res 2018;78:4786)
_BODY_MM = 150.0  # a cut-out around a lesion gives a registration too little to hold on to: measured, 30 mm astray
_CUT_OUT = f"one of the images is smaller than {_BODY_MM:.0f} mm."
_UNCHECKED = (
    "The scanner's alignment was taken as it is and not checked by registration: {why} Look at the outlines on both "
    "images; --set alignment=register uses a registration, a transform can be given."
)
_AS_HU = "The CT's file names no modality and no unit: as --ct was given, it is taken as a CT in HU."


def run(inputs: LesionInputs, settings: LesionSettings | None = None, progress: Progress | None = None) -> LesionResult:
    """Features of every lesion on every image.

    Raises InputError, MissingFactError, ConfirmationRequired or RegistrationError, with the way out in the message.
    """
    settings, report = LesionSettings.of(settings), progress or no_progress
    warnings = [*inputs.warnings, *check(inputs)]
    if settings.maps:
        for space in ("ct", "functional"):
            if inputs.image(space) is not None:
                check_maps(settings.maps, settings.ibsi(space))
    images: dict[Space, Volume] = {}
    if inputs.ct is not None:
        images["ct"], remarks = _in_hu(inputs.ct)
        warnings += [*inputs.ct.warnings, *remarks]
    factors = None
    if inputs.functional is not None:
        report(0.0, "Quantifying")
        quantified = quantify(inputs.functional, settings)
        images["functional"], factors = quantified.volume, quantified.factors
        warnings += [*inputs.functional.warnings, *quantified.warnings]

    registration, alignment = _align(inputs, images, settings, part_of(report, 0.02, 0.2))
    if registration is not None:
        warnings += registration.warnings
    alignment_check = ""
    if len(images) == 2 and registration is None and inputs.transform is None:
        alignment_check, doubt = _check_scanner(images, settings, part_of(report, 0.02, 0.2))
        warnings = [*doubt, *warnings]  # first: every number of a carried lesion rests on it
    lesions = inputs.lesions
    if inputs.find:
        found, cautions = find_lesions(
            images["ct"], images["functional"], alignment["ct"], settings, part_of(report, 0.2, 0.4)
        )
        lesions, warnings = (*lesions, *found), [*warnings, *cautions]

    def place(lesion: Lesion) -> dict[Space, Region]:
        return regions_of(lesion, images, alignment, settings.plane)

    schemes = {space: settings.ibsi(space) for space in images}
    on_images: dict[str, dict[Space, OnImage]] = {}
    for number, lesion in enumerate(lesions):
        report(0.4 + 0.2 * number / len(lesions), f"Features of {lesion.id}")
        on_images[lesion.id] = _on_images(lesion, images, place(lesion), schemes, settings)
    warnings += _remarks(lesions, on_images)

    by_id = {lesion.id: lesion for lesion in lesions}

    def columns(lesion_id: str, mask: sitk.Image, adjusted: sitk.Image | None) -> dict[str, float]:
        other = dataclasses.replace(by_id[lesion_id], mask=mask, adjusted=adjusted)
        return columns_of(_on_images(other, images, place(other), schemes, settings, measured=False))

    quality = feature_quality(
        {name: columns_of(found) for name, found in on_images.items()},
        {lesion.id: (lesion.mask, lesion.adjusted) for lesion in lesions},
        inputs.readings,
        columns,
        settings.stability,
        settings.perturb,
        part_of(report, 0.6, 0.9),
    )
    maps, remarks = lesion_maps(images, on_images, settings, part_of(report, 0.9, 1.0))
    recipes = {image_name(space, image): image_recipe(settings, space, image.unit) for space, image in images.items()}
    report(1.0, "Measured")
    return LesionResult(
        patient=inputs.patient,
        settings=settings,
        images=images,
        lesions=lesions,
        on_images=on_images,
        transform=alignment.get("ct"),
        registration=registration,
        alignment_check=alignment_check,
        factors=factors,
        recipes=recipes,
        settings_hash=recipe_hash(recipes),
        quality=quality,
        provenance=_provenance(inputs, lesions, settings),
        maps=maps,
        warnings=tuple(dict.fromkeys([*warnings, *quality.warnings, *remarks])),
    )


def _in_hu(ct: Volume) -> tuple[Volume, list[str]]:
    if ct.modality == "CT" and ct.unit:
        return ct, []
    return ct.replace(modality="CT", unit=ct.unit or "HU"), [_AS_HU]


def _align(
    inputs: LesionInputs, images: Mapping[Space, Volume], settings: LesionSettings, progress: Progress
) -> tuple[RegistrationResult | None, dict[Space, sitk.Transform | None]]:
    """By the space of a drawing, the transform to the other space: given, registered, or the scanner's own (None)."""
    if len(images) < 2:
        return None, {"ct": None, "functional": None}
    given = inputs.transform
    if given is not None:
        if not is_linear(given):
            if any(lesion.drawn_on == "functional" and lesion.adjusted is None for lesion in inputs.lesions):
                raise InputError(
                    "A deformable alignment given by hand has no inverse here; draw the lesions on the CT."
                )
            return None, {"ct": given, "functional": None}
        return None, {"ct": given, "functional": given.GetInverse()}
    if settings.alignment == "scanner":
        return None, {"ct": None, "functional": None}
    registration = register(images["functional"], images["ct"], settings.registration, progress)
    return registration, {"ct": registration.transform, "functional": registration.inverse}


def _check_scanner(
    images: Mapping[Space, Volume], settings: LesionSettings, progress: Progress
) -> tuple[str, list[str]]:
    """What a rigid registration says of the scanner's alignment, and a warning where it contradicts or cannot tell.

    The registration only measures: lesions stay where the scanner's alignment puts them.
    """
    if any(sorted(_extent_mm(image))[1] < _BODY_MM for image in images.values()):
        text = _UNCHECKED.format(why=_CUT_OUT)
        return text, [text]
    rigid = dataclasses.replace(settings.registration, model="rigid")
    try:
        quality = register(images["functional"], images["ct"], rigid, progress).quality
    except RegistrationError as error:
        text = _UNCHECKED.format(why=str(error))
        return text, [text]
    name, moved, voxel = image_name("functional", images["functional"]), quality.displacement_mm, quality.voxel_mm
    found = f"By registration the {name} lies {moved:.1f} mm from where the scanner put it"
    if quality.agreement_mm <= voxel < moved:
        text = (
            f"{found}, more than one voxel ({voxel:.1f} mm): lesions were carried by the scanner's alignment all the "
            "same. Look at the outlines on both images; --set alignment=register uses the registration."
        )
        return text, [text]
    if quality.level == "warn":
        text = _UNCHECKED.format(why=quality.text)
        return text, [text]
    return f"{found}, which is within one voxel ({voxel:.1f} mm): the scanner's alignment was kept.", []


def _extent_mm(image: Volume) -> list[float]:
    return [count * edge for count, edge in zip(image.geometry.size, image.geometry.spacing, strict=True)]


def _on_images(
    lesion: Lesion,
    images: Mapping[Space, Volume],
    regions: Mapping[Space, Region],
    schemes: Mapping[Space, IbsiSettings],
    settings: LesionSettings,
    measured: bool = True,
) -> dict[Space, OnImage]:
    found: dict[Space, OnImage] = {}
    for space, image in images.items():
        region = regions[space]
        try:
            features = features_of(image, region, schemes[space], settings)
            values = measure(image, region.mask, name=lesion.id) if measured and region.mask is not None else None
        except InputError as error:
            raise InputError(f"Lesion {lesion.id} on {image.name or space}: {error}") from error
        found[space] = OnImage(image_name(space, image), region, values, features)
    return found


def _remarks(lesions: tuple[Lesion, ...], on_images: Mapping[str, Mapping[Space, OnImage]]) -> list[str]:
    """What is peculiar about single lesions, in one line each."""
    remarks = []
    small = [
        f"{lesion.id} on {on.image} ({count})"
        for lesion in lesions
        for on in on_images[lesion.id].values()
        if on.region.section is not None and (count := int(on.region.section.pixels.sum())) < _FEW_PIXELS
    ]
    if small:
        remarks.append(f"Sections of fewer than {_FEW_PIXELS} pixels, whose texture says little: {', '.join(small)}.")
    for lesion in lesions:
        for on in on_images[lesion.id].values():
            where = f"{lesion.id} on {on.image}"
            if problem := on.region.mask_problem or on.region.section_problem:
                remarks.append(f"{where}: {problem} Its features there are missing.")
            if on.region.mask is not None and _slices(on.region.mask) == 1:
                remarks.append(f"{where} lies in one slice: its features in 3-D are those of a slab.")
            if NOT_INSTALLED in on.features.missing.values():
                count = sum(reason == NOT_INSTALLED for reason in on.features.missing.values())
                remarks.append(
                    f"pyradiomics is not installed: {count} shape and texture features of each lesion and image are "
                    "missing. See README for how to build it; in Slicer install SlicerRadiomics."
                )
    return remarks


def _slices(mask: sitk.Image) -> int:
    return int(sitk.GetArrayViewFromImage(mask).any(axis=(1, 2)).sum())


def _provenance(inputs: LesionInputs, lesions: tuple[Lesion, ...], settings: LesionSettings) -> Provenance:
    hashes: dict[str, str] = {}
    for space, image in (("ct", inputs.ct), ("functional", inputs.functional)):
        if image is not None:
            hashes[space] = image.sha256 or hash_image(image.image)
    for lesion in lesions:
        hashes[f"mask {lesion.id}"] = hash_image(lesion.mask)
        if lesion.adjusted is not None:
            hashes[f"adjusted mask {lesion.id}"] = hash_image(lesion.adjusted)
    for reading, masks in inputs.readings.items():
        hashes |= {f"{reading} {name}": hash_image(mask) for name, mask in masks.items()}
    if inputs.transform is not None:
        hashes["transform"] = hashlib.sha256(str(inputs.transform).encode()).hexdigest()
    return Provenance("lesion_radiomics", hashes, settings.to_dict())
