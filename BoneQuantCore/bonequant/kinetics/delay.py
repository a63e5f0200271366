"""The arrival delay of each voxel against its input (or inputs): a grid of shifts, then parabolas.

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
_STEPS_S = {1: (0.125, 0.0625), 2: (1.0, 0.5, 0.25, 0.125, 0.0625, 0.5, 0.125, 0.0625)}
_ROUNDS = {1: 2, 2: 6}  # at one step size
_REACH = 8.0  # longest jump, in steps


def solve_with_delay(problem: Problem, curves: np.ndarray) -> tuple[Solution, np.ndarray]:
    """Best solution and its delays (B, inputs) in seconds, for ``curves`` (T, B)."""
    low, high = problem.settings.delay_s
    axes, count = len(problem.inputs), curves.shape[1]
    step = _COARSE_S[axes]
    grid = np.linspace(low, high, int(np.ceil((high - low) / step)) + 1)
    # One rate and one delay: the nodes tell delays a second apart. Two of either: each must be refined to be compared.
    refine = problem.model.rates == 2 or axes == 2
    best_energy, best = np.full(count, -np.inf), np.zeros((count, axes))
    for delays in itertools.product(grid.tolist(), repeat=axes):
        energy = problem.solve(curves, delays).energy if refine else problem.search(curves, delays)
        better = energy > best_energy
        best_energy[better], best[better] = energy[better], delays

    solution = _solve_each(problem, curves, np.arange(count), best, None)
    if axes == 1:  # while few shifts are shared by many voxels
        coarse = best.copy()
        for offset in (-0.75, -0.5, -0.25, 0.25, 0.5, 0.75):
            _attempt(problem, curves, solution, best, np.arange(count), coarse + offset)
    for size in _STEPS_S[axes]:
        moving = np.arange(count)
        for _ in range(_ROUNDS[axes]):
            moving = moving[_move(problem, curves, solution, best, moving, size)]
            if not len(moving):
                break
    if problem.model.rates == 2:  # neighbours were followed with few steps only
        solution = _solve_each(problem, curves, np.arange(count), best, None)
    return solution, best


def _attempt(
    problem: Problem, curves: np.ndarray, solution: Solution, best: np.ndarray, voxels: np.ndarray, tried: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Solve ``voxels`` at ``tried`` and keep what is better; their energy there, and which were better."""
    tried = np.clip(tried, *problem.settings.delay_s)
    other = _solve_each(problem, curves, voxels, tried, _part(solution.kernel, voxels))
    better = other.energy > solution.energy[voxels]
    for name in ("p1", "p2", "k", "k2"):
        getattr(solution.kernel, name)[voxels[better]] = getattr(other.kernel, name)[better]
    solution.energy[voxels[better]] = other.energy[better]
    best[voxels[better]] = tried[better]
    return other.energy, better


def _move(
    problem: Problem, curves: np.ndarray, solution: Solution, best: np.ndarray, voxels: np.ndarray, step: float
) -> np.ndarray:
    """Try the neighbours ``step`` away and the top of the parabola through them; which of ``voxels`` moved."""
    centre, here = best[voxels].copy(), solution.energy[voxels].copy()
    moved = np.zeros(len(voxels), dtype=bool)

    def attempt(tried: np.ndarray) -> np.ndarray:
        energy, better = _attempt(problem, curves, solution, best, voxels, tried)
        moved[better] = True
        return energy

    axes = centre.shape[1]
    plus, minus = np.empty((axes, len(voxels))), np.empty((axes, len(voxels)))
    for axis, offset in enumerate(np.eye(axes) * step):
        plus[axis], minus[axis] = attempt(centre + offset), attempt(centre - offset)
    slope, bend = (plus - minus) / 2.0, plus + minus - 2.0 * here
    if axes == 1:
        determinant, jump = -bend[0], slope
    else:
        twist = attempt(centre + step) - plus[0] - plus[1] + here
        determinant = bend[0] * bend[1] - twist * twist
        jump = np.stack([twist * slope[1] - bend[1] * slope[0], twist * slope[0] - bend[0] * slope[1]])
    top = (determinant > 0.0) & (bend < 0.0).all(axis=0)
    jump = np.where(top, jump / np.where(top, determinant, 1.0), 0.0)
    jump *= np.minimum(1.0, _REACH / np.maximum(np.abs(jump).max(axis=0), 1e-9))
    attempt(centre + np.rint(jump.T * step / RESOLUTION_S) * RESOLUTION_S)
    return moved


def groups(delays: np.ndarray) -> list[tuple[tuple[float, ...], np.ndarray]]:
    """Voxels that share their delays: ((delays), indices) for each distinct row of (B, inputs)."""
    rows, which = np.unique(delays, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(which.ravel(), minlength=len(rows)))[:-1])
    return [(tuple(row.tolist()), part) for row, part in zip(rows, parts, strict=True)]


def _solve_each(
    problem: Problem, curves: np.ndarray, voxels: np.ndarray, delays: np.ndarray, near: Kernel | None
) -> Solution:
    """Solve the columns ``voxels`` of ``curves``, each at its own row of ``delays``."""
    values = np.empty((5, len(voxels)))
    for shared, part in groups(delays):
        start = None if near is None else _part(near, part)
        own = curves[:, voxels[part]]
        kernel, energy = problem.solve(own, shared, start)
        if len(shared) == 2:  # two delays pull against each other: only the residual itself tells neighbours apart
            own = own - problem.predict(kernel, shared, problem.times_min)
            energy = -np.einsum("tb,tb->b", own, own)
        values[:, part] = kernel.p1, kernel.p2, kernel.k, kernel.k2, energy
    return Solution(Kernel(*values[:4]), values[4])


def _part(kernel: Kernel, voxels: np.ndarray) -> Kernel:
    return Kernel(kernel.p1[voxels], kernel.p2[voxels], kernel.k[voxels], kernel.k2[voxels])
