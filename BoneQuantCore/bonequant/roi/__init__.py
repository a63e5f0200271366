"""Regions: found on CT, carried to other grids, measured where they were drawn."""

from bonequant.roi.measure import measure, measure_many
from bonequant.roi.measurement import RoiMeasurement
from bonequant.roi.peak import suv_peak
from bonequant.roi.propagate import propagate
from bonequant.roi.skeleton import Skeleton, SkeletonSettings, segment_skeleton, skeleton

__all__ = [
    "RoiMeasurement",
    "Skeleton",
    "SkeletonSettings",
    "measure",
    "measure_many",
    "propagate",
    "segment_skeleton",
    "skeleton",
    "suv_peak",
]
