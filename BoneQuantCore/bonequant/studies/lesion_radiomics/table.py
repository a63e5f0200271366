"""Tables of the result: features long and wide, lesions with what is measured in them, stability, and the recipe."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from bonequant.radiomics import Features, describe_feature
from bonequant.radiomics.units import feature_unit
from bonequant.studies.lesion_radiomics.result import LesionResult, OnImage

UNNAMED = "unnamed"


def column(image: str, feature: str) -> str:
    """Name of a feature of an image in wide tables and models, as ``CT:original_glcm_Contrast``."""
    return f"{image}:{feature}"


def columns_of(on_images: Mapping[Any, OnImage]) -> dict[str, float]:
    """All features of a lesion by their column."""
    return {column(on.image, feature): value for on in on_images.values() for feature, value in on.features.items()}


def long_rows(result: LesionResult) -> list[dict[str, Any]]:
    """One row per lesion, image and feature: value, unit, IBSI identifier and status, reason where it is missing."""
    return [
        {"patient_id": result.patient or UNNAMED, "lesion_id": lesion.id, "level": lesion.level, "label": lesion.label}
        | row
        for lesion in result.lesions
        for row in _long(result.on_images[lesion.id], result)
    ]


def _long(on_images: Mapping[Any, OnImage], result: LesionResult) -> Iterator[dict[str, Any]]:
    for space, on in on_images.items():
        unit = result.images[space].unit
        for feature, value in on.features.items():
            yield {
                "image": on.image,
                "roi": on.region.origin,
                "feature": feature,
                "value": value,
                **feature_facts(feature, unit),
                "missing_because": on.features.missing.get(feature, ""),
            }


def feature_facts(feature: str, image_unit: str) -> dict[str, str]:
    """What a feature is: unit, family, filter, class, IBSI identifier and status."""
    info = describe_feature(feature)
    return {
        "unit": feature_unit(feature, image_unit),
        "family": info.family,
        "filter": info.image,
        "class": info.feature_class,
        "ibsi_id": info.ibsi_id,
        "status": info.status,
    }


def wide_rows(result: LesionResult) -> list[dict[str, Any]]:
    """One row per lesion, one column per image and feature: what a model is trained on."""
    return [
        {
            "patient_id": result.patient or UNNAMED,
            "lesion_id": lesion.id,
            "level": lesion.level,
            "label": lesion.label,
            "settings_hash": result.settings_hash,
        }
        | columns_of(result.on_images[lesion.id])
        for lesion in result.lesions
    ]


def measured_rows(result: LesionResult) -> list[dict[str, Any]]:
    """One row per lesion and image: where it came from, its section, its volume and values in the image's unit."""
    rows = []
    for lesion in result.lesions:
        for on in result.on_images[lesion.id].values():
            m, section = on.measured, on.region.section
            rows.append(
                {
                    "lesion_id": lesion.id,
                    "level": lesion.level,
                    "label": lesion.label,
                    "image": on.image,
                    "roi": on.region.origin,
                    "unit": m.unit if m else "",
                    "volume_ml": m.volume_ml if m else math.nan,
                    "mean": m.mean if m else math.nan,
                    "sd": m.sd if m else math.nan,
                    "max": m.max if m else math.nan,
                    "peak": m.peak if m else math.nan,
                    "section_slice": None if section is None else section.index,
                    "section_pixels": None if section is None else int(section.pixels.sum()),
                    "section_area_mm2": math.nan if section is None else section.area_mm2,
                    "features": len(on.features),
                    "missing": len(on.features.missing),
                    "problem": on.region.mask_problem or on.region.section_problem,
                }
            )
    return rows


def missing_rows(result: LesionResult) -> list[dict[str, Any]]:
    """One row per lesion, image and reason: how many features are missing for it, and which."""
    rows = []
    for lesion in result.lesions:
        for on in result.on_images[lesion.id].values():
            for reason, names in _by_reason(on.features).items():
                rows.append(
                    {
                        "lesion_id": lesion.id,
                        "image": on.image,
                        "count": len(names),
                        "reason": reason,
                        "features": ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else ""),
                    }
                )
    return rows


def _by_reason(features: Features) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, reason in features.missing.items():
        found.setdefault(reason, []).append(name)
    return found


def stability_rows(result: LesionResult) -> list[dict[str, Any]]:
    """One row per kind of drawing and feature: both ICCs with their intervals, variation within lesions, the call."""
    rows = []
    for kind, table in result.quality.tables.items():
        for name, found in table.items():
            image, _, feature = name.partition(":")
            info = describe_feature(feature)
            one, other = found.agreement, found.consistency
            rows.append(
                {
                    "drawing": kind,
                    "image": image,
                    "feature": feature,
                    "family": info.family,
                    "class": info.feature_class,
                    "ibsi_id": info.ibsi_id,
                    "icc_2_1": one.value,
                    "icc_2_1_low": one.ci[0],
                    "icc_2_1_high": one.ci[1],
                    "icc_3_1": other.value,
                    "icc_3_1_low": other.ci[0],
                    "icc_3_1_high": other.ci[1],
                    "lesions": one.n,
                    "drawings": one.k,
                    "cv_percent": 100.0 * found.cv,
                    "stable": found.stable if one.n > 1 else None,  # of one lesion it cannot be told
                }
            )
    return rows


def reading_rows(result: LesionResult) -> list[dict[str, Any]]:
    """The features of every drawing, wide: with those of other patients they give the stability of a cohort."""
    return [
        {
            "patient_id": result.patient or UNNAMED,
            "lesion_id": lesion,
            "settings_hash": result.settings_hash,
            "drawing": kind,
            "number": number,
        }
        | dict(columns)
        for kind, lesions in result.quality.readings.items()
        for lesion, drawings in lesions.items()
        for number, columns in enumerate(drawings)
    ]


def recipe(result: LesionResult) -> dict[str, Any]:
    """What ``features.json`` holds: how each column of the wide table was made, and the hash a model file checks."""
    features = {
        column(on.image, feature): feature_facts(feature, result.images[space].unit)
        for on_images in list(result.on_images.values())[:1]
        for space, on in on_images.items()
        for feature in on.features
    }
    quality = result.quality
    return {
        "settings_hash": result.settings_hash,
        "recipes": result.recipes,
        "columns": features,
        "stable": None if quality.stable is None else list(quality.stable),
        "stable_unknown_because": quality.reason,
        "stability": {
            "drawings": {kind: len(rows) for kind, rows in quality.readings.items()},
            "settings": result.settings.stability.to_dict(),
        },
        "versions": result.provenance.versions,
    }
