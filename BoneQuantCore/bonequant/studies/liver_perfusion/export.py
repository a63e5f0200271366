"""The results folder of the liver job: report, tables, curves, maps, regions, alignment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import SimpleITK as sitk

import bonequant
from bonequant.io import write_segmentation, write_volume
from bonequant.report import render, results_folder, write_csv, write_json
from bonequant.studies.liver_perfusion.report import page
from bonequant.studies.liver_perfusion.result import LiverResult
from bonequant.volume import acquisition_to_json, by_grid


def write(result: LiverResult, out: str | Path, *, overwrite: bool = False, identified: bool = False) -> Path:
    """Write everything to the folder ``out`` and return the path of the report. All or nothing.

    Args:
        overwrite: replace a former result.
        identified: print patient name and ID in the report.

    Raises InputError as :func:`bonequant.report.results_folder`.
    """
    out = Path(out)
    with results_folder(out, overwrite=overwrite) as folder:
        write_json(folder / "result.json", summary(result))
        write_csv(folder / "regions.csv", result.rows)
        write_csv(folder / "voxels.csv", result.voxel_rows)
        write_csv(folder / "inputs.csv", result.input_rows)
        write_csv(folder / "curves.csv", curve_rows(result))
        if result.motion is not None:
            write_csv(folder / "motion.csv", result.motion.rows)
        if result.maa is not None:
            write_csv(folder / "maa_lesions.csv", result.maa.rows)
            write_csv(folder / "maa_statistics.csv", result.maa.statistics)
        if result.readers is not None:
            write_csv(folder / "readers_regions.csv", result.readers.rows)
            write_csv(folder / "readers_statistics.csv", result.readers.statistics)
        (folder / "maps").mkdir()
        write_volume(result.anatomy, folder / "maps" / "anatomy.nrrd")
        for name, volume in result.maps.items():
            write_volume(volume, folder / "maps" / f"{name}.nrrd")
        for number, masks in enumerate(by_grid(result.masks)):
            write_segmentation(masks, folder / f"regions{f'_{number + 1}' if number else ''}.seg.nrrd")
        if result.maa_uptake is not None and result.maa_uptake.transform is not None:
            sitk.WriteTransform(result.maa_uptake.transform, str(folder / "ct_to_maa.tfm"))
        (folder / "report.html").write_text(render(page(result, identified=identified)), encoding="utf-8")
    return out / "report.html"


def summary(result: LiverResult) -> dict[str, Any]:
    """The result as plain data: what ``result.json`` holds. No patient identifier."""
    motion, maa, readers = result.motion, result.maa, result.readers
    return {
        "job": "liver_perfusion",
        "disclaimer": bonequant.RESEARCH_USE_ONLY,
        "name": result.name,
        "units": {"alp": "mL/min/100 mL", "pvp": "mL/min/100 mL", "tlp": "mL/min/100 mL", "hpi": "%", "k2": "1/min"},
        "frames": {"count": len(result.times_s), "times_s": result.times_s, "baseline_frames": result.baseline_frames},
        "split_s": result.inputs.split_s,
        "regions": result.rows,
        "voxel_means": result.voxel_rows,
        "inputs": result.input_rows,
        "origins": result.origins,
        "motion": None
        if motion is None
        else {"reference_frame": motion.reference + 1, "frames": motion.rows, "difference_hu": motion.difference},
        "maa": None
        if maa is None or result.maa_uptake is None
        else {
            "source": result.maa_uptake.source,
            "lesions": maa.rows,
            "statistics": maa.statistics,
            "alp_ratio_agreement": maa.agreement,
            "uptake": result.maa_uptake.uptake,
            "registration": None
            if result.maa_uptake.registration is None
            else result.maa_uptake.registration.quality.to_dict(),
        },
        "readers": None if readers is None else {"regions": readers.rows, "statistics": readers.statistics},
        "steps": result.steps,
        "acquisition": json.loads(acquisition_to_json(result.acquisition)),
        "warnings": result.warnings,
        "settings": result.settings.to_dict(),
        "provenance": result.provenance,
    }


def curve_rows(result: LiverResult) -> list[dict[str, float]]:
    """One row per frame: mean HU and SD of every region, its enhancement, and the fitted curve of tissue."""
    fitted = {name: fit.predict()[0] for name, fit in result.fits.items()}
    rows = []
    for t, time in enumerate(result.times_s.tolist()):
        row: dict[str, float] = {"time_s": time}
        for name, region in result.curves.items():
            row[f"{name}_hu"] = float(region.curve.values[t])
            row[f"{name}_sd_hu"] = float(region.sd[t])
            row[f"{name}_enhancement_hu"] = float(result.enhancement[name][t])
            if name in fitted:
                row[f"{name}_fitted_hu"] = float(fitted[name][t])
        rows.append(row)
    return rows
