"""Energy of the orthonormal Haar wavelet coefficients at five scales.

Source: Materka & Strzelecki, COST B11 report 1998, section 3.2: the mean squared coefficient in the region. A
coefficient belongs to the region where the whole block of 2^s x 2^s pixels it is made of does; blocks are counted from
the corner of the region's box.
"""

from __future__ import annotations

import numpy as np

from bonequant.radiomics.mazda.names import BANDS, SCALES


def haar_energies(image: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """Energies of an image (y, x) cut to the region's box; scales at which no whole block fits are left out."""
    found: dict[str, float] = {}
    for scale in SCALES:
        rows, columns = (size // 2 * 2 for size in image.shape)
        if not rows or not columns:
            break
        a, b, c, d = (array.astype(np.float64) for array in _corners(np.where(mask, image, 0.0)[:rows, :columns]))
        whole = np.logical_and.reduce(_corners(mask[:rows, :columns]))
        if not whole.any():
            break
        bands = {
            "LL": (a + b + c + d) / 2.0,
            "LH": (a + b - c - d) / 2.0,
            "HL": (a - b + c - d) / 2.0,
            "HH": (a - b - c + d) / 2.0,
        }
        found |= {f"WavEn{band}_s-{scale}": float((bands[band][whole] ** 2).mean()) for band in BANDS}
        image, mask = bands["LL"], whole
    return found


def _corners(array: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Top left, top right, bottom left, bottom right of every 2x2 block."""
    return array[::2, ::2], array[::2, 1::2], array[1::2, ::2], array[1::2, 1::2]
