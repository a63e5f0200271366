"""Run length features of the 6-bit image in four directions.

Source: Galloway, Comput Graph Image Process 1975;4:172; formulas of the MaZda user's manual. A run is a row of equal
levels that leaves the region or the level at both of its ends.
"""

from __future__ import annotations

import numpy as np

from bonequant.radiomics.mazda.names import RUN_DIRECTIONS


def run_lengths(levels: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """Features of levels (y, x) within the mask."""
    padded, inside = np.pad(levels, 1), np.pad(mask, 1)
    found: dict[str, float] = {}
    for name, (x, y) in RUN_DIRECTIONS.items():
        grey, length = _runs(padded, inside, x, y)
        runs = len(grey)
        found |= {
            f"{name}_RLNonUni": float((np.bincount(length) ** 2).sum() / runs),
            f"{name}_GLevNonU": float((np.bincount(grey) ** 2).sum() / runs),
            f"{name}_LngREmph": float((length.astype(np.float64) ** 2).mean()),
            f"{name}_ShrtREmp": float((1.0 / length**2).mean()),
            f"{name}_Fraction": runs / float(length.sum()),
        }
    return found


def _runs(levels: np.ndarray, mask: np.ndarray, x: int, y: int) -> tuple[np.ndarray, np.ndarray]:
    """Level and length of every run along (x, y); the arrays have an empty frame of one pixel."""
    width = levels.shape[1]
    step = y * width + x
    flat, inside = levels.ravel(), mask.ravel()
    place = np.flatnonzero(inside)
    goes_on = inside[place + step] & (flat[place + step] == flat[place])
    comes_from = inside[place - step] & (flat[place - step] == flat[place])
    # Along each line the n-th start and the n-th end belong together.
    row, column = np.divmod(place, width)
    line = row * x - column * y
    along = column if x else row
    starts, ends = place[~comes_from], place[~goes_on]
    order_starts = np.lexsort((along[~comes_from], line[~comes_from]))
    order_ends = np.lexsort((along[~goes_on], line[~goes_on]))
    starts, ends = starts[order_starts], ends[order_ends]
    return flat[starts], (ends - starts) // step + 1
