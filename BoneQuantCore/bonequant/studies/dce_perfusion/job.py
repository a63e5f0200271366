"""The DCE job: check, correct, find the input, make concentration, fit, measure regions; data flow one way."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping

import numpy as np

from bonequant.errors import InputError
from bonequant.kinetics import (
    AIF,
    DESCRIPTIVE_UNITS,
    MODELS,
    KineticsSettings,
    MotionResult,
    correct_motion,
    curve_maps,
    descriptive,
    fit_maps,
    preprocess,
)
from bonequant.progress import Progress, no_progress, part_of
from bonequant.provenance import Provenance, hash_image
from bonequant.studies.dce_perfusion.arterial import (
    Delay,
    between_frames,
    delayed,
    extended,
    find_delay,
    frames_before,
    plasma_input,
    raw_artery,
)
from bonequant.studies.dce_perfusion.concentration import SignalFacts, signal_facts, to_fitted_quantity
from bonequant.studies.dce_perfusion.doubts import AT_BOUND, LOST, NOTHING, doubts
from bonequant.studies.dce_perfusion.inputs import DceInputs, check, other_sessions
from bonequant.studies.dce_perfusion.regions import Weights, measure_regions, weights_of
from bonequant.studies.dce_perfusion.result import DceResult
from bonequant.studies.dce_perfusion.settings import DESCRIPTIVE_ONLY, DceSettings
from bonequant.studies.dce_perfusion.t1 import check_b1, check_t1
from bonequant.volume import DynamicSeries, Volume, image_from_array

ALL_FITTED = "all_fitted"


def run(inputs: DceInputs, settings: DceSettings | None = None, progress: Progress | None = None) -> DceResult:
    """Measure one study.

    Args:
        progress: ``progress(fraction, message)``; may raise Cancelled.

    Raises InputError, MissingFactError, GeometryError or SettingsError, with the way out in the message.
    """
    settings, report = DceSettings.of(settings), progress or no_progress
    if inputs.delay_s is not None:
        settings = dataclasses.replace(settings, delay_s=inputs.delay_s)
    facts = known_facts(inputs, settings)
    kinetic = settings.model != DESCRIPTIVE_ONLY
    weights = {name: weights_of(name, mask, inputs.series) for name, mask in inputs.masks.items()}
    warnings = [*inputs.series.warnings, *other_sessions(inputs)]
    count = int(np.prod(inputs.series.geometry.shape))
    finite = int(np.isfinite(inputs.series.frames).all(axis=0).sum())

    motion, series = _corrected(inputs.series, settings, part_of(report, 0.0, 0.3))
    report(0.3, "Looking for the artery")
    artery = raw_artery(inputs, series, settings, part_of(report, 0.3, 0.4)) if kinetic else None
    prepared = preprocess(series, settings.preprocess, part_of(report, 0.4, 0.45))
    body = np.asarray(Volume(prepared.mask).array) > 0
    mask = _fitted_voxels(body, weights, settings)

    baseline = settings.signal.baseline_frames or frames_before(series, artery, body)
    facts = dataclasses.replace(facts, baseline_frames=baseline)
    made = to_fitted_quantity(inputs, prepared.series, facts, settings.signal, mask, part_of(report, 0.45, 0.6))
    concentration = made.series
    if made.t1 is not None:
        facts = dataclasses.replace(facts, t1_source=made.t1.source)
        warnings += made.t1.warnings

    maps: dict[str, Volume] = {}
    found = aif = None
    delay = Delay(0.0, "none")
    if kinetic:
        found = plasma_input(inputs, artery, series, facts, settings)
        delay = find_delay(concentration, body, list(weights.values()), found, settings, part_of(report, 0.6, 0.65))
        aif = delayed(between_frames(found), delay.seconds)
        kinetics = _kinetics(settings)
        # Voxels of the search to earlier times need the input beyond the last frame.
        reach = max(-kinetics.delay_s[0], 0.0) if kinetics.fit_delay else 0.0
        aif = extended(aif, reach)
        maps |= fit_maps(concentration, aif, settings.model, mask, kinetics, part_of(report, 0.65, 0.85))
        warnings += found.warnings
        settings = dataclasses.replace(settings, kinetics=kinetics)
    if settings.descriptive or not kinetic:
        maps |= _descriptive_maps(concentration, mask, part_of(report, 0.85, 0.95))
    if made.t1 is not None and made.t1.map is not None and inputs.t1_volumes:
        maps["t1"] = made.t1.map

    report(0.95, "Measuring regions")
    regions = weights or {ALL_FITTED: _all_fitted(concentration)}
    undefined = MODELS[settings.model].undefined if kinetic else {}
    counts = _counts(count, finite, mask, body, made.lost, maps, concentration, undefined)
    inside = {name: one.fraction_inside for name, one in regions.items()}
    result = DceResult(
        name=inputs.name,
        settings=settings,
        series=prepared.series,
        concentration=concentration,
        facts=facts,
        artery=found,
        aif=aif,
        delay=delay,
        mask=image_from_array(mask, series.geometry),
        t1=None if made.t1 is None else made.t1.map,
        maps=maps,
        masks=inputs.masks,
        regions=measure_regions(regions, prepared.series, concentration, maps, aif, settings.model, settings.kinetics),
        counts=counts,
        motion=motion,
        steps=(_motion_said(motion), *prepared.steps, *_steps_off(settings)),
        provenance=_provenance(inputs, settings),
        warnings=tuple(dict.fromkeys([*warnings, *doubts(facts, found, delay, counts, inside)])),
    )
    report(1.0, "Measured")
    return result


def known_facts(inputs: DceInputs, settings: DceSettings) -> SignalFacts:
    """What files and settings say of the signal. Raises as :func:`run` where that is too little, before long work."""
    check(inputs, settings)
    facts = signal_facts(inputs.series, settings.signal)
    if facts.unit == "mM" and inputs.series.unit != "mM":
        check_t1(inputs, settings.signal)
        check_b1(inputs)
    return facts


def arterial_input(inputs: DceInputs, settings: DceSettings | None = None, progress: Progress | None = None) -> AIF:
    """The input that :func:`run` would use, as plasma and before its delay: to look at, shift or draw anew first.

    Raises as :func:`run`; InputError without a kinetic model, which takes no input.
    """
    settings, report = DceSettings.of(settings), progress or no_progress
    if settings.model == DESCRIPTIVE_ONLY:
        raise InputError("Descriptive maps take no arterial input: choose a kinetic model (model).")
    facts = known_facts(inputs, settings)
    series = _corrected(inputs.series, settings, part_of(report, 0.0, 0.5))[1]
    report(0.5, "Looking for the artery")
    artery = raw_artery(inputs, series, settings, part_of(report, 0.5, 0.9))
    baseline = settings.signal.baseline_frames
    if baseline is None:
        body = np.ones(series.geometry.shape, bool)
        if artery is None:
            body = np.asarray(Volume(preprocess(series, settings.preprocess).mask).array) > 0
        baseline = frames_before(series, artery, body)
    facts = dataclasses.replace(facts, baseline_frames=baseline)
    found = plasma_input(inputs, artery, series, facts, settings)
    report(1.0, "Input found")
    return found


def _corrected(
    series: DynamicSeries, settings: DceSettings, progress: Progress
) -> tuple[MotionResult | None, DynamicSeries]:
    if not settings.correct_motion:
        return None, series
    motion = correct_motion(series, settings.motion, None, progress)
    return motion, motion.series


def _motion_said(motion: MotionResult | None) -> str:
    if motion is None:
        return "motion: not corrected"
    before, after = motion.difference
    return (
        f"motion: {motion.settings.model}, to frame {motion.reference}; mean displacement up to "
        f"{motion.displacement_mm.max():.2f} mm; difference from frame to frame {before:.4g} before, {after:.4g} after"
    )


def _steps_off(settings: DceSettings) -> list[str]:
    s = settings.preprocess
    off = (("background", s.background), ("space", s.spatial_fwhm_mm > 0), ("time", s.temporal_frames > 0))
    words = {"background": "every voxel is fitted", "space": "not smoothed", "time": "not smoothed"}
    return [f"{name}: {words[name]}" for name, on in off if not on]


def _fitted_voxels(body: np.ndarray, weights: dict[str, Weights], settings: DceSettings) -> np.ndarray:
    """The body and the regions, or the regions alone: what was drawn is always fitted."""
    mask = body.copy() if settings.maps_of == "body" else np.zeros_like(body)
    for one in weights.values():
        mask.reshape(-1)[one.places] = True
    return mask


def _all_fitted(concentration: DynamicSeries) -> Weights:
    places = np.flatnonzero(np.isfinite(concentration.frames).all(axis=0))
    return Weights(places, np.ones(len(places)), len(places) * concentration.geometry.voxel_volume_ml)


def _kinetics(settings: DceSettings) -> KineticsSettings:
    if settings.delay == "voxel":
        return dataclasses.replace(settings.kinetics, fit_delay=True)
    return settings.kinetics


def _descriptive_maps(concentration: DynamicSeries, mask: np.ndarray, progress: Progress) -> dict[str, Volume]:
    unit = concentration.unit
    per = {"peak": unit, "max_slope": f"{unit}/s" if unit else "1/s", "auc": f"{unit} s".strip()}
    units = {**DESCRIPTIVE_UNITS, **per, "iauc60": per["auc"]}
    times = concentration.times_s
    return curve_maps(concentration, lambda curves: descriptive(times, curves), units, mask, progress)


def _counts(
    count: int,
    finite: int,
    mask: np.ndarray,
    body: np.ndarray,
    lost: dict[str, int],
    maps: dict[str, Volume],
    concentration: DynamicSeries,
    undefined: Mapping[str, tuple[str, ...]],
) -> dict[str, int]:
    chosen = int(np.count_nonzero(mask))
    fitted = int(np.count_nonzero(np.isfinite(concentration.frames).all(axis=0)))
    counts = {
        "voxels of the series": count,
        "not finite in a frame": count - finite,
        "not to be fitted (background, outside the regions)": count - chosen,
        "to be fitted": chosen,
        **{f"{LOST}{reason}": number for reason, number in lost.items()},
        "fitted": fitted,
    }
    if "at_bound" in maps:
        counts[AT_BOUND] = int(np.count_nonzero(maps["at_bound"].array))
    for amplitude, names in undefined.items():
        nothing = int(np.count_nonzero(maps[amplitude].array == 0.0)) if amplitude in maps else 0
        if nothing:
            counts[NOTHING.format(amplitude=amplitude, names=" and ".join(names))] = nothing
    return counts


def _provenance(inputs: DceInputs, settings: DceSettings) -> Provenance:
    series = inputs.series
    hashes = {"series": series.sha256 or _hash_array(series.frames, series.times_s)}
    for i, volume in enumerate(inputs.t1_volumes):
        hashes[f"T1 volume {i + 1}"] = volume.sha256 or hash_image(volume.image)
    for role, single in (("T1 map", inputs.t1_map), ("B1 map", inputs.b1_map)):
        if single is not None:
            hashes[role] = single.sha256 or hash_image(single.image)
    if inputs.aif_curve is not None:
        hashes["input curve"] = _hash_array(inputs.aif_curve.times_s, inputs.aif_curve.values)
    if inputs.aif_region is not None:
        hashes["region of the artery"] = hash_image(inputs.aif_region)
    for name, mask in inputs.masks.items():
        hashes[f"mask {name}"] = hash_image(mask)
    return Provenance("dce_perfusion", hashes, settings.to_dict())


def _hash_array(*arrays: np.ndarray) -> str:
    """SHA-256 over the values, for inputs that came from no file."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
