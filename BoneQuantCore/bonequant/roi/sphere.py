"""The mean of an image in a small sphere around each voxel, with fractional weights at the sphere's edge."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import fft

_LINES = 64  # per voxel along x and y; the overlap along each line is exact, so that a weight is right to 1e-5


@lru_cache(maxsize=32)
def sphere_weights(spacing_mm: tuple[float, float, float], radius_mm: float) -> np.ndarray:
    """Share of each voxel around the centre one in a sphere: (z, y, x), odd shape, sum 1. ``spacing_mm`` is (x, y, z).

    A voxel's share is the volume it has in common with the sphere over the volume of the sphere.
    """
    sx, sy, sz = spacing_mm
    nx, ny, nz = (max(int(np.ceil(radius_mm / step - 0.5)), 0) for step in spacing_mm)
    x = _lines(nx, sx)
    y = _lines(ny, sy)
    half_chord = np.sqrt(np.clip(radius_mm**2 - x**2 - y[:, None] ** 2, 0.0, None))
    weights = np.empty((2 * nz + 1, 2 * ny + 1, 2 * nx + 1))
    for k in range(-nz, nz + 1):
        low, high = (k - 0.5) * sz, (k + 0.5) * sz
        length = np.clip(np.minimum(half_chord, high) - np.maximum(-half_chord, low), 0.0, None)
        weights[k + nz] = length.reshape(2 * ny + 1, _LINES, 2 * nx + 1, _LINES).mean(axis=(1, 3))
    weights /= weights.sum()
    weights.flags.writeable = False  # it is cached
    return weights


def sphere_means(voxels: np.ndarray, low: np.ndarray, high: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean around each voxel of the box ``low`` to ``high`` (z, y, x; ``high`` excluded), float64.

    Voxels beyond the array and voxels that are not finite do not count: the mean is over the rest of the sphere.
    NaN where nothing is left.
    """
    reach = np.array(weights.shape) // 2
    start, stop = np.maximum(low - reach, 0), np.minimum(high + reach, voxels.shape)
    piece = voxels[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))].astype(np.float64)
    padding = [(int(a), int(b)) for a, b in zip(start - (low - reach), high + reach - stop, strict=True)]
    present = np.isfinite(piece)
    total = _correlate(np.pad(np.where(present, piece, 0.0), padding), weights)
    if present.all() and not np.any(padding):
        return total
    share = _correlate(np.pad(present.astype(np.float64), padding), weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(share > 1e-6, total / share, np.nan)


def _lines(reach: int, step: float) -> np.ndarray:
    """Distances (mm) of the lines through voxels -reach..reach."""
    return (np.arange((2 * reach + 1) * _LINES) + 0.5) * (step / _LINES) - (reach + 0.5) * step


def _correlate(voxels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Correlation with a point-symmetric kernel, where the kernel fits: by FFT, exact to rounding."""
    shape = [fft.next_fast_len(n, real=True) for n in voxels.shape]
    product = fft.rfftn(voxels, shape) * fft.rfftn(weights, shape)
    keep = tuple(slice(w - 1, n) for w, n in zip(weights.shape, voxels.shape, strict=True))
    return fft.irfftn(product, shape)[keep]
