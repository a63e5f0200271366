"""SUVpeak: the highest mean within a sphere of 1 mL whose centre is a voxel centre in the region.

Definition (Wahl et al., PERCIST, J Nucl Med 2009;50:122S; IBSI "local intensity peak"): the sphere has a radius of
(3/(4 pi))^(1/3) cm = 6.204 mm and may reach beyond the region. Voxels at its edge count with the fraction of their
volume that lies inside it. Where it reaches beyond the image, or over voxels that are not finite, the mean is over what
is there. A sphere smaller than a voxel gives the voxel's own value.
"""

from __future__ import annotations

import SimpleITK as sitk

from bonequant.roi.grid_map import GridMap
from bonequant.roi.native import PEAK_RADIUS_MM, native_extremes
from bonequant.roi.region import Region
from bonequant.volume.types import Volume


def suv_peak(
    volume: Volume, mask: sitk.Image, transform: sitk.Transform | None = None, radius_mm: float = PEAK_RADIUS_MM
) -> float:
    """The peak of ``volume`` in ``mask``, in the unit of ``volume``; its place is ``RoiMeasurement.peak_mm``.

    Args:
        volume: any scalar image; SUV gives SUVpeak.
        mask: on any grid; a voxel of the image belongs to it when its centre lies in a mask voxel of 0.5 or more.
        transform: points of the mask's space to points of the image's space.
        radius_mm: radius of the sphere.

    Raises:
        InputError: the mask is empty, does not overlap the image, or covers voxels that are not finite.
    """
    region = Region.of(mask)
    grid_map = GridMap(region.geometry, volume.geometry, transform, region.low, region.high)
    return native_extremes(volume, [region], grid_map, radius_mm)[0].peak
