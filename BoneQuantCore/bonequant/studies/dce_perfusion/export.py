"""The results folder of the DCE job: report, tables, curves, maps and regions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import SimpleITK as sitk

import bonequant
from bonequant.io import write_segmentation, write_volume
from bonequant.report import render, results_folder, write_csv, write_json
from bonequant.studies.dce_perfusion.report import page
from bonequant.studies.dce_perfusion.result import DceResult
from bonequant.volume import acquisition_to_json, by_grid, same_grid


def write(result: DceResult, out: str | Path, *, overwrite: bool = False, identified: bool = False) -> Path:
    """Write everything to the folder ``out`` and return the path of the report. All or nothing.

    Args:
        overwrite: replace a former result.
        identified: print patient name and ID in the report.

    Raises InputError as :func:`bonequant.report.results_folder`.
    """
    out = Path(out)
    with results_folder(out, overwrite=overwrite) as folder:
        write_json(folder / "result.json", summary(result))
        write_csv(folder / "rois.csv", result.rows)
        write_csv(folder / "curves.csv", curve_rows(result))
        if result.aif is not None:
            write_csv(folder / "aif.csv", aif_rows(result))
        if result.motion is not None:
            write_csv(folder / "motion.csv", result.motion.table())
        (folder / "maps").mkdir()
        for name, volume in result.maps.items():
            write_volume(volume, folder / "maps" / f"{name}.nrrd")
        _write_masks(result, folder)
        html = render(page(result, identified=identified))
        (folder / "report.html").write_text(html, encoding="utf-8")
    return out / "report.html"


def summary(result: DceResult) -> dict[str, Any]:
    """The result as plain data: what ``result.json`` holds. No patient identifier."""
    artery = result.artery
    return {
        "job": "dce_perfusion",
        "disclaimer": bonequant.RESEARCH_USE_ONLY,
        "name": result.name,
        "model": result.settings.model,
        "regions": result.rows,
        "units": {name: volume.unit for name, volume in result.maps.items()},
        "signal": result.facts,
        "input": None
        if artery is None
        else {
            "method": artery.method,
            "name": artery.name,
            "unit": artery.unit,
            "hematocrit": artery.hematocrit,
            "quality": artery.quality,
            "voxels": artery.n_voxels,
            "slices": [
                {"slice": s.index, "voxels": s.n_voxels, "quality": s.quality, "used": s.accepted, "reason": s.reason}
                for s in artery.slices
            ],
        },
        "delay": result.delay,
        "voxels": result.counts,
        "preprocessing": result.steps,
        "frame_times_s": result.series.times_s,
        "acquisition": json.loads(acquisition_to_json(result.series.acquisition)),
        "warnings": result.warnings,
        "settings": result.settings.to_dict(),
        "provenance": result.provenance,
    }


def curve_rows(result: DceResult) -> list[dict[str, Any]]:
    """One row per region and frame: signal, what was fitted, and the model's value at that frame."""
    rows = []
    for name, region in result.regions.items():
        line = region.at_frames
        for t, time in enumerate(result.series.times_s):
            rows.append(
                {
                    "region": name,
                    "time_s": float(time),
                    "signal": float(region.signal.values[t]),
                    "tissue": float(region.concentration.values[t]),
                    "fitted": None if line is None else float(line.values[t]),
                    "unit": result.facts.unit or "relative",
                }
            )
    return rows


def aif_rows(result: DceResult) -> list[dict[str, Any]]:
    """The input as it was fitted (delayed), readable again as an input curve."""
    assert result.aif is not None
    column = f"plasma_{result.aif.unit or 'relative'}"
    return [
        {"time_s": float(time), column: float(value)}
        for time, value in zip(result.aif.times_s, result.aif.values, strict=True)
    ]


def _write_masks(result: DceResult, folder: Path) -> None:
    """Fitted voxels and input on the grid of the series; each drawn region on the grid on which it was drawn."""
    on_series: dict[str, sitk.Image] = {"fitted_voxels": result.mask}
    if result.artery is not None and result.artery.mask is not None:
        on_series["arterial_input"] = result.artery.mask
    elsewhere: dict[str, sitk.Image] = {}
    for name, mask in result.masks.items():
        (on_series if same_grid(mask, result.mask) else elsewhere)[name] = mask
    write_segmentation(on_series, folder / "regions.seg.nrrd")
    for number, grid in enumerate(by_grid(elsewhere), start=1):
        write_segmentation(grid, folder / f"regions_as_drawn_{number}.seg.nrrd")
