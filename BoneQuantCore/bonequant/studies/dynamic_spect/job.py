"""The dynamic SPECT job: check, make frames comparable, measure curves, find the input, fit; data flow one way."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from bonequant.errors import InputError
from bonequant.kinetics import Fit, clearance_rate, early_late_ratio, fit, washout
from bonequant.progress import Progress, no_progress, part_of
from bonequant.provenance import Provenance, hash_image
from bonequant.roi import RegionCurve, region_curves
from bonequant.studies.dynamic_spect.blood import through_means
from bonequant.studies.dynamic_spect.frames import Frames, comparable
from bonequant.studies.dynamic_spect.inputs import DynamicSpectInputs, check
from bonequant.studies.dynamic_spect.result import DynamicSpectResult
from bonequant.studies.dynamic_spect.settings import DynamicSpectSettings
from bonequant.volume import Curve

_SHARE = 0.2  # of the scan: early and late window
_LATE_START = 0.5  # of the first frame's duration: how late a scan may start to have seen the bolus


def run(
    inputs: DynamicSpectInputs, settings: DynamicSpectSettings | None = None, progress: Progress | None = None
) -> DynamicSpectResult:
    """Measure one dynamic scan. Raises InputError or MissingFactError, with the way out in the message."""
    settings, report = DynamicSpectSettings.of(settings), progress or no_progress
    check(inputs)
    report(0.0, "Decay and durations")
    frames = comparable(inputs.series, settings)
    curves = region_curves(frames.series, inputs.masks, inputs.transform, part_of(report, 0.1, 0.6))
    report(0.6, "Kinetics")
    blood, blood_from, remarks = _blood(inputs, frames, curves, settings)
    warnings = [*inputs.series.warnings, *frames.warnings, *remarks]
    one_tissue: dict[str, Fit] = {}
    patlak: dict[str, Fit] = {}
    if blood is not None:
        tissue = {name: region for name, region in curves.items() if name != blood_from}
        if settings.one_tissue:
            one_tissue = _fits(tissue, frames, blood, "one_tissue", settings, None)
        if settings.patlak:
            patlak = _fits(tissue, frames, blood, "patlak", settings, settings.patlak_from_s or None)
    windows = _windows(frames, settings)
    rows = _rows(curves, frames, windows, one_tissue, patlak)
    bound = sorted({f"{row['region']} ({model})" for row in rows for model in ("1TCM", "Patlak") if row[_BOUND[model]]})
    if bound:
        warnings.append(f"A fit sits on a bound of a parameter: {', '.join(bound)}.")
    clearance = None
    if settings.clearance_s is not None:
        if blood_from not in curves:
            raise InputError("clearance_s needs the blood as a region, named as input_region.")
        values = curves[blood_from].curve.values
        clearance = float(clearance_rate(frames.series.times_s, values, settings.clearance_s)[0])
    report(1.0, "Measured")
    return DynamicSpectResult(
        name=inputs.name,
        settings=settings,
        acquisition=inputs.series.acquisition,
        frames=frames,
        masks=inputs.masks,
        transform=inputs.transform,
        curves=curves,
        blood=blood,
        blood_from=blood_from,
        one_tissue=one_tissue,
        patlak=patlak,
        rows=rows,
        windows=windows,
        blood_clearance=clearance,
        provenance=_provenance(inputs, settings),
        warnings=tuple(dict.fromkeys(warnings)),
    )


_BOUND = {"1TCM": "one_tissue_at_bound", "Patlak": "patlak_at_bound"}


def _blood(
    inputs: DynamicSpectInputs, frames: Frames, curves: Mapping[str, RegionCurve], settings: DynamicSpectSettings
) -> tuple[Curve | None, str, list[str]]:
    if inputs.blood is not None:
        if frames.series.unit != "Bq/mL":
            raise InputError(
                f"The blood curve is in Bq/mL and the frames in {frames.series.unit}: give the camera's factor, --set "
                "calibration_cps_per_mbq=..., or the blood as a region."
            )
        return inputs.blood, "file", []
    wanted = _plain(settings.input_region)
    name = next((name for name in curves if _plain(name) == wanted), None)
    if name is None:
        if settings.input_region != DynamicSpectSettings().input_region:
            raise InputError(f"There is no region {settings.input_region!r}; there are {', '.join(curves)}.")
        return (
            None,
            "",
            [
                f"There is no blood curve (no region {settings.input_region}, no file): curves, washout and ratios are "
                "given, kinetics are not. Draw the blood pool, or name the region with --set input_region=NAME."
            ],
        )
    if frames.scan_start_s > _LATE_START * frames.durations_s[0]:
        return (
            None,
            name,
            [
                f"The scan starts {frames.scan_start_s:g} s after the injection: the blood before is unknown, and "
                "kinetics are not given. Give the whole blood curve as a file."
            ],
        )
    if len(curves) == 1:
        raise InputError(f"The only region is the blood, {name}; draw the tissue to measure too.")
    means = curves[name].curve.values
    return through_means(frames.starts_s, frames.durations_s, means, frames.series.unit), name, []


def _plain(name: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", name.casefold()).strip("_")


def _fits(
    tissue: Mapping[str, RegionCurve],
    frames: Frames,
    blood: Curve,
    model: str,
    settings: DynamicSpectSettings,
    first_s: float | None,
) -> dict[str, Fit]:
    """One fit per region; the model is averaged over each frame, as the camera does."""
    chosen = dataclasses.replace(settings.kinetics, first_s=first_s)
    return {
        name: fit(
            frames.series.times_s,
            region.curve.values[None],
            blood,
            model,
            chosen,
            durations_s=frames.durations_s,
        )
        for name, region in tissue.items()
    }


def _windows(frames: Frames, settings: DynamicSpectSettings) -> tuple[tuple[float, float], tuple[float, float]]:
    start, end = float(frames.starts_s[0]), float(frames.starts_s[-1] + frames.durations_s[-1])
    length = _SHARE * (end - start)
    times = frames.series.times_s
    early = settings.early_s or (start, max(start + length, float(times[0])))
    late = settings.late_s or (min(end - length, float(times[-1])), end)
    return early, late


def _rows(
    curves: Mapping[str, RegionCurve],
    frames: Frames,
    windows: tuple[tuple[float, float], tuple[float, float]],
    one_tissue: Mapping[str, Fit],
    patlak: Mapping[str, Fit],
) -> tuple[dict[str, Any], ...]:
    times = frames.series.times_s
    rows = []
    for name, region in curves.items():
        values = region.curve.values
        row: dict[str, Any] = {
            "region": name,
            "volume_ml": region.volume_ml,
            "voxels": region.voxels,
            "voxels_left_out": region.missing,
            "peak": float(values.max()),
            "time_of_peak_s": float(times[int(values.argmax())]),
            "last": float(values[-1]),
            "unit": frames.series.unit,
            "early_late_ratio": float(early_late_ratio(times, values, *windows)[0]),
            "washout_percent": float(washout(times, values, *windows)[0]),
        }
        row |= _of_fit(one_tissue.get(name), "one_tissue", {"k1": "k1", "k2": "k2", "vb": "vb", "vt": "vt"})
        row |= _of_fit(patlak.get(name), "patlak", {"ki": "ps", "v0": "vp"})
        rows.append(row)
    return tuple(rows)


def _of_fit(found: Fit | None, model: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Parameters, goodness and bound flag; None throughout for a region without this fit."""
    if found is None:
        return {**dict.fromkeys(names), f"{model}_r2": None, f"{model}_at_bound": None}
    values = {shown: float(found[own][0]) for shown, own in names.items()}
    return {**values, f"{model}_r2": float(found.r2[0]), f"{model}_at_bound": bool(found.at_bound[0])}


def _provenance(inputs: DynamicSpectInputs, settings: DynamicSpectSettings) -> Provenance:
    series = inputs.series
    own = series.sha256 or hashlib.sha256(np.ascontiguousarray(series.frames).data).hexdigest()
    hashes = {"dynamic SPECT": own}
    hashes |= {f"mask {name}": hash_image(mask) for name, mask in inputs.masks.items()}
    if inputs.blood is not None:
        both = np.stack([inputs.blood.times_s, inputs.blood.values])
        hashes["blood curve"] = hashlib.sha256(np.ascontiguousarray(both).data).hexdigest()
    if inputs.transform is not None:
        hashes["transform"] = hashlib.sha256(str(inputs.transform).encode()).hexdigest()
    return Provenance("dynamic_spect", hashes, settings.to_dict())
