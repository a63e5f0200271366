"""Deformable alignment: cubic B-spline displacements on a coarse grid, laid before a rigid motion.

Rueckert et al., IEEE Trans Med Imaging 1999;18:712: mutual information less a bending penalty. The penalty here is the
sum of squared second differences of the control points, so that shifts and linear stretches are free and folding is
dear. A point x of the fixed image goes to rigid(x + d(x)): a ``sitk.BSplineTransform``, then a rigid one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk

from bonequant.registration.metric import MutualInformation
from bonequant.registration.rigid import Motion, Tick

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_ORDER = 3
_MAXIMUM_STEPS = 60
_INVERSE_SPACING_MM = 6.0


def bend(
    metric: MutualInformation, motion: Motion, grid_mm: float, stiffness: float, tick: Tick
) -> tuple[sitk.BSplineTransform, float]:
    """Displacements of the fixed image's points before ``motion``, and the mutual information (nat) with them."""
    from scipy.optimize import minimize

    points = metric.samples.points
    spline = _empty_spline(points, grid_mm)
    weights = _weights(points, spline)
    shape = _grid_shape(spline)
    matrix = motion.matrix
    knots = int(np.prod(shape))

    def cost(flat: np.ndarray) -> tuple[float, np.ndarray]:
        tick()
        control = flat.reshape(3, knots)
        displaced = points + np.stack([weights @ axis for axis in control])
        value, by_position = metric(motion.apply(displaced))
        # Millimetres of the displacement pass through the motion's matrix before they meet the image.
        by_displacement = [sum(matrix[k, axis] * by_position[k] for k in range(3)) for axis in range(3)]
        slopes = np.stack([weights.T @ axis for axis in by_displacement])
        penalty, penalty_slopes = _bending(control.reshape(3, *shape), grid_mm)
        return scale * (stiffness * penalty - value), scale * (
            stiffness * penalty_slopes.reshape(3, knots) - slopes
        ).ravel()

    scale = 1.0
    steepness = float(np.abs(cost(np.zeros(3 * knots))[1]).max())
    scale = 1.0 / max(steepness, 1e-12)  # the first step moves the most willing control point by 1 mm
    found = minimize(
        cost, np.zeros(3 * knots), jac=True, method="L-BFGS-B", options={"maxiter": _MAXIMUM_STEPS, "ftol": 1e-7}
    )
    spline.SetParameters(found.x.tolist())
    displaced = points + np.stack([weights @ axis for axis in found.x.reshape(3, knots)])
    return spline, metric(motion.apply(displaced))[0]


def inverse_of(spline: sitk.BSplineTransform, motion: sitk.Transform) -> sitk.Transform:
    """Points of the moving image back to the fixed one: inverse motion, then inverse displacements (6 mm grid)."""
    origin, extent = (
        np.array(spline.GetTransformDomainOrigin()),
        np.array(spline.GetTransformDomainPhysicalDimensions()),
    )
    size = [int(np.ceil(e / _INVERSE_SPACING_MM)) + 1 for e in extent]
    spacing = [float(e) / (n - 1) for e, n in zip(extent, size, strict=True)]
    field = sitk.TransformToDisplacementField(spline, sitk.sitkVectorFloat64, size, origin.tolist(), spacing)
    undone = sitk.InvertDisplacementField(field, maximumNumberOfIterations=50, enforceBoundaryCondition=False)
    return sitk.CompositeTransform([sitk.DisplacementFieldTransform(undone), motion.GetInverse()])


def _empty_spline(points: np.ndarray, grid_mm: float) -> sitk.BSplineTransform:
    """No displacement yet, over the box of ``points`` (3, N) and half a cell around it, in cells of about ``grid_mm``.

    ITK's displacement drops to none at the border of its domain; the half cell keeps that away from the body.
    """
    low, high = points.min(axis=1) - 0.5 * grid_mm, points.max(axis=1) + 0.5 * grid_mm
    mesh = np.maximum(1, np.round((high - low) / grid_mm)).astype(int)
    spline = sitk.BSplineTransform(3, _ORDER)
    spline.SetTransformDomainOrigin(low.tolist())
    spline.SetTransformDomainPhysicalDimensions((high - low).tolist())
    spline.SetTransformDomainMeshSize(mesh.tolist())
    return spline


def _grid_shape(spline: sitk.BSplineTransform) -> tuple[int, int, int]:
    """Control points (z, y, x): a cubic spline reaches one cell beyond the mesh on either side."""
    x, y, z = (m + _ORDER for m in spline.GetTransformDomainMeshSize())
    return (z, y, x)


def _weights(points: np.ndarray, spline: sitk.BSplineTransform) -> csr_matrix:
    """Matrix (N, knots): the displacement of each point is this times the control points."""
    from scipy.sparse import csr_matrix

    origin, extent = (
        np.array(spline.GetTransformDomainOrigin()),
        np.array(spline.GetTransformDomainPhysicalDimensions()),
    )
    mesh = np.array(spline.GetTransformDomainMeshSize())
    shape = _grid_shape(spline)
    place = (points - origin[:, None]) / (extent / mesh)[:, None]
    cell = np.minimum(np.floor(place).astype(np.int64), mesh[:, None] - 1)
    t = place - cell
    window = [(1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (1 + 3 * t + 3 * t**2 - 3 * t**3) / 6, t**3 / 6]
    columns, values = [], []
    for k in range(4):
        for j in range(4):
            for i in range(4):
                columns.append(((cell[2] + k) * shape[1] + cell[1] + j) * shape[2] + cell[0] + i)
                values.append(window[k][2] * window[j][1] * window[i][0])
    count = points.shape[1]
    return csr_matrix(
        (np.stack(values, axis=1).ravel(), np.stack(columns, axis=1).ravel(), np.arange(count + 1) * 64),
        shape=(count, int(np.prod(shape))),
    )


def _bending(control: np.ndarray, grid_mm: float) -> tuple[float, np.ndarray]:
    """Mean squared second difference of the control points (3, z, y, x), in units of the grid, and its derivative."""
    slopes = np.zeros_like(control)
    total = 0.0
    norm = grid_mm**2 * control[0].size
    for first in range(1, 4):
        for second in range(first, 4):
            difference = np.diff(np.diff(control, axis=first), axis=second)
            share = 1.0 if first == second else 2.0
            total += share * float((difference**2).sum())
            slopes += share * 2.0 * _undiff(_undiff(difference, second), first)
    return total / norm, slopes / norm


def _undiff(values: np.ndarray, axis: int) -> np.ndarray:
    """The transpose of ``np.diff`` along ``axis``."""
    pad: list[Any] = [(0, 0)] * values.ndim
    pad[axis] = (1, 1)
    return -np.diff(np.pad(values, pad), axis=axis)
