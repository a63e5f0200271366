"""The best two amplitudes of two basis curves within bounds, in closed form, for many voxels at once.

Least squares of C on p1 E1 + p2 E2 needs only the inner products b_i = <C, E_i> and g_ij = <E_i, E_j>. Maximised is the
explained energy 2 p.b - p.G.p. A convex quadratic over a rectangle has its optimum on a face that its free optimum lies
beyond, so of "clip p1, then the best p2" and "clip p2, then the best p1" one is always exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Values = Any  # a float, or an array (B,) of one value per voxel


class Box(NamedTuple):
    """Bounds of the amplitudes. Those of the first may grow with the rate k, as Ktrans <= ve_max kep does."""

    low1: float
    high1: float
    low2: float
    high2: float
    low1_per_rate: float = 0.0
    high1_per_rate: float = np.inf

    def first(self, rate: Values) -> tuple[Values, Values]:
        """(low, high) of the first amplitude at ``rate``; low > high where nothing is allowed."""
        high = self.high1 if np.isinf(self.high1_per_rate) else np.minimum(self.high1, self.high1_per_rate * rate)
        return np.maximum(self.low1, self.low1_per_rate * rate), high


def best_pair(
    b1: Values,
    b2: Values,
    g11: Values,
    g12: Values,
    g22: Values,
    low1: Values,
    high1: Values,
    low2: Values,
    high2: Values,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(p1, p2, explained energy), each (B,); the energy is -inf where low1 > high1."""
    determinant = np.maximum(g11 * g22 - g12 * g12, 1e-14 * g11 * g22)
    free1 = (b1 * g22 - b2 * g12) / determinant
    free2 = (b2 * g11 - b1 * g12) / determinant

    p1 = np.minimum(np.maximum(free1, low1), high1)
    rest = b2 - g12 * p1
    p2 = np.minimum(np.maximum(rest / g22, low2), high2)
    energy = p1 * (2.0 * b1 - g11 * p1) + p2 * (2.0 * rest - g22 * p2)

    q2 = np.minimum(np.maximum(free2, low2), high2)
    rest = b1 - g12 * q2
    q1 = np.minimum(np.maximum(rest / g11, low1), high1)
    other = q2 * (2.0 * b2 - g22 * q2) + q1 * (2.0 * rest - g11 * q1)

    better = other > energy
    p1, p2 = np.where(better, q1, p1), np.where(better, q2, p2)
    energy = np.where(better, other, energy)
    if np.any(low1 > high1):
        energy = np.where(low1 > high1, -np.inf, energy)
    return p1, p2, energy
