"""The aorta in front of the spine on CT, enhanced or not: a round, even tube, tracked from slice to slice.

In a box before the spinal canal rays are cast from every voxel to the limits of a band of HU (blood, and in turn
each level of enhancement). Where nearly all rays end 6 to 20 mm away and opposite ones agree there is a tube; the
best path of such centres, left of the canal or before it, is the aorta.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from bonequant.roi.canal import FRONT, Canal, cast_rays, round_grid, shortest_path, to_native

_GRID_MM = 2.0
_BANDS_HU = ((5.0, 90.0), (100.0, 190.0), (150.0, 260.0), (210.0, 350.0), (300.0, 500.0), (430.0, 750.0))
_REACH_MM = 20.0
_FRONT_MM, _RIGHT_MM, _LEFT_MM = 100.0, 15.0, 62.0  # from the canal's front wall
_BODY_HALF_WIDTH_MM, _BODY_DEPTH_MM = 20.0, 28.0  # here is a vertebral body, round and even as well
_LEAST_SCORE = 0.72
_LEAST_LENGTH_MM = 30.0


@dataclass(frozen=True, eq=False)
class Aorta:
    """``centre`` (n, 3) continuous (z, y, x), ``radius_mm`` (n,), ``score`` (n,) 0..1 of each slice; mean and sd of
    its HU."""

    centre: np.ndarray
    radius_mm: np.ndarray
    score: np.ndarray
    mean_hu: float
    sd_hu: float

    def mask(self, shape: tuple[int, ...], spacing: Sequence[float], fraction: float = 1.0) -> np.ndarray:
        """Discs of ``fraction`` of the radius, one per slice."""
        result = np.zeros(shape, dtype=bool)
        y, x = np.ogrid[: shape[1], : shape[2]]
        for (z, cy, cx), radius in zip(self.centre, self.radius_mm, strict=True):
            result[int(z)] |= np.hypot((y - cy) * spacing[1], (x - cx) * spacing[2]) <= fraction * radius
        return result


def find_aorta(hu: np.ndarray, canal: Canal, spacing: Sequence[float]) -> Aorta | None:
    """The stretch of the aorta that is seen best, or None where nothing is convincing.

    ``hu`` is (z, y, x) in an axial frame, ``spacing`` in mm.
    """
    rows, columns = round_grid(hu.shape, spacing, _GRID_MM)
    slices = canal.slices
    part = hu[slices][:, rows][:, :, columns].astype(np.float32)
    part = ndimage.gaussian_filter(part, (0.0, 0.7, 0.7))
    box = _search_box(canal, spacing, part.shape)
    best: tuple[float, float, tuple[np.ndarray, ...], np.ndarray] | None = None
    rows_used, columns_used = np.asarray(box.any(axis=(0, 2))), np.asarray(box.any(axis=(0, 1)))
    low_y, low_x = rows_used.argmax(), columns_used.argmax()
    high_y = part.shape[1] - rows_used[::-1].argmax()
    high_x = part.shape[2] - columns_used[::-1].argmax()
    window = (slice(None), slice(low_y, high_y), slice(low_x, high_x))
    for band in _BANDS_HU:
        wall = (part[window] < band[0]) | (part[window] > band[1])
        rays = cast_rays(wall, _GRID_MM, _REACH_MM)
        score = np.where(box[window], _tube_score(rays), 0.0)
        path = shortest_path(score, spacing[0], _GRID_MM, floor=0.55, least_length_mm=_LEAST_LENGTH_MM)
        if path is None:
            continue
        z, y, x, quality = path
        good = quality >= _LEAST_SCORE
        if good.sum() * spacing[0] < _LEAST_LENGTH_MM:
            continue
        merit = float(np.sum(quality[good] - 0.5))
        if best is None or merit > best[0]:
            radius = np.median(np.where(rays[:, z, y, x] == 255, np.nan, rays[:, z, y, x]), axis=0) * _GRID_MM
            best = (merit, band[0], (z[good], y[good] + low_y, x[good] + low_x, quality[good]), radius[good])
    if best is None:
        return None
    _, _, (z, y, x, quality), radius = best
    radius = np.where(np.isfinite(radius), radius, np.nanmedian(radius))
    values = np.concatenate([part[k, j - 2 : j + 3, i - 2 : i + 3].ravel() for k, j, i in zip(z, y, x, strict=True)])
    centre = np.column_stack([slices[z], to_native(y, rows), to_native(x, columns)])
    return Aorta(centre.astype(np.float64), radius, quality, float(np.median(values)), float(values.std()))


def _search_box(canal: Canal, spacing: Sequence[float], shape: tuple[int, ...]) -> np.ndarray:
    """Voxels of the 2 mm grid where an aorta may run, the vertebral bodies left out."""
    y = np.arange(shape[1])[None, :, None] * _GRID_MM
    x = np.arange(shape[2])[None, None, :] * _GRID_MM
    cy = (canal.centre[:, 1] * spacing[1])[:, None, None]
    cx = (canal.centre[:, 2] * spacing[2])[:, None, None]
    front = canal.radii_mm[:, FRONT][:, None, None]
    ahead, left = cy - front - y, x - cx
    vertebra = (np.abs(left) < _BODY_HALF_WIDTH_MM) & (ahead < _BODY_DEPTH_MM)
    return (ahead > 0.0) & (ahead < _FRONT_MM) & (left > -_RIGHT_MM) & (left < _LEFT_MM) & ~vertebra


def _tube_score(rays: np.ndarray) -> np.ndarray:
    """0..1: fraction of directions that end on a wall, less the spread of their lengths; centres of round tubes
    win."""
    met = rays < 255
    length = np.where(met, rays, 0).astype(np.float32) * _GRID_MM
    count = np.maximum(met.sum(axis=0), 1)
    mean = length.sum(axis=0) / count
    sd = np.sqrt(np.maximum((length**2).sum(axis=0) / count - mean**2, 0.0))
    nearest = np.where(met, length, np.inf).min(axis=0)
    fraction = met.mean(axis=0, dtype=np.float32)
    sized = (mean >= 7.0) & (mean <= 18.0) & (nearest >= 4.0)
    return np.where(sized, np.clip(fraction - 0.8 * sd / np.maximum(mean, 1.0), 0.0, 1.0), 0.0).astype(np.float32)
