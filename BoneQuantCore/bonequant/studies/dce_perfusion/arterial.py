"""The arterial input of the job: given, drawn, found or of a population; as plasma; and its delay to the tissue.

The search looks at signal, before any smoothing. Each slice's mean signal becomes concentration with the T1 of blood,
then plasma by the hematocrit (also for CT: iodine, like gadolinium, stays out of the red cells).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy.interpolate import CubicSpline

from bonequant.errors import InputError
from bonequant.kinetics import (
    AIF,
    MODELS,
    baseline_frames,
    blood_to_plasma,
    find_aif,
    fit,
    population_input,
    roi_input,
)
from bonequant.kinetics.aif_input import mean_of, tail_noise
from bonequant.kinetics.fit import frames_needed, frames_that_count
from bonequant.progress import Progress
from bonequant.roi import propagate
from bonequant.studies.dce_perfusion.concentration import SignalFacts, of_signal
from bonequant.studies.dce_perfusion.inputs import DceInputs
from bonequant.studies.dce_perfusion.regions import Weights, mean_curve
from bonequant.studies.dce_perfusion.settings import DceSettings
from bonequant.studies.dce_perfusion.t1 import on_series
from bonequant.volume import Curve, DynamicSeries, image_from_array

_POPULATION_STEP_S = 0.5  # finer than any frame: the bolus of a population is sharp
_BRIGHTEST = 0.002
_RISEN = 0.01  # of the peak: contrast has arrived
_SAMPLE, _LEAST_SAMPLE = 1000, 20
_CLEAR, _VESSEL, _FITS = 6.0, 0.5, 0.7
_WIDEST_S = 5.0  # between the quartiles of delays that are still one delay
_PARTS = 8  # of an interval between frames


@dataclass(frozen=True)
class Delay:
    """``seconds`` from the input to the tissue, how it was found, and from how many curves."""

    seconds: float
    source: str
    n_curves: int = 0
    quartiles_s: tuple[float, float] | None = None


def raw_artery(
    inputs: DceInputs, series: DynamicSeries, settings: DceSettings, progress: Progress | None = None
) -> AIF | None:
    """The artery in the image, in the unit of the series; None where the input comes from elsewhere."""
    if inputs.aif_curve is not None:
        return None
    if inputs.aif_region is not None:
        like = image_from_array(np.zeros(series.geometry.shape, np.uint8), series.geometry)
        region = propagate(inputs.aif_region, like) > 0.5
        if not sitk.GetArrayViewFromImage(region).any():
            raise InputError("The region of the artery holds no voxel of the series; draw it on the series.")
        found = roi_input(series, region, hematocrit=0.0)
        return found.without_slices(settings.vetoed_slices) if settings.vetoed_slices else found
    if settings.input != "automatic":
        return None
    blood = dataclasses.replace(settings.aif, hematocrit=0.0)  # plasma is made later, once
    return find_aif(series, blood, None, progress, vetoed_slices=settings.vetoed_slices)


def frames_before(series: DynamicSeries, artery: AIF | None, mask: np.ndarray) -> int:
    """Frames before the contrast: by its arrival in the artery, else in the voxels that change most.

    Raises InputError where nothing enhances.
    """
    if artery is not None:
        return _without_contrast(series.times_s, artery.values)
    frames = series.frames[:, mask]
    change = frames.max(axis=0) - frames[0]
    if not np.any(change > 0):
        raise InputError("No voxel enhances: is this a dynamic series, and does it hold frames after the contrast?")
    count = max(1, min(2000, round(_BRIGHTEST * change.size)))
    brightest = np.argpartition(change, -count)[-count:]
    return _without_contrast(series.times_s, np.median(frames[:, brightest], axis=1))


def _without_contrast(times_s: np.ndarray, curve: np.ndarray) -> int:
    """Frames up to the arrival, less those at its end that have begun to rise: two lines meet late in a curved rise."""
    count = baseline_frames(times_s, curve)
    while count > 2:
        before = curve[: count - 1].mean()
        if curve[count - 1] - before <= _RISEN * (curve.max() - before):
            break
        count -= 1
    return count


def plasma_input(
    inputs: DceInputs, artery: AIF | None, series: DynamicSeries, facts: SignalFacts, settings: DceSettings
) -> AIF:
    """The input as plasma, in the unit that is fitted. Raises InputError for one that cannot be used."""
    hematocrit = settings.aif.hematocrit
    if inputs.aif_curve is not None:
        return _from_elsewhere(inputs.aif_curve, facts, settings)
    if artery is not None:
        b1 = _b1_of(artery, inputs, series, settings)
        slices = tuple(
            dataclasses.replace(one, values=blood_to_plasma(_of_blood(one.values, artery, facts, b1), hematocrit))
            for one in artery.slices
        )
        values = mean_of(slices)
        lost = int(np.count_nonzero(~np.isfinite(values)))
        if lost:
            raise InputError(
                f"The artery's signal is zero, negative or saturated in {lost} of {len(values)} frames: no "
                "concentration gives it. Check TR, flip angle and the T1 of blood, veto slices, or take a population."
            )
        return dataclasses.replace(artery, values=values, slices=slices, unit=facts.unit, hematocrit=hematocrit)
    if facts.unit != "mM":
        raise InputError(
            f"A population input is in mM, the series in {facts.unit or 'relative enhancement'}: draw the artery, or "
            "let it be found."
        )
    start = float(series.times_s[facts.baseline_frames - 1])
    end = float(series.times_s[-1])
    times = np.arange(min(0.0, start), end + _POPULATION_STEP_S, _POPULATION_STEP_S)
    return population_input(times, settings.input, hematocrit, start)


def _of_blood(values: np.ndarray, artery: AIF, facts: SignalFacts, b1: float) -> np.ndarray:
    return of_signal(values[None], facts, facts.blood_t1_s, b1, artery.unit)[0]


def _b1_of(artery: AIF, inputs: DceInputs, series: DynamicSeries, settings: DceSettings) -> float:
    """Factor of the flip angle in the artery: mean of the map over its voxels, or the setting."""
    if inputs.b1_map is None or artery.mask is None:
        return settings.signal.b1
    there = on_series(inputs.b1_map, series)[sitk.GetArrayViewFromImage(artery.mask).reshape(-1) > 0]
    known = there[np.isfinite(there) & (there > 0.0)]
    if not len(known):
        raise InputError("The B1 map holds no value above zero in the artery; is it the map of this patient?")
    return float(known.mean())


def _from_elsewhere(curve: Curve, facts: SignalFacts, settings: DceSettings) -> AIF:
    name = curve.name or "Input"
    if not np.all(np.isfinite(curve.values)) or not np.any(curve.values > 0.0):
        raise InputError(f"{name} is nowhere above zero, or not finite; give another curve.")
    if isinstance(curve, AIF) and curve.hematocrit is not None:
        return curve
    blood = settings.input_is == "blood"
    values = blood_to_plasma(curve.values, settings.aif.hematocrit) if blood else curve.values
    return AIF(
        curve.times_s,
        values,
        curve.unit or facts.unit,
        name,
        method="file",
        hematocrit=settings.aif.hematocrit if blood else None,
    )


def find_delay(
    concentration: DynamicSeries,
    mask: np.ndarray,
    regions: Sequence[Weights],
    aif: AIF,
    settings: DceSettings,
    progress: Progress | None = None,
) -> Delay:
    """The delay of the tissue: by hand, or the median of fits to the regions' mean curves; without regions, of fits to
    voxels of ``mask`` (z, y, x) that enhance clearly and are no vessels."""
    if settings.delay_s is not None:
        return Delay(settings.delay_s, "by hand")
    if settings.delay == "voxel" or settings.kinetics.fit_delay:
        return Delay(0.0, "fitted in every voxel")
    if settings.delay == "none":
        return Delay(0.0, "none")
    count = len(concentration.times_s[frames_that_count(concentration.times_s, settings.kinetics)])
    needed = frames_needed(MODELS[settings.model], with_delay=True)
    if count < needed:
        return Delay(0.0, f"not fitted: {count} frames, and {settings.model} with a delay needs {needed} at least")
    if regions:
        curves = np.stack([_mean_of_known(concentration, one) for one in regions])
        least, what = 1, "regions"
    else:
        curves = _sample(concentration, mask)
        least, what = _LEAST_SAMPLE, "voxels"
    curves = curves[np.isfinite(curves).all(axis=1)]
    height = curves.max(axis=1, initial=0.0)
    curves = curves[(height > _CLEAR * tail_noise(curves)) & (height < _VESSEL * aif.values.max())]
    curves = curves[:: max(1, len(curves) // _SAMPLE)]
    if len(curves) < least:
        return Delay(0.0, f"not fitted: {len(curves)} {what} enhance clearly enough, {least} is the least")
    kinetics = dataclasses.replace(settings.kinetics, fit_delay=True)
    longer = extended(between_frames(aif), -kinetics.delay_s[0])
    found = fit(concentration.times_s, curves, longer, settings.model, kinetics, progress=progress)
    delays = found["delay_s"][(found.r2 > _FITS) & np.isfinite(found["delay_s"])]
    if len(delays) < least:
        return Delay(0.0, f"not fitted: {len(delays)} {what} follow the model, {least} is the least")
    low, middle, high = np.quantile(delays, [0.25, 0.5, 0.75])
    if high - low > _WIDEST_S:
        return Delay(0.0, f"not fitted: the delays of the {what} disagree (quartiles {low:.1f} and {high:.1f} s)")
    return Delay(float(middle), f"median of fits to {what}", len(delays), (float(low), float(high)))


def _sample(concentration: DynamicSeries, mask: np.ndarray) -> np.ndarray:
    voxels = np.flatnonzero(mask)
    voxels = voxels[:: max(1, len(voxels) // (20 * _SAMPLE))]
    return concentration.frames.reshape(len(concentration.times_s), -1)[:, voxels].T.astype(np.float64)


def _mean_of_known(concentration: DynamicSeries, region: Weights) -> np.ndarray:
    curves = concentration.frames.reshape(len(concentration.times_s), -1)[:, region.places]
    return mean_curve(curves, np.isfinite(curves).all(axis=0), region.fractions)


def between_frames(aif: AIF) -> AIF:
    """An input sampled at the frames of the image, with what lies between them as a cubic spline.

    A bolus is as short as a few frames. Shifted against the tissue, straight lines between its samples bias Ktrans by
    -20 % and vp by +11 % (5 s frames, 2 s of delay, Parker's bolus); the spline by -6 % and +3 % at most.
    """
    if aif.method not in ("automatic", "roi") or len(aif.times_s) < 4:
        return aif
    parts = np.arange(_PARTS) / _PARTS
    fine = np.append((aif.times_s[:-1, None] + parts * np.diff(aif.times_s)[:, None]).ravel(), aif.times_s[-1])
    return dataclasses.replace(aif, times_s=fine, values=CubicSpline(aif.times_s, aif.values)(fine))


def delayed(aif: AIF, seconds: float) -> AIF:
    """The input ``seconds`` later, on times of its own: its shape stays as it was sampled."""
    if seconds == 0.0:
        return aif
    longer = extended(aif, max(-seconds, 0.0))
    return dataclasses.replace(longer, times_s=longer.times_s + seconds, shift_s=aif.shift_s + seconds)


def extended(aif: AIF, seconds: float) -> AIF:
    """The input with one more sample ``seconds`` after its end, on the line through its last fifth, not below zero."""
    if seconds <= 0.0:
        return aif
    count = max(3, len(aif.times_s) // 5)
    slope, level = np.polyfit(aif.times_s[-count:] - aif.times_s[-1], aif.values[-count:], 1)
    return dataclasses.replace(
        aif,
        times_s=np.append(aif.times_s, aif.times_s[-1] + seconds),
        values=np.append(aif.values, max(level + slope * seconds, 0.0)),
    )
