"""The report of the liver job, section by section, in the order in which a reader asks."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from bonequant.report import Facts, Notice, Page, Picture, Section, Table, Text
from bonequant.report.closing import provenance_section, settings_section, title_of
from bonequant.report.curves import fitted_curves, input_curve
from bonequant.report.map_pictures import map_sections
from bonequant.report.page import Block, Level
from bonequant.studies.liver_perfusion.comparison_sections import maa_section, readers_section
from bonequant.studies.liver_perfusion.regions import AORTA, LIVER, PORTAL, SPLEEN
from bonequant.studies.liver_perfusion.result import LiverResult
from bonequant.studies.liver_perfusion.tissue import METHODS, QUANTITIES
from bonequant.volume import Curve, Volume

_UNIT = "mL/min/100 mL"
_UNITS = {"alp": _UNIT, "pvp": _UNIT, "tlp": _UNIT, "hpi": "%"}
_SLICES = 4
_RIM_MM = 5.0  # the smoothing of the maps in the slice
_FINE = 200  # points of a fitted line
_OVERESTIMATES = (
    "Maximum slope assumes that nothing leaves the tissue before the slope peaks; in the liver it does, and ALP, PVP "
    "and HPI come out high (33/59/36 for a truth of 20/100/17). It is given for comparison with the literature; the "
    "dual-input model is the one that gives true values back from the phantom."
)


def page(result: LiverResult, *, identified: bool = False) -> Page:
    """The page of one perfusion CT. ``identified``: print patient name and ID; left out by default."""
    return Page(
        title="Liver perfusion",
        subtitle=_subtitle(result),
        headline=_headline(result),
        notices=[Notice("warning", text) for text in result.warnings],
        sections=[
            _tissue(result),
            _maps(result),
            _curves(result),
            *([maa_section(result)] if result.maa is not None else []),
            *([readers_section(result.readers)] if result.readers is not None else []),
            _voxels(result),
            _motion(result),
            _acquisition(result, identified),
            settings_section(result.settings),
            provenance_section(result.provenance),
        ],
    )


def _subtitle(result: LiverResult) -> str:
    facts = result.acquisition
    steps = np.diff(result.times_s)
    parts = [result.name, f"dynamic CT, {len(result.times_s)} frames every {np.median(steps):.3g} s"]
    if facts.acquisition_start is not None:
        parts.append(f"{facts.acquisition_start:%Y-%m-%d}")
    return " · ".join(part for part in parts if part)


def _headline(result: LiverResult) -> list[tuple[str, Any, str]]:
    rows = {row["region"]: row for row in result.rows}
    cards: list[tuple[str, Any, str]] = [
        (f"Liver {quantity.upper()}, dual input", rows[LIVER][f"{quantity}_dual_input"], _UNITS[quantity])
        for quantity in ("alp", "pvp", "hpi")
    ]
    for name in result.lesions[:3]:
        cards.append((f"{title_of(name)} ALP, dual input", rows[name]["alp_dual_input"], _UNIT))
    return cards


def _tissue(result: LiverResult) -> Section:
    columns = {"region": "Region", "volume_ml": "Volume mL"}
    for method in METHODS:
        short = "max slope" if method == "max_slope" else "dual input"
        columns |= {f"{quantity}_{method}": f"{quantity.upper()} {short}" for quantity in QUANTITIES}
    shown = [{**row, "region": _title(row["region"])} for row in result.rows]
    flags: dict[int, Level] = {i: "warning" for i, row in enumerate(result.rows) if row["at_bound"]}
    model = {
        "region": "Region",
        "peak_hu": "Peak HU",
        "k2": "k2 1/min",
        "dv": "Distribution volume",
        "mtt_s": "MTT s",
        "arterial_delay_s": "Arterial delay s",
        "r2": "R²",
        "residual_sd_hu": "Residual SD HU",
    }
    inputs = {
        "region": "Region",
        "origin": "Origin",
        "volume_ml": "Volume mL",
        "baseline_hu": "Baseline HU",
        "peak_hu": "Peak enhancement HU",
        "time_of_peak_s": "Time of peak s",
    }
    given = [
        {**row, "region": title_of(row["region"]), "origin": result.origins[row["region"]]} for row in result.input_rows
    ]
    blocks: list[Block] = [
        Table(
            columns, shown, caption=f"Fit of each region's mean curve. ALP, PVP, TLP in {_UNIT}, HPI in %.", flags=flags
        ),
        Notice("note", _OVERESTIMATES),
        Table(model, shown, caption="Dual-input model: C' = k1a Ca(t - ta) + k1p Cp(t - tp) - k2 C."),
        Table(inputs, given, caption="Inputs, and the spleen, whose peak parts the arterial from the portal phase."),
    ]
    return Section("Perfusion of the regions", blocks)


def _maps(result: LiverResult) -> Section:
    outlines = {name: result.masks[name] for name in [LIVER, *result.lesions]}
    vessels = {name: result.masks[name] for name in (AORTA, PORTAL, SPLEEN)}
    inner = _inner(result.maps["r2"])
    blocks: list[Block] = []
    for quantity in QUANTITIES:
        for method in METHODS:
            volume = result.maps[f"{quantity}_{method}"]
            upper = 100.0 if quantity == "hpi" else _upper(volume.array[inner])
            png = map_sections(
                result.anatomy,
                volume,
                window=(0.0, upper),
                outlines=outlines,
                count=_SLICES,
                label=f"{quantity.upper()} ({_UNITS[quantity]})",
            )
            blocks.append(Picture(png, f"{quantity.upper()} by the {METHODS[method]}, over the mean of the frames."))
    r2 = map_sections(
        result.anatomy, result.maps["r2"], window=(0.0, 1.0), outlines=vessels, count=_SLICES, label="R²", whole=True
    )
    blocks.append(Picture(r2, "Goodness of fit of the dual-input model, with aorta, portal vein and spleen as used."))
    blocks.append(
        Text("Maps are made of frames with these steps: " + ("; ".join(result.steps) if result.steps else "none") + ".")
    )
    return Section("Maps", blocks)


def _inner(volume: Volume) -> np.ndarray:
    """Voxels of a map that lie ``_RIM_MM`` inside in the slice; all of them where that leaves little.

    At the rim the smoothing and the motion mix liver with what lies beside it: colours that reached there would show
    nothing of the liver.
    """
    known = np.isfinite(volume.array)
    steps = max(1, round(_RIM_MM / max(volume.geometry.spacing[:2])))
    inner = ndimage.binary_erosion(known, ndimage.generate_binary_structure(2, 1)[None], iterations=steps)
    return inner if inner.sum() > 0.2 * known.sum() else known


def _upper(values: np.ndarray) -> float:
    """The 98th percentile of what is finite, rounded up to one or two digits."""
    finite = values[np.isfinite(values)]
    if not finite.size or np.percentile(finite, 98) <= 0:
        return 1.0
    top = float(np.percentile(finite, 98))
    step = 10.0 ** np.floor(np.log10(top))
    return float(np.ceil(2.0 * top / step) * step / 2.0)


def _curves(result: LiverResult) -> Section:
    times = result.times_s
    inputs = {
        "aorta": Curve(times, result.inputs.aorta, "HU"),
        "portal vein": Curve(times, result.inputs.portal, "HU"),
        "spleen": Curve(times, result.inputs.spleen, "HU"),
    }
    fine = np.linspace(times[0], times[-1], _FINE)
    tissue = {_title(name): Curve(times, result.enhancement[name], "HU") for name in result.fits}
    fitted = {_title(name): Curve(fine, fit.predict(fine)[0], "HU") for name, fit in result.fits.items()}
    moments = {"splenic peak": result.inputs.split_s}
    blocks: list[Block] = []
    if result.found_aorta is not None:
        found = result.found_aorta
        slices = [(Curve(found.times_s, one.values), one.accepted) for one in found.slices]
        blocks += [
            Picture(
                input_curve(found, slices, label="enhancement (HU)"),
                f"The aorta as it was found: {found.n_voxels} voxels, quality {found.quality:.2f}; the mean of its "
                "accepted slices, and each slice.",
            ),
            Picture(
                map_sections(
                    result.anatomy,
                    result.maps["alp_dual_input"],
                    window=(0.0, 1e9),
                    outlines={AORTA: result.masks[AORTA]},
                    whole=True,
                    label="chosen voxels are outlined",
                ),
                "The voxels that were taken for the aorta. Look at them: the whole analysis rests on this curve.",
            ),
        ]
    blocks += [
        Picture(fitted_curves(inputs, label="enhancement (HU)", marked_s=moments), "Input curves and the spleen."),
        Picture(
            fitted_curves(tissue, fitted, label="enhancement (HU)", marked_s=moments),
            "Mean curves of tissue (points) and the dual-input model fitted to them (lines).",
        ),
    ]
    return Section("Curves", blocks)


def _voxels(result: LiverResult) -> Section:
    columns = {"region": "Region", "method": "Method", "voxels": "Voxels"}
    for quantity in QUANTITIES:
        columns |= {f"{quantity}_mean": f"{quantity.upper()} mean", f"{quantity}_sd": "SD"}
        columns |= {f"{quantity}_median": "Median"}
    columns["alp_not_finite"] = "Not finite"
    rows = [{**row, "region": _title(row["region"]), "method": METHODS[row["method"]]} for row in result.voxel_rows]
    note = (
        "Means of the voxel fits differ from the fit of the mean curve above: noise biases the maximum of a slope "
        "upwards in every voxel, and the bounds of the fit keep noisy voxels from averaging out."
    )
    return Section("Voxel fits in the regions", [Table(columns, rows), Notice("note", note)], folded=True)


def _motion(result: LiverResult) -> Section:
    motion = result.motion
    if motion is None:
        return Section("Motion of the frames", [Text("The frames were taken as they are; nothing was corrected.")])
    times = np.array([row["time_s"] for row in motion.rows])
    shown = {
        "mean over the body": Curve(times, np.array([row["mean_mm"] for row in motion.rows])),
        "largest": Curve(times, np.array([row["largest_mm"] for row in motion.rows])),
    }
    facts = {
        "Frame that stayed": motion.reference + 1,
        "Model": result.settings.motion.model,
        "Largest mean displacement of a frame (mm)": max(row["mean_mm"] for row in motion.rows),
        "Difference from frame to frame before (HU, root mean square)": motion.difference[0],
        "after": motion.difference[1],
    }
    blocks: list[Block] = [Facts(facts), Picture(fitted_curves(shown, label="displacement (mm)"), "Of each frame.")]
    return Section("Motion of the frames", blocks)


def _acquisition(result: LiverResult, identified: bool) -> Section:
    facts = result.acquisition
    shown: dict[str, Any] = {}
    if identified:
        shown |= {"Patient": facts.patient_name, "Patient ID": facts.patient_id}
    shown |= {
        "Scanner": " ".join(part for part in (facts.manufacturer, facts.scanner) if part) or None,
        "Start of acquisition": facts.acquisition_start,
        "Frame times from": facts.protocol.get("frame_times_from"),
        "Frame times (s)": [round(time, 3) for time in result.times_s.tolist()],
        "Frames before the contrast": result.baseline_frames,
        "Typed by the user": facts.typed,
    }
    return Section("Acquisition", [Facts(shown)])


def _title(name: str) -> str:
    return "Liver without lesions" if name == LIVER else title_of(name)
