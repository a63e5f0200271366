"""Rigid and affine motion: parameters in millimetres, and the search for those of the highest mutual information.

A motion turns and shifts points about the body's centre c: y = A (x - c) + c + t. Turning is a rotation vector, scaled
by a lever arm of 150 mm, so that one unit of any parameter moves the body's outside by about one millimetre and one
step length serves all of them. BFGS on the exact gradient (Nocedal and Wright, Numerical Optimization, ch. 6).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.registration.metric import MutualInformation
from bonequant.volume.geometry import matrix_of

_LEVER_MM = 150.0
# The metric's curvature is about 0.003 nat/mm2 (measured), so this slope is 0.003 mm from the optimum.
_FLAT_NAT_PER_MM = 1e-5
_MAXIMUM_STEPS = 100

Tick = Callable[[], None]


@dataclass(frozen=True)
class Motion:
    """A rigid motion (6 ``parameters``: turn, shift) or an affine one (12: matrix less identity, shift), in mm."""

    parameters: np.ndarray
    centre: np.ndarray

    @classmethod
    def of(cls, transform: sitk.Transform) -> Motion:
        """The motion of a linear transform, with 12 parameters, about the origin."""
        whole = matrix_of(transform)
        return cls(np.concatenate([(whole[:3, :3] - np.eye(3)).ravel() * _LEVER_MM, whole[:3, 3]]), np.zeros(3))

    @property
    def matrix(self) -> np.ndarray:
        """3x3 matrix A."""
        if self.parameters.size == 6:
            return _rotation(self.parameters[:3] / _LEVER_MM)
        return np.eye(3) + self.parameters[:9].reshape(3, 3) / _LEVER_MM

    @property
    def shift(self) -> np.ndarray:
        return self.parameters[-3:]

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Points (3, N) moved."""
        x, y, z = (axis - c for axis, c in zip(points, self.centre, strict=True))
        offset = self.centre + self.shift
        return np.stack([row[0] * x + row[1] * y + row[2] * z + o for row, o in zip(self.matrix, offset, strict=True)])

    def moved(self, parameters: np.ndarray) -> Motion:
        """The motion of the same kind and centre with other parameters."""
        return Motion(np.asarray(parameters, dtype=np.float64), self.centre)

    def as_affine(self) -> Motion:
        """The same motion with 12 parameters."""
        return self.moved(np.concatenate([(self.matrix - np.eye(3)).ravel() * _LEVER_MM, self.shift]))

    def slopes(self, points: np.ndarray, by_position: np.ndarray) -> np.ndarray:
        """Derivative to the parameters, from the derivative (3, N) to the moved positions of ``points`` (3, N)."""
        lever = points - self.centre[:, None]
        by_matrix = np.array([[(g * x).sum() for x in lever] for g in by_position])
        by_shift = by_position.sum(axis=1)
        if self.parameters.size == 12:
            return np.concatenate([by_matrix.ravel() / _LEVER_MM, by_shift])
        turned = by_matrix @ self.matrix.T  # sums of slope times moved lever
        torque = np.array([turned[2, 1] - turned[1, 2], turned[0, 2] - turned[2, 0], turned[1, 0] - turned[0, 1]])
        return np.concatenate([_left_jacobian(self.parameters[:3] / _LEVER_MM).T @ torque / _LEVER_MM, by_shift])

    def transform(self) -> sitk.Euler3DTransform | sitk.AffineTransform:
        """The motion as a SimpleITK transform."""
        result = sitk.Euler3DTransform() if self.parameters.size == 6 else sitk.AffineTransform(3)
        result.SetCenter(self.centre.tolist())
        result.SetMatrix(self.matrix.ravel().tolist())
        result.SetTranslation(self.shift.tolist())
        return result


def information_of(metric: MutualInformation, motion: Motion) -> float:
    """Mutual information (nat) with the samples moved by ``motion``."""
    return metric(motion.apply(metric.samples.points))[0]


def climb(metric: MutualInformation, start: Motion, first_step_mm: float, tick: Tick) -> tuple[Motion, float]:
    """The motion at the maximum that is reached from ``start``, and the mutual information (nat) there.

    ``tick`` is called before each evaluation and may raise Cancelled.
    """
    from scipy.optimize import minimize

    points = metric.samples.points

    def cost(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        tick()
        motion = start.moved(parameters)
        value, by_position = metric(motion.apply(points))
        return -scale * value, -scale * motion.slopes(points, by_position)

    # BFGS begins with a step as long as the gradient: scale the metric so that this is the wanted step.
    scale = 1.0
    steepness = float(np.linalg.norm(cost(start.parameters)[1]))
    if steepness == 0.0:
        return start, information_of(metric, start)
    scale = first_step_mm / steepness
    found = minimize(
        cost,
        start.parameters,
        jac=True,
        method="BFGS",
        options={"gtol": _FLAT_NAT_PER_MM * scale, "maxiter": _MAXIMUM_STEPS},
    )
    return start.moved(found.x), -float(found.fun) / scale


def _rotation(turn: np.ndarray) -> np.ndarray:
    """Rotation matrix of a rotation vector in radians (Rodrigues)."""
    angle = float(np.sqrt((turn**2).sum()))
    cross = _cross_matrix(turn)
    if angle < 1e-6:
        return np.eye(3) + cross + 0.5 * cross @ cross
    return np.eye(3) + np.sin(angle) / angle * cross + (1.0 - np.cos(angle)) / angle**2 * cross @ cross


def _left_jacobian(turn: np.ndarray) -> np.ndarray:
    """Derivative of a small turn, applied after the rotation, to the rotation vector."""
    angle = float(np.sqrt((turn**2).sum()))
    cross = _cross_matrix(turn)
    if angle < 1e-6:
        return np.eye(3) + 0.5 * cross
    return np.eye(3) + (1 - np.cos(angle)) / angle**2 * cross + (angle - np.sin(angle)) / angle**3 * cross @ cross


def _cross_matrix(v: np.ndarray) -> np.ndarray:
    return np.array([[0.0, -v[2], v[1]], [v[2], 0.0, -v[0]], [-v[1], v[0], 0.0]])
