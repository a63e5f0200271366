"""What the DCE job takes, and the checks made before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.kinetics import MODELS
from bonequant.studies.dce_perfusion.settings import DESCRIPTIVE_ONLY, DceSettings
from bonequant.volume import Curve, DynamicSeries, Volume

MODALITIES = ("MR", "CT")


@dataclass(frozen=True, eq=False)
class DceInputs:
    """One dynamic study of one patient.

    Attributes:
        series: MR signal, MR concentration (unit "mM") or CT in HU.
        t1_volumes: MR volumes of different flip angles, from which T1 is mapped; TR and angle in their acquisition.
        t1_map: T1 before contrast (s or ms), on any grid.
        b1_map: factor of the flip angle, on any grid.
        masks: regions to measure, each on the grid on which it was drawn, in the space of the series.
        aif_curve: an input from elsewhere; plasma or blood, see ``DceSettings.input_is``.
        aif_region: the artery, drawn; it takes the place of the search.
        delay_s: of the tissue, by hand for this study alone; it goes before ``DceSettings.delay_s``.
        name: of the date in tables ("baseline"); no patient identifier.
    """

    series: DynamicSeries
    t1_volumes: Sequence[Volume] = ()
    t1_map: Volume | None = None
    b1_map: Volume | None = None
    masks: Mapping[str, sitk.Image] = field(default_factory=dict)
    aif_curve: Curve | None = None
    aif_region: sitk.Image | None = None
    delay_s: float | None = None
    name: str = "baseline"


def check(inputs: DceInputs, settings: DceSettings) -> None:
    """Raise InputError for inputs that do not fit each other or the settings, before long work begins."""
    series = inputs.series
    label = series.source or series.name or "The series"
    if series.modality not in MODALITIES and series.unit != "mM":
        raise InputError(
            f"{label} has modality {series.modality}; dynamic MR or CT is due. For a plain image file say which: "
            "--fact modality=MR."
        )
    if series.modality == "CT" and series.unit not in ("HU", "mM"):
        raise InputError(f"{label} is a CT in {series.unit or 'no unit'}; HU is due: --fact unit=HU.")
    if inputs.aif_curve is not None and inputs.aif_region is not None:
        raise InputError("Both an input curve and the region of an artery are given; give one.")
    if inputs.t1_map is not None and inputs.t1_volumes:
        raise InputError("Both a T1 map and a series of flip angles are given; give one.")
    asked = settings.signal.baseline_frames
    if asked is not None and asked >= len(series.times_s):
        raise InputError(
            f"signal.baseline_frames is {asked}, and {label} has {len(series.times_s)} frames: those before the "
            "contrast are fewer."
        )
    if settings.maps_of == "regions" and not inputs.masks:
        raise InputError("maps_of=regions needs regions: give masks, or maps_of=body.")
    if settings.model != DESCRIPTIVE_ONLY:
        needed = len(MODELS[settings.model].free) + (settings.delay == "voxel") + 1
        if len(series.times_s) < needed:
            raise InputError(
                f"{label} has {len(series.times_s)} frames; {settings.model} needs at least {needed} for its "
                "parameters. Take a simpler model, or descriptive maps alone: --set model=none."
            )
