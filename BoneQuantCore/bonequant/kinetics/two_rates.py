"""Variable projection with two rate constants: C = A E(k_fast) + B E(k_slow), both from one input (2CXM).

All pairs of every second node of the dictionary are searched with closed-form amplitudes; the best pair is refined by
Levenberg-Marquardt on (ln k_fast, ln k_slow), with Kaufman's Jacobian, in an orthonormal basis of the dictionary that
holds every curve to 1e-7 of its norm, so a voxel costs the same for 60 frames as for 1300.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bonequant.kinetics.bounded_pair import Box, best_pair
from bonequant.kinetics.products import product
from bonequant.kinetics.rate_table import PAD, value_and_slope, window_polynomials

_ITERATIONS = 60
_FOLLOWING = 8  # from a neighbour's solution
_TOLERANCE = 1e-7  # of ln k
_TOGETHER = 1 << 16  # pairs x voxels evaluated at once, to stay in the processor's cache
_KEPT = 1e-7  # of the largest singular value of the normalised dictionary


@dataclass(frozen=True, eq=False)
class PairTable:
    """Dictionary over one input for pairs of rates.

    Attributes:
        rates: (n + 2 PAD,) per minute.
        basis: (r, T) orthonormal.
        nodes: (n, r) curves of the inner nodes in the basis.
        polynomials: (n, 2 PAD + 1, r) of the curves around each inner node.
    """

    rates: np.ndarray
    basis: np.ndarray
    nodes: np.ndarray
    polynomials: np.ndarray

    @classmethod
    def of(cls, rates: np.ndarray, curves: np.ndarray) -> PairTable:
        """From the curves (n + 2 PAD, T) of all nodes."""
        # Leading eigenvectors of the small Gram matrix, then QR: a singular value decomposition of the whole dictionary
        # takes a hundred times as long for 600 frames.
        unit = curves / np.linalg.norm(curves, axis=1, keepdims=True)
        strength, vectors = np.linalg.eigh(product(unit, unit.T))
        leading = vectors[:, strength > _KEPT**2 * strength[-1]].T
        basis = np.ascontiguousarray(np.linalg.qr(product(leading, unit).T)[0].T)
        inside = product(curves, basis.T)
        return cls(rates, basis, inside[PAD:-PAD], window_polynomials(inside))

    @property
    def step(self) -> float:
        return float(np.log(self.rates[1] / self.rates[0]))

    @property
    def inner_rates(self) -> np.ndarray:
        return self.rates[PAD:-PAD]


def search_pairs(table: PairTable, box: Box, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes (fast, slow) and explained energy, each (B,), for curves in the basis (r, B)."""
    tried = np.unique(np.append(np.arange(0, len(table.nodes), 2), len(table.nodes) - 1))
    products = product(table.nodes[tried], reduced)
    gram = table.nodes[tried] @ table.nodes[tried].T
    high = _highest(box, table.inner_rates[tried])
    count = reduced.shape[1]
    best, pair = np.full(count, -np.inf), np.zeros(count, dtype=np.intp)
    fast, slow = np.tril_indices(len(tried), -1) if len(tried) > 1 else (np.zeros(1, int), np.zeros(1, int))
    rows = max(_TOGETHER // count, 1)
    for start in range(0, len(fast), rows):
        i, j = fast[start : start + rows], slow[start : start + rows]
        g11, g12, g22 = (g[:, None] for g in (gram[i, i], gram[i, j], gram[j, j]))
        _, _, energy = best_pair(products[i], products[j], g11, g12, g22, 0.0, high[i, None], 0.0, high[j, None])
        row = energy.argmax(axis=0)
        energy = energy[row, np.arange(count)]
        better = energy > best
        best[better], pair[better] = energy[better], start + row[better]
    return tried[fast[pair]], tried[slow[pair]], best


def solve_pairs(
    table: PairTable, box: Box, curves: np.ndarray, start: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Best (A, B, k_fast, k_slow, explained energy), each (voxels,), for ``curves`` (T, voxels).

    ``start`` gives rates to begin with, (fast, slow); without it all pairs of nodes are searched.
    """
    reduced = product(table.basis, curves)
    low, high = 0.0, table.step * (len(table.nodes) - 1)
    if start is None:
        fast, slow, _ = search_pairs(table, box, reduced)
        u = np.stack([fast, slow]) * table.step  # ln(k / k_0)
    else:
        u = np.clip(np.log(np.stack(start) / table.inner_rates[0]), low, high)
    state = _point(table, box, reduced, u)
    damping = np.full(u.shape[1], 1e-3)
    result, amplitudes, energy = u.copy(), state.amplitudes.copy(), state.energy.copy()
    active = np.arange(u.shape[1])
    for _ in range(_ITERATIONS if start is None else _FOLLOWING):
        trial_u = np.clip(u + state.step(damping), low, high)
        trial = _point(table, box, reduced, trial_u)
        better = trial.energy > state.energy
        moved = np.abs(trial_u - u).max(axis=0)
        u = np.where(better, trial_u, u)
        state = trial.merged(state, better)
        damping = np.where(better, np.maximum(damping / 5.0, 1e-9), damping * 4.0)
        result[:, active], amplitudes[:, active], energy[active] = u, state.amplitudes, state.energy
        going = (moved > _TOLERANCE) & (damping < 1e8)
        if not going.any():
            break
        if np.count_nonzero(going) < 0.7 * len(going):
            u, damping, reduced, active = u[:, going], damping[going], reduced[:, going], active[going]
            state = state.of(going)
    rates = table.inner_rates[0] * np.exp(result)
    swap = rates[0] < rates[1]
    rates, amplitudes = (np.where(swap, values[::-1], values) for values in (rates, amplitudes))
    return amplitudes[0], amplitudes[1], rates[0], rates[1], energy


def _highest(box: Box, rate: np.ndarray) -> np.ndarray:
    """Upper bound of an amplitude: the flow, and the volume A / k that it stands for."""
    return np.minimum(box.high1, box.high1_per_rate * rate)


@dataclass(eq=False)
class _State:
    """Value, gradient and Gauss-Newton matrix of the explained energy at one u per voxel."""

    amplitudes: np.ndarray  # (2, B)
    energy: np.ndarray  # (B,)
    gradient: np.ndarray  # (2, B)
    hessian: np.ndarray  # (3, B): 11, 12, 22

    def of(self, voxels: np.ndarray) -> _State:
        return _State(
            self.amplitudes[:, voxels], self.energy[voxels], self.gradient[:, voxels], self.hessian[:, voxels]
        )

    def merged(self, other: _State, own: np.ndarray) -> _State:
        """This where ``own``, else ``other``."""
        pairs = (
            (self.amplitudes, other.amplitudes),
            (self.energy, other.energy),
            (self.gradient, other.gradient),
            (self.hessian, other.hessian),
        )
        return _State(*(np.where(own, a, b) for a, b in pairs))

    def step(self, damping: np.ndarray) -> np.ndarray:
        """Levenberg-Marquardt step of u, at most one unit of ln k."""
        h11, h12, h22 = self.hessian
        h11, h22 = h11 * (1.0 + damping) + 1e-300, h22 * (1.0 + damping) + 1e-300
        determinant = np.maximum(h11 * h22 - h12 * h12, 1e-12 * h11 * h22) + 1e-300
        g1, g2 = self.gradient / 2.0
        with np.errstate(over="ignore"):  # no curvature: the longest step
            return np.clip(np.stack([h22 * g1 - h12 * g2, h11 * g2 - h12 * g1]) / determinant, -1.0, 1.0)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("rb,rb->b", a, b)


def _point(table: PairTable, box: Box, reduced: np.ndarray, u: np.ndarray) -> _State:
    (e1, d1), (e2, d2) = (_curve(table, part) for part in u)
    b1, b2, g11, g12, g22 = _dot(reduced, e1), _dot(reduced, e2), _dot(e1, e1), _dot(e1, e2), _dot(e2, e2)
    rates = table.inner_rates[0] * np.exp(u)
    high1, high2 = _highest(box, rates[0]), _highest(box, rates[1])
    p1, p2, energy = best_pair(b1, b2, g11, g12, g22, 0.0, high1, 0.0, high2)
    rest = reduced - p1 * e1 - p2 * e2
    slope1, slope2 = 2.0 * p1 * _dot(rest, d1), 2.0 * p2 * _dot(rest, d2)
    slope1 += np.where((p1 == high1) & (high1 < box.high1), 2.0 * _dot(rest, e1) * p1, 0.0)
    slope2 += np.where((p2 == high2) & (high2 < box.high1), 2.0 * _dot(rest, e2) * p2, 0.0)
    determinant = np.maximum(g11 * g22 - g12 * g12, 1e-12 * g11 * g22)
    left = ((_dot(d1, e1), _dot(d1, e2)), (_dot(d2, e1), _dot(d2, e2)))

    def projected(i: int, j: int, product: np.ndarray) -> np.ndarray:
        (a1, a2), (c1, c2) = left[i], left[j]
        return product - (a1 * (g22 * c1 - g12 * c2) + a2 * (g11 * c2 - g12 * c1)) / determinant

    hessian = np.stack(
        [
            p1 * p1 * np.maximum(projected(0, 0, _dot(d1, d1)), 0.0),
            p1 * p2 * projected(0, 1, _dot(d1, d2)),
            p2 * p2 * np.maximum(projected(1, 1, _dot(d2, d2)), 0.0),
        ]
    )
    return _State(np.stack([p1, p2]), energy, np.stack([slope1, slope2]), hessian)


def _curve(table: PairTable, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Curve and its derivative in u, each (r, B)."""
    node = np.clip(np.rint(u / table.step).astype(np.intp), 0, len(table.nodes) - 1)
    s = u / table.step - node
    coefficients = table.polynomials[node].transpose(1, 2, 0)
    value, slope = value_and_slope(coefficients, s[None, :])
    return value, slope / table.step
