"""Sampling an image once, at any points or on any grid.

Transforms follow one convention everywhere: they take points of the space one is *in* (the grid or the mask) to points
of the image that is *sampled*. That is what ``registration.register(moving, fixed).transform`` gives: fixed to moving.

Cubic B-splines keep the mean of small hot regions (linear interpolation loses 6 % of a 22 mm sphere on a SPECT grid).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.volume.geometry import Geometry, is_linear, matrix_of

Interpolation = Literal["bspline", "linear", "nearest"]
_ORDER = {"bspline": 3, "linear": 1, "nearest": 0}
_SITK = {"bspline": sitk.sitkBSpline, "linear": sitk.sitkLinear, "nearest": sitk.sitkNearestNeighbor}


def coordinates_in(
    image: Geometry | sitk.Image, points_mm: np.ndarray, transform: sitk.Transform | None = None
) -> np.ndarray:
    """Continuous indices (x, y, z) in ``image`` of LPS points (N, 3), after ``transform``. Shape (N, 3)."""
    geometry = image if isinstance(image, Geometry) else Geometry.of(image)
    points = np.asarray(points_mm, dtype=np.float64)
    to_index = geometry.physical_to_index
    if is_linear(transform):
        to_index = to_index @ matrix_of(transform)
    else:
        assert transform is not None
        points = np.array([transform.TransformPoint(point) for point in points.tolist()]).reshape(-1, 3)
    return points @ to_index[:3, :3].T + to_index[:3, 3]


def sample_at(
    image: sitk.Image,
    points_mm: np.ndarray,
    transform: sitk.Transform | None = None,
    interpolation: Interpolation = "bspline",
) -> np.ndarray:
    """Values (N,) of ``image`` at LPS points (N, 3) after ``transform``; NaN outside the outermost voxel faces.

    Only the box of voxels around the points is filtered for the B-spline, so that a small region of a large image is
    cheap. The box is wide enough (16 voxels) for the spline's prefilter to be exact to 1e-9.
    """
    geometry = Geometry.of(image)
    index = coordinates_in(geometry, points_mm, transform)[:, ::-1]  # (z, y, x), as the array
    shape = np.array(geometry.shape)
    inside = np.all((index >= -0.5) & (index <= shape - 0.5), axis=1)
    values = np.full(len(index), np.nan)
    if not inside.any():
        return values
    index = index[inside]
    order = _ORDER[interpolation]
    margin = 16 if order == 3 else 1
    low = np.maximum(np.floor(index.min(axis=0)).astype(int) - margin, 0)
    high = np.minimum(np.ceil(index.max(axis=0)).astype(int) + margin + 1, shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    voxels = sitk.GetArrayViewFromImage(image)[box].astype(np.float64)
    values[inside] = ndimage.map_coordinates(
        voxels, (index - low).T, order=order, mode="mirror" if order == 3 else "nearest"
    )
    return values


def resample_to(
    image: sitk.Image,
    like: sitk.Image | Geometry,
    transform: sitk.Transform | None = None,
    interpolation: Interpolation = "bspline",
    outside: float = 0.0,
) -> sitk.Image:
    """``image`` on the grid of ``like`` as float32; ``transform`` takes points of ``like`` to points of ``image``."""
    geometry = like if isinstance(like, Geometry) else Geometry.of(like)
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize(geometry.size)
    resampler.SetOutputSpacing(geometry.spacing)
    resampler.SetOutputOrigin(geometry.origin)
    resampler.SetOutputDirection(geometry.direction)
    resampler.SetInterpolator(_SITK[interpolation])
    resampler.SetDefaultPixelValue(outside)
    resampler.SetOutputPixelType(sitk.sitkFloat32)
    if transform is not None:
        resampler.SetTransform(transform)
    return resampler.Execute(sitk.Cast(image, sitk.sitkFloat32))
