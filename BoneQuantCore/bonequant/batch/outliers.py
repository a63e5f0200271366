"""Unusual cases by the modified z-score of Iglewicz and Hoaglin (1993), which a few outliers do not spoil.

z = 0.6745 (x - median) / MAD; where more than half of the values are equal (MAD = 0), (x - median) / (1.2533 mean
absolute deviation). Flagged above 3.5, the authors' recommendation. A flag is a reason to look, never to leave out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

THRESHOLD = 3.5
LEAST = 8  # values below which no spread can be stated


def modified_z(values: Sequence[float | None]) -> np.ndarray:
    """Scores (N,), NaN where a value is missing, all NaN for fewer than ``LEAST`` values or no spread at all."""
    x = np.array([np.nan if value is None else value for value in values], dtype=float)
    known = x[np.isfinite(x)]
    if len(known) < LEAST:
        return np.full(len(x), np.nan)
    centre = np.median(known)
    deviations = np.abs(known - centre)
    spread = np.median(deviations) / 0.6745 or deviations.mean() * 1.2533
    if spread == 0:
        return np.full(len(x), np.nan)
    return np.where(np.isfinite(x), (x - centre) / spread, np.nan)
