"""The results folder of the marrow job: report, tables, maps, regions, alignment, and a scene for Slicer on request."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import SimpleITK as sitk

import bonequant
from bonequant.io import write_segmentation, write_volume
from bonequant.report import render, results_folder, write_csv, write_json
from bonequant.studies.marrow_perfusion.follow_up import FollowUp
from bonequant.studies.marrow_perfusion.report import page
from bonequant.studies.marrow_perfusion.result import MarrowResult
from bonequant.volume import acquisition_to_json

SceneWriter = Callable[[MarrowResult, Path], object]


def write(
    result: MarrowResult,
    out: str | Path,
    *,
    follow_up: FollowUp | None = None,
    later: Sequence[MarrowResult] = (),
    truth: Sequence[dict[str, Any]] = (),
    identified: bool = False,
    scene: SceneWriter | None = None,
    attachments: Mapping[str, Path] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write everything to the folder ``out`` and return the path of the report. All or nothing.

    Args:
        later: results of the other dates, each written to a folder of its name inside ``out``.
        truth: rows of known values, for a phantom.
        identified: print patient name and ID in the report.
        scene: writes the result as a scene for 3D Slicer (``bonequant.mrml.write_marrow_scene``), to ``scene.mrb``.
        attachments: folders to be copied into ``out``, by name.
        overwrite: replace a former result.

    Raises InputError as :func:`bonequant.report.results_folder`.
    """
    out = Path(out)
    with results_folder(out, overwrite=overwrite) as folder:
        _write_date(result, folder)
        for other in later:
            inner = folder / other.name
            inner.mkdir()
            _write_date(other, inner)
        if follow_up is not None:
            write_csv(folder / "follow_up.csv", follow_up.rows)
        if truth:
            write_csv(folder / "truth.csv", truth)
        if scene is not None:
            scene(result, folder / "scene.mrb")
        for name, source in (attachments or {}).items():
            shutil.copytree(source, folder / name)
        html = render(page(result, follow_up=follow_up, truth=truth, identified=identified))
        (folder / "report.html").write_text(html, encoding="utf-8")
    return out / "report.html"


def _write_date(result: MarrowResult, folder: Path) -> None:
    write_json(folder / "result.json", summary(result))
    write_csv(folder / "regions.csv", result.rows)
    if result.lesion_rows:
        write_csv(folder / "lesions.csv", result.lesion_rows)
    if result.protocol is not None:
        write_json(folder / "protocol_record.json", result.protocol)
    (folder / "maps").mkdir()
    for name, volume in result.maps.items():
        write_volume(volume, folder / "maps" / f"{name}.nrrd")
    if result.masks_on_ct:
        write_segmentation(result.masks_on_ct, folder / "regions_on_ct.seg.nrrd")
    if result.masks_on_functional:
        write_segmentation(result.masks_on_functional, folder / "regions_on_functional.seg.nrrd")
    if result.ct is not None:
        transform = result.transform if result.transform is not None else sitk.Transform(3, sitk.sitkIdentity)
        sitk.WriteTransform(transform, str(folder / "ct_to_functional.tfm"))


def summary(result: MarrowResult) -> dict[str, Any]:
    """The result as plain data: what ``result.json`` holds. No patient identifier."""
    return {
        "job": "marrow_perfusion",
        "disclaimer": bonequant.RESEARCH_USE_ONLY,
        "name": result.name,
        "unit": result.functional.unit,
        "regions": result.rows,
        "lesions": result.lesion_rows,
        "suv_factors": result.factors,
        "acquisition": json.loads(acquisition_to_json(result.functional.acquisition)),
        "alignment": result.alignment_facts,
        "plausibility": result.plausibility,
        "maa": result.maa,
        "agreement": result.agreement,
        "warnings": result.warnings,
        "settings": result.settings.to_dict(),
        "provenance": result.provenance,
    }
