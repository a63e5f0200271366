"""Regions: found on CT, carried to other grids, measured where they were drawn."""

from bonequant.roi.measure import measure, measure_many
from bonequant.roi.measurement import RoiMeasurement
from bonequant.roi.peak import suv_peak
from bonequant.roi.propagate import propagate

__all__ = [
    "RoiMeasurement",
    "measure",
    "measure_many",
    "propagate",
    "suv_peak",
]
