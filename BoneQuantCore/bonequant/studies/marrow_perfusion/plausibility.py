"""Bands in which published normal values lie: outside, a unit, a dose or a time is more often wrong than the patient.

Nowicka 2025 (paper 1): normal vertebra SUVmean 3.92 +- 0.27 (99mTc-MDP); lumbar SUV 5.91 +- 1.54 (99mTc-DPD, 4 h).
A band is mean +- 3 SD of normal values: a warning, never a correction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bonequant.radionuclides import nuclide_name
from bonequant.roi import RoiMeasurement
from bonequant.volume import Acquisition


@dataclass(frozen=True)
class Band:
    """Published mean and SD of SUVmean in normal vertebrae for one tracer."""

    mean: float
    sd: float
    source: str

    @property
    def limits(self) -> tuple[float, float]:
        return (self.mean - 3 * self.sd, self.mean + 3 * self.sd)


@dataclass(frozen=True)
class Plausibility:
    """One vertebra against its band."""

    region: str
    suv_mean: float
    low: float
    high: float
    inside: bool
    source: str


BANDS = {
    "mdp": Band(3.92, 0.27, "normal vertebra, 99mTc-MDP (Nowicka 2025)"),
    "dpd": Band(5.91, 1.54, "lumbar vertebra, 99mTc-DPD at 4 h (Nowicka 2025)"),
}

NUCLIDES = {
    **dict.fromkeys(("mdp", "dpd", "hdp", "colloid", "blood_pool", "sestamibi", "maa"), "99mTc"),
    **dict.fromkeys(("fdg", "naf"), "18F"),
}


def tracer_warnings(acquisition: Acquisition, tracer: str) -> tuple[str, ...]:
    """A warning where the radionuclide is known and is not the one that ``tracer`` is labelled with."""
    due, found = NUCLIDES.get(tracer), nuclide_name(acquisition.radionuclide)
    if due is None or found is None or found == due:
        return ()
    return (f"The tracer is set to {tracer}, which is labelled with {due}, but the image is of {found}: check both.",)


def judge(measurements: Mapping[str, RoiMeasurement], vertebrae: list[str], tracer: str) -> tuple[Plausibility, ...]:
    """Compare the vertebrae with the tracer's band; empty where none is published or the unit is not SUVbw."""
    band = BANDS.get(tracer)
    if band is None:
        return ()
    low, high = band.limits
    return tuple(
        Plausibility(name, m.mean, low, high, low <= m.mean <= high, band.source)
        for name in vertebrae
        if (m := measurements.get(name)) is not None and m.unit == "SUVbw"
    )
