"""Frames made comparable: counts per second (or Bq/mL), corrected for decay to the injection, on the injection's clock.

A frame's mean activity is that at the injection times the mean of exp(-lambda t) over the frame,
exp(-lambda t0) (1 - exp(-lambda d)) / (lambda d), by which it is divided.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bonequant.errors import InputError, MissingFactError
from bonequant.spect import half_life_of
from bonequant.studies.dynamic_spect.settings import DynamicSpectSettings
from bonequant.volume import DynamicSeries


@dataclass(frozen=True, eq=False)
class Frames:
    """Comparable frames.

    Attributes:
        series: values over ``factors``, mid-frame times since the injection.
        starts_s, durations_s: (T,) of the frames, since the injection.
        decay_factors: (T,) by which activities were divided; 1 where they were corrected already.
        scan_start_s: of the first frame after the injection.
        half_life_s: NaN where it was not needed.
        steps: one sentence per step.
    """

    series: DynamicSeries
    starts_s: np.ndarray
    durations_s: np.ndarray
    decay_factors: np.ndarray
    scan_start_s: float
    half_life_s: float
    steps: tuple[str, ...]
    warnings: tuple[str, ...]


def comparable(series: DynamicSeries, settings: DynamicSpectSettings) -> Frames:
    """Prepare the frames.

    Raises InputError where it is not known whether decay was corrected, MissingFactError where durations or the
    half-life are needed and absent.
    """
    label = series.source or series.name or "The series"
    if series.durations_s is None:
        raise MissingFactError(
            f"{label} does not say how long its frames are; counts of frames of unknown length are no activity. Write "
            "it as DICOM with phases, or as a .seq.nrrd with durations."
        )
    durations = series.durations_s
    begin, origin = _scan_start(series, settings)
    # Mid-frame times count from any origin; the first frame starts ``begin`` after the injection.
    starts = series.times_s - durations / 2
    starts = starts - starts[0] + begin
    steps: list[str] = [origin]
    warnings = [f"{origin}. If it started later, give scan_start_s."] if _clock_is_guessed(series, settings) else []
    factors, half_life = np.ones(len(durations)), float("nan")
    how = _decay_of(series, settings, label)
    if how != "corrected":
        half_life, _, remarks = half_life_of(series.acquisition, label)
        warnings += remarks
        rate = np.log(2.0) / half_life
        factors = np.exp(-rate * starts)
        if how == "correct":
            factors = factors * -np.expm1(-rate * durations) / (rate * durations)
        steps.append(f"decay: corrected here to the injection, half-life {half_life:g} s ({how})")
    else:
        steps.append("decay: the frames were corrected already, as the file (or the setting) says")
    scale, unit = np.ones(len(durations)), series.unit
    if series.unit == "counts":
        scale, unit = durations.copy(), "counts/s"
        steps.append("counts: divided by the duration of each frame")
        if settings.calibration_cps_per_mbq is not None:
            scale = scale * settings.calibration_cps_per_mbq * 1e-6 * series.geometry.voxel_volume_ml
            unit = "Bq/mL"
            steps.append(f"activity: {settings.calibration_cps_per_mbq:g} cps/MBq")
    divide = (factors * scale).astype(np.float64)
    frames = (series.frames / divide[:, None, None, None]).astype(np.float32)
    moved = series.replace(frames=frames, unit=unit, times_s=starts + durations / 2)
    return Frames(moved, starts, durations, factors, begin, half_life, tuple(steps), tuple(warnings))


def _scan_start(series: DynamicSeries, settings: DynamicSpectSettings) -> tuple[float, str]:
    if settings.scan_start_s is not None:
        return settings.scan_start_s, f"clock: the first frame starts {settings.scan_start_s:g} s after the injection"
    facts = series.acquisition
    if facts.injection_time is None or facts.acquisition_start is None:
        return 0.0, "clock: the file does not tell the injection; the first frame is taken to start with it"
    try:
        seconds = (facts.acquisition_start - facts.injection_time).total_seconds()
    except TypeError as error:
        raise InputError("One of injection time and start has a time zone, the other has none.") from error
    if seconds < -float(series.durations_s[0] if series.durations_s is not None else 0.0):
        raise InputError(
            f"The injection, {facts.injection_time}, is {-seconds:g} s after the start of the acquisition, "
            f"{facts.acquisition_start}. Correct one, or give scan_start_s."
        )
    return max(seconds, 0.0), f"clock: by the file the first frame starts {max(seconds, 0.0):g} s after the injection"


def _clock_is_guessed(series: DynamicSeries, settings: DynamicSpectSettings) -> bool:
    return settings.scan_start_s is None and None in (
        series.acquisition.injection_time,
        series.acquisition.acquisition_start,
    )


def _decay_of(series: DynamicSeries, settings: DynamicSpectSettings, label: str) -> str:
    if settings.decay != "auto":
        return settings.decay
    said = (series.acquisition.decay_correction or "").upper()
    if said == "ADMIN":
        return "corrected"
    if said == "NONE" or (not said and series.unit == "counts"):
        return "correct"
    what = "START, which some write for the scan and some for each frame" if said == "START" else said or "nothing"
    raise InputError(
        f"{label}: of decay correction the file says {what}. Say it: --set decay=correct (not corrected), corrected "
        "(all frames to one time) or frame_start (each to its own start)."
    )
