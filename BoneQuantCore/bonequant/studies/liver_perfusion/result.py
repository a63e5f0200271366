"""What the liver job returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.kinetics import AIF, Fit
from bonequant.provenance import Provenance
from bonequant.roi import RegionCurve
from bonequant.studies.liver_perfusion.maa import MaaComparison, MaaUptake
from bonequant.studies.liver_perfusion.readers import ReaderComparison
from bonequant.studies.liver_perfusion.settings import LiverSettings
from bonequant.studies.liver_perfusion.tissue import Inputs
from bonequant.volume import Acquisition, Volume


@dataclass(frozen=True, eq=False)
class MotionReport:
    """What motion correction did, without its frames: rows per frame, and the frame that stayed (from 0)."""

    rows: tuple[dict[str, float], ...]
    reference: int
    difference: tuple[float, float]
    transforms: tuple[sitk.Transform, ...]


@dataclass(frozen=True, eq=False)
class LiverResult:
    """One perfusion CT, measured.

    Attributes:
        anatomy: mean over the (corrected) frames, HU.
        motion: None where it was not corrected.
        masks: every region measured, on the grid on which it was drawn; ``liver`` without lesions and vessels.
        origins: per region "drawn" or "found".
        baseline_frames: frames whose mean is the baseline.
        curves: mean HU of every region over time; ``enhancement`` the same above the baseline (T,).
        inputs: enhancement of aorta, portal vein and spleen.
        found_aorta: the automatic input, where no aorta was drawn.
        fits: dual-input model of each tissue's mean curve; ``delays_s`` the arterial delay it was made with.
        rows: table of tissue by the fit of the mean curves; ``voxel_rows``: by the means of the voxel fits.
        input_rows: aorta, portal vein, spleen.
        maps: ``<quantity>_<method>`` and the model's own, on the grid of the series.
        steps: what the preprocessing of the maps did.
        maa, maa_uptake: comparison with MAA; readers: with the second reader; None where there is none.
    """

    name: str
    settings: LiverSettings
    acquisition: Acquisition
    times_s: np.ndarray
    anatomy: Volume
    motion: MotionReport | None
    masks: Mapping[str, sitk.Image]
    origins: Mapping[str, str]
    baseline_frames: int
    curves: Mapping[str, RegionCurve]
    enhancement: Mapping[str, np.ndarray]
    inputs: Inputs
    found_aorta: AIF | None
    fits: Mapping[str, Fit]
    delays_s: Mapping[str, float]
    rows: tuple[dict[str, Any], ...]
    voxel_rows: tuple[dict[str, Any], ...]
    input_rows: tuple[dict[str, Any], ...]
    maps: Mapping[str, Volume]
    steps: tuple[str, ...]
    provenance: Provenance
    maa: MaaComparison | None = None
    maa_uptake: MaaUptake | None = None
    readers: ReaderComparison | None = None
    warnings: tuple[str, ...] = ()

    @property
    def lesions(self) -> list[str]:
        return [row["region"] for row in self.rows if row["region"] != "liver"]
