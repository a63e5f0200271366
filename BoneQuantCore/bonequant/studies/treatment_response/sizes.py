"""Sizes of a lesion at one date, from a mask that was drawn there: a carried mask has the size it was drawn with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.roi import Bidimensional, bidimensional, extents
from bonequant.studies.treatment_response.inputs import DateInputs
from bonequant.studies.treatment_response.lesions import DRAWN, Lesion
from bonequant.studies.treatment_response.settings import ResponseSettings
from bonequant.volume import Geometry


@dataclass(frozen=True)
class Size:
    """``diameters`` on the section where their product is largest; ``extra_osseous_mm``: of the soft-tissue part."""

    volume_ml: float | None = None
    diameters: Bidimensional | None = None
    extra_osseous_mm: tuple[float, float, float] | None = None


def size_of(lesion: Lesion, date: int, one: DateInputs, settings: ResponseSettings) -> Size:
    """Empty where the lesion was not drawn at that date."""
    outline, name = lesion.outlines[date], lesion.names[date]
    if outline.origin != DRAWN or outline.mask is None or name is None:
        return Size()
    voxels = sitk.GetArrayViewFromImage(outline.mask)
    outside = one.extra_osseous.get(name)
    return Size(
        volume_ml=float(voxels.sum(dtype=np.float64)) * Geometry.of(outline.mask).voxel_volume_ml,
        diameters=bidimensional(outline.mask, settings.size_plane, lesion.label),  # type: ignore[arg-type]
        extra_osseous_mm=None if outside is None else extents(outside, f"{name}_extra_osseous"),
    )
