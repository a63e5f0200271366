"""Maps of chosen features of every lesion on every image, joined into one volume per image and feature."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from bonequant.errors import MissingDependencyError
from bonequant.progress import Progress, part_of
from bonequant.radiomics import feature_maps
from bonequant.studies.lesion_radiomics.inputs import Space
from bonequant.studies.lesion_radiomics.result import OnImage
from bonequant.studies.lesion_radiomics.settings import LesionSettings
from bonequant.volume import Volume


def lesion_maps(
    images: Mapping[Space, Volume],
    on_images: Mapping[str, Mapping[Space, OnImage]],
    settings: LesionSettings,
    progress: Progress,
) -> tuple[dict[str, Volume], list[str]]:
    """Maps by "<image> <feature>", NaN outside the lesions, on the image's own grid; and what the reader should know.

    Grey levels are made as for the features, on the voxels as they are: maps do not resample. Where lesions overlap
    the first one stands.
    """
    if not settings.maps:
        return {}, []
    found: dict[str, Volume] = {}
    steps = [(space, lesion) for space in images for lesion in on_images]
    for number, (space, lesion) in enumerate(steps):
        on = on_images[lesion][space]
        if on.region.mask is None:
            continue
        ibsi = dataclasses.replace(settings.ibsi(space), spacing_mm=())
        share = part_of(progress, number / len(steps), (number + 1) / len(steps))
        try:
            made = feature_maps(
                images[space], on.region.mask, settings.maps, ibsi, radius=settings.map_radius, progress=share
            )
        except MissingDependencyError as error:
            return {}, [f"No feature maps: {error}"]
        for feature, volume in made.items():
            name = f"{on.image} {feature}"
            before = found.get(name)
            found[name] = volume if before is None else before.with_array(_joined(before.array, volume.array))
    return found, []


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(first), first, second)
