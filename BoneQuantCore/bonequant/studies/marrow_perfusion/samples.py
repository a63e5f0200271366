"""Values of the functional image in a few regions, for histograms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from bonequant.studies.marrow_perfusion.regions import Regions
from bonequant.volume import Geometry, Volume, sample_at

_MOST = 20_000  # values per region; a histogram needs no more


def samples_of(
    functional: Volume, transform: sitk.Transform | None, regions: Regions, names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Values at the voxel centres of the named regions (all, where none of them is there), evenly thinned."""
    masks = {**regions.on_ct, **regions.on_functional}
    chosen = [name for name in names if name in masks] or list(masks)[:6]
    found = {}
    for name in chosen:
        mask = masks[name]
        voxels = np.flatnonzero(sitk.GetArrayViewFromImage(mask) > 0.5)
        if not len(voxels):
            continue
        voxels = voxels[:: max(1, len(voxels) // _MOST)]
        geometry = Geometry.of(mask)
        points = geometry.points_of(np.stack(np.unravel_index(voxels, geometry.shape), axis=1))
        values = sample_at(functional.image, points, transform if name in regions.on_ct else None)
        found[name] = values[np.isfinite(values)]
    return found
