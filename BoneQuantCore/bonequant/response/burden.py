"""Tumour burden from images: the share of the skeleton above a threshold, and whole-patient volume and uptake.

The skeleton fraction index is the CT and SPECT/PET analogue of the Bone Scan Index. PSMA-TV and TL-PSMA (as MTV and TLG
for FDG) are sums over the lesions of volume, and of volume times SUVmean (Seifert et al., J Nucl Med 2020;61:1131).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.response.compare import NAN
from bonequant.response.voxels import MaskVoxels
from bonequant.volume import Volume, coordinates_in
from bonequant.volume.resample import Sampler

_CHUNK = 1 << 20  # voxels at once: bounds the memory


class Measured(Protocol):
    """What a ``roi.RoiMeasurement`` says of one lesion."""

    @property
    def unit(self) -> str: ...
    @property
    def volume_ml(self) -> float: ...
    @property
    def mean(self) -> float: ...
    @property
    def max(self) -> float: ...
    @property
    def total(self) -> float: ...


@dataclass(frozen=True)
class TumourBurden:
    """Of all lesions together: ``volume_ml`` (PSMA-TV, MTV) and ``total_uptake`` in unit * mL (TL-PSMA, TLG)."""

    lesions: int
    volume_ml: float
    total_uptake: float
    mean: float  # by volume; NaN without lesions
    max: float  # NaN without lesions
    unit: str


@dataclass(frozen=True)
class SkeletonFraction:
    """``percent`` of the skeleton's volume above ``threshold`` (in ``unit``), among what lies inside the image."""

    percent: float
    skeleton_ml: float
    above_ml: float
    threshold: float
    unit: str
    fraction_inside: float  # of the skeleton mask's volume


def tumour_burden(lesions: Iterable[Measured]) -> TumourBurden:
    """Whole-patient volume and uptake of lesions measured in one image.

    No lesion is a burden of zero; a lesion whose uptake is not known (NaN) makes the total so. Raises InputError for
    lesions in different units.
    """
    found = list(lesions)
    units = {lesion.unit for lesion in found}
    if len(units) > 1:
        raise InputError(f"Lesions in different units, {', '.join(sorted(units))}, have no common burden.")
    volume = float(sum(lesion.volume_ml for lesion in found))
    total = float(sum(lesion.total for lesion in found))
    return TumourBurden(
        lesions=len(found),
        volume_ml=volume,
        total_uptake=total,
        mean=total / volume if volume > 0 else NAN,
        max=max((float(lesion.max) for lesion in found), default=NAN),
        unit=units.pop() if units else "",
    )


def skeleton_fraction_index(
    volume: Volume, skeleton: sitk.Image, threshold: float, transform: sitk.Transform | None = None
) -> SkeletonFraction:
    """Share of the skeleton's volume in which ``volume`` exceeds ``threshold``.

    Args:
        volume: SUV image or CT; sampled at the mask's voxel centres with cubic B-splines.
        skeleton: binary or fractional mask on its own grid.
        threshold: in the unit of ``volume``; equality is not above.
        transform: points of the mask's space to points of the space of ``volume``.

    Raises:
        InputError: an empty mask, one outside the image, or voxels that are not finite.
    """
    voxels = MaskVoxels.of(skeleton, "skeleton")
    index = coordinates_in(volume.image, voxels.points_mm(), transform)
    sampler = Sampler(volume.image, index.min(axis=0), index.max(axis=0))
    if sampler.non_finite:
        raise InputError(
            f"The image has {sampler.non_finite} voxels that are NaN or infinite near the skeleton; repair it."
        )
    above = inside = 0.0
    for start in range(0, len(index), _CHUNK):
        values = sampler(index[start : start + _CHUNK])
        weights = voxels.weights[start : start + _CHUNK]
        inside += float(weights[~np.isnan(values)].sum())
        above += float(weights[values > threshold].sum())
    if inside == 0:
        raise InputError(
            "The skeleton lies outside the image; check that the transform takes its points to those of the image."
        )
    ml = voxels.geometry.voxel_volume_ml
    return SkeletonFraction(
        percent=100.0 * above / inside,
        skeleton_ml=ml * float(voxels.weights.sum()),
        above_ml=ml * above,
        threshold=threshold,
        unit=volume.unit,
        fraction_inside=inside / float(voxels.weights.sum()),
    )
