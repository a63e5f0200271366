"""What one reader's regions give on one series: curves, enhancement, and the perfusion of their means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.kinetics import Fit, baseline_frames
from bonequant.progress import Progress
from bonequant.roi import RegionCurve, region_curves
from bonequant.studies.liver_perfusion.regions import AORTA, LIVER, PORTAL, SPLEEN, Regions
from bonequant.studies.liver_perfusion.settings import LiverSettings
from bonequant.studies.liver_perfusion.table import tissue_rows
from bonequant.studies.liver_perfusion.tissue import Inputs, arterial_delay, dual_input, max_slope
from bonequant.volume import DynamicSeries

_LABELS = {AORTA: "aorta", PORTAL: "portal vein", SPLEEN: "spleen"}
_LEAST_PORTAL = 0.3  # of the aorta's peak; true veins reach about half, a region beside the vein next to nothing
_EARLY_S = -0.3  # the liver's artery does not run ahead of the aorta; less is the error of the fit
_MOST_TLP = 250.0  # mL/min/100 mL; healthy livers have 100 to 150
_NOISY = 2.0  # median of a map over the value of the mean curve, from which the map is of noise
_MANY = 0.2  # share of a region's voxels that motion took out of the field, from which it is said


@dataclass(frozen=True, eq=False)
class Reading:
    """Curves and perfusion of one reader's regions; attributes as those of the result."""

    regions: Regions
    masks: dict[str, sitk.Image]
    baseline: int
    curves: dict[str, RegionCurve]
    enhancement: dict[str, np.ndarray]
    inputs: Inputs
    fits: dict[str, Fit]
    delays_s: dict[str, float]
    rows: tuple[dict[str, Any], ...]


def measure_regions(
    series: DynamicSeries,
    regions: Regions,
    found_aorta: sitk.Image | None,
    settings: LiverSettings,
    progress: Progress | None = None,
) -> Reading:
    """Measure the regions; ``found_aorta`` takes the place of an aorta that was not drawn.

    Raises InputError where a vessel or the spleen does not enhance, or the series lacks a phase.
    """
    masks = {**regions.inputs, **regions.tissue}
    if found_aorta is not None:
        masks = {AORTA: found_aorta, **masks}
    curves = region_curves(series, masks, progress=progress)
    times = series.times_s
    baseline = settings.baseline_frames or baseline_frames(times, curves[AORTA].curve.values)
    if baseline >= len(times):
        raise InputError(f"baseline_frames is {baseline}; the series has {len(times)} frames.")
    enhancement = {name: region.curve.values - region.curve.values[:baseline].mean() for name, region in curves.items()}
    for name, label in _LABELS.items():
        if enhancement[name].max() <= 0:
            raise InputError(f"The {label} does not enhance; is its region right, and was contrast given?")
    inputs = Inputs(times, enhancement[AORTA], enhancement[PORTAL], enhancement[SPLEEN])
    tissue = list(regions.tissue)
    slopes = max_slope(inputs, np.stack([enhancement[name] for name in tissue]), settings)
    delays = _delays(inputs, {name: enhancement[name] for name in tissue}, settings)
    fits = {name: dual_input(inputs, enhancement[name][None], delays[name], settings) for name in tissue}
    rows = tissue_rows(curves, enhancement, slopes, fits, delays)
    return Reading(regions, masks, baseline, curves, enhancement, inputs, fits, delays, rows)


def remarks_on(reading: Reading, settings: LiverSettings) -> list[str]:
    """What a reader of the result must know of its curves and fits."""
    remarks = []
    times = reading.inputs.times_s
    if reading.baseline < 2 and settings.baseline_frames is None:
        remarks.append("One frame alone lies before the contrast: the baseline rests on it.")
    if int(np.argmax(reading.inputs.portal)) == len(times) - 1:
        remarks.append(
            "The portal vein still rises in the last frame: its peak, and PVP by the maximum slope, are off."
        )
    remarks += _contradictions(reading, settings)
    if settings.delay != "none":
        low, high = settings.delay_s
        edge = sorted({name for name, delay in reading.delays_s.items() if delay <= low or delay >= high})
        if edge:
            remarks.append(
                f"The arterial delay sits at an end of its range ({low:g} to {high:g} s): {', '.join(edge)}."
            )
    bound = [row["region"] for row in reading.rows if row["at_bound"]]
    if bound:
        remarks.append(f"The dual-input fit sits on a bound of a parameter: {', '.join(bound)}.")
    for name, region in reading.curves.items():
        if region.missing > _MANY * region.voxels:
            remarks.append(
                f"{name}: {region.missing} of {region.voxels} voxels are not seen in every frame and were left out."
            )
    return remarks


def remarks_on_maps(rows: Sequence[Mapping[str, Any]], of_voxels: Sequence[Mapping[str, Any]]) -> list[str]:
    """Maps of the maximum slope that hold noise: their median in the liver beside the value of its mean curve."""
    mean = next(row for row in rows if row["region"] == LIVER)
    voxels = next(row for row in of_voxels if (row["region"], row["method"]) == (LIVER, "max_slope"))
    off = [
        f"{quantity.upper()} {median:.0f} beside {value:.0f}"
        for quantity in ("alp", "pvp", "tlp")
        if (median := voxels[f"{quantity}_median"]) > _NOISY * (value := mean[f"{quantity}_max_slope"])
    ]
    if not off:
        return []
    return [
        f"Maps of the maximum slope read high: median of the liver's voxels beside its mean curve, mL/min/100 mL: "
        f"{', '.join(off)}. Noise of single voxels (short frames) raises the largest slope; take values from the "
        "regions, or smooth the maps more (preprocess.spatial_fwhm_mm)."
    ]


def _contradictions(reading: Reading, settings: LiverSettings) -> list[str]:
    """Values that no liver has: most often a region that lies beside its organ."""
    found = []
    share = float(reading.inputs.portal.max() / reading.inputs.aorta.max())
    if share < _LEAST_PORTAL:
        found.append(f"the portal vein peaks at {share:.2f} of the aorta")
    if settings.delay != "none" and reading.delays_s[LIVER] < _EARLY_S:
        found.append(f"the artery of the liver runs {-reading.delays_s[LIVER]:.1f} s ahead of the aorta")
    tlp = next(row["tlp_dual_input"] for row in reading.rows if row["region"] == LIVER)
    if tlp > _MOST_TLP:
        found.append(f"TLP of the liver is {tlp:.0f} mL/min/100 mL")
    if not found:
        return []
    return [
        f"Implausible: {'; '.join(found)}. Does each region lie inside its organ, also in the frame that stayed "
        "(mask_frame)? Look at the pictures of the maps. A short or noisy scan does the same."
    ]


def input_rows(reading: Reading) -> tuple[dict[str, Any], ...]:
    """One row each for aorta, portal vein and spleen."""
    rows = []
    for name in _LABELS:
        region, values = reading.curves[name], reading.enhancement[name]
        top = int(values.argmax())
        rows.append(
            {
                "region": name,
                "volume_ml": region.volume_ml,
                "voxels": region.voxels,
                "voxels_left_out": region.missing,
                "baseline_hu": float(region.curve.values[: reading.baseline].mean()),
                "peak_hu": float(values[top]),
                "time_of_peak_s": float(reading.inputs.times_s[top]),
            }
        )
    return tuple(rows)


def _delays(inputs: Inputs, tissue: Mapping[str, np.ndarray], settings: LiverSettings) -> dict[str, float]:
    if settings.delay == "none":
        return dict.fromkeys(tissue, 0.0)
    if settings.delay == "region":
        return {name: arterial_delay(inputs, curve, settings) for name, curve in tissue.items()}
    return dict.fromkeys(tissue, arterial_delay(inputs, tissue[LIVER], settings))
