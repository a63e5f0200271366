"""Local and global intensity peak: the mean of the image within 1 cm3 around a voxel.

Source: IBSI reference manual, section 3.2. Neighbours count where their centre is within the sphere, in the region or
not; the local peak is taken at the region's maximum (the highest of several), the global one is the highest anywhere.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from bonequant.radiomics.ibsi.prepare import PEAK_RADIUS_MM, Prepared


def intensity_peaks(prepared: Prepared) -> dict[str, float]:
    """Peaks in the region's intensity mask."""
    sphere = _sphere(prepared.spacing_mm)
    image = np.where(np.isfinite(prepared.image), prepared.image, 0.0)
    real = np.isfinite(prepared.image).astype(np.float64)
    total = ndimage.convolve(image, sphere, mode="constant", cval=0.0)
    count = ndimage.convolve(real, sphere, mode="constant", cval=0.0)
    means = (total / np.maximum(count, 1.0))[prepared.intensity]
    values = prepared.image[prepared.intensity]
    return {"LocalPeak": float(means[values == values.max()].max()), "GlobalPeak": float(means.max())}


def _sphere(spacing_mm: np.ndarray) -> np.ndarray:
    reach = np.floor(PEAK_RADIUS_MM / spacing_mm).astype(int)
    offsets = np.meshgrid(*[np.arange(-n, n + 1) * s for n, s in zip(reach, spacing_mm, strict=True)], indexing="ij")
    return (sum(offset**2 for offset in offsets) <= PEAK_RADIUS_MM**2 + 1e-9).astype(np.float64)
