"""What the dynamic SPECT job takes, and the checks made before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.volume import Curve, DynamicSeries


@dataclass(frozen=True, eq=False)
class DynamicSpectInputs:
    """One dynamic scan.

    Attributes:
        series: frames in counts or Bq/mL.
        masks: regions in the space of the series, the blood pool among them; each on its own grid.
        blood: blood curve in place of a region: Bq/mL at times since the injection, decay-corrected to it.
        transform: points of the masks' space to points of the series; None is the identity.
        name: in titles; no patient identifier.
    """

    series: DynamicSeries
    masks: Mapping[str, sitk.Image] = field(default_factory=dict)
    blood: Curve | None = None
    transform: sitk.Transform | None = None
    name: str = "dynamic SPECT"


def check(inputs: DynamicSpectInputs) -> None:
    """Raises InputError for what is no dynamic SPECT, or without a region."""
    series = inputs.series
    label = series.source or series.name or "The series"
    if series.modality not in ("NM", "PT", "OT"):
        raise InputError(f"{label} has modality {series.modality}; a dynamic SPECT (or PET) is due.")
    if series.unit not in ("counts", "Bq/mL"):
        raise InputError(
            f"{label} is in {series.unit or 'no unit'}, where counts or Bq/mL are due. If the file does not say, give "
            "it: --fact unit=counts."
        )
    if len(series.times_s) < 3:
        raise InputError(f"{label} has {len(series.times_s)} frames; kinetics need 3 at least.")
    if not inputs.masks:
        raise InputError("There is no region to measure: draw regions in the space of the SPECT and give --mask.")
