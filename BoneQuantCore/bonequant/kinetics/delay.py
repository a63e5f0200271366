"""The arrival delay of each voxel against its input (or inputs): a grid of shifts, then halving steps around the best.

A shift moves the piecewise-linear input exactly, whatever the frame times. All voxels at one shift share a dictionary,
so delays are resolved to 1/16 s, far below any frame interval.
"""

from __future__ import annotations

import itertools

import numpy as np

from bonequant.kinetics.models import Kernel
from bonequant.kinetics.problem import Problem, Solution

RESOLUTION_S = 1.0 / 16.0
_COARSE_S = {1: 1.0, 2: 2.0}  # first grid, by number of inputs
_MOVES = 4  # steps of one size in one direction


def solve_with_delay(problem: Problem, curves: np.ndarray) -> tuple[Solution, np.ndarray]:
    """Best solution and its delays (B, inputs) in seconds, for ``curves`` (T, B)."""
    low, high = problem.settings.delay_s
    axes, count = len(problem.inputs), curves.shape[1]
    step = _COARSE_S[axes]
    grid = np.linspace(low, high, int(np.ceil((high - low) / step)) + 1)
    best_energy, best = np.full(count, -np.inf), np.zeros((count, axes))
    for delays in itertools.product(grid.tolist(), repeat=axes):
        # With two rates the nodes are too far apart to tell delays a second apart: refine at every one.
        energy = problem.solve(curves, delays).energy if problem.model.rates == 2 else problem.search(curves, delays)
        better = energy > best_energy
        best_energy[better], best[better] = energy[better], delays

    solution = _solve_each(problem, curves, best, None)
    while step > RESOLUTION_S:
        step /= 2.0
        for axis, sign in itertools.product(range(axes), (-1.0, 1.0)):
            moving = np.arange(count)
            for _ in range(_MOVES):
                tried = best[moving]
                tried[:, axis] = np.clip(tried[:, axis] + sign * step, low, high)
                moving, tried = (part[(tried != best[moving]).any(axis=1)] for part in (moving, tried))
                other = _solve_each(problem, curves[:, moving], tried, _part(solution.kernel, moving))
                better = other.energy > solution.energy[moving]
                moving = moving[better]
                if not len(moving):
                    break
                best[moving] = tried[better]
                _replace(solution, other, moving, better)
    return solution, best


def groups(delays: np.ndarray) -> list[tuple[tuple[float, ...], np.ndarray]]:
    """Voxels that share their delays: ((delays), indices) for each distinct row of (B, inputs)."""
    rows, which = np.unique(delays, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(which.ravel(), minlength=len(rows)))[:-1])
    return [(tuple(row.tolist()), part) for row, part in zip(rows, parts, strict=True)]


def _solve_each(problem: Problem, curves: np.ndarray, delays: np.ndarray, near: Kernel | None) -> Solution:
    values = np.empty((5, curves.shape[1]))
    for shared, voxels in groups(delays):
        part = None if near is None else _part(near, voxels)
        kernel, energy = problem.solve(np.ascontiguousarray(curves[:, voxels]), shared, part)
        values[:, voxels] = kernel.p1, kernel.p2, kernel.k, kernel.k2, energy
    return Solution(Kernel(*values[:4]), values[4])


def _part(kernel: Kernel, voxels: np.ndarray) -> Kernel:
    return Kernel(kernel.p1[voxels], kernel.p2[voxels], kernel.k[voxels], kernel.k2[voxels])


def _replace(solution: Solution, other: Solution, voxels: np.ndarray, own: np.ndarray) -> None:
    """Write what ``other`` found for its voxels ``own`` into ``solution`` at ``voxels``."""
    for name in ("p1", "p2", "k", "k2"):
        getattr(solution.kernel, name)[voxels] = getattr(other.kernel, name)[own]
    solution.energy[voxels] = other.energy[own]
