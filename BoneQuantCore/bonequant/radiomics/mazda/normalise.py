"""The grey level range of a region and its quantisation to 4, 6 and 8 bits.

Source: MaZda user's manual (normalisation options: default, mu +- 3 sigma, 1 % to 99 %); Collewet et al., Magn Reson
Imaging 2004;22:81. Intensities beyond the range take its first or last level.
"""

from __future__ import annotations

import numpy as np

from bonequant.radiomics.settings import MazdaSettings

HISTOGRAM_BITS, TEXTURE_BITS, GRADIENT_BITS = 8, 6, 4


def grey_range(section: np.ndarray, mask: np.ndarray, settings: MazdaSettings) -> tuple[float, float]:
    """Intensities (low, high) at the lower edge of the first level and the upper edge of the last."""
    if settings.normalisation == "none":
        return _full_range(section, mask, settings)
    values = (section[mask] if settings.range_from == "roi" else section[np.isfinite(section)]).astype(np.float64)
    if values.min() == values.max():  # whose SD need not be 0 by rounding
        return float(values[0]), float(values[0])
    if settings.normalisation == "sigma":
        centre, reach = values.mean(), 3.0 * values.std()
        return float(centre - reach), float(centre + reach)
    low, high = np.percentile(values, (1, 99))
    return float(low), float(high)


def _full_range(section: np.ndarray, mask: np.ndarray, settings: MazdaSettings) -> tuple[float, float]:
    """2^bits levels for unsigned integers of 8, 12 or 16 bits, else the range found."""
    values = section[mask] if settings.range_from == "roi" else section[np.isfinite(section)]
    if section.dtype.kind == "u" and section.max() < 1 << 16:
        bits = next(bits for bits in (8, 12, 16) if section.max() < 1 << bits)
        return 0.0, float(1 << bits)
    return float(values.min()), float(values.max())


def scaled(section: np.ndarray, low: float, high: float) -> np.ndarray:
    """Intensities in units of 8-bit levels, neither cut nor rounded; 128 everywhere for an empty range."""
    if high <= low:
        return np.full(section.shape, 2.0 ** (HISTOGRAM_BITS - 1))
    return (section.astype(np.float64) - low) * (2**HISTOGRAM_BITS / (high - low))


def quantised(scaled_section: np.ndarray, bits: int) -> np.ndarray:
    """Levels 0 .. 2^bits - 1 of :func:`scaled` intensities; what is not finite becomes 0."""
    finite = np.nan_to_num(scaled_section, nan=0.0, posinf=0.0, neginf=0.0)
    levels = np.floor(finite / 2 ** (HISTOGRAM_BITS - bits)).astype(np.int64)
    return np.clip(levels, 0, 2**bits - 1)
