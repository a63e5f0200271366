"""Maps of chosen features: each voxel of the region gets the feature of its neighbourhood.

Source: pyradiomics 3.0.1, voxel-based extraction with the kernel masked by the region; grey levels are those of the
whole region, discretised as for the region's features. Features that need two levels are NaN where all are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from bonequant.errors import InputError, SettingsError
from bonequant.progress import Progress, part_of
from bonequant.radiomics.describe import describe_feature
from bonequant.radiomics.ibsi.discretise import grey_levels
from bonequant.radiomics.ibsi.extract import prepare_ibsi
from bonequant.radiomics.ibsi.images import filtered, image_names
from bonequant.radiomics.ibsi.prepare import tight_box
from bonequant.radiomics.ibsi.texture import NEED_TWO_LEVELS, TEXTURES, aggregation_options, feature_class, quiet
from bonequant.radiomics.roi_input import box_of, read_roi
from bonequant.radiomics.settings import IbsiSettings, RadiomicsSettings
from bonequant.volume.types import Volume, image_from_array

_CLASSES = ("firstorder", *TEXTURES)
_BATCH_NUMBERS = 10_000_000  # numbers in the matrices of one batch of voxels: 80 MB


def feature_maps(
    image: Volume | sitk.Image,
    mask: sitk.Image,
    features: Sequence[str],
    settings: IbsiSettings | RadiomicsSettings | None = None,
    *,
    radius: int = 1,
    progress: Progress | None = None,
) -> dict[str, Volume]:
    """A map, on the image's grid, of each of ``features``; NaN outside the region.

    Args:
        features: names as :func:`~bonequant.radiomics.extract` returns them, of first order and texture classes.
        settings: filters, resegmentation and discretisation; resampling is not possible here.
        radius: neighbourhood of (2 radius + 1) voxels along each axis (in the slice alone for 2-D settings).

    Raises InputError for a feature that has no map, SettingsError for settings that resample, else as ``extract``.
    """
    settings = RadiomicsSettings.of(settings).ibsi
    check_maps(features, settings)
    wanted = _by_image(features)
    if any(settings.spacing_mm):
        raise SettingsError("Maps are made on the image's own grid: leave spacing_mm empty, or resample both before.")
    roi = read_roi(image, mask)
    prepared = prepare_ibsi(roi, settings)
    kept = prepared.intensity[tight_box(prepared)]
    box = box_of(roi.mask)
    maps: dict[str, np.ndarray] = {}
    groups = [(name, kind) for name, kinds in wanted.items() for kind in kinds]
    for name, voxels in filtered(prepared, settings):
        for kind, chosen in wanted.pop(name, {}).items():
            if voxels is None:
                raise InputError(f"The image is too thin for the filter {name!r}.")
            levels = np.zeros(kept.shape, dtype=np.int32)
            levels[kept] = grey_levels(voxels[kept], settings, name == "original")
            start = groups.index((name, kind))
            share = part_of(progress, start / len(groups), (start + 1) / len(groups))
            for feature, values in _maps_of_class(kind, chosen, voxels, levels, settings, radius, share).items():
                full = np.full(roi.mask.shape, np.nan, dtype=np.float32)
                full[box] = values
                maps[f"{name}_{kind}_{feature}"] = full
    return {name: Volume(image_from_array(maps[name], roi.geometry), name=name) for name in features}


def check_maps(features: Sequence[str], settings: IbsiSettings) -> None:
    """Raise InputError for a feature that has no map, or whose image the settings do not make."""
    absent = sorted(set(_by_image(features)) - set(image_names(settings)))
    if absent:
        raise InputError(f"The settings make no image {', '.join(absent)}: add it to image_types.")


def _by_image(features: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """Image to class to feature names."""
    wanted: dict[str, dict[str, list[str]]] = {}
    for name in features:
        info = describe_feature(name)
        if info.feature_class not in _CLASSES:
            raise InputError(f"{name} has no map; maps exist of the classes {', '.join(_CLASSES)}.")
        wanted.setdefault(info.image, {}).setdefault(info.feature_class, []).append(name.split("_")[2])
    if not wanted:
        raise InputError("No feature is named of which to make a map.")
    return wanted


def _maps_of_class(
    kind: str,
    features: list[str],
    voxels: np.ndarray,
    levels: np.ndarray,
    settings: IbsiSettings,
    radius: int,
    report: Progress,
) -> dict[str, np.ndarray]:
    """Feature to values, of one class, for the voxels that have a level; NaN elsewhere."""
    options: dict[str, Any] = aggregation_options(levels, settings.dimensions, settings.aggregation, kind)
    image = sitk.GetImageFromArray(voxels if kind == "firstorder" else levels)
    mask = sitk.GetImageFromArray((levels > 0).astype(np.uint8))
    calculator = feature_class(kind)(
        image, mask, voxelBased=True, maskedKernel=True, kernelRadius=radius, levels=levels, **options
    )
    for feature in features:
        calculator.enableFeatureByName(feature)
    maps = {feature: np.full(levels.shape, np.nan) for feature in features}
    places = calculator.labelledVoxelCoordinates
    count = places.shape[1]
    batch = max(_BATCH_NUMBERS // _numbers_per_voxel(kind, int(levels.max()), radius), 1)
    for first in range(0, count, batch):
        report(first / count, f"map of {kind}")
        part = places[:, first : first + batch]
        with quiet():
            for real, feature, values in calculator._calculateFeatures(part):
                maps[feature][tuple(part)] = np.real(values) if real else np.nan
    flat = _one_level(levels, radius, settings.dimensions != "3d")
    for feature in set(NEED_TWO_LEVELS.get(kind, ())) & set(maps):
        maps[feature][flat] = np.nan
    if "Kurtosis" in maps:
        maps["Kurtosis"] -= 3.0  # IBSI's is the excess
    return maps


def _one_level(levels: np.ndarray, radius: int, flat: bool) -> np.ndarray:
    """Voxels in whose neighbourhood the region has a single grey level."""
    width = 2 * radius + 1
    size = (1 if flat else width, width, width)
    highest = ndimage.maximum_filter(levels, size, mode="constant")
    lowest = ndimage.minimum_filter(np.where(levels > 0, levels, highest.max() + 1), size, mode="nearest")
    return highest == lowest


def _numbers_per_voxel(kind: str, levels: int, radius: int) -> int:
    width = 2 * radius + 1
    numbers = {"glcm": 13 * levels**2, "glrlm": 13 * levels * width, "firstorder": 4 * width**3}
    return numbers.get(kind, levels * width**3)
