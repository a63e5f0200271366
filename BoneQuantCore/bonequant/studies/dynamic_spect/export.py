"""The results folder of the dynamic SPECT job: report, table, curves, regions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bonequant
from bonequant.io import write_segmentation
from bonequant.report import render, results_folder, write_csv, write_json
from bonequant.studies.dynamic_spect.report import page
from bonequant.studies.dynamic_spect.result import DynamicSpectResult
from bonequant.volume import acquisition_to_json, by_grid


def write(result: DynamicSpectResult, out: str | Path, *, overwrite: bool = False, identified: bool = False) -> Path:
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
        write_csv(folder / "curves.csv", curve_rows(result))
        if result.blood is not None:
            pairs = zip(result.blood.times_s.tolist(), result.blood.values.tolist(), strict=True)
            write_csv(folder / "blood.csv", [{"time_s": time, "value": value} for time, value in pairs])
        for number, masks in enumerate(by_grid(result.masks)):
            write_segmentation(masks, folder / f"regions{f'_{number + 1}' if number else ''}.seg.nrrd")
        (folder / "report.html").write_text(render(page(result, identified=identified)), encoding="utf-8")
    return out / "report.html"


def summary(result: DynamicSpectResult) -> dict[str, Any]:
    """The result as plain data: what ``result.json`` holds. No patient identifier."""
    frames = result.frames
    return {
        "job": "dynamic_spect",
        "disclaimer": bonequant.RESEARCH_USE_ONLY,
        "name": result.name,
        "unit": frames.series.unit,
        "regions": result.rows,
        "frames": {
            "starts_s": frames.starts_s,
            "durations_s": frames.durations_s,
            "decay_factors": frames.decay_factors,
            "half_life_s": frames.half_life_s,
            "scan_start_s": frames.scan_start_s,
            "steps": frames.steps,
        },
        "blood_from": result.blood_from,
        "blood_clearance_per_min": result.blood_clearance,
        "windows": {"early_s": result.windows[0], "late_s": result.windows[1]},
        "acquisition": json.loads(acquisition_to_json(result.acquisition)),
        "warnings": result.warnings,
        "settings": result.settings.to_dict(),
        "provenance": result.provenance,
    }


def curve_rows(result: DynamicSpectResult) -> list[dict[str, float]]:
    """One row per frame: mean and SD of every region, and its fitted curves."""
    frames = result.frames
    rows = []
    fitted = {
        f"{name}_{model}": found.predict()[0]
        for model, fits in (("one_tissue", result.one_tissue), ("patlak", result.patlak))
        for name, found in fits.items()
        if found.settings.first_s is None
    }
    for t, (start, duration) in enumerate(zip(frames.starts_s.tolist(), frames.durations_s.tolist(), strict=True)):
        row: dict[str, float] = {"start_s": start, "duration_s": duration, "middle_s": start + duration / 2}
        for name, region in result.curves.items():
            row[name] = float(region.curve.values[t])
            row[f"{name}_sd"] = float(region.sd[t])
        row |= {name: float(values[t]) for name, values in fitted.items()}
        rows.append(row)
    return rows
