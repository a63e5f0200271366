"""Images as the metric wants to see them, by what they are: SPECT or PET, CT, MR.

SPECT, PET   smoothed against count noise, then capped at the 99.5th percentile of the body (lesions, bladder), then
             the square root (makes Poisson noise even and lifts soft tissue against bone).
CT           clipped to 0..400 HU, the table taken out, blurred to the resolution of a functional partner. Fat counts as
             air then: the skin, which breathing and the couch move most, says nothing, and bone and organs decide. With
             -200..600 HU the bone error is four times as large and the real PET lies twice as far from its CT.
MR, others   clipped to the 1st..99th percentile of the body, blurred likewise.

The same preparation serves a bone scan and FDG, where bone is not hot: mutual information asks only that the soft
tissue, lung and bone of the one differ in the other. Measured figures: ``python -m benchmarks registration``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.errors import RegistrationError
from bonequant.registration.metric import Samples
from bonequant.registration.settings import RegistrationSettings
from bonequant.volume import Geometry, Volume, image_from_array

Kind = Literal["functional", "ct", "other"]
_FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
_AIR_HU = -300.0
_MINIMUM_EXTENT_MM = 20.0
_MINIMUM_VOXELS = 4  # along each axis: two for interpolation, two to fade out


@dataclass(frozen=True)
class Prepared:
    """One image on its working grid: ``array`` (z, y, x) before any blur of a level, and the body's mask on it."""

    array: np.ndarray
    body: np.ndarray
    geometry: Geometry
    kind: Kind
    shrink: tuple[int, int, int]  # voxels of the image as it came per working voxel (x, y, z)

    def blurred(self, fwhm_mm: float) -> np.ndarray:
        """``array`` after a Gaussian of ``fwhm_mm``; of a functional image capped and rooted after it."""
        smooth = _blur(self.array, fwhm_mm, self.geometry)
        if self.kind == "functional":
            smooth = np.sqrt(np.minimum(smooth, np.percentile(smooth[self.body], 99.5)))
        return smooth

    def samples(self, values: np.ndarray, count: int) -> Samples:
        """About ``count`` voxels of the body and its surroundings, on a regular lattice through all three axes."""
        where = np.flatnonzero(self.body)
        z, y, x = np.unravel_index(where, self.body.shape)
        step = max(1, round(len(where) / count))
        # A plain every-k-th voxel would fall on planes; the skewed lattice fills space evenly for every k.
        chosen = (x + round(0.382 * step) * y + round(0.276 * step) * z) % step == 0
        index = np.stack([x[chosen], y[chosen], z[chosen]]).astype(np.float64)
        matrix = self.geometry.index_to_physical
        points = np.stack([row[0] * index[0] + row[1] * index[1] + row[2] * index[2] + row[3] for row in matrix[:3]])
        return Samples(values.ravel()[where[chosen]].astype(np.float64), points)

    def body_points(self, count: int = 2000) -> np.ndarray:
        """Points (N, 3), LPS mm, spread over the body: where displacements are measured."""
        return self.samples(self.array, count).points.T

    def centroid(self) -> np.ndarray:
        """Centre of the body, LPS mm."""
        return self.body_points().mean(axis=0)


def kind_of(volume: Volume) -> Kind:
    """What the voxels mean, from unit and modality."""
    if volume.unit == "HU" or volume.modality == "CT":
        return "ct"
    if volume.modality in ("NM", "PT") or volume.unit in ("counts", "Bq/mL") or volume.unit.startswith("SUV"):
        return "functional"
    return "other"


def prepare(volume: Volume, settings: RegistrationSettings, *, spacing_mm: float) -> Prepared:
    """Bring ``volume`` to a grid of about ``spacing_mm`` (never finer than its own) and find the body.

    Raises RegistrationError for NaN, infinite or constant voxels and for an image too thin to be aligned.
    """
    _check(volume)
    kind = kind_of(volume)
    native = sitk.Cast(volume.image, sitk.sitkFloat32)
    shrink = [max(1, int(spacing_mm / s + 1e-3)) for s in native.GetSpacing()]
    shrink = [min(f, max(1, n // _MINIMUM_VOXELS)) for f, n in zip(shrink, native.GetSize(), strict=True)]
    coarse = sitk.BinShrink(native, shrink)
    geometry = Geometry.of(coarse)
    array = sitk.GetArrayFromImage(coarse)
    if kind == "ct":
        low, high = settings.hu_window
        if low >= high:
            raise RegistrationError(f"hu_window is {low} to {high} HU; its first number must be the smaller one.")
        patient = _pieces(ndimage.binary_opening(array > _AIR_HU))
        clipped = sitk.GetArrayFromImage(sitk.BinShrink(sitk.Clamp(native, sitk.sitkFloat32, low, high), shrink))
        array = np.where(ndimage.binary_dilation(patient), clipped, np.float32(low))
        body = patient
    else:
        array = np.maximum(array, 0.0) if kind == "functional" else array
        root = np.sqrt(np.maximum(_blur(array, 12.0 if kind == "functional" else 5.0, geometry), 0.0))
        body = _pieces(root > 0.5 * _otsu(root))
        if kind == "other" and body.any():
            array = np.clip(array, *np.percentile(array[body], (1.0, 99.0)))
    if body.sum() < 1000 or float(array.max()) <= float(array.min()):
        raise RegistrationError(f"{_label(volume)}: no body is seen in it; check the image and its unit.")
    return Prepared(array, _widen(body, geometry), geometry, kind, (shrink[0], shrink[1], shrink[2]))


def bone_fraction(ct: Volume, prepared: Prepared, fwhm_mm: float) -> np.ndarray:
    """Share of bone (above 200 HU) of each voxel of ``ct`` as ``prepared``, blurred to ``fwhm_mm``; no table."""
    bone = sitk.GetArrayFromImage(sitk.BinShrink(sitk.Cast(ct.image > 200.0, sitk.sitkFloat32), prepared.shrink))
    return _blur(np.where(prepared.body, bone, 0.0), fwhm_mm, prepared.geometry)


def _check(volume: Volume) -> None:
    label, geometry, array = _label(volume), volume.geometry, volume.array
    thin = [
        n
        for n, s in zip(geometry.size, geometry.spacing, strict=True)
        if n < _MINIMUM_VOXELS or n * s < _MINIMUM_EXTENT_MM
    ]
    if thin:
        raise RegistrationError(
            f"{label} is {' x '.join(map(str, geometry.size))} voxels: too thin to be aligned; "
            f"at least {_MINIMUM_VOXELS} voxels and {_MINIMUM_EXTENT_MM:.0f} mm along each axis are due."
        )
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RegistrationError(f"{label} holds NaN or infinite voxels; replace them (or load the series again) first.")
    if low == high:
        raise RegistrationError(f"{label} is {low} everywhere; there is nothing to align. Is it the right series?")


def _label(volume: Volume) -> str:
    return volume.source or volume.name or f"The {volume.modality} image"


def _blur(array: np.ndarray, fwhm_mm: float, geometry: Geometry) -> np.ndarray:
    sigma = [fwhm_mm / _FWHM_PER_SIGMA / s for s in geometry.spacing[::-1]]
    return ndimage.gaussian_filter(array.astype(np.float32), sigma, mode="nearest", truncate=3.5)


def _otsu(array: np.ndarray) -> float:
    otsu = sitk.OtsuThresholdImageFilter()
    capped = np.minimum(array, np.percentile(array, 99.0))
    if capped.max() <= capped.min():
        capped = array
    otsu.Execute(sitk.GetImageFromArray(capped.astype(np.float32)))
    return float(otsu.GetThreshold())


def _pieces(mask: np.ndarray) -> np.ndarray:
    """The largest connected piece and those of at least a fifth of it (legs, arms); speckle and table are left out."""
    labels, _ = ndimage.label(mask)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return (sizes >= max(0.2 * sizes.max(), 1))[labels]


def _widen(body: np.ndarray, geometry: Geometry, margin_mm: float = 15.0) -> np.ndarray:
    """Add the air beside the body, but none above and below it: there a field of view ends, not the patient."""
    filled = sitk.GetArrayFromImage(sitk.BinaryFillhole(image_from_array(body, geometry))).astype(bool)
    along = int(np.argmax(np.abs(np.asarray(geometry.direction).reshape(3, 3)[2])))  # index axis nearest to head-feet
    spacing = np.asarray(geometry.spacing)
    sampling = np.where(np.arange(3) == along, 1e6, spacing)[::-1]
    return np.asarray(ndimage.distance_transform_edt(~filled, sampling=sampling) <= margin_mm)
