"""Grey levels 1, 2, ... of intensities: fixed bin size or fixed bin number.

Source: IBSI reference manual, section 2.7. A fixed size starts at the resegmentation minimum where there is one, else
at the region's minimum; pyradiomics starts at a whole multiple of the width, which ``bin_origin="zero"`` does as well.
"""

from __future__ import annotations

import numpy as np

from bonequant.errors import InputError
from bonequant.radiomics.settings import IbsiSettings

MAX_LEVELS = 4096  # a co-occurrence matrix of more would not fit into memory: the width does not suit the intensities


def grey_levels(values: np.ndarray, settings: IbsiSettings, original: bool = True) -> np.ndarray:
    """Levels (int32, from 1) of the region's intensities (N,). ``original``: the image was not filtered."""
    if settings.discretisation == "none":
        levels = np.rint(values)
        if not np.array_equal(levels, values) or levels.min() < 1:
            raise InputError("Without discretisation the intensities must be whole numbers from 1; choose a bin size.")
    elif settings.discretisation == "fixed_bin_number":
        levels = fixed_number(values, settings.bin_count)
    else:
        levels = fixed_size(values, settings.bin_width, _origin(values, settings, original))
    if levels.max() > MAX_LEVELS:
        raise InputError(
            f"{int(levels.max())} grey levels at a bin width of {settings.bin_width:g}: widen the bins, or use a "
            "fixed bin number."
        )
    return levels.astype(np.int32)


def fixed_number(values: np.ndarray, count: int) -> np.ndarray:
    """floor(count (x - min)/(max - min)) + 1, and ``count`` for the maximum; 1 where all are equal."""
    low, high = values.min(), values.max()
    if high == low:
        return np.ones(len(values))
    return np.minimum(np.floor(count * (values - low) / (high - low)) + 1, count)


def fixed_size(values: np.ndarray, width: float, origin: float) -> np.ndarray:
    """floor((x - origin)/width) + 1."""
    return np.floor((values - origin) / width) + 1


def _origin(values: np.ndarray, settings: IbsiSettings, original: bool) -> float:
    if settings.bin_origin == "zero":
        return float(np.floor(values.min() / settings.bin_width) * settings.bin_width)
    if original and settings.resegment_low is not None:
        return settings.resegment_low
    return float(values.min())
