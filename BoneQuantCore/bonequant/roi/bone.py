"""Bone from CT: hysteresis thresholds, then what the cortical shell encloses.

Normal bone is found by the thresholds alone (130/300 HU, components above 2 mL). In osteoporosis the trabecular
bone is no brighter than muscle (89 HU +- 38 at 90 y in L1), and with iodine in the vessels the low threshold must
rise: then only the shell is found, and the interior is what the closed shell encloses in at least two of the three
planes (one plane alone would also enclose the spinal canal, in axial slices, or a disc between bridging
osteophytes, in sagittal ones).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from bonequant.roi.morphology import close_disc, components, holes

_INTERIOR_HU = -150.0  # marrow fat is about -100; below lies air
_THINNEST_DISC_MM = 3.0
_SOFT_TISSUE_HU = 50.0
_EDGE_MM = 2.5
_LARGEST_INTERIOR_MM2 = 5000.0  # the widest section of a bone's interior; the brain is larger


def shell(
    hu: np.ndarray,
    inside: np.ndarray,
    spacing: Sequence[float],
    low_hu: float,
    high_hu: float,
    min_component_ml: float,
) -> np.ndarray:
    """Voxels above ``low_hu`` connected to one above ``high_hu``, in components of at least ``min_component_ml``.

    ``hu`` and ``inside`` (the body) are (z, y, x); ``spacing`` in mm.
    """
    voxel_ml = float(np.prod(spacing)) / 1000.0
    return components((hu > low_hu) & inside, min_component_ml / voxel_ml, seeds=hu > high_hu)


def filled(
    hard: np.ndarray, hu: np.ndarray, spacing: Sequence[float], closing_mm: float, forbidden: np.ndarray | None = None
) -> np.ndarray:
    """The shell ``hard`` with its interior; ``forbidden`` (spinal canal, vessels) stays out."""
    votes = np.zeros(hard.shape, dtype=np.uint8)
    for normal in range(3):
        pixel = float(np.prod([s for axis, s in enumerate(spacing) if axis != normal]))
        # Along the spine a gap is a disc, not a pore of the cortex.
        closed = close_disc(
            hard, closing_mm if normal == 0 else min(closing_mm, _THINNEST_DISC_MM / 2), spacing, normal
        )
        votes += closed | holes(closed, normal, _LARGEST_INTERIOR_MM2 / pixel)
        if normal == 0:  # a ring that is closed as it is, such as a shaft that leaves the field of view
            votes += holes(hard, normal, _LARGEST_INTERIOR_MM2 / pixel)
    result = hard | ((votes >= 2) & (hu > _INTERIOR_HU))
    small = holes(result, 0, 40.0 / (spacing[1] * spacing[2]))  # pores and single noisy voxels
    result |= small & (hu > _INTERIOR_HU)
    if forbidden is not None:
        result &= ~forbidden
    return result


def trimmed(bone: np.ndarray, hu: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """``bone`` without the blurred edge: outermost voxels, two layers at most, that are nearer to soft tissue than
    to the brightest voxel within 2.5 mm. A blurred step edge has its true place at half height, where 130 HU is
    outside."""
    size = [1 if s > _EDGE_MM else 2 * int(_EDGE_MM / s) + 1 for s in spacing]
    edge = bone & ~ndimage.binary_erosion(bone, border_value=1)
    thick = ndimage.binary_dilation(edge, iterations=2) & bone
    peak = ndimage.maximum_filter(np.where(bone, hu, np.int16(-1000)).astype(np.float32), size)
    faint = thick & (hu < 0.5 * (peak + _SOFT_TISSUE_HU))
    outside = ~bone
    for _ in range(2):
        outside |= faint & ndimage.binary_dilation(outside)
    return bone & ~outside


def noise_sd(hu: np.ndarray, body: np.ndarray) -> float:
    """Noise in HU of the soft tissue: robust sd of the difference of in-plane neighbours, which edges hardly
    reach."""
    soft = body & (hu > -150) & (hu < 200)
    both = soft[:, :, 2:] & soft[:, :, :-2]
    difference = (hu[:, :, 2:] - hu[:, :, :-2].astype(np.float32))[both][::7]
    if difference.size < 100:
        return 0.0
    return float(1.4826 * np.median(np.abs(difference - np.median(difference))) / np.sqrt(2.0))


def denoised(hu: np.ndarray, spacing: Sequence[float], noise_hu: float, target_hu: float = 20.0) -> np.ndarray:
    """HU for thresholding: a Gaussian in each slice, as wide as it takes to bring white noise down to ``target_hu``.

    A Gaussian of s pixels divides white noise by 2 s sqrt(pi); thin cortex forbids more than 1 mm.
    """
    if noise_hu <= target_hu:
        return hu
    pixels = noise_hu / target_hu / (2.0 * np.sqrt(np.pi))
    sigma = [0.0] + [min(max(pixels, 0.5), 1.0 / s) for s in spacing[1:]]
    return ndimage.gaussian_filter(hu.astype(np.float32), sigma)
