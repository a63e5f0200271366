"""Deformable alignment of a frame to its reference: windowed least squares from coarse to fine.

At every voxel the displacement u is the one that best explains the differences within a Gaussian window around it
(Lucas and Kanade, IJCAI 1981), in information form: with slopes g and residual r of the warped frame,

    (window * g g' + p I) u_new = window * (g g' u + g r) + p (window * u)

so that what one edge cannot tell (motion along it) comes from the edges around it, and where nothing tells anything the
prior p hands on the displacement of the neighbourhood. Windows shrink from level to level. One thread per frame: the
same result wherever it runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.volume.geometry import Geometry

_PRIOR = 1.0  # of the mean information: organs slide along walls, and what is between must not tear
_ROBUST = 3.0
_NOISE = 9.0  # slopes must stand out of three times the residual's noise to count
_NOT_AIR = 0.02  # what lies at the ends of the window is flat and tells nothing of the noise
_LEAST_SCALE = 0.2  # of the window: an edge that does not lie right yet must not count as an outlier
_LEAST_SIZE = 16  # voxels: an axis shorter than this is not halved


@dataclass(frozen=True)
class Search:
    """``levels``: factors by which the grid is thinned, coarse to fine; ``window``: sigma in voxels of the level."""

    levels: tuple[int, ...]
    iterations: int
    window: float


def align_deformable(
    reference: np.ndarray, frame: np.ndarray, spacing: tuple[float, ...], start: np.ndarray, search: Search
) -> np.ndarray:
    """Displacements (3, z, y, x) in mm along the grid's x, y, z axes, from reference points to frame points.

    ``start`` has the same shape and says where to begin.
    """
    field = start.astype(np.float32)
    for level in search.levels:
        factor = [level if size >= _LEAST_SIZE * level // 2 and level > 1 else 1 for size in reference.shape]
        thin = tuple(slice(None, None, f) for f in factor)
        sigma = [0.5 * f if f > 1 else 0.0 for f in factor]
        fixed, moving = (ndimage.gaussian_filter(one, sigma)[thin] for one in (reference, frame))
        steps = np.array([h * f for h, f in zip(spacing[::-1], factor, strict=True)], dtype=np.float32)  # z, y, x
        coarse = np.stack([ndimage.gaussian_filter(axis, sigma)[thin] for axis in field])
        found = _search(fixed, moving, steps, coarse, search)
        if level == 1:
            return found
        # Only what this level changed is carried up: the finer field keeps its detail.
        counts = [np.arange(n) / f for n, f in zip(reference.shape, factor, strict=True)]
        place = np.stack(np.meshgrid(*counts, indexing="ij"))
        change = found - coarse
        field = field + np.stack([ndimage.map_coordinates(axis, place, order=1, mode="nearest") for axis in change])
    return field


def as_field(field: np.ndarray, geometry: Geometry) -> sitk.DisplacementFieldTransform:
    """The displacements as a transform of LPS points."""
    axes = np.reshape(geometry.direction, (3, 3))
    vectors = np.einsum("ij,jzyx->zyxi", axes, field.astype(np.float64))
    image = sitk.GetImageFromArray(np.ascontiguousarray(vectors), isVector=True)
    return sitk.DisplacementFieldTransform(geometry.apply_to(image))


def _search(fixed: np.ndarray, moving: np.ndarray, steps: np.ndarray, field: np.ndarray, search: Search) -> np.ndarray:
    index = np.stack(np.meshgrid(*(np.arange(n, dtype=np.float32) for n in fixed.shape), indexing="ij"))
    limits = np.array(fixed.shape, dtype=np.float32).reshape(3, 1, 1, 1) - 0.5
    body = (fixed > _NOT_AIR) & (fixed < 1.0 - _NOT_AIR)
    for _ in range(search.iterations):
        place = index + field[::-1] / steps[:, None, None, None]
        inside = np.all((place >= -0.5) & (place <= limits), axis=0)
        warped = ndimage.map_coordinates(moving, place, order=1, mode="nearest", output=np.float32)
        slopes = np.stack([_slope(warped, axis, h) for axis, h in enumerate(steps)])[::-1]  # x, y, z
        residual = fixed - warped
        spread = 1.4826 * float(np.median(np.abs(residual[body]))) if body.any() else 0.0
        scale = max(_ROBUST * spread, _LEAST_SCALE)
        strength = sum((slope * h) ** 2 for slope, h in zip(slopes, steps[::-1], strict=True))
        noise = _NOISE * spread**2 + 1e-9
        weight = inside / (1.0 + (residual / scale) ** 2) * (strength / (strength + noise))
        products = {(i, j): weight * slopes[i] * slopes[j] for i in range(3) for j in range(i, 3)}
        told = [weight * slopes[i] * residual for i in range(3)]
        for i in range(3):
            for j in range(3):
                told[i] = told[i] + products[min(i, j), max(i, j)] * field[j]
        smooth = {key: _window(product, search.window) for key, product in products.items()}
        right = [_window(one, search.window) for one in told]
        prior = np.float32(_PRIOR * sum(smooth[i, i].mean() for i in range(3)) / 3.0 + 1e-12)
        for i in range(3):
            smooth[i, i] += prior
            right[i] += prior * _window(field[i], search.window)
        field = _solve(smooth, right)
    return field


def _slope(values: np.ndarray, axis: int, step: float) -> np.ndarray:
    return np.gradient(values, step, axis=axis) if values.shape[axis] > 1 else np.zeros_like(values)


def _window(values: np.ndarray, sigma: float) -> np.ndarray:
    """Nearly a Gaussian: three moving averages, whose cost does not grow with the window."""
    width = max(1, 2 * round((np.sqrt(4.0 * sigma**2 + 1.0) - 1.0) / 2.0) + 1)  # variance 3 (w^2 - 1) / 12 = sigma^2
    for _ in range(3):
        values = ndimage.uniform_filter(values, width, mode="nearest")
    return values


def _solve(a: dict[tuple[int, int], np.ndarray], b: list[np.ndarray]) -> np.ndarray:
    """Symmetric 3x3 systems at every voxel by Cramer's rule."""
    xx, xy, xz, yy, yz, zz = a[0, 0], a[0, 1], a[0, 2], a[1, 1], a[1, 2], a[2, 2]
    cxx, cxy, cxz = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    cyy, cyz, czz = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    determinant = xx * cxx + xy * cxy + xz * cxz
    x = cxx * b[0] + cxy * b[1] + cxz * b[2]
    y = cxy * b[0] + cyy * b[1] + cyz * b[2]
    z = cxz * b[0] + cyz * b[1] + czz * b[2]
    return np.stack([x, y, z]) / determinant
