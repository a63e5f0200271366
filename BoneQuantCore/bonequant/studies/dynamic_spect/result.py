"""What the dynamic SPECT job returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import SimpleITK as sitk

from bonequant.kinetics import Fit
from bonequant.provenance import Provenance
from bonequant.roi import RegionCurve
from bonequant.studies.dynamic_spect.frames import Frames
from bonequant.studies.dynamic_spect.settings import DynamicSpectSettings
from bonequant.volume import Acquisition, Curve


@dataclass(frozen=True, eq=False)
class DynamicSpectResult:
    """One dynamic scan, measured.

    Attributes:
        frames: comparable frames, decay-corrected, with what was done to them.
        masks: as drawn; curves: time-activity curve of each (mid-frame times since the injection).
        blood: the input; None where there was none, and no kinetics then.
        blood_from: its region, or "file"; "" for none.
        one_tissue, patlak: fits by region, empty where not asked for.
        rows: the table, one row per region.
        windows: early and late window (s since the injection).
        blood_clearance: mono-exponential rate of the blood, 1/min; None where not asked for.
    """

    name: str
    settings: DynamicSpectSettings
    acquisition: Acquisition
    frames: Frames
    masks: Mapping[str, sitk.Image]
    transform: sitk.Transform | None
    curves: Mapping[str, RegionCurve]
    blood: Curve | None
    blood_from: str
    one_tissue: Mapping[str, Fit]
    patlak: Mapping[str, Fit]
    rows: tuple[dict[str, Any], ...]
    windows: tuple[tuple[float, float], tuple[float, float]]
    blood_clearance: float | None
    provenance: Provenance
    warnings: tuple[str, ...] = ()
