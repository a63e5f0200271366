"""Intensity-volume histogram: which fraction of the region has at least an intensity, and the intensity of a fraction.

Source: IBSI reference manual, section 3.5. Levels are one unit apart for calibrated intensities, or given by bins.
"""

from __future__ import annotations

import numpy as np

from bonequant.radiomics.ibsi.discretise import fixed_number, fixed_size
from bonequant.radiomics.settings import IbsiSettings


def intensity_volume(values: np.ndarray, settings: IbsiSettings) -> dict[str, float]:
    """Features of the region's intensities (N,) after resegmentation."""
    levels, first, last, step = _levels(values, settings)
    grid = first + step * np.arange(round((last - first) / step) + 1)
    counts = np.searchsorted(np.sort(levels), grid - 1e-9 * step)
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


def _levels(values: np.ndarray, settings: IbsiSettings) -> tuple[np.ndarray, float, float, float]:
    """Intensities as levels, the lowest and highest level of the histogram, and their distance."""
    low = float(values.min()) if settings.resegment_low is None else settings.resegment_low
    high = float(values.max()) if settings.resegment_high is None else settings.resegment_high
    kind = settings.ivh_discretisation
    if kind == "fixed_bin_number":
        return fixed_number(values, settings.ivh_bin_count), 1.0, float(settings.ivh_bin_count), 1.0
    if kind == "fixed_bin_size":
        width = settings.ivh_bin_width
        centres = low + (fixed_size(values, width, low) - 0.5) * width
        return centres, low + 0.5 * width, low + (np.ceil((high - low) / width) - 0.5) * width, width
    return values, low, high, 1.0
