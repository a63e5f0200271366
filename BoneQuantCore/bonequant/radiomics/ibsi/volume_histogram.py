"""Intensity-volume histogram: which fraction of the region has at least an intensity, and the intensity of a fraction.

Source: IBSI reference manual, section 3.5. Levels are given by bins; without bins they are one unit apart where all
intensities are whole (HU), and else the intensities themselves (SUV, Bq/mL).
"""

from __future__ import annotations

import numpy as np

from bonequant.radiomics.ibsi.discretise import fixed_number, fixed_size
from bonequant.radiomics.settings import IbsiSettings


def intensity_volume(values: np.ndarray, settings: IbsiSettings) -> dict[str, float]:
    """Features of the region's intensities (N,) after resegmentation."""
    levels, grid = _levels(values, settings)
    first, last = float(grid[0]), float(grid[-1])
    counts = np.searchsorted(np.sort(levels), grid - 1e-12 * (last - first))
    fraction = 1.0 - counts / len(levels)  # of the volume with at least this intensity
    gamma = (grid - first) / (last - first) if last > first else np.zeros(len(grid))

    def volume_at(share: float) -> float:
        return float(fraction[gamma >= share - 1e-12][0]) if last > first else np.nan

    def intensity_at(share: float) -> float:
        return float(grid[fraction <= share + 1e-12][0]) if (fraction <= share + 1e-12).any() else float(grid[-1])

    v10, v90, i10, i90 = volume_at(0.1), volume_at(0.9), intensity_at(0.1), intensity_at(0.9)
    return {
        "VolumeFractionAt10": v10,
        "VolumeFractionAt90": v90,
        "IntensityAt10": i10,
        "IntensityAt90": i90,
        "VolumeFractionDifference": v10 - v90,
        "IntensityDifference": i10 - i90,
    }


def _levels(values: np.ndarray, settings: IbsiSettings) -> tuple[np.ndarray, np.ndarray]:
    """Intensities as levels (N,), and the rising levels of the histogram from the lowest to the highest possible."""
    low = float(values.min()) if settings.resegment_low is None else settings.resegment_low
    high = float(values.max()) if settings.resegment_high is None else settings.resegment_high
    kind = settings.ivh_discretisation
    if kind == "fixed_bin_number":
        return fixed_number(values, settings.ivh_bin_count), np.arange(1.0, settings.ivh_bin_count + 1.0)
    if kind == "fixed_bin_size":
        width = settings.ivh_bin_width
        bins = np.arange(np.ceil((high - low) / width))
        return low + (fixed_size(values, width, low) - 0.5) * width, low + (bins + 0.5) * width
    ends = np.array([low, high])
    if np.array_equal(values, np.rint(values)) and np.array_equal(ends, np.rint(ends)):
        return values, np.arange(low, high + 1.0)
    return values, np.unique(np.concatenate([ends, values]))
