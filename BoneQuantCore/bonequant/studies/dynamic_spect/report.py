"""The report of the dynamic SPECT job, section by section."""

from __future__ import annotations

from typing import Any

import numpy as np

from bonequant.report import Facts, Notice, Page, Picture, Section, Table, Text
from bonequant.report.closing import provenance_section, settings_section, title_of
from bonequant.report.curves import fitted_curves
from bonequant.report.map_pictures import map_sections
from bonequant.report.page import Block, Level
from bonequant.studies.dynamic_spect.result import DynamicSpectResult
from bonequant.volume import Curve, Volume, image_from_array


def page(result: DynamicSpectResult, *, identified: bool = False) -> Page:
    """The page of one dynamic scan. ``identified``: print patient name and ID; left out by default."""
    return Page(
        title="Dynamic SPECT",
        subtitle=_subtitle(result),
        headline=_headline(result),
        notices=[Notice("warning", text) for text in result.warnings],
        sections=[
            _table(result),
            _curves(result),
            _picture(result),
            _frames(result, identified),
            settings_section(result.settings),
            provenance_section(result.provenance),
        ],
    )


def _subtitle(result: DynamicSpectResult) -> str:
    facts = result.acquisition
    minutes = result.frames.durations_s.sum() / 60.0
    parts = [
        result.name,
        facts.radiopharmaceutical or facts.radionuclide,
        f"{len(result.frames.starts_s)} frames, {minutes:.3g} min",
    ]
    if facts.acquisition_start is not None:
        parts.append(f"{facts.acquisition_start:%Y-%m-%d}")
    return " · ".join(part for part in parts if part)


def _headline(result: DynamicSpectResult) -> list[tuple[str, Any, str]]:
    shown = [row for row in result.rows if row["region"] != result.blood_from][:3]
    if result.patlak:
        return [(f"{title_of(row['region'])} Ki", row["ki"], "1/min") for row in shown]
    if result.one_tissue:
        return [(f"{title_of(row['region'])} K1", row["k1"], "1/min") for row in shown]
    return [(f"{title_of(row['region'])} washout", row["washout_percent"], "%") for row in shown]


def _table(result: DynamicSpectResult) -> Section:
    columns = {
        "region": "Region",
        "volume_ml": "Volume mL",
        "peak": f"Peak {result.frames.series.unit}",
        "time_of_peak_s": "at s",
        "early_late_ratio": "Early/late",
        "washout_percent": "Washout %",
    }
    kinetics: dict[str, str] = {"region": "Region"}
    if result.one_tissue:
        kinetics |= {"k1": "K1 1/min", "k2": "k2 1/min", "vb": "vB", "vt": "VT", "one_tissue_r2": "R²"}
    if result.patlak:
        kinetics |= {"ki": "Ki 1/min", "v0": "V", "patlak_r2": "R² (Patlak)"}
    rows = [{**row, "region": title_of(row["region"])} for row in result.rows]
    early, late = result.windows
    windows = (
        f"Early {early[0]:g} to {early[1]:g} s, late {late[0]:g} to {late[1]:g} s after the injection; frames whose "
        "middles lie there."
    )
    blocks: list[Block] = [Table(columns, rows, caption=windows)]
    if len(kinetics) > 1:
        fitted = [row for row, own in zip(rows, result.rows, strict=True) if own["region"] != result.blood_from]
        flags: dict[int, Level] = {
            i: "warning" for i, row in enumerate(fitted) if row["one_tissue_at_bound"] or row["patlak_at_bound"]
        }
        note = (
            "K1, k2: one-tissue model, C = (1 - vB) K1 exp(-k2 t) (x) Cb + vB Cb. Ki, V: Patlak; they hold for tissue "
            "that does not give the tracer back."
        )
        blocks += [
            Table(kinetics, fitted, caption=f"Input: {_source(result)}.", flags=flags),
            Text(note),
            Notice(
                "note",
                "Spill-over blurs blood and tissue into each other at SPECT resolution: a blood region smaller than "
                "two to three times the resolution reads low, and all rates with it high.",
            ),
        ]
    if result.blood_clearance is not None:
        blocks.append(Facts({"Clearance of the blood (1/min)": result.blood_clearance}))
    return Section("Regions", blocks)


def _source(result: DynamicSpectResult) -> str:
    return "the curve given as a file" if result.blood_from == "file" else f"region {title_of(result.blood_from)}"


def _curves(result: DynamicSpectResult) -> Section:
    unit = result.frames.series.unit
    label = f"{'activity' if unit == 'Bq/mL' else 'count rate'} ({unit}, decay-corrected)"
    tissue = {title_of(name): region.curve for name, region in result.curves.items() if name != result.blood_from}
    lines = {title_of(name): _line(fit, result) for name, fit in (result.one_tissue or result.patlak).items()}
    model = "one-tissue model" if result.one_tissue else "Patlak"
    caption = (
        f"Time-activity curves (points, frame means) and the {model} (lines)." if lines else "Time-activity curves."
    )
    blocks: list[Block] = []
    if result.blood is not None:
        points = {}
        if result.blood_from in result.curves:
            points = {"frame means": result.curves[result.blood_from].curve}
        drawn = {**points, "input used": result.blood}
        blocks.append(Picture(fitted_curves(drawn, {"input used": result.blood}, label=label), "Blood."))
    if tissue:
        blocks.append(Picture(fitted_curves(tissue, lines, label=label), caption))
    return Section("Curves", blocks)


def _line(fit: Any, result: DynamicSpectResult) -> Curve:
    """The model itself, between the first and the last middle of a frame."""
    times = result.frames.series.times_s
    fine = np.linspace(times[0], times[-1], 200)
    return Curve(fine, fit.predict(fine)[0])


def _picture(result: DynamicSpectResult) -> Section:
    frames, series = result.frames, result.frames.series
    mean = np.average(series.frames, axis=0, weights=frames.durations_s)
    image = image_from_array(mean.astype(np.float32), series.geometry)
    anatomy = Volume(image, series.modality, series.unit, name="mean of the frames")
    upper = float(np.percentile(mean, 99.8)) or 1.0
    png = map_sections(
        anatomy,
        anatomy,
        window=(0.0, upper),
        outlines=result.masks if result.transform is None else None,
        count=4,
        whole=True,
    )
    return Section("Regions on the mean of the frames", [Picture(png, "Mean over the scan, with the regions.")])


def _frames(result: DynamicSpectResult, identified: bool) -> Section:
    facts, frames = result.acquisition, result.frames
    shown: dict[str, Any] = {}
    if identified:
        shown |= {"Patient": facts.patient_name, "Patient ID": facts.patient_id}
    shown |= {
        "Scanner": " ".join(part for part in (facts.manufacturer, facts.scanner) if part) or None,
        "Radionuclide": facts.radionuclide,
        "Injection": facts.injection_time,
        "Start of acquisition": facts.acquisition_start,
        "Frame times from": facts.protocol.get("frame_times_from"),
        "Typed by the user": facts.typed,
    }
    rows = [
        {"frame": t + 1, "start_s": start, "duration_s": duration, "factor": factor}
        for t, (start, duration, factor) in enumerate(
            zip(frames.starts_s.tolist(), frames.durations_s.tolist(), frames.decay_factors.tolist(), strict=True)
        )
    ]
    columns = {"frame": "Frame", "start_s": "Start s", "duration_s": "Duration s", "factor": "Divided for decay by"}
    blocks: list[Block] = [Facts(shown), *(Text(step[:1].upper() + step[1:] + ".") for step in frames.steps)]
    return Section("Frames", [*blocks, Table(columns, rows)])
