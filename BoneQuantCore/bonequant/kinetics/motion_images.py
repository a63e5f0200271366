"""Frames made ready for motion correction: windowed, smoothed, on one coarse grid; and their motion-free model.

The model is that of progressive principal component registration (Melbourne et al., Phys Med Biol 2007;52:5147):
enhancement lives in the first principal components of the aligned frames over time, motion in the later ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.volume.geometry import Geometry
from bonequant.volume.types import DynamicSeries, image_from_array

_HU_WINDOW = (-200.0, 180.0)  # fat, organs and the lung's edge; bones and arteries at their peak saturate
_PERCENTILES = (2.0, 98.0)
# Gaussian sigma in coarse voxels. Interpolation halfway between voxels smooths noise, and a metric likes that: without
# smoothing beforehand two noisy frames at rest come out half a voxel apart.
_SMOOTHING = 0.8


@dataclass(frozen=True, eq=False)
class CoarseFrames:
    """All frames on a coarse grid, values 0..1, float32 (T, z, y, x)."""

    frames: np.ndarray
    geometry: Geometry

    def image(self, array: np.ndarray) -> sitk.Image:
        return image_from_array(np.ascontiguousarray(array, dtype=np.float32), self.geometry)


def coarse_frames(series: DynamicSeries, spacing_mm: float) -> CoarseFrames:
    """Sampled about every ``spacing_mm``, or at the series' own spacing where that is wider."""
    grid = coarse_grid(series.geometry, spacing_mm)
    low, high = _window(series)
    widths = [_SMOOTHING * max(wide, own) for wide, own in zip(grid.spacing, series.geometry.spacing, strict=True)]
    frames = np.empty((len(series.times_s), *grid.shape), np.float32)
    resample = sitk.ResampleImageFilter()
    resample.SetSize(grid.size)
    resample.SetOutputSpacing(grid.spacing)
    resample.SetOutputOrigin(grid.origin)
    resample.SetOutputDirection(grid.direction)
    resample.SetInterpolator(sitk.sitkLinear)
    resample.SetUseNearestNeighborExtrapolator(True)
    for t, frame in enumerate(series.frames):
        values = np.nan_to_num(frame, nan=low, posinf=high, neginf=low)
        scaled = np.clip((values - low) / (high - low), 0.0, 1.0).astype(np.float32)
        if series.unit != "HU":  # fat and arteries are many times brighter than marrow: the root brings them nearer
            np.sqrt(scaled, out=scaled)
        image = image_from_array(scaled, series.geometry)
        image = sitk.DiscreteGaussian(image, [w * w for w in widths], 32, 0.01, True)
        frames[t] = sitk.GetArrayFromImage(resample.Execute(image))
    return CoarseFrames(frames, grid)


def coarse_grid(geometry: Geometry, spacing_mm: float) -> Geometry:
    """A grid over the same voxel centres, its corners a hair outside theirs so that every voxel lies within."""
    size, spacing = [], []
    for count, own in zip(geometry.size, geometry.spacing, strict=True):
        extent = (count - 1) * own
        n = count if own >= spacing_mm / 1.3 else int(np.ceil(extent / spacing_mm)) + 1
        size.append(n)
        spacing.append((extent + 0.02) / (n - 1) if n > 1 else own)
    axes = np.reshape(geometry.direction, (3, 3))
    shift = np.array([-0.01 if n > 1 else 0.0 for n in size])
    origin = np.array(geometry.origin) + axes @ shift
    return Geometry(
        (size[0], size[1], size[2]), (spacing[0], spacing[1], spacing[2]), tuple(origin.tolist()), geometry.direction
    )


def medoid(frames: np.ndarray) -> int:
    """The frame nearest to all others (least sum of median absolute differences): the usual state of the breath."""
    flat = frames.reshape(len(frames), -1)
    step = max(1, flat.shape[1] // 20_000)
    few = flat[:, ::step].astype(np.float64)
    distance = np.array([np.abs(few - one).mean(axis=1).sum() for one in few])
    return int(np.argmin(distance))


def motion_free(aligned: np.ndarray, components: int) -> np.ndarray:
    """The frames (T, ...) rebuilt from their mean and first ``components`` principal components over time."""
    flat = aligned.reshape(len(aligned), -1)
    mean = flat.mean(axis=0)
    if components == 0:
        return np.broadcast_to(mean, flat.shape).reshape(aligned.shape)
    centred = flat - mean
    _, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    leading = vectors[:, -components:].astype(np.float32)
    return (mean + leading @ (leading.T @ centred)).reshape(aligned.shape)


def _window(series: DynamicSeries) -> tuple[float, float]:
    if series.unit == "HU":
        return _HU_WINDOW
    mean = series.frames.mean(axis=0)
    finite = mean[np.isfinite(mean)]
    if finite.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(finite, _PERCENTILES)
    return float(low), float(max(high, low + 1e-6))
