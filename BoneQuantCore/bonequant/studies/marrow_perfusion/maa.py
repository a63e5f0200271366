"""99mTc-MAA in the marrow job: tumour to normal ratios, lung shunt and, with a planned activity, absorbed doses.

The lungs are found on the CT or drawn; liver and tumours are drawn (or come from a whole-body segmentation).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bonequant.errors import InputError
from bonequant.roi import RoiMeasurement
from bonequant.spect import PartitionResult, lung_shunt_fraction, partition_model
from bonequant.studies.marrow_perfusion.settings import MaaSettings

NORMAL_LIVER = "normal_liver"


@dataclass(frozen=True)
class MaaResult:
    """MAA figures of one date.

    Attributes:
        tumour_to_normal: T/N by tumour: ratio of the mean concentrations (equal densities).
        all_tumours_to_normal: of all tumours together, by volume.
        lung_shunt: 0..1 from the totals over lungs and liver; None where there is no lung region.
        partition: absorbed doses for the planned activity; None without one.
    """

    tumour_to_normal: dict[str, float]
    all_tumours_to_normal: float
    tumour_volume_ml: float
    normal_liver_volume_ml: float
    lung_shunt: float | None
    partition: PartitionResult | None
    warnings: tuple[str, ...] = ()


def tumours_in(names: Mapping[str, object]) -> list[str]:
    """Names of regions that are tumours: "tumour", "tumor_2", "lesion1 liver" ..."""
    return [name for name in names if name.lower().startswith(("tumour", "tumor", "lesion"))]


def evaluate(uptake: Mapping[str, RoiMeasurement], settings: MaaSettings) -> MaaResult:
    """MAA figures from the measured regions liver (whole), normal_liver (liver without tumours), tumours and lung.

    Raises InputError naming the region that is missing.
    """
    tumours = tumours_in(uptake)
    if not tumours:
        raise InputError("MAA: no tumour region. Draw tumours named tumour_1, tumour_2 ... and give them with --mask.")
    if NORMAL_LIVER not in uptake:
        raise InputError(
            "MAA: no liver region. Draw the liver, named liver, tumours included, and give it with --mask."
        )
    normal = uptake[NORMAL_LIVER]
    if normal.mean <= 0:
        raise InputError("MAA: the normal liver holds no activity; the ratio has no value. Is its region right?")
    volume = sum(uptake[name].volume_ml for name in tumours)
    total = sum(uptake[name].total for name in tumours)
    ratio = total / volume / normal.mean
    warnings = []
    shunt = None
    if "lung" in uptake:
        shunt = lung_shunt_fraction(max(uptake["lung"].total, 0.0), normal.total + total)
        if uptake["lung"].fraction_inside < 1:
            warnings.append("The lungs lie partly outside the image: the lung shunt fraction is too low.")
    else:
        warnings.append("There is no lung region: the lung shunt fraction is not given.")
    partition = None
    if settings.activity_gbq and shunt is not None:
        mass = settings.density_g_per_ml / 1000.0
        partition = partition_model(
            settings.activity_gbq, shunt, ratio, volume * mass, normal.volume_ml * mass, settings.partition
        )
        warnings += partition.warnings
    return MaaResult(
        tumour_to_normal={name: uptake[name].mean / normal.mean for name in tumours},
        all_tumours_to_normal=ratio,
        tumour_volume_ml=volume,
        normal_liver_volume_ml=normal.volume_ml,
        lung_shunt=shunt,
        partition=partition,
        warnings=tuple(warnings),
    )
