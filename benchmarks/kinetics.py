"""Extended Tofts: voxels per second and errors beside published ways of fitting: ``python -m benchmarks kinetics``.

All fit the same curves: 60 frames of 5 s, Parker's AIF, Ktrans .02-.35 /min, ve .1-.6, vp .01-.2, Gaussian noise of
1/20 of each curve's peak. Peers run on fewer curves; the ratio is of voxels per second in this one run.

- ``scipy curve_fit``: bounded trust-region fit per voxel of the same exact model, started from fixed values;
- ``dcmri``: ``Tissue(kinetics="HF")`` of PyPI's dcmri per voxel, on signals made from the same curves.

``--large`` fits up to 4 million voxels in maps and reports memory beyond the input.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from bonequant.kinetics import convolve_exponential, fit, fit_maps, population_aif, spgr_signal
from bonequant.volume import DynamicSeries, Geometry
from scipy.optimize import curve_fit

TIMES_S = np.arange(60) * 5.0
SNR = 20.0
START, BOUNDS = (0.1, 0.3, 0.05), ([0.0, 1e-3, 0.0], [5.0, 1.0, 1.0])
TR_S, ANGLE_DEG, T10_S, R1, S0, HEMATOCRIT = 0.005, 15.0, 1.0, 4.5, 1000.0, 0.42


class Curves(NamedTuple):
    truth: np.ndarray  # (3, N): Ktrans, ve, vp
    clean: np.ndarray  # (N, T)
    noisy: np.ndarray


def curves(count: int, aif: np.ndarray) -> Curves:
    random = np.random.default_rng(0)
    ktrans, ve, vp = random.uniform([[0.02], [0.1], [0.01]], [[0.35], [0.6], [0.2]], (3, count))
    clean = np.empty((count, len(TIMES_S)), dtype=np.float32)
    for start in range(0, count, 10000):
        part = slice(start, start + 10000)
        clean[part] = ktrans[part, None] * convolve_exponential(TIMES_S, aif, ktrans[part] / ve[part])
        clean[part] += vp[part, None] * aif
    noise = random.standard_normal(clean.shape, dtype=np.float32) * clean.max(axis=1, keepdims=True) / np.float32(SNR)
    return Curves(np.stack([ktrans, ve, vp]), clean, clean + noise)


def by_bonequant(rows: np.ndarray, aif: np.ndarray) -> np.ndarray:
    found = fit(TIMES_S, rows, aif, "extended_tofts")
    return np.stack([found["ktrans"], found["ve"], found["vp"]])


def by_curve_fit(rows: np.ndarray, aif: np.ndarray) -> np.ndarray:
    def model(_: np.ndarray, ktrans: float, ve: float, vp: float) -> np.ndarray:
        return ktrans * convolve_exponential(TIMES_S, aif, ktrans / ve) + vp * aif

    return np.array([curve_fit(model, TIMES_S, row, p0=START, bounds=BOUNDS)[0] for row in rows]).T


def by_dcmri(rows: np.ndarray, aif: np.ndarray) -> np.ndarray:
    import dcmri

    signals = spgr_signal(1.0 / T10_S + R1 * rows.astype(float), TR_S, ANGLE_DEG, S0)
    found = []
    for signal in signals:
        tissue = dcmri.Tissue(
            kinetics="HF",
            ca=(1.0 - HEMATOCRIT) * aif / 1000.0,  # whole blood, M
            t=TIMES_S,
            r1=1000.0 * R1,
            TR=TR_S,
            FA=ANGLE_DEG,
            R10=1.0 / T10_S,
            S0=S0,
            H=HEMATOCRIT,
        )
        tissue.train(TIMES_S, signal, init_s0=False)  # given, as the noise of four baseline frames would bias it
        values = tissue.params("PS", "vi", "vb")
        found.append([60.0 * values[0], values[1], (1.0 - HEMATOCRIT) * values[2]])
    return np.array(found).T


def timed(
    way: Callable[[np.ndarray, np.ndarray], np.ndarray], rows: np.ndarray, aif: np.ndarray, repeats: int
) -> tuple[np.ndarray, float]:
    """(parameters, best seconds)."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = way(rows, aif)
        seconds.append(time.perf_counter() - start)
    return result, min(seconds)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks kinetics", description=__doc__.splitlines()[0])
    parser.add_argument("--voxels", type=int, default=200_000)
    parser.add_argument("--peer-voxels", type=int, default=2000, help="curves for curve_fit; a tenth of them for dcmri")
    parser.add_argument("--large", action="store_true", help="maps of 0.25 to 4 million voxels, with memory")
    arguments = parser.parse_args(argv)

    aif = population_aif(TIMES_S, "parker", delay_s=20.0).values
    data = curves(arguments.voxels, aif)
    ways: dict[str, tuple[Callable[[np.ndarray, np.ndarray], np.ndarray], int, int]] = {
        "BoneQuant": (by_bonequant, arguments.voxels, 3),
        "scipy curve_fit": (by_curve_fit, min(arguments.peer_voxels, arguments.voxels), 1),
    }
    if importlib.util.find_spec("dcmri"):
        ways["dcmri"] = (by_dcmri, min(arguments.peer_voxels // 10, arguments.voxels), 1)
    else:
        print("dcmri is missing: pip install dcmri to compare with it")

    print(f"Extended Tofts, {arguments.voxels} voxels x {len(TIMES_S)} frames, SNR {SNR:g}, {os.cpu_count()} cores")
    print(
        f"{'':>16} {'voxels':>8} {'voxels/s':>10} {'BoneQuant is':>13}   "
        "median error of Ktrans / ve / vp   mean vp bias"
    )
    own_rate = 0.0
    for name, (way, count, repeats) in ways.items():
        found, seconds = timed(way, data.noisy[:count], aif, repeats)
        rate = count / seconds
        own_rate = own_rate or rate
        print(f"{name:>16} {count:>8} {rate:>10.0f} {own_rate / rate:>12.0f}x   {errors(found, data.truth[:, :count])}")
        if name == "BoneQuant":
            few = ways["scipy curve_fit"][1]
            print(f"{'on the same':>16} {few:>8} {'':>24}   {errors(found[:, :few], data.truth[:, :few])}")
    clean = by_bonequant(data.clean, aif)
    worst = np.abs(clean / data.truth - 1.0).max(axis=1)
    print(f"Without noise: largest error of Ktrans {worst[0]:.2%}, ve {worst[1]:.2%}, vp {worst[2]:.2%}")
    if arguments.large:
        large(data.noisy, aif)
    return 0


def errors(found: np.ndarray, truth: np.ndarray) -> str:
    median = np.nanmedian(np.abs(found / truth - 1.0), axis=1)
    bias = np.nanmean(found[2]) / np.mean(truth[2]) - 1.0
    return f"{median[0]:>15.3f} / {median[1]:.3f} / {median[2]:.3f} {bias:>18.2%}"


def large(rows: np.ndarray, aif: np.ndarray) -> None:
    """Maps of growing volumes: time per voxel must stay, and memory beyond the input below 2 GB."""
    print(f"{'voxels':>10} {'seconds':>8} {'voxels/s':>10} {'GB beyond the input':>20}")
    for slices in (4, 16, 64):
        grid = Geometry((256, 256, slices), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
        count = 256 * 256 * slices
        frames = np.empty((len(TIMES_S), count), dtype=np.float32)
        for start in range(0, count, len(rows)):
            part = frames[:, start : start + len(rows)]
            part[...] = rows[: part.shape[1]].T
        series = DynamicSeries(frames.reshape(len(TIMES_S), *grid.shape), TIMES_S, grid, "MR", "mM")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start_s = time.perf_counter()
        maps = fit_maps(series, aif)
        seconds = time.perf_counter() - start_s
        beyond = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e6
        print(f"{count:>10} {seconds:>8.1f} {count / seconds:>10.0f} {beyond:>20.2f}")
        del maps, series, frames


if __name__ == "__main__":
    raise SystemExit(main())
