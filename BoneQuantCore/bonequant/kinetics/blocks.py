"""Fitting many voxels block by block: fixed blocks, threads, progress, and memory that does not grow with the volume.

Blocks are the same whatever the number of threads, and voxels do not see each other, so results do not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from bonequant.kinetics.delay import groups, solve_with_delay
from bonequant.kinetics.models import Kernel, Model
from bonequant.kinetics.problem import Problem
from bonequant.progress import Progress, no_progress
from bonequant.threads import thread_count

_BLOCK = 8192
_BLOCK_DELAY = 1 << 23  # values of a block where delays are fitted: the more voxels, the more share a delay

Curves = Callable[[int, int], np.ndarray]  # (start, stop) to curves (T, stop - start), float64


@dataclass(frozen=True, eq=False)
class Fitted:
    """Of N voxels: kernel rows p1, p2, k, k2 (4, N), delays (N, inputs); parameters, rss, r2 and at_bound (N,) each.

    A parameter that nothing tells is NaN although the voxel was fitted: ve and kep where Ktrans is 0.
    """

    kernel: np.ndarray
    delays: np.ndarray
    values: dict[str, np.ndarray]
    rss: np.ndarray
    r2: np.ndarray
    at_bound: np.ndarray
    n_failed: int


def fit_blocks(problem: Problem, count: int, curves: Curves, progress: Progress | None = None) -> Fitted:
    """Fit ``count`` curves that ``curves`` hands out block by block. A curve with a value that is not finite fails."""
    report = progress or no_progress
    size = max(_BLOCK_DELAY // len(problem.times_min), _BLOCK) if problem.settings.fit_delay else _BLOCK
    blocks = [(start, min(start + size, count)) for start in range(0, count, size)]
    out = _allocate(problem, count)
    threads = problem.settings.threads or thread_count()

    def work(block: tuple[int, int]) -> int:
        return _fit_block(problem, curves(*block), slice(*block), out)

    failed = done = 0
    if threads == 1 or len(blocks) == 1:
        for block in blocks:
            failed += work(block)
            done += 1
            report(done / len(blocks), f"{problem.model.name}: {block[1]} of {count} curves")
    else:
        with ThreadPoolExecutor(threads) as pool:
            futures = [pool.submit(work, block) for block in blocks]
            try:
                for block, future in zip(blocks, futures, strict=True):
                    failed += future.result()
                    done += 1
                    report(done / len(blocks), f"{problem.model.name}: {block[1]} of {count} curves")
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    return Fitted(out.kernel, out.delays, out.values, out.rss, out.r2, out.at_bound, failed)


def _allocate(problem: Problem, count: int) -> Fitted:
    names = list(problem.model.units) + (list(problem.model.delays) if problem.settings.fit_delay else [])
    return Fitted(
        kernel=np.full((4, count), np.nan),
        delays=np.zeros((count, len(problem.inputs))),
        values={name: np.full(count, np.nan) for name in names},
        rss=np.full(count, np.nan),
        r2=np.full(count, np.nan),
        at_bound=np.zeros(count, dtype=bool),
        n_failed=0,
    )


def _fit_block(problem: Problem, curves: np.ndarray, where: slice, out: Fitted) -> int:
    """Fit one block into its place of ``out``; the number of curves that failed."""
    finite = np.isfinite(curves.sum(axis=0))
    if not finite.all():
        curves = np.ascontiguousarray(curves[:, finite])
    place = np.arange(where.start, where.stop)[finite]
    failed = len(finite) - len(place)
    if not len(place):
        return failed

    if problem.settings.fit_delay:
        solution, delays = solve_with_delay(problem, curves)
    else:
        delays = np.zeros((len(place), len(problem.inputs)))
        solution = problem.solve(curves, (0.0,) * len(problem.inputs))
    kernel, values, at_bound = within_bounds(problem, solution.kernel)
    if problem.settings.fit_delay:
        for name, column in zip(problem.model.delays, delays.T, strict=True):
            values[name] = column
            at_bound |= (column <= problem.settings.delay_s[0]) | (column >= problem.settings.delay_s[1])

    residual = np.empty_like(curves)
    for shared, voxels in groups(delays) if problem.settings.fit_delay else [((0.0,) * delays.shape[1], slice(None))]:
        part = Kernel(kernel.p1[voxels], kernel.p2[voxels], kernel.k[voxels], kernel.k2[voxels])
        residual[:, voxels] = problem.predict(part, shared, problem.times_min)
    np.subtract(curves, residual, out=residual)
    rss = np.einsum("tb,tb->b", residual, residual)
    spread = np.einsum("tb,tb->b", curves, curves) - len(curves) * curves.mean(axis=0) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(spread > 0.0, 1.0 - rss / spread, np.nan)

    for amplitude, names in problem.model.undefined.items():
        nothing = values[amplitude] == 0.0
        values |= {name: np.where(nothing, np.nan, values[name]) for name in names}
    out.kernel[:, place] = kernel.p1, kernel.p2, kernel.k, kernel.k2
    out.delays[place] = delays
    for name, column in values.items():
        out.values[name][place] = column
    out.rss[place], out.r2[place], out.at_bound[place] = rss, r2, at_bound
    return failed


def within_bounds(problem: Problem, kernel: Kernel) -> tuple[Kernel, dict[str, np.ndarray], np.ndarray]:
    """Kernel and parameters with every free parameter within its bounds, and which voxels touch one.

    The solver keeps most bounds itself; where one acts on a combination (vp of 2CUM) the parameter is clipped and the
    kernel made anew, so that the residual is that of what is reported.
    """
    model: Model = problem.model
    values = model.parameters(kernel)
    touched = np.zeros(len(kernel.p1), dtype=bool)
    changed = np.zeros(len(kernel.p1), dtype=bool)
    clipped = dict(values)
    for name, field in model.free.items():
        low, high = getattr(problem.settings, field)
        margin = 1e-6 * (high - low)
        clipped[name] = np.clip(values[name], low, high)
        changed |= np.abs(clipped[name] - values[name]) > 1e-9 * (high - low)
        touched |= (clipped[name] <= low + min(margin, 1e-6 * low)) | (clipped[name] >= high - margin)
    if "ve" in values and "ve" not in model.free:
        low, high = problem.settings.ve
        touched |= (values["ve"] <= low) | (values["ve"] >= high * (1.0 - 1e-6))
    if not changed.any():
        return kernel, values, touched
    anew = model.kernel(clipped)
    parts = ((anew.p1, kernel.p1), (anew.p2, kernel.p2), (anew.k, kernel.k), (anew.k2, kernel.k2))
    kernel = Kernel(*(np.where(changed, new, old) for new, old in parts))
    again = model.parameters(kernel)
    values = {
        name: np.where(changed, clipped.get(name, again[name]) if name in model.free else again[name], values[name])
        for name in values
    }
    return kernel, values, touched
