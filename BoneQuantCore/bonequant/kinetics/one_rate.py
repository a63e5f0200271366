"""Variable projection with one rate constant: C = p1 E1(k) + p2 E2 for every voxel of a block, no start values.

For a given k the best amplitudes within their bounds are closed-form (``bounded_pair``), so only k is searched: over
all nodes of the dictionary first, which finds the valley of the global optimum, then within it by bracketed secant
steps on the derivative of the explained energy. The derivative is exact at bounds too (envelope theorem): where p1 sits
on a bound that moves with k, as Ktrans = ve_max kep, that motion is added.
"""

from __future__ import annotations

from copy import copy

import numpy as np

from bonequant.kinetics.bounded_pair import Box, best_pair
from bonequant.kinetics.products import product
from bonequant.kinetics.rate_table import PAD, RateTable, value_and_slope, voxel_polynomials

_STEPS = 60
_TOGETHER = 8192  # nodes x voxels evaluated at once, to stay in the processor's cache
_TOLERANCE = 1e-7  # of ln k, in units of the node spacing


def inner_products(table: RateTable, curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """<C, E1> (n + 2 PAD, B) and <C, E2> (n + 2 PAD or 1, B) for ``curves`` (T, B)."""
    return product(table.first, curves), product(table.second, curves)


def search_nodes(table: RateTable, box: Box, b1: np.ndarray, b2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best inner node (B,) and its explained energy (B,)."""
    count, nodes = b1.shape[1], len(table.inner_rates)
    best, node = np.full(count, -np.inf), np.zeros(count, dtype=np.intp)
    low1, high1 = (np.broadcast_to(bound, nodes)[:, None] for bound in box.first(table.inner_rates))
    g11, g12, g22 = table.g11[:, :1], table.g12[:, :1], np.broadcast_to(table.g22[:, :1], (nodes, 1))
    rows = max(_TOGETHER // count, 1)
    for start in range(0, nodes, rows):
        part = slice(start, start + rows)
        first = b1[PAD:-PAD][part]
        second = b2[PAD:-PAD][part] if table.second_varies else b2
        _, _, energy = best_pair(
            first, second, g11[part], g12[part], g22[part], low1[part], high1[part], box.low2, box.high2
        )
        row = energy.argmax(axis=0) if len(energy) > 1 else np.zeros(count, dtype=np.intp)
        energy = energy[row, np.arange(count)] if len(energy) > 1 else energy[0]
        better = energy > best
        np.copyto(best, energy, where=better)
        np.copyto(node, start + row, where=better)
    return node, best


def solve(table: RateTable, box: Box, curves: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Best (p1, p2, k, explained energy), each (B,), for ``curves`` (T, B)."""
    b1, b2 = inner_products(table, curves)
    node, _ = search_nodes(table, box, b1, b2)
    last = len(table.inner_rates) - 1
    valley = _Valley(table, box, b1, b2, node)

    # Bracket: the side of the node to which the energy rises.
    zero = np.zeros(len(node))
    slope = valley.at(zero)[3]
    left = np.where(slope > 0.0, 0.0, np.where(node > 0, -1.0, 0.0))
    right = np.where(slope > 0.0, np.where(node < last, 1.0, 0.0), 0.0)
    far = np.where(slope > 0.0, right, left)
    far_slope = valley.at(far)[3]
    f_left = np.where(slope > 0.0, slope, np.abs(far_slope))
    f_right = np.where(slope > 0.0, -np.abs(far_slope), slope)
    s = _root(valley, left, right, f_left, f_right)

    p1, p2, energy, _ = valley.at(s)
    low = table.inner_rates[0]
    rate = np.clip(table.inner_rates[node] * np.exp(table.step * s), low, table.inner_rates[-1])
    return p1, p2, rate, energy


class _Valley:
    """The explained energy of each voxel around its node, as a function of s = (ln k - ln k_node) / step."""

    def __init__(self, table: RateTable, box: Box, b1: np.ndarray, b2: np.ndarray, node: np.ndarray) -> None:
        self.box = box
        self.step = table.step
        self.rate = table.inner_rates[node]
        self.b1 = voxel_polynomials(b1, node)
        self.g11, self.g12 = (np.ascontiguousarray(g[node].T) for g in (table.g11, table.g12))
        self.varies = table.second_varies
        self.b2 = voxel_polynomials(b2, node) if self.varies else b2[0]
        self.g22 = np.ascontiguousarray(table.g22[node].T) if self.varies else table.g22[0, 0]

    def of(self, voxels: np.ndarray) -> _Valley:
        """The same for some of the voxels."""
        part = copy(self)
        part.rate, part.b1, part.g11, part.g12 = (
            self.rate[voxels],
            self.b1[:, voxels],
            self.g11[:, voxels],
            self.g12[:, voxels],
        )
        if self.varies:
            part.b2, part.g22 = self.b2[:, voxels], self.g22[:, voxels]
        else:
            part.b2 = self.b2[voxels]
        return part

    def at(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """p1, p2, energy and its derivative in s."""
        rate = self.rate * np.exp(self.step * s)
        (b1, db1), (g11, dg11), (g12, dg12) = (value_and_slope(c, s) for c in (self.b1, self.g11, self.g12))
        low1, high1 = self.box.first(rate)
        if self.varies:
            (b2, db2), (g22, dg22) = value_and_slope(self.b2, s), value_and_slope(self.g22, s)
        else:
            b2, g22 = self.b2, self.g22
        p1, p2, energy = best_pair(b1, b2, g11, g12, g22, low1, high1, self.box.low2, self.box.high2)
        slope = p1 * (2.0 * db1 - p1 * dg11 - 2.0 * p2 * dg12)
        if self.varies:
            slope += p2 * (2.0 * db2 - p2 * dg22)
        moving = ((p1 == high1) & (high1 < self.box.high1)) | ((p1 == low1) & (low1 > self.box.low1))
        if moving.any():
            slope += np.where(moving, 2.0 * (b1 - g11 * p1 - g12 * p2) * p1 * self.step, 0.0)
        return p1, p2, energy, slope


def _root(valley: _Valley, a: np.ndarray, b: np.ndarray, fa: np.ndarray, fb: np.ndarray) -> np.ndarray:
    """Where the slope falls through zero in [a, b], fa >= 0 >= fb.

    Regula falsi as Anderson and Bjorck scale it, about six steps; voxels that are left, whose slope bends where a bound
    becomes active, go on by themselves with every second step a bisection.
    """
    result, active = b.copy(), np.arange(len(a))
    side = np.zeros(len(a), dtype=np.int8)
    for step in range(_STEPS):
        gap = fb - fa
        s = np.where(gap < 0.0, b - fb * (b - a) / np.where(gap < 0.0, gap, -1.0), 0.5 * (a + b))
        if step > 5 and step % 2:
            s = 0.5 * (a + b)
        f = valley.at(s)[3]
        right = f > 0.0  # the root lies right of s, which replaces a
        now = np.where(right, np.int8(1), np.int8(-1))
        # An end that stays for the second time has its value scaled down, so that it does not stay for ever.
        old = np.where(right, fa, fb)
        keep = 1.0 - f / np.where(old == 0.0, 1.0, old)
        keep = np.where(now == side, np.where(keep > 0.0, keep, 0.5), 1.0)
        moved = np.where(right, s - a, b - s)
        a, fa = np.where(right, s, a), np.where(right, f, fa * keep)
        b, fb = np.where(right, b, s), np.where(right, fb * keep, f)
        side = now
        result[active] = s
        going = np.minimum(moved, b - a) > _TOLERANCE
        left = np.count_nonzero(going)
        if left == 0:
            break
        if left < 0.6 * len(going):
            valley, active, side = valley.of(going), active[going], side[going]
            a, b, fa, fb = a[going], b[going], fa[going], fb[going]
    return result
