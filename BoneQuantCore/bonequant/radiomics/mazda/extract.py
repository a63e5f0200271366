"""MaZda's 279 features of one 2-D region. Those that do not exist for it are NaN, each with its reason."""

from __future__ import annotations

import math

import numpy as np

from bonequant.radiomics.features import Features
from bonequant.radiomics.mazda.autoregressive import autoregressive
from bonequant.radiomics.mazda.co_occurrence import co_occurrence
from bonequant.radiomics.mazda.gradient import absolute_gradient
from bonequant.radiomics.mazda.haar import haar_energies
from bonequant.radiomics.mazda.histogram import histogram
from bonequant.radiomics.mazda.names import AUTOREGRESSIVE, GRADIENT, HAAR, NAMES, PAIR_FEATURES
from bonequant.radiomics.mazda.normalise import (
    GRADIENT_BITS,
    HISTOGRAM_BITS,
    TEXTURE_BITS,
    grey_range,
    quantised,
    scaled,
)
from bonequant.radiomics.mazda.run_length import run_lengths
from bonequant.radiomics.settings import MazdaSettings

_EQUAL = "all grey levels it is made of are equal"


def mazda_features(section: np.ndarray, mask: np.ndarray, settings: MazdaSettings) -> Features:
    """All 279 of the pixels (y, x) of ``section`` in ``mask`` (booleans of the same shape, at least one true)."""
    low, high = grey_range(section, mask, settings)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    inside, image = mask[box], scaled(section[box], low, high)
    found = Features()

    found.add(histogram(quantised(image, HISTOGRAM_BITS)[inside]), _EQUAL)

    size = settings.gradient_size
    gradient = absolute_gradient(quantised(image, GRADIENT_BITS), inside, int(size[0]) // 2)
    if gradient is None:
        found.lose(GRADIENT, f"no pixel has its {size} neighbours in the region")
    else:
        found.add(gradient, _EQUAL)

    levels = quantised(image, TEXTURE_BITS)
    found.add(run_lengths(levels, inside))
    log_base = math.e if settings.entropy_log == "e" else float(settings.entropy_log)
    for (x, y), features in co_occurrence(levels, inside, settings.symmetric, log_base).items():
        if features is None:
            names = [f"S({x},{y}){name}" for name in PAIR_FEATURES]
            found.lose(names, f"no two pixels of the region lie ({x},{y}) apart")
        else:
            found.add({f"S({x},{y}){name}": value for name, value in features.items()}, _EQUAL)

    if settings.normalisation == "none":
        image = section[box].astype(np.float64)
    model: dict[str, float] | str = "all intensities of the region are equal"
    if image[inside].min() < image[inside].max():
        model = autoregressive(image, inside, settings.ar_order, settings.ar_sigma == "relative")
    if isinstance(model, str):
        found.lose(AUTOREGRESSIVE, model)
    else:
        found.add(model)

    energies = haar_energies(image, inside)
    found.add(energies)
    found.lose(
        (name for name in HAAR if name not in energies), "no whole block of pixels of this scale fits into the region"
    )
    assert tuple(found) == NAMES
    return found
