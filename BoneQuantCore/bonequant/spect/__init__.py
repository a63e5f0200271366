"""SPECT quantification: activity, decay, SUV, partial volume, MAA and the protocol record."""

from bonequant.spect.activity import Calibration, to_activity
from bonequant.spect.body_size import body_mass_index, body_surface_m2, lean_body_mass_kg
from bonequant.spect.decay import decay_factor, frame_factor, net_activity_bq, scan_duration_s, seconds_between
from bonequant.spect.radionuclides import RADIONUCLIDES, Radionuclide, half_life_of, radionuclide
from bonequant.spect.suv import SuvFactors, suv_factors, to_suv

__all__ = [
    "RADIONUCLIDES",
    "Calibration",
    "Radionuclide",
    "SuvFactors",
    "body_mass_index",
    "body_surface_m2",
    "decay_factor",
    "frame_factor",
    "half_life_of",
    "lean_body_mass_kg",
    "net_activity_bq",
    "radionuclide",
    "scan_duration_s",
    "seconds_between",
    "suv_factors",
    "to_activity",
    "to_suv",
]
