"""Exact rasterisation of polygons at pixel centres by scanlines, all edges at once.

A pixel is inside where its centre is (even-odd rule). Edges are half-open, so that polygons that share an edge share no
pixel and leave none out. Cost: edges x rows they cross, plus the pixels.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def fill(polygons: Iterable[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Even-odd union (XOR) of closed polygons.

    Args:
        polygons: vertices (N, 2) as continuous indices (x, y); pixel centres are whole numbers.
        shape: (rows, columns) of the result.

    Returns:
        bool array (rows, columns).
    """
    rows, columns = shape
    toggles = np.zeros((rows, columns + 1), dtype=bool)
    for polygon in polygons:
        _toggle(np.asarray(polygon, dtype=np.float64), toggles)
    return np.logical_xor.accumulate(toggles, axis=1)[:, :columns]


def _toggle(polygon: np.ndarray, toggles: np.ndarray) -> None:
    """Flip ``toggles`` at the first pixel right of every crossing of an edge with a row of pixel centres."""
    rows, width = toggles.shape
    start, end = polygon, np.roll(polygon, -1, axis=0)
    low, high = np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])
    first = np.maximum(np.ceil(low), 0).astype(np.int64)  # rows with low <= y < high
    last = np.minimum(np.ceil(high), rows).astype(np.int64)
    counts = np.maximum(last - first, 0)
    edge = np.repeat(np.arange(len(polygon)), counts)
    if edge.size == 0:
        return
    row = np.arange(edge.size) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    (x0, y0), (x1, y1) = start[edge].T, end[edge].T
    crossing = x0 + (row - y0) * (x1 - x0) / (y1 - y0)
    column = np.clip(np.ceil(crossing), 0, width - 1).astype(np.int64)
    flips = np.bincount(row * width + column, minlength=rows * width).reshape(rows, width) % 2
    toggles ^= flips.astype(bool)
