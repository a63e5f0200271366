"""SPECT quantification: activity, decay, SUV, partial volume, MAA and the protocol record."""

from bonequant.radionuclides import RADIONUCLIDES, Radionuclide, radionuclide
from bonequant.spect.activity import Calibration, to_activity
from bonequant.spect.body_size import body_mass_index, body_surface_m2, lean_body_mass_kg
from bonequant.spect.decay import decay_factor, frame_factor, net_activity_bq, scan_duration_s, seconds_between
from bonequant.spect.gtm import GtmResult, gtm
from bonequant.spect.half_life import half_life_of
from bonequant.spect.maa import (
    PartitionResult,
    PartitionSettings,
    geometric_mean,
    lung_shunt_fraction,
    partition_model,
    planar_lung_shunt_fraction,
    tumour_to_normal_ratio,
)
from bonequant.spect.protocol import (
    ProtocolItem,
    ProtocolRecord,
    ProtocolRow,
    ProtocolStandard,
    check_protocol,
    load_standard,
)
from bonequant.spect.protocol_compare import ProtocolDifference, compare_protocols
from bonequant.spect.psf import blur, blur_of_mask, sigma_mm
from bonequant.spect.rbv import rbv
from bonequant.spect.recovery import RecoveryTable, correct_for_recovery, rc_centre, rc_mean, sphere_volume_ml
from bonequant.spect.suv import SuvFactors, suv_factors, to_suv

__all__ = [
    "RADIONUCLIDES",
    "Calibration",
    "GtmResult",
    "PartitionResult",
    "PartitionSettings",
    "ProtocolDifference",
    "ProtocolItem",
    "ProtocolRecord",
    "ProtocolRow",
    "ProtocolStandard",
    "Radionuclide",
    "RecoveryTable",
    "SuvFactors",
    "blur",
    "blur_of_mask",
    "body_mass_index",
    "body_surface_m2",
    "check_protocol",
    "compare_protocols",
    "correct_for_recovery",
    "decay_factor",
    "frame_factor",
    "geometric_mean",
    "gtm",
    "half_life_of",
    "lean_body_mass_kg",
    "load_standard",
    "lung_shunt_fraction",
    "net_activity_bq",
    "partition_model",
    "planar_lung_shunt_fraction",
    "radionuclide",
    "rbv",
    "rc_centre",
    "rc_mean",
    "scan_duration_s",
    "seconds_between",
    "sigma_mm",
    "sphere_volume_ml",
    "suv_factors",
    "to_activity",
    "to_suv",
    "tumour_to_normal_ratio",
]
