"""The results folder of the lesion radiomics job: report, feature tables, recipe, stability, regions, maps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import SimpleITK as sitk

import bonequant
from bonequant.io import write_segmentation, write_volume
from bonequant.report import render, results_folder, write_csv, write_json
from bonequant.studies.lesion_radiomics import table
from bonequant.studies.lesion_radiomics.report import page
from bonequant.studies.lesion_radiomics.result import LesionResult, image_name
from bonequant.volume import acquisition_to_json


def write(result: LesionResult, out: str | Path, *, overwrite: bool = False, identified: bool = False) -> Path:
    """Write everything to the folder ``out`` and return the path of the report. All or nothing.

    - ``features.csv``: one row per lesion, image and feature, with unit, IBSI identifier and status, and why it is NaN.
    - ``lesions.csv``: one row per lesion, one column per image and feature: rows of several patients make a cohort.
    - ``features.json``: how each column was made, its settings' hash, and the stable columns.
    - ``measurements.csv``, ``stability.csv``, ``readings.csv``, ``regions_on_<image>.seg.nrrd``,
      ``sections_on_<image>.seg.nrrd``, ``maps/``, ``ct_to_functional.tfm``.

    Raises InputError as :func:`bonequant.report.results_folder`.
    """
    out = Path(out)
    with results_folder(out, overwrite=overwrite) as folder:
        write_json(folder / "result.json", summary(result))
        write_json(folder / "features.json", table.recipe(result))
        write_csv(folder / "features.csv", table.long_rows(result))
        write_csv(folder / "lesions.csv", table.wide_rows(result))
        write_csv(folder / "measurements.csv", table.measured_rows(result))
        if result.quality.tables:
            write_csv(folder / "stability.csv", table.stability_rows(result))
            write_csv(folder / "readings.csv", table.reading_rows(result))
        _write_regions(result, folder)
        if result.maps:
            (folder / "maps").mkdir()
            for name, volume in result.maps.items():
                write_volume(volume, folder / "maps" / f"{name.replace(' ', '_')}.nrrd")
        if len(result.images) == 2:
            transform = result.transform if result.transform is not None else sitk.Transform(3, sitk.sitkIdentity)
            sitk.WriteTransform(transform, str(folder / "ct_to_functional.tfm"))
        (folder / "report.html").write_text(render(page(result, identified=identified)), encoding="utf-8")
    return out / "report.html"


def _write_regions(result: LesionResult, folder: Path) -> None:
    for space, image in result.images.items():
        name = image_name(space, image).lower()
        regions = {lesion: found[space].region for lesion, found in result.on_images.items()}
        masks = {lesion: region.mask for lesion, region in regions.items() if region.mask is not None}
        sections = {lesion: region.section.mask for lesion, region in regions.items() if region.section is not None}
        if masks:
            write_segmentation(masks, folder / f"regions_on_{name}.seg.nrrd")
        if sections:
            write_segmentation(sections, folder / f"sections_on_{name}.seg.nrrd")


def summary(result: LesionResult) -> dict[str, Any]:
    """The result as plain data: what ``result.json`` holds. No patient identifier."""
    images = {
        image_name(space, image): {
            "unit": image.unit,
            "acquisition": json.loads(acquisition_to_json(image.acquisition)),
        }
        for space, image in result.images.items()
    }
    quality = result.quality
    return {
        "job": "lesion_radiomics",
        "disclaimer": bonequant.RESEARCH_USE_ONLY,
        "patient": result.patient or table.UNNAMED,
        "images": images,
        "lesions": table.measured_rows(result),
        "features": table.wide_rows(result),
        "missing": table.missing_rows(result),
        "settings_hash": result.settings_hash,
        "suv_factors": result.factors,
        "alignment": result.alignment_facts,
        "stable": None if quality.stable is None else list(quality.stable),
        "stable_unknown_because": quality.reason,
        "warnings": result.warnings,
        "settings": result.settings.to_dict(),
        "provenance": result.provenance,
    }
