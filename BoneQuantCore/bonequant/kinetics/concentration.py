"""A dynamic series of signal turned into concentration (MR) or enhancement (CT), frame by frame."""

from __future__ import annotations

import numpy as np

from bonequant.errors import InputError
from bonequant.kinetics.spgr import Frames, baseline_slice, check_sequence, rest_state, spgr_r1
from bonequant.volume.types import DynamicSeries, Volume


def to_concentration(
    series: DynamicSeries,
    *,
    tr_s: float,
    flip_angle_deg: float,
    t1_s: float | np.ndarray | Volume,
    relaxivity: float,
    baseline: Frames,
    b1: float | np.ndarray | Volume = 1.0,
) -> DynamicSeries:
    """Spoiled gradient echo signal to mM; see :func:`bonequant.kinetics.signal_to_concentration`.

    ``t1_s`` and ``b1`` may be numbers or maps on the grid of the series. Voxel frames whose signal no R1 can give
    (saturated, zero, negative) and voxels without a positive T1 are NaN, and counted in ``warnings``.
    """
    check_sequence(tr_s, flip_angle_deg, relaxivity)
    before = series.frames[baseline_slice(baseline, len(series.frames))].mean(axis=0, dtype=np.float64)
    t1, factor = (np.asarray(v.array if isinstance(v, Volume) else v, dtype=np.float64) for v in (t1_s, b1))
    for name, array in (("T1", t1), ("B1", factor)):
        if array.ndim and array.shape != before.shape:
            raise InputError(f"The {name} map has shape {array.shape}, the frames {before.shape}; resample it first.")
    r10, s0 = rest_state(before, tr_s, flip_angle_deg, t1, factor)
    frames = np.empty(series.frames.shape, dtype=np.float32)
    for frame, out in zip(series.frames, frames, strict=True):
        out[...] = (spgr_r1(frame, tr_s, flip_angle_deg, s0, factor) - r10) / relaxivity
    lost = int(np.isnan(frames).any(axis=0).sum())
    note = (
        (f"{lost} voxels have a signal or T1 without a concentration (saturated, zero or negative): NaN.",)
        if lost
        else ()
    )
    return series.replace(frames=frames, unit="mM", warnings=series.warnings + note)


def to_enhancement(series: DynamicSeries, baseline: Frames) -> DynamicSeries:
    """Values above the mean of the baseline frames, in the series' own unit (HU for CT)."""
    before = series.frames[baseline_slice(baseline, len(series.frames))].mean(axis=0, dtype=np.float64)
    return series.replace(frames=series.frames - before.astype(np.float32))
