"""Regions of the marrow job: found on the CT, by uptake, or drawn; a drawn one always wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import SimpleITK as sitk

from bonequant.progress import Progress
from bonequant.roi import LesionCandidate, segment_skeleton
from bonequant.studies.marrow_perfusion.inputs import MarrowInputs
from bonequant.studies.marrow_perfusion.settings import MarrowSettings
from bonequant.volume import Volume


@dataclass(frozen=True, eq=False)
class Regions:
    """Masks on the grid of the CT and on that of the functional image, and how each came to be."""

    on_ct: Mapping[str, sitk.Image]
    on_functional: Mapping[str, sitk.Image]
    origins: Mapping[str, str]
    vertebrae: tuple[str, ...] = ()
    lesions: tuple[LesionCandidate, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def lesion_names(self) -> list[str]:
        return [lesion.name for lesion in self.lesions]


def find_regions(
    inputs: MarrowInputs,
    functional: Volume,
    transform: sitk.Transform | None,
    settings: MarrowSettings,
    progress: Progress,
) -> Regions:
    """All regions of one date. ``transform``: points of the CT to points of the functional image."""
    drawn_on_ct, drawn_on_functional = dict(inputs.masks_on_ct), dict(inputs.masks_on_functional)
    origins = dict.fromkeys(drawn_on_ct, "drawn on CT") | dict.fromkeys(drawn_on_functional, "drawn")
    if inputs.ct is None:
        return Regions({}, drawn_on_functional, origins)
    skeleton = segment_skeleton(inputs.ct, settings.skeleton, progress)
    found = dict(skeleton.masks)
    origins = dict.fromkeys(found, "found on CT") | origins
    found |= drawn_on_ct
    return Regions(found, drawn_on_functional, origins, warnings=skeleton.warnings)
