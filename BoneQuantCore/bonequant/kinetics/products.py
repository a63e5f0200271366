"""Matrix products in pieces that BLAS keeps on the calling thread.

Blocks of voxels already run in parallel; a threaded BLAS underneath would only spin (measured: twice the processor time
per voxel), and pieces of fixed size give the same digits whatever the number of threads.
"""

from __future__ import annotations

import numpy as np

_PIECE = 1 << 18  # multiply-adds; OpenBLAS starts threads above this
_DEPTH = 128  # of the summed axis per piece


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b for a (M, K) and b (K, N) with many columns."""
    rows, depth = a.shape
    result = np.zeros((rows, b.shape[1])) if depth > _DEPTH else np.empty((rows, b.shape[1]))
    for k in range(0, depth, _DEPTH):
        left, right = np.ascontiguousarray(a[:, k : k + _DEPTH]), b[k : k + _DEPTH]
        width = max(_PIECE // max(left.size, 1), 1)
        for n in range(0, b.shape[1], width):
            if depth > _DEPTH:
                result[:, n : n + width] += left @ right[:, n : n + width]
            else:
                np.matmul(left, right[:, n : n + width], out=result[:, n : n + width])
    return result
