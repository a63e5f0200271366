"""99mTc-MAA before radioembolisation: lung shunt, tumour to normal ratio, partition model.

LSF = C_lung / (C_lung + C_liver); T/N = (C_T / m_T) / (C_N / m_N). Partition model, Ho, Eur J Nucl Med 1996;23:947:
D_N = k A (1 - LSF) / (T/N m_T + m_N), D_T = T/N D_N, D_L = k A LSF / m_L, in Gy with A in GBq and m in kg.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bonequant.errors import InputError
from bonequant.settings import Settings, setting

# Limits of the microsphere makers' instructions for use (SIR-Spheres, TheraSphere): named in warnings, nothing else.
_LSF_LIMIT = 0.20
_LUNG_DOSE_LIMIT_GY = 30.0


@dataclass(frozen=True)
class PartitionSettings(Settings):
    """Constants of the partition model."""

    dose_constant: float = setting(
        49.67, unit="Gy kg/GBq", low=1.0, high=200.0, help="Absorbed dose of 1 GBq decaying in 1 kg; 49.67 for 90Y."
    )
    lung_mass_kg: float = setting(1.0, unit="kg", low=0.1, high=3.0, help="Mass of both lungs.")


@dataclass(frozen=True)
class PartitionResult:
    """Mean absorbed doses in Gy and the activity in each part in GBq."""

    tumour_gy: float
    normal_liver_gy: float
    lung_gy: float
    tumour_gbq: float
    normal_liver_gbq: float
    lung_gbq: float
    warnings: tuple[str, ...] = ()


def geometric_mean(anterior: float, posterior: float) -> float:
    """sqrt(anterior * posterior): counts in opposed planar views, which hardly depend on depth."""
    _not_negative(anterior=anterior, posterior=posterior)
    return math.sqrt(anterior * posterior)


def lung_shunt_fraction(lung: float, liver: float) -> float:
    """Share of the particles that reached the lungs, 0..1, from total counts or activities in one unit.

    For SPECT/CT the totals over the organs, for planar images their geometric means.
    """
    _not_negative(lung=lung, liver=liver)
    if lung + liver == 0:
        raise InputError("Lung and liver hold no counts; is the MAA image empty?")
    return lung / (lung + liver)


def planar_lung_shunt_fraction(
    lung_anterior: float, lung_posterior: float, liver_anterior: float, liver_posterior: float
) -> float:
    """Lung shunt fraction, 0..1, from the counts in opposed planar views."""
    return lung_shunt_fraction(
        geometric_mean(lung_anterior, lung_posterior), geometric_mean(liver_anterior, liver_posterior)
    )


def tumour_to_normal_ratio(tumour: float, tumour_mass_kg: float, normal: float, normal_mass_kg: float) -> float:
    """T/N from total counts or activities (one unit) and masses in kg (1.06 kg/L for liver, or volumes in one unit)."""
    _not_negative(tumour=tumour, normal=normal)
    _positive(tumour_mass_kg=tumour_mass_kg, normal_mass_kg=normal_mass_kg)
    if normal == 0:
        raise InputError("The normal liver holds no counts; the ratio has no value. Is its region right?")
    return (tumour / tumour_mass_kg) / (normal / normal_mass_kg)


def partition_model(
    activity_gbq: float,
    lung_shunt: float,
    tumour_to_normal: float,
    tumour_mass_kg: float,
    normal_mass_kg: float,
    settings: PartitionSettings | None = None,
) -> PartitionResult:
    """Mean absorbed doses of ``activity_gbq`` of microspheres. Masses in kg, ``lung_shunt`` 0..1.

    Raises InputError for an impossible value. A lung shunt above 20 % or a lung dose above 30 Gy brings a warning.
    """
    settings = PartitionSettings.of(settings)
    _positive(activity_gbq=activity_gbq, normal_mass_kg=normal_mass_kg)
    _not_negative(tumour_to_normal=tumour_to_normal, tumour_mass_kg=tumour_mass_kg)
    if not 0 <= lung_shunt < 1:
        raise InputError(
            f"A lung shunt fraction of {lung_shunt:g} is impossible; a share from 0 to 1 is due, not percent."
        )
    if max(tumour_mass_kg, normal_mass_kg) > 20:
        raise InputError("A liver mass above 20 kg is impossible; masses are due in kg, not g or mL.")
    if activity_gbq > 50:
        raise InputError(f"{activity_gbq:g} GBq is no therapy activity; is it in MBq? GBq are due.")
    k, lung_mass = settings.dose_constant, settings.lung_mass_kg
    liver_gbq = activity_gbq * (1 - lung_shunt)
    lung_gbq = activity_gbq * lung_shunt
    normal_gy = k * liver_gbq / (tumour_to_normal * tumour_mass_kg + normal_mass_kg)
    tumour_gy = tumour_to_normal * normal_gy
    lung_gy = k * lung_gbq / lung_mass
    warnings = []
    if lung_shunt > _LSF_LIMIT:
        warnings.append(f"The lung shunt fraction, {100 * lung_shunt:.1f} %, is above 20 %.")
    if lung_gy > _LUNG_DOSE_LIMIT_GY:
        warnings.append(f"The lung dose, {lung_gy:.1f} Gy, is above 30 Gy.")
    return PartitionResult(
        tumour_gy=tumour_gy,
        normal_liver_gy=normal_gy,
        lung_gy=lung_gy,
        tumour_gbq=tumour_gy * tumour_mass_kg / k,
        normal_liver_gbq=normal_gy * normal_mass_kg / k,
        lung_gbq=lung_gbq,
        warnings=tuple(warnings),
    )


def _not_negative(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value >= 0):
            raise InputError(f"{name} is {value:g}; it must be a number not below zero.")


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value:g}; it must be above zero.")
