"""Hot spheres as SPECT shows them, from the closed form of a blurred sphere: no blurring code is shared."""

from __future__ import annotations

import math

import numpy as np
import SimpleITK as sitk
from bonequant.volume import Volume
from scipy.special import erf

SIGMA_PER_FWHM = 1 / math.sqrt(8 * math.log(2))


def blurred_sphere(distance_mm: np.ndarray, diameter_mm: float, fwhm_mm: float) -> np.ndarray:
    """A unit sphere under a Gaussian, at a distance from its centre."""
    radius, s = diameter_mm / 2, fwhm_mm * SIGMA_PER_FWHM
    r = np.maximum(distance_mm, 1e-6)
    plateau = 0.5 * (erf((radius + r) / (math.sqrt(2) * s)) + erf((radius - r) / (math.sqrt(2) * s)))
    near = np.exp(-((radius - r) ** 2) / (2 * s**2)) - np.exp(-((radius + r) ** 2) / (2 * s**2))
    return plateau - s / (r * math.sqrt(2 * math.pi)) * near


def spect(spheres, fwhm_mm, *, background=0.0, spacing=(4.42, 4.42, 4.42), size=(40, 40, 40), fine=4, turn=None):
    """Volume of spheres [(centre mm, diameter mm, activity)], each voxel the mean over its box (``fine``^3 points)."""
    grid = sitk.Image([int(n) for n in size], sitk.sitkFloat32)
    grid.SetSpacing(spacing)
    direction = np.eye(3) if turn is None else np.asarray(turn)
    grid.SetDirection(direction.ravel().tolist())
    grid.SetOrigin((-(direction * spacing) @ ((np.array(size) - 1) / 2)).tolist())
    total = np.full(size[::-1], float(background))
    steps = (np.arange(fine) + 0.5) / fine - 0.5
    z, y, x = np.meshgrid(*(np.arange(n) for n in size[::-1]), indexing="ij")
    for centre, diameter, activity in spheres:
        for dz in steps:
            for dy in steps:
                for dx in steps:
                    index = np.stack([x + dx, y + dy, z + dz], axis=-1)
                    point = index @ (direction * spacing).T + grid.GetOrigin() - np.asarray(centre)
                    seen = blurred_sphere(np.linalg.norm(point, axis=-1), diameter, fwhm_mm)
                    total += (activity - background) * seen / fine**3
    image = sitk.GetImageFromArray(total.astype(np.float32))
    image.CopyInformation(grid)
    return Volume(image=image, modality="NM", unit="Bq/mL", source="spheres")


def ball(centre, diameter, *, spacing=(1.0, 1.0, 2.0), half_mm=60.0, fine=1, like=None):
    """Mask of a sphere: binary by voxel centres for ``fine`` 1, otherwise the fraction from ``fine``^3 points."""
    if like is None:
        size = [int(2 * half_mm / s) for s in spacing]
        origin, matrix = np.array([-half_mm + 0.3, -half_mm - 0.2, -half_mm + 0.4]), np.diag(spacing)
    else:
        size, origin = like.GetSize(), np.array(like.GetOrigin())
        matrix = np.reshape(like.GetDirection(), (3, 3)) * like.GetSpacing()
    steps = (np.arange(fine) + 0.5) / fine - 0.5
    z, y, x = np.meshgrid(*(np.arange(n) for n in size[::-1]), indexing="ij")
    inside = np.zeros(size[::-1])
    for dz in steps:
        for dy in steps:
            for dx in steps:
                point = np.stack([x + dx, y + dy, z + dz], axis=-1) @ matrix.T + origin - np.asarray(centre)
                inside += np.sum(point**2, axis=-1) <= (diameter / 2) ** 2
    mask = sitk.GetImageFromArray(inside.astype(np.uint8) if fine == 1 else (inside / fine**3).astype(np.float32))
    mask.SetOrigin(origin.tolist())
    mask.SetSpacing(spacing if like is None else like.GetSpacing())
    if like is not None:
        mask.SetDirection(like.GetDirection())
    return mask
