"""Red marrow by uptake: marrow voxels at or above the spine's mean less 2.5 standard deviations.

Marrow tracers, and FDG, mark active marrow; the spine keeps it longest. The threshold is the reference's "SUV >=
spine mean - 2.5 SD", with mean and sd over the marrow of the spine, sampled once through the registration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.roi.axial import AxialFrame
from bonequant.roi.levels import is_level
from bonequant.volume import Volume, sample_at

_LEAST_VOXELS = 50


@dataclass(frozen=True, eq=False)
class RedMarrow:
    """``mask`` (uint8, on the grid of the marrow mask) and the numbers behind it, in the functional image's unit."""

    mask: sitk.Image
    threshold: float
    spine_mean: float
    spine_sd: float
    fraction: float  # of the marrow's volume that is seen


def red_marrow(
    functional: Volume, regions: Mapping[str, sitk.Image], transform: sitk.Transform | None = None, sd: float = 2.5
) -> RedMarrow:
    """Red marrow within ``regions["marrow"]``, judged by the marrow of ``regions["spine"]``, lesions ("lesion_...")
    left out.

    ``transform`` takes points of the masks' space to points of ``functional``; masks share one grid.
    Raises InputError where spine or marrow is missing or lies outside the functional image, or uptake is so uneven
    that the threshold is not positive.
    """
    for name in ("marrow", "spine"):
        if name not in regions:
            raise InputError(f"Red marrow by uptake needs the region {name!r}; find it on the CT or draw it.")
    frame = AxialFrame.of(regions["marrow"])
    marrow = frame.mask_of(regions["marrow"])
    bodies = [mask for name, mask in regions.items() if is_level(name)]
    spine = np.logical_or.reduce([frame.mask_of(mask) for mask in bodies or [regions["spine"]]])
    for name, mask in regions.items():
        if name.startswith("lesion"):
            spine = spine & ~frame.mask_of(mask)
    uptake = sample_at(functional.image, frame.points_mm(np.argwhere(marrow)), transform)
    seen = np.isfinite(uptake)
    of_spine = uptake[seen & spine[marrow]]
    if len(of_spine) < _LEAST_VOXELS:
        raise InputError(
            "The marrow of the spine lies outside the functional image; check field of view and registration."
        )
    mean, spread = float(of_spine.mean()), float(of_spine.std(ddof=1))
    threshold = mean - sd * spread
    if threshold <= 0:
        raise InputError(
            f"Red marrow cannot be told by uptake: the spine's marrow has {mean:.4g} +- {spread:.4g}, so that mean - "
            f"{sd:g} SD is not positive. Leave lesions out of the spine, or draw the red marrow."
        )
    red = np.zeros(marrow.shape, dtype=bool)
    red[marrow] = seen & (uptake >= threshold)
    return RedMarrow(frame.to_native(red), threshold, mean, spread, float(red.sum() / seen.sum()))
