"""Parametric maps on the functional image's own grid."""

from __future__ import annotations

from bonequant.roi import RoiMeasurement
from bonequant.volume import Volume


def parametric_maps(functional: Volume, reference: RoiMeasurement | None) -> dict[str, Volume]:
    """The quantity itself, and its ratio to the mean of the reference region where there is one."""
    name = "suv" if functional.unit.startswith("SUV") else "activity" if functional.unit == "Bq/mL" else "uptake"
    maps = {name: functional.replace(name=name)}
    if reference is not None and reference.mean > 0:
        maps["ratio"] = functional.with_array(functional.array / reference.mean, unit="ratio", name="ratio")
    return maps
