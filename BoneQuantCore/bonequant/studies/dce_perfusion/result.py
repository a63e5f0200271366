"""What the DCE job returns for one study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.kinetics import AIF, MotionResult
from bonequant.provenance import Provenance
from bonequant.studies.dce_perfusion.arterial import Delay
from bonequant.studies.dce_perfusion.concentration import SignalFacts
from bonequant.studies.dce_perfusion.regions import RegionFit, measure_regions, region_rows, weights_of
from bonequant.studies.dce_perfusion.settings import DceSettings
from bonequant.volume import DynamicSeries, Volume


@dataclass(frozen=True, eq=False)
class DceResult:
    """One study, measured; all maps lie on the grid of the series.

    Attributes:
        series: the frames as measured from: corrected for motion and smoothed, where asked for.
        concentration: what was fitted, in ``facts.unit``; NaN where there is none.
        facts: how signal became concentration.
        artery: the input as it was found, in plasma, before the delay; None without a kinetic model.
        aif: the input as it was fitted, delayed.
        mask: voxels that were fitted.
        maps: parameter maps, goodness of fit ("rss", "r2", "at_bound"), descriptive maps, and "t1" where it was mapped.
        masks: the regions, as they were given.
        regions: curves and values by region; without masks of all fitted voxels, as "all_fitted".
        counts: what became of every voxel of the series.
        steps: one sentence per preprocessing step, those that were off included.
    """

    name: str
    settings: DceSettings
    series: DynamicSeries
    concentration: DynamicSeries
    facts: SignalFacts
    artery: AIF | None
    aif: AIF | None
    delay: Delay
    mask: sitk.Image
    t1: Volume | None
    maps: Mapping[str, Volume]
    masks: Mapping[str, sitk.Image]
    regions: Mapping[str, RegionFit]
    counts: Mapping[str, int]
    motion: MotionResult | None
    steps: tuple[str, ...]
    provenance: Provenance
    warnings: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """The table of regions, one row each."""
        return region_rows(self.regions)

    @property
    def anatomy(self) -> Volume:
        """Mean of the frames, to lay maps over."""
        mean = np.nan_to_num(self.series.frames.mean(axis=0, dtype=np.float32))
        return self.series.frame(0).with_array(mean, name="mean of the frames")

    def measure(self, masks: Mapping[str, sitk.Image]) -> dict[str, RegionFit]:
        """Curves and values of further regions, in the space of the series: a lesion carried from another date.

        Raises InputError for a region that lies beside the series.
        """
        weights = {name: weights_of(name, mask, self.series) for name, mask in masks.items()}
        return measure_regions(
            weights, self.series, self.concentration, self.maps, self.aif, self.settings.model, self.settings.kinetics
        )
