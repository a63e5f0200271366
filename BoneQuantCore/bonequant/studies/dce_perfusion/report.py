"""The report of the DCE job, section by section, in the order in which a reader asks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.kinetics import DESCRIPTIVE_UNITS
from bonequant.report import Facts, Notice, Page, Picture, Section, Table, Text
from bonequant.report.closing import provenance_section, settings_section, title_of
from bonequant.report.curves import fitted_curves, input_curve
from bonequant.report.map_pictures import map_sections
from bonequant.report.page import Block
from bonequant.studies.dce_perfusion.regions import RegionFit
from bonequant.studies.dce_perfusion.result import DceResult
from bonequant.volume import Curve, Volume

# Windows of the maps are fixed, so that two patients or dates compare by eye.
WINDOWS = {
    "ktrans": (0.0, 0.3),
    "kep": (0.0, 2.0),
    "ve": (0.0, 0.6),
    "vp": (0.0, 0.15),
    "ps": (0.0, 0.3),
    "fp": (0.0, 100.0),
    "k1": (0.0, 1.0),
    "k2": (0.0, 2.0),
    "vb": (0.0, 0.3),
    "delay_s": (-10.0, 10.0),
    "r2": (0.0, 1.0),
    "t1": (0.0, 3.0),
}
HEADINGS = {"ktrans": "Ktrans", "kep": "kep", "ps": "PS", "fp": "Fp", "k1": "K1", "vb": "vB", "r2": "R²", "t1": "T1"}
_NOT_PICTURED = ("rss", "at_bound", "r2", "t1")
_MOST_OUTLINES, _MOST_CURVES = 6, 8
_LESIONS = ("lesion", "tumour", "tumor")
_WAYS = {
    "of_mean_curve": "fit of the mean curve",
    "mean": "mean of the voxel fits",
    "median": "median of the voxel fits",
}


def page(result: DceResult, *, identified: bool = False) -> Page:
    """The page of one study. ``identified`` prints patient name and ID."""
    sections = [
        _maps(result),
        _regions(result),
        *([_input(result)] if result.aif is not None else []),
        _descriptive(result),
        _signal(result),
        _voxels(result),
        _acquisition(result, identified),
        settings_section(result.settings),
        provenance_section(result.provenance),
    ]
    return Page(
        title="DCE perfusion" if result.series.modality == "MR" else "Dynamic CT perfusion",
        subtitle=_subtitle(result),
        headline=_headline(result),
        notices=[Notice("warning", text) for text in result.warnings],
        sections=[section for section in sections if section is not None],
    )


def window_of(volume: Volume) -> tuple[float, float]:
    """The fixed window of a parameter; of other maps 0 to their 99th percentile."""
    if volume.name in WINDOWS:
        return WINDOWS[volume.name]
    known = volume.array[np.isfinite(volume.array)]
    return (0.0, max(float(np.percentile(known, 99.0)), 1e-6)) if len(known) else (0.0, 1.0)


def heading(name: str, unit: str) -> str:
    """A parameter for the eye, with its unit: ``time_to_peak_s`` is "time to peak (s)"."""
    said = HEADINGS.get(name, name.removesuffix("_s").replace("_", " "))
    return f"{said} ({unit})" if unit else said


def _lesions_first(names: Iterable[str]) -> list[str]:
    """What is asked about stands first, where room is short; else in the order given."""
    return sorted(names, key=lambda name: not name.lower().startswith(_LESIONS))


def _of_all(shown: int, every: int, what: str) -> str:
    """A sentence where not all regions are shown, else nothing."""
    return f" {shown} of {every} regions {what}." if shown < every else ""


def _subtitle(result: DceResult) -> str:
    facts = result.series.acquisition
    model = "descriptive maps" if result.aif is None else result.settings.model.replace("_", " ")
    agent = str(facts.protocol.get("contrast_agent") or "")
    if agent.strip().lower() == "none":  # as scanners write where nobody typed the agent
        agent = ""
    parts = [result.name, model, agent, result.series.modality]
    if facts.acquisition_start is not None:
        parts.append(f"{facts.acquisition_start:%Y-%m-%d}")
    return " · ".join(part for part in parts if part)


def _headline(result: DceResult) -> list[tuple[str, Any, str]]:
    cards: list[tuple[str, Any, str]] = []
    for name in _lesions_first(result.regions)[:2]:
        region = result.regions[name]
        for parameter in ("ktrans", "vp", "ps", "k1"):
            if parameter in region.of_mean_curve:
                unit = result.maps[parameter].unit
                cards.append(
                    (f"{HEADINGS.get(parameter, parameter)}, {title_of(name)}", region.of_mean_curve[parameter], unit)
                )
    if result.artery is not None and result.artery.slices:
        cards.append(("Quality of the input", result.artery.quality, "of 1"))
    if result.aif is not None:
        cards.append(("Voxels fitted", result.counts["fitted"], ""))
    return cards


def _maps(result: DceResult) -> Section:
    anatomy, outlines = result.anatomy, _outlines(result)
    names = [n for n in result.maps if n not in _NOT_PICTURED and n not in DESCRIPTIVE_UNITS]
    blocks: list[Block] = []
    for name in names or ["peak"]:
        volume = result.maps[name]
        png = map_sections(
            anatomy, volume, window=window_of(volume), outlines=outlines, label=heading(name, volume.unit)
        )
        said = f"{heading(name, volume.unit)} over the mean of the frames; the anatomy shows where no value was found."
        blocks.append(Picture(png, said + _outlined(result)))
    return Section("Maps", blocks)


def _outlines(result: DceResult) -> dict[str, sitk.Image]:
    return {name: result.masks[name] for name in _lesions_first(result.masks)[:_MOST_OUTLINES]}


def _outlined(result: DceResult) -> str:
    return _of_all(min(len(result.masks), _MOST_OUTLINES), len(result.masks), "outlined")


def _regions(result: DceResult) -> Section:
    unit = result.facts.unit or "relative enhancement"
    shown = {name: result.regions[name] for name in _lesions_first(result.regions)[:_MOST_CURVES]}
    drawn = _of_all(len(shown), len(result.regions), "drawn")
    blocks: list[Block] = []
    if result.aif is not None:
        parameters = list(next(iter(result.regions.values())).of_voxels)
        parameters = [p for p in parameters if p not in DESCRIPTIVE_UNITS and p != "t1"]
        columns = {"region": "Region", "way": "Way"}
        columns |= {p: heading(p, result.maps[p].unit) for p in parameters if not p.endswith("_se")}
        columns |= {"volume": "Volume mL", "voxels": "Voxels", "missing": "without value", "at_bound": "at a bound"}
        rows = [row for region in result.regions.values() for row in _both_ways(region, parameters)]
        caption = "Both ways of stating a region's value. They differ where a region is mixed or noisy."
        blocks.append(Table(columns, rows, caption=caption))
    measured = {name: region.concentration for name, region in shown.items() if _finite(region.concentration)}
    if measured:
        lines = {name: region.fitted for name, region in shown.items() if region.fitted is not None}
        said = "points are the mean of the region, lines the fitted model" if lines else "means of the regions"
        png = fitted_curves(measured, lines, label=f"tissue ({unit})")
        blocks.append(Picture(png, f"Tissue curves: {said}.{drawn}"))
    signal = {name: region.signal for name, region in shown.items() if _finite(region.signal)}
    if signal and result.series.unit != result.facts.unit:
        text = "Mean signal of the regions over time, as acquired." + drawn
        blocks.append(Picture(fitted_curves(signal, label=result.series.unit or "signal (a.u.)"), text, wide=False))
    return Section("Regions", blocks)


def _both_ways(region: RegionFit, parameters: list[str]) -> list[dict[str, Any]]:
    rows = []
    for way, said in _WAYS.items():
        row: dict[str, Any] = {"region": title_of(region.name), "way": said}
        for parameter in parameters:
            fitted = {**region.of_mean_curve, "r2": region.r2}
            row[parameter] = fitted.get(parameter) if way == "of_mean_curve" else region.of_voxels[parameter][way]
        if way == "of_mean_curve":
            row |= {"volume": region.volume_ml, "voxels": region.n_voxels, "missing": region.n_missing}
            row["at_bound"] = region.n_at_bound
        rows.append(row)
    return rows


def _finite(curve: Curve) -> bool:
    return bool(np.isfinite(curve.values).all())


def _input(result: DceResult) -> Section:
    aif, artery = result.aif, result.artery
    assert aif is not None
    assert artery is not None
    unit = artery.unit or "relative enhancement"
    quartiles = result.delay.quartiles_s
    facts: dict[str, Any] = {
        "Origin": {"automatic": "found in the image", "roi": "drawn region", "file": "given curve"}.get(
            artery.method, artery.name
        ),
        "Quantity": f"plasma, {unit}",
        "Hematocrit by which blood became plasma": artery.hematocrit,
        "Voxels": artery.n_voxels or None,
        "Quality (0 to 1)": artery.quality,
        "Delay to the tissue (s)": result.delay.seconds,
        "Delay from": result.delay.source,
        "Quartiles of the fitted delays (s)": quartiles,
    }
    slices = [(Curve(artery.times_s, one.values), one.accepted) for one in artery.slices]
    moved = artery if aif.shift_s else None
    blocks: list[Block] = [
        Facts(facts),
        Picture(input_curve(aif, slices, label=f"plasma ({unit})", as_found=moved), "The arterial input."),
    ]
    if artery.mask is not None:
        blocks.append(Picture(_chosen_voxels(result), "Voxels of the input over the frame in which it peaks."))
        rows = [
            {"slice": s.index, "voxels": s.n_voxels, "peak": float(np.max(s.values)), "quality": s.quality,
             "used": s.accepted, "reason": s.reason} for s in artery.slices
        ]  # fmt: skip
        columns = {"slice": "Slice", "voxels": "Voxels", "peak": f"Peak ({unit})", "quality": "Quality", "used": "Used",
                   "reason": "Reason"}  # fmt: skip
        flags = {i: "warning" for i, s in enumerate(artery.slices) if not s.accepted}
        caption = "Slice by slice; a slice is taken out with --set vetoed_slices=[number]."
        blocks.append(Table(columns, rows, caption=caption, flags=flags))  # type: ignore[arg-type]
    return Section("Arterial input", blocks)


def _chosen_voxels(result: DceResult) -> bytes:
    artery = result.artery
    assert artery is not None
    assert artery.mask is not None
    peak = int(np.argmax(artery.values)) if artery.method in ("automatic", "roi") else 0
    frame = result.series.frame(peak)
    nothing = frame.with_array(np.full(frame.geometry.shape, np.nan))
    return map_sections(frame, nothing, window=None, outlines={"voxels of the input": artery.mask}, whole=True)


def _descriptive(result: DceResult) -> Section | None:
    names = [name for name in DESCRIPTIVE_UNITS if name in result.maps]
    if not names:
        return None
    columns = {"region": "Region"} | {n: heading(n, result.maps[n].unit) for n in names}
    rows = [
        {"region": title_of(region.name), **{name: region.of_voxels[name]["median"] for name in names}}
        for region in result.regions.values()
    ]
    area = result.maps["iauc60"]
    png = map_sections(result.anatomy, area, window=window_of(area), outlines=_outlines(result),
                       label=heading("area over 60 s", area.unit))  # fmt: skip
    blocks: list[Block] = [Table(columns, rows, caption="Medians of the voxels; they need no model and no input.")]
    if np.isfinite(area.array).any():
        blocks.append(Picture(png, "Area under the curve over 60 s from arrival." + _outlined(result)))
    return Section("Curve description without a model", blocks, folded=result.aif is not None)


def _signal(result: DceResult) -> Section:
    f = result.facts
    facts = {
        "What was fitted": f.quantity + (f" ({f.unit})" if f.unit else ""),
        "Frames before the contrast": f.baseline_frames,
        "Repetition time (ms)": f.tr_ms,
        "Flip angle (degrees)": f.flip_angle_deg,
        "Relaxivity (1/(mM s))": f.relaxivity,
        "Relaxivity from": f.relaxivity_source or None,
        "T1 of tissue": f.t1_source or None,
        "T1 of blood (s)": f.blood_t1_s,
        "T1 of blood from": f.blood_t1_source or None,
    }
    blocks: list[Block] = [Facts({name: value for name, value in facts.items() if value is not None})]
    if "t1" in result.maps:
        t1 = result.maps["t1"]
        png = map_sections(result.anatomy, t1, window=WINDOWS["t1"], outlines=_outlines(result), label="T1 (s)")
        blocks.append(Picture(png, "T1 before contrast." + _outlined(result)))
    return Section("From signal to what was fitted", blocks, folded=True)


def _voxels(result: DceResult) -> Section:
    blocks: list[Block] = [Text(f"{text[:1].upper()}{text[1:]}.") for text in result.steps]
    blocks.append(Facts(dict(result.counts)))
    if result.motion is not None:
        times = result.motion.series.times_s
        curves = {
            "mean": Curve(times, result.motion.displacement_mm, "mm"),
            "largest": Curve(times, result.motion.largest_mm, "mm"),
        }
        blocks.append(Picture(fitted_curves(curves, label="displacement (mm)"), "Displacement of the frames."))
    return Section("Preprocessing, and what became of every voxel", blocks)


def _acquisition(result: DceResult, identified: bool) -> Section:
    facts = result.series.acquisition
    times = result.series.times_s
    shown: dict[str, Any] = {}
    if identified:
        shown |= {"Patient": facts.patient_name, "Patient ID": facts.patient_id}
    steps = np.diff(times)
    shown |= {
        "Scanner": " ".join(part for part in (facts.manufacturer, facts.scanner) if part) or None,
        "Field strength (T)": facts.protocol.get("field_strength_t"),
        "Contrast agent": facts.protocol.get("contrast_agent"),
        "Start of acquisition": facts.acquisition_start,
        "Frames": len(times),
        "First and last frame (s)": (float(times[0]), float(times[-1])),
        "Interval, median and range (s)": (float(np.median(steps)), float(steps.min()), float(steps.max())),
        "Frame times from": facts.protocol.get("frame_times_from"),
        "Grid": " x ".join(str(n) for n in result.series.geometry.size),
        "Voxel (mm)": result.series.geometry.spacing,
        "Typed by the user": facts.typed,
    }
    return Section("Acquisition", [Facts(shown)], folded=True)
