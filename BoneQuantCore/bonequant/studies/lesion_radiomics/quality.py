"""Feature quality: which features survive another drawing, by a reader, at another time, or by machine.

Every drawing goes the whole way: section, copy to the other image, features. ICC(2,1) and ICC(3,1) with intervals
(:mod:`bonequant.statistics.icc`) compare the lesions' differences with the drawings'; the coefficient of variation
within lesions is the root mean square of SD / |mean| over them, and exists for a single lesion too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.progress import Progress
from bonequant.radiomics import StabilitySettings, feature_stability, redrawn, stable_features
from bonequant.statistics.icc import Icc

PERTURBATION = "perturbation"
FEW_LESIONS = 10  # below, intervals of an ICC are so wide that a threshold says little (Koo & Li 2016 ask for 30)

Columns = Mapping[str, float]
Measure = Callable[[str, sitk.Image, sitk.Image | None], Columns]


@dataclass(frozen=True)
class Stability:
    """One feature over the drawings of one kind. ``cv`` is a fraction; NaN where there is none."""

    agreement: Icc  # 2,1
    consistency: Icc  # 3,1
    cv: float
    stable: bool


@dataclass(frozen=True, eq=False)
class Quality:
    """Attributes:
    tables: kind of drawing ("second reader", "second time", "perturbation") to column to its stability.
    readings: kind to lesion id to the drawings' features, the first as drawn at first.
    stable: columns that are stable for every kind; None where that cannot be told, ``reason`` says why.
    """

    tables: Mapping[str, Mapping[str, Stability]] = field(default_factory=dict)
    readings: Mapping[str, Mapping[str, tuple[Columns, ...]]] = field(default_factory=dict)
    stable: tuple[str, ...] | None = None
    reason: str = ""
    warnings: tuple[str, ...] = ()


def feature_quality(
    first: Mapping[str, Columns],
    masks: Mapping[str, tuple[sitk.Image, sitk.Image | None]],
    drawings: Mapping[str, Mapping[str, sitk.Image]],
    measure: Measure,
    settings: StabilitySettings,
    perturb: bool,
    progress: Progress,
) -> Quality:
    """Args:
    first: lesion id to the columns of the first drawing.
    masks: lesion id to its mask and, where there is one, the adjusted mask on the other image.
    drawings: "second reader" ... to lesion id to mask; lesions may be left out.
    measure: lesion id, mask, adjusted mask to columns. InputError means: cannot be measured.
    """
    readings: dict[str, dict[str, tuple[Columns, ...]]] = {}
    jobs = [(kind, lesion) for kind, drawn in drawings.items() for lesion in drawn]
    jobs += [(PERTURBATION, lesion) for lesion in masks] if perturb else []
    lost: list[str] = []
    for number, (kind, lesion) in enumerate(jobs):
        progress(number / len(jobs), f"Redrawing {lesion}")
        rows = [first[lesion]]
        if kind != PERTURBATION:
            rows.append(measure(lesion, drawings[kind][lesion], None))
        else:
            try:
                rows += [
                    measure(lesion, *pair) for pair in _redrawn(masks[lesion], settings, list(masks).index(lesion))
                ]
            except InputError:
                lost.append(lesion)
                continue
        readings.setdefault(kind, {})[lesion] = tuple(rows)
    tables = {kind: _table(list(rows.values()), settings) for kind, rows in readings.items()}
    warnings = []
    if lost:
        warnings.append(f"Too small to be redrawn by machine: {', '.join(lost)}. Stability is without them.")
    stable, reason = _stable(tables, readings)
    fewest = min((len(rows) for rows in readings.values()), default=0)
    if stable is not None and fewest < FEW_LESIONS:
        warnings.append(
            f"Stability rests on {fewest} lesions: its intervals are wide. Pool the readings of a cohort before "
            "features are left out for it."
        )
    return Quality(tables, readings, stable, reason, tuple(warnings))


def _redrawn(
    masks: tuple[sitk.Image, sitk.Image | None], settings: StabilitySettings, number: int
) -> list[tuple[sitk.Image, sitk.Image | None]]:
    """The lesion's mask, and its adjusted one alike, redrawn ``settings.count`` times."""
    first = redrawn(masks[0], settings, number)
    if masks[1] is None:
        return [(mask, None) for mask in first]
    return list(zip(first, redrawn(masks[1], settings, number), strict=True))


def _table(lesions: Sequence[tuple[Columns, ...]], settings: StabilitySettings) -> dict[str, Stability]:
    readings = [list(drawing) for drawing in zip(*lesions, strict=True)]
    agreement, consistency = (feature_stability(readings, form=form) for form in ("2,1", "3,1"))
    chosen = agreement if settings.icc_form == "2,1" else consistency
    stable = set(stable_features(chosen, settings))
    return {
        name: Stability(agreement[name], consistency[name], _variation(lesions, name), name in stable)
        for name in agreement
    }


def _variation(lesions: Sequence[tuple[Columns, ...]], name: str) -> float:
    values = np.array([[row[name] for row in rows] for rows in lesions])
    values = values[np.isfinite(values).all(axis=1)]
    means = np.abs(values.mean(axis=1)) if len(values) else np.zeros(1)
    if not len(values) or (means == 0).any():
        return math.nan
    return float(np.sqrt(np.mean((values.std(axis=1, ddof=1) / means) ** 2)))


def _stable(
    tables: Mapping[str, Mapping[str, Stability]], readings: Mapping[str, Mapping[str, object]]
) -> tuple[tuple[str, ...] | None, str]:
    if not tables:
        return None, "no lesion was drawn twice"
    single = [kind for kind, rows in readings.items() if len(rows) < 2]
    if single:
        return None, f"an ICC compares lesions, and there is only one ({', '.join(single)})"
    columns = next(iter(tables.values()))
    return tuple(name for name in columns if all(table[name].stable for table in tables.values())), ""
