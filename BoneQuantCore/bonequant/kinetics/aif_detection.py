"""The arterial input found by itself in the aorta: ``find_aif(series)``.

Voxels of an artery enhance first, fast, high and briefly, and quietly afterwards; those of the aorta lie together. The
steps, after the description of automatic aortic AIF detection in DCE-MRI of the spine (search for an early arrival, a
rapid and high rise, a low tail noise, a compact cluster, each slice verified on its own):

1. enhancement over each voxel's own baseline; voxels whose peak stands clear of their own noise;
2. of the highest of them, averaged with their neighbours in the slice: arrival (half of the peak, interpolated),
   steepness of the rise over the peak, fall after the peak, noise of the tail, multiplied with the height to a score;
3. connected clusters of voxels with a good score; the one with the largest summed score wins;
4. within it the voxels near its highest, away from its mixed edges;
5. per slice: number of voxels, likeness to the whole, peak; slices that fail are left out and say why.

Works on signal, concentration and HU alike, since only shapes and relative heights count.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.errors import GeometryError, InputError
from bonequant.kinetics.aif_input import (
    AIF,
    DEFAULT_HEMATOCRIT,
    SliceInput,
    assemble,
    quality_of,
    slices_of,
    tail_noise,
)
from bonequant.kinetics.arrival import baseline_frames
from bonequant.progress import Progress, no_progress
from bonequant.settings import Settings, setting
from bonequant.volume.geometry import Geometry
from bonequant.volume.types import DynamicSeries

_HALF = 0.5
_LEAST_CANDIDATES = 200


@dataclass(frozen=True)
class AifSettings(Settings):
    """What counts as an artery."""

    candidates: float = setting(0.03, low=1e-4, high=0.5, help="Share of the enhancing voxels that are examined.")
    contrast_to_noise: float = setting(8.0, low=1, high=100, help="Least peak over the noise of the voxel's own tail.")
    arrival_tolerance_s: float = setting(
        3.0, unit="s", low=0, high=60, help="Later than the first arrivals by this (or by a frame) counts half."
    )
    minimum_score: float = setting(0.3, low=0, high=1, help="Least score of a voxel, relative to the best ones.")
    core: float = setting(0.85, low=0, high=1, help="Least peak of a chosen voxel, relative to the cluster's own.")
    minimum_voxels: int = setting(3, unit="voxels", low=1, help="Least number per slice.")
    minimum_quality: float = setting(0.6, low=0, high=1, help="Least quality of a slice.")
    hematocrit: float = setting(DEFAULT_HEMATOCRIT, low=0, high=0.95, help="Of large vessels; used for mM alone.")


@dataclass(frozen=True)
class _Features:
    """Of candidate voxels (N,), curves averaged over 3x3 voxels: place in the flattened grid, what makes an artery."""

    place: np.ndarray
    height: np.ndarray
    arrival_s: np.ndarray
    rise: np.ndarray  # steepest rise per second over the peak
    fall: np.ndarray  # 1 - tail over peak
    quiet: np.ndarray  # 1 - noise of the tail over the peak


def find_aif(
    series: DynamicSeries,
    settings: AifSettings | None = None,
    mask: sitk.Image | None = None,
    progress: Progress | None = None,
    *,
    vetoed_slices: Collection[int] = (),
) -> AIF:
    """Find the aorta and its curve.

    Args:
        series: concentration (mM), signal or HU; mM gives plasma by the settings' hematocrit, HU enhancement.
        settings: thresholds.
        mask: where to search; everywhere by default.
        progress: may raise Cancelled.
        vetoed_slices: indices along z that must not be used.

    Returns:
        AIF with the chosen voxels (``mask``), one entry per slice with its quality, and the mean curve of the accepted
        ones.

    Raises:
        InputError: nothing enhances like an artery, fewer than 6 frames, or every slice fails (the message says why).
        GeometryError: the mask lies on another grid.
    """
    s = AifSettings.of(settings)
    report = progress or no_progress
    times = series.times_s
    if len(times) < 6:
        raise InputError(f"{len(times)} frames are too few to find an input curve by itself; draw a region.")
    report(0.0, "Looking for enhancing voxels")
    allowed = _allowed(series, mask, vetoed_slices)
    baseline, peak = _enhancing(series, allowed, s, report)
    report(0.5, "Comparing arrival, rise and peak")
    features = _features(series, baseline, peak, s)
    score = _score(features, times, s)
    chosen = _cluster(features, score, series.geometry, s)
    report(0.8, "Verifying slice by slice")
    slices = _verified(slices_of(series, chosen), s)
    accepted = [one for one in slices if one.accepted]
    if not accepted:
        why = "; ".join(f"slice {one.index}: {one.reason}" for one in slices[:6])
        raise InputError(f"No slice gives a usable input ({why}). Draw a region, or take a population AIF.")
    found = assemble(series, chosen, slices, "AIF", "automatic", s.hematocrit, baseline, ())
    report(1.0, f"Input from {found.n_voxels} voxels in {len(accepted)} slices")
    warnings = tuple(f"slice {one.index} was left out of the AIF: {one.reason}" for one in slices if not one.accepted)
    return dataclasses.replace(found, quality=quality_of(slices), warnings=warnings)


def _allowed(series: DynamicSeries, mask: sitk.Image | None, vetoed: Collection[int]) -> np.ndarray:
    if mask is None:
        allowed = np.ones(series.geometry.shape, dtype=bool)
    else:
        own = Geometry.of(mask)
        if own.size != series.geometry.size or np.abs(own.corners() - series.geometry.corners()).max() > 1e-3:
            raise GeometryError("The mask of the search lies on another grid than the series.")
        allowed = sitk.GetArrayViewFromImage(mask) > 0
    unknown = sorted(set(vetoed) - set(range(len(allowed))))
    if unknown:
        raise InputError(f"There is no slice {unknown} to leave out of the input: slices are 0 to {len(allowed) - 1}.")
    allowed[list(vetoed)] = False
    return allowed


def _enhancing(series: DynamicSeries, allowed: np.ndarray, s: AifSettings, report: Progress) -> tuple[int, np.ndarray]:
    """Number of baseline frames, and each voxel's peak over its first frame's level, flattened; NaN where excluded."""
    frames = series.frames.reshape(len(series.times_s), -1)
    # Baseline and peak need each other: the voxels of the greatest change since the first frame tell the arrival.
    change = np.full(frames.shape[1], -np.inf, dtype=np.float32)
    for t in range(1, len(frames)):
        report(0.3 * t / len(frames), "Looking for enhancing voxels")
        np.fmax(change, frames[t], out=change)
    change -= frames[0]
    change[~allowed.ravel() | ~np.isfinite(change)] = -np.inf
    enhancing = np.count_nonzero(change > 0)
    if enhancing == 0:
        raise InputError("No voxel enhances: is this a dynamic series, and does it hold frames after the contrast?")
    count = max(1, min(2000, round(0.002 * enhancing)))
    brightest = np.argpartition(change, -count)[-count:]
    baseline = baseline_frames(series.times_s, np.nanmedian(frames[:, brightest], axis=1))
    before = frames[:baseline].mean(axis=0)
    peak = change + frames[0] - before
    peak[~np.isfinite(peak)] = np.nan
    return baseline, peak


def _features(series: DynamicSeries, baseline: int, peak: np.ndarray, s: AifSettings) -> _Features:
    times = series.times_s
    enhancing = np.flatnonzero(peak > 0)
    count = min(enhancing.size, max(_LEAST_CANDIDATES, round(s.candidates * enhancing.size)))
    place = np.sort(enhancing[np.argpartition(peak[enhancing], -count)[-count:]])
    curves = _with_neighbours(series.frames, place)
    curves -= curves[:, :baseline].mean(axis=1, keepdims=True)
    good = np.isfinite(curves).all(axis=1)
    height = np.where(good, curves.max(axis=1, initial=-np.inf), 0.0)
    noise = np.where(good, tail_noise(curves), np.inf)
    good &= (height > 0) & (height > s.contrast_to_noise * noise)
    if not good.any():
        raise InputError(
            "No voxel enhances clearly above its noise; draw a region, smooth the series, or take a population AIF."
        )
    place, curves, height, noise = place[good], curves[good], height[good], noise[good]
    top = curves.argmax(axis=1)
    rows = np.arange(len(curves))
    upper = np.maximum((curves >= _HALF * height[:, None]).argmax(axis=1), 1)
    low, high = curves[rows, upper - 1], curves[rows, upper]
    share = np.clip((_HALF * height - low) / np.maximum(high - low, 1e-12), 0.0, 1.0)
    arrival = times[upper - 1] + share * (times[upper] - times[upper - 1])
    slopes = np.diff(curves, axis=1) / np.diff(times)
    slopes[np.arange(len(times) - 1)[None, :] >= top[:, None]] = 0.0
    tail = curves[:, -max(4, len(times) // 3) :].mean(axis=1)
    return _Features(
        place=place,
        height=height,
        arrival_s=arrival,
        rise=slopes.max(axis=1, initial=0.0) / height,
        fall=np.clip(1.0 - tail / height, 0.0, 1.0),
        quiet=np.clip(1.0 - noise / height, 0.0, 1.0),
    )


def _with_neighbours(frames: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Curves (N, T) averaged with the 8 neighbours in the slice: choosing by height must not choose noise."""
    z, y, x = np.unravel_index(place, frames.shape[1:])
    total = np.zeros((place.size, len(frames)))
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            rows = np.clip(y + dy, 0, frames.shape[2] - 1)
            columns = np.clip(x + dx, 0, frames.shape[3] - 1)
            total += frames[:, z, rows, columns].T
    return total / 9.0


def _score(features: _Features, times: np.ndarray, s: AifSettings) -> np.ndarray:
    """0..about 1 per candidate, relative to the best ones (95th percentile)."""
    tall = features.height >= _HALF * np.quantile(features.height, 0.95)
    first = np.quantile(features.arrival_s[tall], 0.1)
    tolerance = max(s.arrival_tolerance_s, 0.6 * float(np.median(np.diff(times))))
    late = np.maximum(features.arrival_s - first, 0.0) / tolerance
    score = features.height * features.rise * features.fall * features.quiet * _HALF ** (late**2)
    return score / max(float(np.quantile(score, 0.98)), 1e-300)


def _cluster(features: _Features, score: np.ndarray, geometry: Geometry, s: AifSettings) -> np.ndarray:
    """Chosen voxels (z, y, x): the core of the connected cluster with the largest summed score."""
    image = np.zeros(int(np.prod(geometry.shape)))
    good = score >= s.minimum_score
    image[features.place[good]] = score[good]
    image = image.reshape(geometry.shape)
    labels, count = ndimage.label(image > 0, structure=np.ones((3, 3, 3)))
    if count == 0:
        raise InputError("No voxel rises like an artery; draw a region, or take a population AIF.")
    sums = np.bincount(labels.ravel(), weights=image.ravel())[1:]
    best = int(np.argmax(sums)) + 1
    heights = np.zeros(image.size)
    heights[features.place] = features.height
    heights = np.where(labels == best, heights.reshape(geometry.shape), 0.0)
    inside = heights > 0
    return heights >= s.core * np.quantile(heights[inside], 0.9)


def _verified(slices: tuple[SliceInput, ...], s: AifSettings) -> tuple[SliceInput, ...]:
    result = []
    for one in slices:
        reason = ""
        if one.n_voxels < s.minimum_voxels:
            reason = f"{one.n_voxels} voxels, {s.minimum_voxels} are due"
        elif one.quality < s.minimum_quality:
            reason = f"quality {one.quality:.2f}, {s.minimum_quality:g} is due"
        result.append(dataclasses.replace(one, accepted=not reason, reason=reason))
    return tuple(result)
