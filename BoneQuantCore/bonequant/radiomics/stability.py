"""Which features survive another drawing of the region: ICC over readers, times or perturbed masks, and a filter.

Source: Zwanenburg et al., Sci Rep 2019;9:614; Koo & Li, J Chiropr Med 2016;15:155 (0.75 = good agreement).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.progress import Progress
from bonequant.radiomics.extract_many import Case, extract_many
from bonequant.radiomics.features import Features
from bonequant.radiomics.perturb import perturb
from bonequant.radiomics.settings import AnySettings, StabilitySettings
from bonequant.statistics.icc import Icc, icc


def feature_stability(
    readings: Sequence[Sequence[Mapping[str, float]]], *, form: str = "2,1", confidence: float = 0.95
) -> dict[str, Icc]:
    """ICC, with its interval, of every feature.

    Args:
        readings: one sequence per reading (reader, time or mask), each with the features of the same regions in the
            same order; at least two readings.
        form: "2,1" (absolute agreement, readers drawn from many) or "3,1" (consistency of these readers), see ``icc``.

    A region in which a feature is missing (NaN) in any reading does not count for it. Where fewer than two regions are
    left the ICC is NaN. Raises InputError where readings differ in length or features.
    """
    if len(readings) < 2 or len({len(reading) for reading in readings}) != 1 or not readings[0]:
        raise InputError("Stability needs at least two readings of the same regions, in the same order.")
    names = list(readings[0][0])
    if any(set(region) != set(names) for reading in readings for region in reading):
        raise InputError("The readings do not hold the same features: extract all with the same settings.")
    values = np.array([[[region[name] for name in names] for region in reading] for reading in readings])
    found: dict[str, Icc] = {}
    for column, name in enumerate(names):
        table = values[:, :, column].T
        table = table[np.isfinite(table).all(axis=1)]
        if len(table) < 2:
            found[name] = Icc(form, math.nan, (math.nan, math.nan), math.nan, math.nan, len(table), len(readings))
        else:
            found[name] = icc(table, form, confidence)
    return found


def perturbed_stability(
    cases: Sequence[Case],
    settings: AnySettings | None = None,
    stability: StabilitySettings | None = None,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, Icc]:
    """ICC of every feature over the drawn mask and its perturbed versions: no second reader needed.

    Args:
        cases: (image, mask) of at least two regions; the ICC compares their spread with that between the masks.
    """
    stability = stability or StabilitySettings()
    if len(cases) < 2:
        raise InputError("Stability needs at least two regions; the ICC compares their differences with the readings'.")
    flat = extract_many(list(_all_drawings(cases, stability)), settings, workers=workers, progress=progress)
    readings: list[list[Features]] = [flat[start :: stability.count + 1] for start in range(stability.count + 1)]
    return feature_stability(readings, form=stability.icc_form)


def stable_features(found: Mapping[str, Icc], settings: StabilitySettings | None = None) -> list[str]:
    """Names of the features whose ICC, or the lower limit of its interval, reaches the threshold; NaN never does."""
    settings = StabilitySettings.of(settings)
    return [
        name
        for name, value in found.items()
        if (value.ci[0] if settings.by_lower_limit else value.value) >= settings.threshold
    ]


def redrawn(mask: sitk.Image, settings: StabilitySettings, number: int = 0) -> Iterator[sitk.Image]:
    """``settings.count`` perturbed versions of a mask; shift and growth drawn evenly from their ranges.

    ``number``: of the region, so that each has its own changes. Raises InputError where nothing of it is left.
    """
    for reading in range(settings.count):
        random = np.random.default_rng([settings.seed, number, reading])
        shift = random.uniform(-settings.shift_mm, settings.shift_mm, 3)
        yield perturb(
            mask,
            shift_mm=(float(shift[0]), float(shift[1]), float(shift[2])),
            grow_mm=float(random.uniform(-settings.grow_mm, settings.grow_mm)),
            contour_noise_mm=settings.contour_noise_mm,
            correlation_mm=settings.correlation_mm,
            in_plane=settings.in_plane,
            seed=int(random.integers(2**31)),
        )


def _all_drawings(cases: Sequence[Case], settings: StabilitySettings) -> Iterator[Case]:
    """Each case as drawn, then its perturbed versions."""
    for number, (image, mask) in enumerate(cases):
        yield image, mask
        for changed in redrawn(mask, settings, number):
            yield image, changed
