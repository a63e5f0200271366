"""The report of the lesion radiomics job, section by section, in the order in which a reader asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bonequant.report import Facts, Notice, Page, Picture, Section, Table, Text
from bonequant.report.closing import provenance_section, settings_section, title_of
from bonequant.report.map_pictures import map_sections
from bonequant.report.page import Block
from bonequant.studies.lesion_radiomics.inputs import Space
from bonequant.studies.lesion_radiomics.pictures import lesion_sections
from bonequant.studies.lesion_radiomics.result import LesionResult, OnImage, image_name
from bonequant.studies.lesion_radiomics.stability_section import stability_section
from bonequant.studies.lesion_radiomics.table import (
    UNNAMED,
    feature_facts,
    measured_rows,
    missing_rows,
)

_PICTURED = 12  # lesions with pictures of their own
_MAPPED_SLICES = 4
_KEY_FEATURES = (
    *("Mean", "Variance", "Perc.50%", "S(1,0)Contrast", "S(1,0)Entropy", "45dgr_RLNonUni", "GrMean", "Teta1"),
    *("original_shape_MeshVolume", "original_shape_Sphericity", "original_firstorder_Mean"),
    *("original_firstorder_90Percentile", "original_firstorder_Entropy", "original_glcm_JointEntropy"),
    *("original_glcm_Contrast", "original_glszm_ZoneEntropy", "original_ngtdm_Coarseness"),
)
_ALIGNMENT = {
    "gain": "Gain of the metric over the scanner's alignment",
    "agreement_mm": "Largest difference between answers from perturbed starts (mm)",
    "bone_overlap": "Overlap of uptake and bone",
    "displacement_mm": "Mean displacement from the scanner's alignment (mm)",
    "displacement_max_mm": "Largest displacement (mm)",
    "kept_scanner_alignment": "Scanner's alignment kept",
}


def page(result: LesionResult, *, identified: bool = False) -> Page:
    """The page of one patient; ``identified`` prints patient name and ID."""
    sections = [
        _lesions(result),
        _pictures(result),
        *([_maps(result)] if result.maps else []),
        _key_features(result),
        _missing(result),
        stability_section(result),
        *([_alignment(result)] if len(result.images) == 2 else []),
        _images(result, identified),
        _all_features(result),
        settings_section(result.settings),
        provenance_section(result.provenance),
    ]
    return Page(
        title="Radiomics of lesions",
        subtitle=" · ".join([result.patient or UNNAMED, *(_label(s, v) for s, v in result.images.items())]),
        headline=_headline(result),
        notices=[Notice("warning", text) for text in result.warnings],
        sections=sections,
    )


def _headline(result: LesionResult) -> list[tuple[str, Any, str]]:
    features = [on.features for found in result.on_images.values() for on in found.values()]
    stable = result.quality.stable
    per_lesion = sum(len(on.features) for on in next(iter(result.on_images.values())).values())
    return [
        ("Lesions", len(result.lesions), ""),
        ("Images", len(result.images), ""),
        ("Features per lesion", per_lesion, ""),
        ("Missing, all lesions", sum(len(found.missing) for found in features), ""),
        (
            "Stable under redrawing",
            "–" if stable is None else len(stable),
            "" if stable is None else f"of {per_lesion}",
        ),
    ]


def _label(space: Space, image: Any) -> str:
    text = title_of(image_name(space, image))
    return f"{text} ({image.unit})" if image.unit else text


def _lesions(result: LesionResult) -> Section:
    rows = measured_rows(result)
    columns = {
        "lesion_id": "Lesion",
        "level": "Level",
        "label": "Label",
        "image": "Image",
        "roi": "Region",
        "volume_ml": "Volume mL",
        "mean": "Mean",
        "sd": "SD",
        "max": "Max",
        "peak": "Peak 1 mL",
        "unit": "Unit",
        "section_slice": "Slice",
        "section_pixels": "Pixels",
        "section_area_mm2": "Section mm²",
        "missing": "Missing",
    }
    for name in ("level", "label"):
        if not any(row[name] for row in rows):
            del columns[name]
    shown = [
        {
            **row,
            "level": title_of(row["level"]),
            "section_slice": None if row["section_slice"] is None else row["section_slice"] + 1,
        }
        for row in rows
    ]
    flags = {i: "warning" for i, row in enumerate(rows) if row["problem"]}
    note = "Mean, SD, max and peak are of the image's own voxels; slices count from 1; missing: features that are NaN."
    return Section("Lesions", [Table(columns, shown, flags=flags), Text(note)])  # type: ignore[arg-type]


def _pictures(result: LesionResult) -> Section:
    blocks: list[Block] = []
    for lesion in result.lesions[:_PICTURED]:
        found = result.on_images[lesion.id]
        if all(on.region.section is None for on in found.values()):
            continue
        png = lesion_sections(result.images, found, result.transform, result.settings.plane)
        where = f" in {title_of(lesion.level)}" if lesion.level else ""
        what = "largest section" if len(found) == 1 else "largest section and its copy on the other image"
        blocks.append(Picture(png, f"{title_of(lesion.id)}{where}: {what}.", wide=len(found) > 1))
    if len(result.lesions) > _PICTURED:
        blocks.append(Text(f"Pictures are of the first {_PICTURED} of {len(result.lesions)} lesions."))
    return Section("Sections", blocks)


def _maps(result: LesionResult) -> Section:
    blocks: list[Block] = []
    spaces = {image_name(space, image): space for space, image in result.images.items()}
    for name, volume in result.maps.items():
        image, _, feature = name.partition(" ")
        space = spaces[image]
        values = volume.array[np.isfinite(volume.array)]
        if not len(values):
            continue
        low, high = (float(value) for value in np.percentile(values, (2, 98)))
        masks = {
            lesion: on.region.mask
            for lesion, found in result.on_images.items()
            if (on := found[space]).region.mask is not None
        }
        png = map_sections(
            result.images[space],
            volume,
            window=(low, max(high, low + 1e-6)),
            outlines=masks,
            count=_MAPPED_SLICES,
            label=feature,
            colours="viridis",
        )
        blocks.append(Picture(png, f"{feature} on {image}, each voxel from its neighbourhood within the lesion."))
    return Section("Feature maps", blocks)


def _key_features(result: LesionResult) -> Section:
    blocks: list[Block] = []
    for space, image in result.images.items():
        first = next(iter(result.on_images.values()))[space]
        rows = [
            _feature_row(result, space, feature, image.unit) for feature in _KEY_FEATURES if feature in first.features
        ]
        columns = {"feature": "Feature", "unit": "Unit", "ibsi_id": "IBSI"}
        columns |= {lesion.id: title_of(lesion.id) for lesion in result.lesions}
        blocks.append(
            Table(columns, rows, caption=f"{_label(space, image)}: some of the features; all are in the CSV.")
        )
    return Section("Features", blocks)


def _feature_row(result: LesionResult, space: Space, feature: str, unit: str) -> dict[str, Any]:
    facts = feature_facts(feature, unit)
    values = {lesion: found[space].features[feature] for lesion, found in result.on_images.items()}
    return {"feature": feature, "unit": facts["unit"], "ibsi_id": facts["ibsi_id"], **values}


def _missing(result: LesionResult) -> Section:
    rows = missing_rows(result)
    if not rows:
        return Section("Missing features", [Text("None: every feature exists for every lesion and image.")])
    columns = {"lesion_id": "Lesion", "image": "Image", "count": "Missing", "reason": "Because", "features": "Which"}
    return Section("Missing features", [Table(columns, rows)])


def _alignment(result: LesionResult) -> Section:
    if result.registration is None:
        text = "Masks were carried by the alignment that was given (the scanner's, or the user's transform)."
        return Section("Alignment", [Text(text), *([Text(result.alignment_check)] if result.alignment_check else [])])
    quality, facts = result.registration.quality, result.alignment_facts
    level = {"ok": "ok", "check": "note", "warn": "warning"}[quality.level]
    shown = {heading: facts[name] for name, heading in _ALIGNMENT.items() if name in facts}
    return Section("Alignment", [Notice(level, quality.text), Facts(shown)])  # type: ignore[arg-type]


def _images(result: LesionResult, identified: bool) -> Section:
    blocks: list[Block] = []
    for space, image in result.images.items():
        facts, geometry = image.acquisition, image.geometry
        shown: dict[str, Any] = {"Image": _label(space, image)}
        if identified:
            shown |= {"Patient": facts.patient_name, "Patient ID": facts.patient_id}
        shown |= {
            "Voxels": f"{geometry.size[0]} x {geometry.size[1]} x {geometry.size[2]}",
            "Spacing (mm)": geometry.spacing,
            "Scanner": " ".join(part for part in (facts.manufacturer, facts.scanner) if part) or None,
            "Typed by the user": facts.typed,
        }
        blocks.append(Facts({name: value for name, value in shown.items() if value}))
    if result.factors is not None:
        f = result.factors
        typed = "decay_correction" in result.images["functional"].acquisition.typed
        blocks.append(
            Facts(
                {
                    "SUV": f.unit,
                    "Decay correction used": f"{f.decay_correction} ({'typed' if typed else 'from the file'})",
                    "Half-life (s)": f.half_life_s,
                    "Net injected activity (MBq)": f.net_activity_bq / 1e6,
                    "Reference activity (MBq)": f.reference_activity_bq / 1e6,
                    f"Body measure ({f.body_measure_unit})": f.body_measure,
                    f"{f.unit} per Bq/mL": f.scale,
                }
            )
        )
    blocks.append(Facts({"Settings hash (a model file checks it)": result.settings_hash}))
    return Section("Images and units", blocks)


def _all_features(result: LesionResult) -> Section:
    blocks: list[Block] = []
    for space, image in result.images.items():
        first: Mapping[Space, OnImage] = next(iter(result.on_images.values()))
        rows = []
        for feature in first[space].features:
            facts = feature_facts(feature, image.unit)
            rows.append({**_feature_row(result, space, feature, image.unit), "status": facts["status"]})
        columns = {"feature": "Feature", "unit": "Unit", "ibsi_id": "IBSI"}
        columns |= {lesion.id: title_of(lesion.id) for lesion in result.lesions} | {"status": "Status"}
        blocks.append(Table(columns, rows, caption=_label(space, image)))
    return Section("All features", blocks, folded=True)
