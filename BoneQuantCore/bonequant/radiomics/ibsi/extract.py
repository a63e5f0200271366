"""The IBSI family for one region: prepare once, filter, discretise, and take every class of features.

Names are ``<image>_<class>_<Feature>`` as in pyradiomics, e.g. ``original_glcm_Contrast``.
"""

from __future__ import annotations

import numpy as np

from bonequant.radiomics.features import Features
from bonequant.radiomics.ibsi.discretise import grey_levels
from bonequant.radiomics.ibsi.distance_zones import distance_zones
from bonequant.radiomics.ibsi.first_order import histogram, statistics
from bonequant.radiomics.ibsi.images import filtered, image_names, margin_mm
from bonequant.radiomics.ibsi.local_peak import intensity_peaks
from bonequant.radiomics.ibsi.prepare import Prepared, prepare, tight_box
from bonequant.radiomics.ibsi.shape import morphology, shape
from bonequant.radiomics.ibsi.table import ONCE, names
from bonequant.radiomics.ibsi.texture import texture
from bonequant.radiomics.ibsi.volume_histogram import intensity_volume
from bonequant.radiomics.roi_input import RoiInput
from bonequant.radiomics.settings import IbsiSettings

_TEXTURE_OF = {"glcm": "glcm", "glrlm": "glrlm", "glszm": "glszm", "gldm": "gldm", "ngtdm": "ngtdm", "ngldm": "gldm"}


def ibsi_names(settings: IbsiSettings) -> tuple[str, ...]:
    """The names that ``settings`` lead to, whatever the region, in the order of the result."""
    return tuple(
        f"{image}_{feature_class}_{name}"
        for image in image_names(settings)
        for feature_class in settings.classes
        if image == "original" or feature_class not in ONCE
        for name in names(feature_class)
    )


def prepare_ibsi(roi: RoiInput, settings: IbsiSettings) -> Prepared:
    """The region and as much of the image around it as its features need. Raises InputError where no voxel is left."""
    coarsest = float(max(*roi.spacing_mm, *(settings.spacing_mm or (0.0,))))
    return prepare(roi, settings, margin_mm(settings, coarsest))


def ibsi_features(prepared: Prepared, settings: IbsiSettings) -> Features:
    """All features of one region. Raises MissingDependencyError where a class needs pyradiomics and it is missing."""
    found: dict[str, float] = {}
    reasons: dict[str, str] = {}
    kept = prepared.intensity[tight_box(prepared)]
    for image, voxels in filtered(prepared, settings):
        if voxels is None:
            reasons[image] = "the image is thinner than the four voxels that this filter needs"
            continue
        values = voxels[kept]
        if not np.isfinite(values).all():
            reasons[image] = "voxels within the filter's reach are not finite numbers"
            continue
        grey = grey_levels(values, settings, image == "original")
        features = _of_image(prepared, values, grey, image == "original", settings)
        found |= {f"{image}_{name}": value for name, value in features.items()}
        reasons[image] = _why_undefined(values, grey)
    result = Features()
    for name in ibsi_names(settings):
        result.add({name: found.get(name, np.nan)}, reasons[name.partition("_")[0]])
    return result


def _of_image(
    prepared: Prepared, values: np.ndarray, grey: np.ndarray, original: bool, settings: IbsiSettings
) -> dict[str, float]:
    """Features, under ``<class>_<Feature>``, of one image by the region's intensities (N,) and grey levels (N,)."""
    box = tight_box(prepared)
    mask, kept = prepared.morphological[box], prepared.intensity[box]
    levels = np.zeros(kept.shape, dtype=np.int32)
    levels[kept] = grey
    wanted = set(settings.classes) - (set() if original else set(ONCE))
    found: dict[str, float] = {}

    def take(feature_class: str, features: dict[str, float]) -> None:
        found.update({f"{feature_class}_{name}": value for name, value in features.items()})

    if wanted & {"shape", "morphology"}:
        mesh = shape(prepared)
        take("shape", mesh)
        if "morphology" in wanted:
            take("morphology", morphology(prepared, mesh))
    if "localintensity" in wanted:
        take("localintensity", intensity_peaks(prepared))
    if wanted & {"firstorder", "statistics"}:
        of_values = statistics(values, grey, float(prepared.spacing_mm.prod()))
        take("firstorder", of_values)
        take("statistics", of_values)
    if "histogram" in wanted:
        take("histogram", histogram(grey))
    if "ivh" in wanted:
        take("ivh", intensity_volume(values, settings))
    if "gldzm" in wanted:
        take("gldzm", distance_zones(levels, mask, settings.dimensions))
    for kind in dict.fromkeys(_TEXTURE_OF[name] for name in _TEXTURE_OF if name in wanted):
        of_texture = texture(kind, levels, settings.dimensions, settings.aggregation)
        for feature_class, source in _TEXTURE_OF.items():
            if source == kind:
                take(feature_class, of_texture)
    return found


def _why_undefined(values: np.ndarray, grey: np.ndarray) -> str:
    if len(values) == 1:
        return "the region is a single voxel"
    if values.min() == values.max():
        return "all intensities of the region are equal"
    if grey.min() == grey.max():
        return "all intensities of the region fall into one grey level: the bins are too wide for them"
    return "its definition divides by zero for this region"
