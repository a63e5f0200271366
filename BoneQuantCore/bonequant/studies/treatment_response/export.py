"""The results folder of the response job: report, tables, curves, maps, outlines, transforms, and DICOM on request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import SimpleITK as sitk

import bonequant
from bonequant.io import write_segmentation, write_volume
from bonequant.registration import save_transform
from bonequant.report import render, results_folder, write_csv, write_json
from bonequant.studies.dce_perfusion import DceResult
from bonequant.studies.treatment_response.dicom import write_dicom
from bonequant.studies.treatment_response.inputs import file_name
from bonequant.studies.treatment_response.report import page
from bonequant.studies.treatment_response.result import ResponseResult
from bonequant.studies.treatment_response.tabulation import sdtm_rows
from bonequant.volume import is_linear
from bonequant.volume.geometry import matrix_of

_MAPS = ("vp", "ktrans", "ve", "r2")


def write(
    result: ResponseResult,
    out: str | Path,
    *,
    overwrite: bool = False,
    identified: bool = False,
    dicom: bool = False,
) -> Path:
    """Write everything to the folder ``out`` and return the path of the report. All or nothing.

    Args:
        overwrite: replace a former result.
        identified: print patient name and ID in the report, and copy them into DICOM objects.
        dicom: write DICOM SEG, SR, parametric maps and RTSTRUCT of every date whose images were DICOM.

    Raises InputError as :func:`bonequant.report.results_folder`, MissingDependencyError for DICOM without highdicom.
    """
    out = Path(out)
    with results_folder(out, overwrite=overwrite) as folder:
        write_json(folder / "result.json", summary(result))
        write_csv(folder / "lesions.csv", result.rows)
        write_csv(folder / "calls.csv", result.call_rows)
        images = result.images.rows(result.dates, result.lesions)
        if images:
            write_csv(folder / "images.csv", images)
        curves = _curves(result)
        if curves:
            write_csv(folder / "curves.csv", curves)
        for name, rows in sdtm_rows(result).items():
            write_csv(folder / f"sdtm_{name.lower()}.csv", rows)
        for k in range(len(result.dates)):
            _write_date(result, k, folder / file_name(result.dates[k].name))
        if dicom:
            write_dicom(result, folder / "dicom", identified=identified)
        html = render(page(result, identified=identified))
        (folder / "report.html").write_text(html, encoding="utf-8")
    return out / "report.html"


def summary(result: ResponseResult) -> dict[str, Any]:
    """The result as plain data: what ``result.json`` holds. No patient identifier."""
    call = result.call
    return {
        "job": "treatment_response",
        "disclaimer": bonequant.RESEARCH_USE_ONLY,
        "call": None if call is None else call.to_dict(),
        "dates": [
            {
                "name": one.name,
                "scan_date": one.scan_date.isoformat() if one.scan_date else None,
                "date_typed": one.typed_date is not None,
                "dce": None if study is None else _acquired(study),
            }
            for one, study in zip(result.dates, result.dce, strict=True)
        ],
        "radiotherapy": _therapy(result),
        "lesions": result.rows,
        "dce_vp": {
            result.dates[k].name: {name: call.to_dict() for name, call in calls.items()}
            for k, calls in result.vp_calls.items()
        },
        "patient": {result.dates[k].name: call.to_dict() for k, call in result.patient_calls.items()},
        "other_criteria": [{"subject": subject, **call.to_dict()} for subject, call in result.other_calls],
        "images": result.images.rows(result.dates, result.lesions),
        "burden": [
            {"date": result.dates[k].name, "image": role, "burden": one}
            for (k, role), one in result.images.burden.items()
        ],
        "skeleton_fraction": [
            {"date": result.dates[k].name, "image": role, "index": one}
            for (k, role), one in result.images.skeleton.items()
        ],
        "reference_proposals": {
            name: {
                "side": one.side,
                "centre_mm": one.centre_mm,
                "unevenness": one.unevenness,
                "reasons": one.reasons,
            }
            for name, one in result.proposals.items()
        },
        "alignment": {result.dates[k].name: facts for k, facts in result.alignment.facts.items()},
        "warnings": result.warnings,
        "settings": result.settings.to_dict(),
        "provenance": result.provenance,
    }


def _acquired(study: DceResult) -> dict[str, Any]:
    """How the numbers of one date came about."""
    artery = study.artery
    return {
        "model": study.settings.model,
        "signal": study.facts,
        "input": None if artery is None else {"method": artery.method, "quality": artery.quality, "name": artery.name},
        "delay": study.delay,
        "voxels": study.counts,
        "preprocessing": study.steps,
    }


def _therapy(result: ResponseResult) -> dict[str, Any]:
    therapy = result.inputs.radiotherapy
    return {
        "end_date": therapy.end_date.isoformat() if therapy and therapy.end_date else None,
        "dose_gy": therapy.dose_gy if therapy else None,
        "fractions": therapy.fractions if therapy else None,
        "reference_in_field": result.inputs.reference_in_field,
        "fracture": result.inputs.fracture,
    }


def _curves(result: ResponseResult) -> list[dict[str, Any]]:
    """Long table: one row per region, date and frame."""
    rows = []
    for what, table in (("lesion", result.perfusion), ("healthy vertebra", result.reference_perfusion)):
        for (tracking_id, k), found in table.items():
            if found.signal is None or found.concentration is None:
                continue
            for time, signal, concentration in zip(
                found.signal.times_s, found.signal.values, found.concentration.values, strict=True
            ):
                rows.append(
                    {
                        "tracking_id": tracking_id,
                        "region": what,
                        "date": result.dates[k].name,
                        "time_s": float(time),
                        "signal": float(signal),
                        "concentration": float(concentration),
                        "concentration_unit": found.concentration.unit,
                    }
                )
    return rows


def _write_date(result: ResponseResult, k: int, folder: Path) -> None:
    """Maps of one date, the masks drawn or proposed there, and the transform to it."""
    folder.mkdir()
    study = result.dce[k]
    if study is not None:
        for name in _MAPS:
            if name in study.maps:
                write_volume(study.maps[name], folder / f"{name}.nrrd")
    by_grid = drawn_masks(result, k)
    if by_grid:
        write_segmentation(by_grid, folder / "outlines.seg.nrrd")
    transform = result.alignment.between(result.alignment.home, k)
    if transform is not None:
        name = f"{file_name(result.dates[result.alignment.home].name)}_to_{folder.name}"
        if is_linear(transform):
            write_json(folder / f"{name}.json", {"matrix_lps": matrix_of(transform).tolist()})
            save_transform(transform, folder / f"{name}.tfm")
        else:
            save_transform(transform, folder / f"{name}.h5")


def drawn_masks(result: ResponseResult, k: int) -> dict[str, sitk.Image]:
    """Masks drawn (or proposed) at date ``k``, by tracking id."""
    masks: dict[str, sitk.Image] = {}
    for lesion in result.lesions:
        for suffix, outline in (
            ("", lesion.outlines[k]),
            ("_reference", result.references[lesion.tracking_id][k]),
        ):
            if outline.mask is not None and outline.transform is None and outline.drawn_at == k:
                masks[f"{lesion.tracking_id}{suffix}"] = outline.mask
    return masks
