"""From image and mask to the voxels that features are taken of: resampling, rounding, resegmentation.

Source: IBSI reference manual, chapter 2 (image processing): the new grid shares its centre with the old one and has
ceil(n s / s') voxels along each axis; edges are extended by their nearest voxel; the mask is interpolated linearly and
kept where it is at least one half; the morphological mask keeps what resegmentation takes from the intensity mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from bonequant.errors import InputError
from bonequant.radiomics.roi_input import RoiInput, box_of
from bonequant.radiomics.settings import IbsiSettings

_ORDER = {"nearest": 0, "linear": 1, "cubic": 3}
_SPLINE_REACH = 16  # the cubic B-spline's prefilter has decayed to 1e-9 there
_ROUNDING = 1e-9  # a spread below this share of the values comes from interpolation: the region is constant
_TIE = 1e-9  # a mask value of one half stays one half whatever the rounding of the coordinates
PEAK_RADIUS_MM = (3.0 / (4.0 * np.pi)) ** (1.0 / 3.0) * 10.0  # a sphere of 1 cm3


@dataclass(frozen=True, eq=False)
class Prepared:
    """A box around the region, all arrays (z, y, x) of one shape.

    Attributes:
        image: intensities, float64, after resampling and rounding.
        morphological: the region as drawn (and resampled).
        intensity: what resegmentation left of it.
        spacing_mm: voxel size (z, y, x).
        largest: largest absolute intensity of the whole image as given, voxels that are not finite aside.
    """

    image: np.ndarray
    morphological: np.ndarray
    intensity: np.ndarray
    spacing_mm: np.ndarray
    largest: float


def prepare(roi: RoiInput, settings: IbsiSettings, margin_mm: float = PEAK_RADIUS_MM) -> Prepared:
    """The region with at least ``margin_mm`` of image around it where the image has that much.

    Raises InputError where resampling or resegmentation leaves no voxel.
    """
    spacing = _new_spacing(roi, settings)
    if np.allclose(spacing, roi.spacing_mm, rtol=1e-6, atol=0):
        box = roi.box(np.ceil(margin_mm / spacing).astype(int))
        image, mask = roi.voxels[box].astype(np.float64), roi.mask[box]
    else:
        image, mask = _resample(roi, spacing, settings.interpolation, margin_mm)
    rounds = settings.round_intensities
    if rounds == "yes" or (rounds == "auto" and roi.unit == "HU"):
        image = np.rint(image)
    if not mask.any():
        raise InputError("No voxel of the mask is left after resampling: it is thinner than the new voxels.")
    if not np.isfinite(image[mask]).all():
        raise InputError("Voxels near the mask are not finite numbers, and resampling mixes them in; mend the image.")
    if np.ptp(image[mask]) <= _ROUNDING * np.abs(image[mask]).max():
        image[mask] = image[mask][0]
    return Prepared(image, mask, _resegment(image, mask, settings), spacing, _largest(roi.voxels))


def _largest(voxels: np.ndarray) -> float:
    low, high = float(voxels.min()), float(voxels.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        finite = voxels[np.isfinite(voxels)]
        low, high = float(finite.min()), float(finite.max())
    return max(abs(low), abs(high))


def _new_spacing(roi: RoiInput, settings: IbsiSettings) -> np.ndarray:
    wanted = np.array(settings.spacing_mm[::-1] or (0.0, 0.0, 0.0))
    return np.where(wanted > 0, wanted, roi.spacing_mm)


def _resample(
    roi: RoiInput, spacing: np.ndarray, interpolation: str, margin_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    """Image and mask on the new grid, in a box around the region."""
    old = np.array(roi.voxels.shape)
    ratio = spacing / roi.spacing_mm
    new = np.ceil(old / ratio - 1e-6).astype(int)
    origin = (old - 1) / 2.0 - (new - 1) / 2.0 * ratio  # old index of the new grid's first voxel
    tight = roi.box()
    low, high = np.array([part.start for part in tight]), np.array([part.stop - 1 for part in tight])
    margin = margin_mm / roi.spacing_mm + 1.0
    start = np.clip(np.floor((low - margin - origin) / ratio).astype(int), 0, new - 1)
    stop = np.clip(np.ceil((high + margin - origin) / ratio).astype(int) + 1, start + 1, new)
    first, last = origin + start * ratio, origin + (stop - 1) * ratio
    near = np.clip(np.floor(first).astype(int) - _SPLINE_REACH, 0, old - 1)
    far = np.clip(np.ceil(last).astype(int) + _SPLINE_REACH + 1, near + 1, old)
    part = tuple(slice(a, b) for a, b in zip(near, far, strict=True))

    def onto(array: np.ndarray, order: int) -> np.ndarray:
        return ndimage.affine_transform(
            array.astype(np.float64), ratio, first - near, tuple(stop - start), order=order, mode="nearest"
        )

    mask = onto(roi.mask[part], 1) >= 0.5 - _TIE
    return onto(roi.voxels[part], _ORDER[interpolation]), mask


def _resegment(image: np.ndarray, mask: np.ndarray, settings: IbsiSettings) -> np.ndarray:
    """The mask without voxels outside the range and, of those within it, without outliers."""
    kept = mask.copy()
    if settings.resegment_low is not None:
        kept &= image >= settings.resegment_low
    if settings.resegment_high is not None:
        kept &= image <= settings.resegment_high
    if settings.resegment_sigma is not None and kept.any():
        values = image[kept]
        kept &= np.abs(image - values.mean()) <= settings.resegment_sigma * values.std()
    if not kept.any():
        raise InputError("Resegmentation leaves no voxel of the mask: widen its range, or check the image's unit.")
    return kept


def tight_box(prepared: Prepared) -> tuple[slice, slice, slice]:
    """The bounding box of the morphological mask."""
    return box_of(prepared.morphological)
