"""Iodine and bowel contrast on CT: how bright the blood is, and which bright pieces are organs rather than bone.

A bone has cortex and marrow and so a wide spread of HU; an enhanced kidney or heart is even, a filled bowel loop or
renal pelvis is far brighter in its middle than at its rim, but not as dense as the cortex of a long bone, which is
so too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from bonequant.roi.aorta import find_aorta
from bonequant.roi.canal import Canal
from bonequant.roi.morphology import erode_disc

_RIM_MM = 4.0
_LEAST_ORGAN_ML = 10.0  # a small piece may be a sclerotic lesion
_LEAST_CORE = 0.15  # bone is mostly rim
_EVEN_SD_HU = 60.0  # cortex and marrow together have 130 HU and more
_BRIGHTER_HU = 150.0
_CORTEX_HU = 700.0  # only cortical bone and teeth hold as much in more than a few voxels


def blood_hu(hu: np.ndarray, canal: Canal | None, spacing: Sequence[float]) -> tuple[float, float]:
    """Mean and sd of the aorta's HU; NaN, NaN where there is no spine or no aorta to be seen."""
    aorta = None if canal is None else find_aorta(hu, canal, spacing)
    return (float("nan"), float("nan")) if aorta is None else (aorta.mean_hu, aorta.sd_hu)


def without_enhanced_organs(hard: np.ndarray, hu: np.ndarray, spacing: Sequence[float]) -> tuple[np.ndarray, list[str]]:
    """``hard`` without the connected pieces that have no cortex, and a remark where there were any."""
    core = erode_disc(hard, _RIM_MM, spacing)
    labels, count = ndimage.label(hard)
    if count == 0:
        return hard, []
    flat = labels[hard]
    size = np.bincount(flat, minlength=count + 1)
    value = np.bincount(flat, weights=hu[hard], minlength=count + 1)
    square = np.bincount(flat, weights=hu[hard].astype(np.float64) ** 2, minlength=count + 1)
    core_size = np.bincount(labels[core], minlength=count + 1)
    core_value = np.bincount(labels[core], weights=hu[core], minlength=count + 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        core_mean = core_value / core_size
        rim_mean = (value - core_value) / (size - core_size)
        sd = np.sqrt(square / size - (value / size) ** 2)
        bright = core_mean > rim_mean + _BRIGHTER_HU
        organ = (core_size > _LEAST_CORE * size) & ((sd < _EVEN_SD_HU) | bright)
    organ &= size * float(np.prod(spacing)) / 1000.0 > _LEAST_ORGAN_ML
    organ[0] = False
    for number in np.flatnonzero(organ):
        organ[number] = np.percentile(hu[labels == number], 98) < _CORTEX_HU
    if not organ.any():
        return hard, []
    volume = float(size[organ].sum() * np.prod(spacing)) / 1000.0
    remark = f"{volume:.0f} mL bright but without cortex (enhanced organ, bowel contrast) left out of the bone."
    return hard & ~organ[labels], [remark]
