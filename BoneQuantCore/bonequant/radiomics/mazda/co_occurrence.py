"""Co-occurrence features of the 6-bit image for five distances in four directions.

Source: Haralick et al., IEEE Trans Syst Man Cybern 1973;3:610, as the MaZda user's manual writes them (levels count
from 1; the sum variance is about the sum average).
"""

from __future__ import annotations

import numpy as np

from bonequant.radiomics.mazda.names import OFFSETS, PAIR_FEATURES
from bonequant.radiomics.mazda.normalise import TEXTURE_BITS

LEVELS = 2**TEXTURE_BITS
_I = np.arange(1, LEVELS + 1, dtype=np.float64)
_SUM = (np.arange(LEVELS)[:, None] + np.arange(LEVELS)).ravel()
_DIFFERENCE = np.abs(np.arange(LEVELS)[:, None] - np.arange(LEVELS)).ravel()
_SUM_VALUES = np.arange(2, 2 * LEVELS + 1, dtype=np.float64)
_DIFFERENCE_VALUES = np.arange(LEVELS, dtype=np.float64)


def co_occurrence(
    levels: np.ndarray, mask: np.ndarray, symmetric: bool, log_base: float
) -> dict[tuple[int, int], dict[str, float] | None]:
    """For each offset (x, y) its eleven features, None where no pair of pixels lies in the region."""
    return {
        offset: None if (pairs := _matrix(levels, mask, *offset, symmetric)) is None else _features(pairs, log_base)
        for offset in OFFSETS
    }


def _matrix(levels: np.ndarray, mask: np.ndarray, x: int, y: int, symmetric: bool) -> np.ndarray | None:
    """Probabilities (64, 64) of level pairs at pixels (x, y) apart, both in the region."""
    height, width = levels.shape
    if abs(x) >= width or abs(y) >= height:
        return None
    first = np.s_[max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)]
    second = np.s_[max(0, y) : height - max(0, -y), max(0, x) : width - max(0, -x)]
    both = mask[first] & mask[second]
    codes = levels[first][both] * LEVELS + levels[second][both]
    if not len(codes):
        return None
    counts = np.bincount(codes, minlength=LEVELS**2).reshape(LEVELS, LEVELS).astype(np.float64)
    if symmetric:
        counts += counts.T
    return counts / counts.sum()


def _features(p: np.ndarray, log_base: float) -> dict[str, float]:
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    mean_i, mean_j = rows @ _I, columns @ _I
    variance_i, variance_j = rows @ (_I - mean_i) ** 2, columns @ (_I - mean_j) ** 2
    flat = p.ravel()
    sums = np.bincount(_SUM, flat)
    differences = np.bincount(_DIFFERENCE, flat)
    sum_mean, difference_mean = sums @ _SUM_VALUES, differences @ _DIFFERENCE_VALUES
    spread = variance_i * variance_j
    values = (
        flat @ flat,
        differences @ _DIFFERENCE_VALUES**2,
        (_I @ p @ _I - mean_i * mean_j) / np.sqrt(spread) if spread > 0 else np.nan,
        variance_i,
        differences @ (1.0 / (1.0 + _DIFFERENCE_VALUES**2)),
        sum_mean,
        sums @ (_SUM_VALUES - sum_mean) ** 2,
        _entropy(sums, log_base),
        _entropy(flat, log_base),
        differences @ (_DIFFERENCE_VALUES - difference_mean) ** 2,
        _entropy(differences, log_base),
    )
    return {name: float(value) for name, value in zip(PAIR_FEATURES, values, strict=True)}


def _entropy(p: np.ndarray, log_base: float) -> float:
    p = p[p > 0]
    return float(-(p @ np.log(p)) / np.log(log_base)) + 0.0
