"""A region redrawn by a machine: moved, grown or shrunk, and with an unsteady contour.

Source: Zwanenburg et al., Sci Rep 2019;9:614 (perturbation as a substitute for a second reader), on the signed distance
of the region's surface, so that a change may be a fraction of a voxel.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.errors import InputError
from bonequant.radiomics.roi_input import box_of, region_of
from bonequant.volume.geometry import Geometry
from bonequant.volume.types import image_from_array


def perturb(
    mask: sitk.Image,
    *,
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    grow_mm: float = 0.0,
    contour_noise_mm: float = 0.0,
    correlation_mm: float = 5.0,
    in_plane: bool = False,
    seed: int = 0,
) -> sitk.Image:
    """The mask (uint8) after a shift, a growth and contour noise.

    Args:
        shift_mm: along the image's own axes x, y, z.
        grow_mm: outwards everywhere; negative shrinks.
        contour_noise_mm: SD of the noise by which the contour moves in or out.
        correlation_mm: how far along the contour the noise hangs together (SD of its Gaussian).
        in_plane: change the contour within each slice (for a region drawn in one) and ignore the shift along z.
        seed: of the noise; equal seeds give equal masks.

    Raises InputError where nothing of the region is left.
    """
    region = region_of(mask)
    geometry = Geometry.of(mask)
    spacing = np.array(geometry.spacing[::-1])
    shift = np.array(shift_mm[::-1], dtype=np.float64)
    axes = [1, 2] if in_plane else [0, 1, 2]
    if in_plane:
        shift[0] = 0.0
    reach = np.abs(shift).max() + max(grow_mm, 0.0) + 4.0 * contour_noise_mm
    margin = np.ceil(reach / spacing).astype(int) + 2
    if in_plane:
        margin[0] = 0
    box = box_of(region, margin)
    moved = _signed_distance(region[box], spacing, in_plane)
    moved = ndimage.shift(moved, shift / spacing, order=1, mode="nearest") + grow_mm
    if contour_noise_mm > 0:
        noise = np.random.default_rng(seed).normal(size=moved.shape)
        widths = [correlation_mm / spacing[axis] if axis in axes else 0.0 for axis in range(3)]
        noise = ndimage.gaussian_filter(noise, widths, mode="wrap")
        moved += noise * (contour_noise_mm / noise.std())
    changed = np.zeros(region.shape, dtype=bool)
    changed[box] = moved >= 0
    if not changed.any():
        raise InputError("Nothing is left of the region after this change: it is smaller than the change.")
    return image_from_array(changed, geometry)


def _signed_distance(region: np.ndarray, spacing_mm: np.ndarray, in_plane: bool) -> np.ndarray:
    """Distance (mm) from the surface, positive within; the surface lies halfway between voxels."""
    if in_plane:
        return np.stack([_planes_distance(plane, spacing_mm[1:]) for plane in region])
    return _planes_distance(region, spacing_mm)


def _planes_distance(region: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    if not region.any():
        return np.full(region.shape, -np.inf)
    half = float(spacing_mm.min()) / 2.0
    framed = np.pad(region, 1)
    inside = ndimage.distance_transform_edt(framed, sampling=spacing_mm) - half
    outside = ndimage.distance_transform_edt(~framed, sampling=spacing_mm) - half
    return np.where(framed, inside, -outside)[(slice(1, -1),) * region.ndim]
