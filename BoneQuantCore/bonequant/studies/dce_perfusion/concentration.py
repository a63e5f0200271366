"""From the voxels of the scanner to what the models fit: mM, relative enhancement, or HU above the baseline.

Spoiled gradient echo signals are inverted exactly (:mod:`bonequant.kinetics.spgr`). A voxel is NaN, and counted with
its reason, where a frame is not finite, T1 is not known, or the signal of a frame is one that no concentration gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bonequant.errors import InputError, MissingFactError
from bonequant.kinetics import signal_to_concentration
from bonequant.progress import Progress, no_progress, part_of
from bonequant.studies.dce_perfusion.agent import relaxivity_of
from bonequant.studies.dce_perfusion.inputs import DceInputs
from bonequant.studies.dce_perfusion.settings import SignalSettings
from bonequant.studies.dce_perfusion.t1 import TissueT1, on_series, tissue_t1
from bonequant.volume import DynamicSeries

_BLOCK = 1 << 14
# T1 of blood before contrast, by field strength in tesla: QIBA's DCE profile, Lu et al., Magn Reson Med 2004;52:679.
_BLOOD_T1_S = {1.5: (1.44, "QIBA DCE-MRI profile, 1.5 T"), 3.0: (1.624, "Lu 2004, 3 T")}
_FIELD_TOLERANCE_T = 0.2


@dataclass(frozen=True)
class SignalFacts:
    """How signal becomes what is fitted; sources say who said each number. None where it plays no part."""

    quantity: str  # "concentration", "relative enhancement", "HU enhancement"
    unit: str
    tr_ms: float | None = None
    flip_angle_deg: float | None = None
    relaxivity: float | None = None
    relaxivity_source: str = ""
    blood_t1_s: float | None = None
    blood_t1_source: str = ""
    t1_source: str = ""
    baseline_frames: int = 1


@dataclass(frozen=True, eq=False)
class Concentration:
    """``series``: NaN outside the voxels asked for and where none was found; ``lost``: reason to number of voxels."""

    series: DynamicSeries
    t1: TissueT1 | None
    lost: dict[str, int]


def signal_facts(series: DynamicSeries, settings: SignalSettings) -> SignalFacts:
    """What the file and the settings say, before long work. Raises MissingFactError naming what is absent."""
    if series.unit == "mM":
        return SignalFacts("concentration", "mM")
    if series.modality == "CT":
        return SignalFacts("HU enhancement", "HU")
    if settings.quantity == "relative":
        return SignalFacts("relative enhancement", "")
    label = series.source or series.name or "The series"
    protocol = series.acquisition.protocol
    tr_ms = settings.tr_ms or protocol.get("repetition_time_ms")
    angle = settings.flip_angle_deg or protocol.get("flip_angle_deg")
    for what, value, name in (("repetition time", tr_ms, "tr_ms"), ("flip angle", angle, "flip_angle_deg")):
        if value is None:
            raise MissingFactError(f"{label}: the {what} is not known. Give it: --set signal.{name}=VALUE.")
    field_t = settings.field_t or protocol.get("field_strength_t")
    if settings.relaxivity is not None:
        r1, source = settings.relaxivity, "given"
    else:
        r1, source = relaxivity_of(settings.agent or protocol.get("contrast_agent"), field_t, label)
    blood, blood_source = _blood_t1(settings.blood_t1_s, field_t, label)
    assert tr_ms is not None
    assert angle is not None
    return SignalFacts("concentration", "mM", float(tr_ms), float(angle), r1, source, blood, blood_source)


def _blood_t1(given: float | None, field_t: float | None, label: str) -> tuple[float, str]:
    if given is not None:
        return given, "given"
    for field, (value, source) in _BLOOD_T1_S.items():
        if field_t is not None and abs(field - field_t) <= _FIELD_TOLERANCE_T:
            return value, source
    where = "an unknown field strength" if field_t is None else f"{field_t:g} T"
    raise MissingFactError(f"{label}: no T1 of blood is known at {where}. Give it: --set signal.blood_t1_s=SECONDS.")


def to_fitted_quantity(
    inputs: DceInputs,
    series: DynamicSeries,
    facts: SignalFacts,
    settings: SignalSettings,
    mask: np.ndarray,
    progress: Progress | None = None,
) -> Concentration:
    """Concentration (or enhancement) of the voxels of ``mask`` (z, y, x).

    Args:
        inputs: for T1 and B1.
        series: the frames, corrected and smoothed.
        facts: of :func:`signal_facts`, with the baseline.

    Raises as :func:`tissue_t1`; InputError where no voxel has a concentration.
    """
    report = progress or no_progress
    voxels = np.flatnonzero(mask)
    frames = series.frames.reshape(len(series.times_s), -1)
    mapped = facts.unit == "mM" and series.unit != "mM"
    t1 = None
    b1 = np.full(len(voxels), settings.b1)
    if mapped:
        if inputs.b1_map is not None:
            b1 = on_series(inputs.b1_map, series)[voxels].astype(float)
        t1 = tissue_t1(inputs, settings, voxels, b1, part_of(report, 0.0, 0.5))
    out = np.full(frames.shape, np.nan, dtype=np.float32)
    unfinite = impossible = 0
    for start in range(0, len(voxels), _BLOCK):
        report(0.5 + 0.5 * start / len(voxels), "Signal to concentration")
        part = slice(start, start + _BLOCK)
        signal = np.take(frames, voxels[part], axis=1).T.astype(np.float64)
        values = of_signal(signal, facts, None if t1 is None else t1.values[part], b1[part], series.unit)
        finite = np.isfinite(signal).all(axis=1)
        known = np.ones(len(signal), bool) if t1 is None else np.isfinite(t1.values[part])
        complete = np.isfinite(values).all(axis=1)
        unfinite += int(np.count_nonzero(~finite))
        impossible += int(np.count_nonzero(finite & known & ~complete))
        out[:, voxels[part]] = values.T
    lost = {
        "a frame is not finite": unfinite,
        "T1 is not known": 0 if t1 is None else int(np.count_nonzero(~np.isfinite(t1.values))),
        "a frame's signal is zero, negative or saturated": impossible,
    }
    if not np.isfinite(out).all(axis=0).any():
        why = "; ".join(f"{reason}: {count}" for reason, count in lost.items() if count) or "none is above the noise"
        raise InputError(
            f"None of {len(voxels)} voxels has a concentration ({why}). Check TR, flip angle, T1 and the baseline."
        )
    made = series.replace(frames=out.reshape(series.frames.shape), unit=facts.unit)
    return Concentration(made, t1, {reason: count for reason, count in lost.items() if count})


def of_signal(
    signal: np.ndarray, facts: SignalFacts, t1_s: np.ndarray | float | None, b1: np.ndarray | float, unit: str
) -> np.ndarray:
    """Curves (N, T) of signal as what is fitted; NaN for impossible values. ``unit``: of the signal."""
    if unit == "mM":
        return signal
    before = signal[:, : facts.baseline_frames].mean(axis=1, keepdims=True)
    if facts.unit == "HU":
        return signal - before
    if facts.unit == "mM":
        assert facts.tr_ms is not None
        assert facts.flip_angle_deg is not None
        assert facts.relaxivity is not None
        return signal_to_concentration(
            signal,
            tr_s=facts.tr_ms / 1000.0,
            flip_angle_deg=facts.flip_angle_deg,
            t1_s=t1_s,
            relaxivity=facts.relaxivity,
            baseline=facts.baseline_frames,
            b1=b1,
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(before > 0.0, signal / before - 1.0, np.nan)
