"""Marrow and cortical bone inside a bone mask, after Sambuceti et al. 2012 (Eur J Nucl Med Mol Imaging 39:1326).

The mean HU of the outer bone contour's inner ring (2 pixels there, 2 mm here) is the cut-off: what lies inside and
below it is the intraosseous volume, the rest compact bone. The mean is taken around each place rather than over the
whole body, so that a thin-walled vertebra and a thick-walled femur, or healthy and osteoporotic bone, each have
their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from bonequant.roi.morphology import components, erode_disc

_NEIGHBOURHOOD_MM = 12.0  # sigma: about one vertebra
_BLOCK_MM = 4.0
_LEAST_ML = 0.1


def split_marrow(
    bone: np.ndarray, hu: np.ndarray, spacing: Sequence[float], ring_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    """Marrow mask and the cut-off in HU of every bone voxel (in the order of ``hu[bone]``).

    Arrays are (z, y, x), spacing in mm. The outermost pixels, where bone and its surroundings mix, are never marrow.
    """
    pixel = max(spacing[1:])
    ring = bone & ~erode_disc(bone, max(ring_mm, pixel), spacing)
    cutoff = _local_mean(hu, ring, bone, spacing)
    marrow = np.zeros(bone.shape, dtype=bool)
    marrow[bone] = hu[bone] < cutoff
    marrow &= erode_disc(bone, pixel, spacing)
    return components(marrow, _LEAST_ML * 1000.0 / float(np.prod(spacing))), cutoff


def _local_mean(hu: np.ndarray, where: np.ndarray, at: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Gaussian-weighted mean of ``hu`` over ``where``, at the voxels of ``at``, by way of 4 mm blocks."""
    steps = [max(round(_BLOCK_MM / s), 1) for s in spacing]
    grid = [-(-n // step) for n, step in zip(hu.shape, steps, strict=True)]
    index = np.argwhere(where)
    block = np.ravel_multi_index(tuple((index // steps).T), grid)
    count = np.bincount(block, minlength=int(np.prod(grid))).reshape(grid).astype(np.float64)
    values = hu[where].astype(np.float64)  # float also where it is empty
    total = np.bincount(block, weights=values, minlength=int(np.prod(grid))).reshape(grid).astype(np.float64)
    sigma = [_NEIGHBOURHOOD_MM / (s * step) for s, step in zip(spacing, steps, strict=True)]
    count = ndimage.gaussian_filter(count, sigma, mode="constant")
    total = ndimage.gaussian_filter(total, sigma, mode="constant")
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 1e-9)
    points = (np.argwhere(at) + 0.5) / steps - 0.5
    return ndimage.map_coordinates(mean, points.T, order=1, mode="nearest")
