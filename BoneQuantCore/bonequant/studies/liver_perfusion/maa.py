"""Perfusion of lesions beside their uptake of 99mTc-MAA: tumour to normal ratios, correlation, agreement.

T/N of MAA is the mean concentration in the lesion over that in the liver without lesions (equal densities). Perfusion
is correlated with it as it is (Reiner 2012) and as a ratio of its own, ALP_T/ALP_N, whose agreement with T/N is stated
by Bland and Altman on the logarithms: microspheres follow arterial flow, so 1 is agreement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.io.csv_table import read_csv_table
from bonequant.progress import Progress
from bonequant.registration import RegistrationResult, RegistrationSettings, register, register_via
from bonequant.roi import RoiMeasurement, measure_many
from bonequant.statistics import BlandAltman, bland_altman, pearson, spearman
from bonequant.studies.liver_perfusion.inputs import MaaInputs
from bonequant.studies.liver_perfusion.regions import LIVER, is_lesion, plain_name
from bonequant.studies.liver_perfusion.tissue import METHODS, QUANTITIES
from bonequant.volume import Volume

_LEAST = 3  # lesions below which there is no correlation
_FEW = 10  # below which it is said that there are few


@dataclass(frozen=True, eq=False)
class MaaUptake:
    """Where the ratios come from: measured in a SPECT, with how it was aligned, or given as a table."""

    ratios: dict[str, float]
    source: str
    uptake: dict[str, RoiMeasurement]
    spect: Volume | None = None
    registration: RegistrationResult | None = None
    transform: sitk.Transform | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class MaaComparison:
    """Lesions with both measurements.

    Attributes:
        rows: per lesion ``maa_ratio``, and per method the four quantities and ``<quantity>_ratio`` to the liver.
        statistics: per method and quantity: n, Pearson's and Spearman's coefficient with interval and p.
        agreement: per method, Bland and Altman of T/N and ALP_T/ALP_N as ratios; None below three lesions.
    """

    rows: tuple[dict[str, Any], ...]
    statistics: tuple[dict[str, Any], ...]
    agreement: dict[str, BlandAltman | None]
    warnings: tuple[str, ...]


def read_maa_table(path: str | Path) -> dict[str, float]:
    """Lesion and ratio from a CSV with the columns ``lesion`` and ``ratio``. Raises InputError naming the line."""
    ratios: dict[str, float] = {}
    for row in read_csv_table(path).rows:
        lesion, text = row.cells.get("lesion"), row.cells.get("ratio")
        if lesion is None or text is None:
            raise InputError(f"{row.where}: the columns lesion and ratio are due.")
        try:
            value = float(text)
        except ValueError:
            raise InputError(f"{row.where}: {text!r} is no number.") from None
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{row.where}: the ratio is {value:g}; it must be above 0.")
        name = plain_name(lesion)
        if name in ratios:
            raise InputError(f"{row.where}: {lesion} stands there twice.")
        ratios[name] = value
    if not ratios:
        raise InputError(f"{path} holds no row; the columns lesion and ratio are due.")
    return ratios


def uptake_of(
    maa: MaaInputs,
    tissue: Mapping[str, sitk.Image],
    anatomy: Volume,
    settings: RegistrationSettings,
    progress: Progress,
) -> MaaUptake:
    """Ratios by lesion.

    Args:
        tissue: "liver" (without lesions) and lesions, drawn in the space of ``anatomy``.
        anatomy: the perfusion CT as one image.

    Raises InputError where the liver holds no activity or the masks lack it, RegistrationError as ``register``.
    """
    if maa.spect is None:
        return MaaUptake(dict(maa.ratios), "table", {})
    registration, transform = None, maa.transform
    if maa.masks:
        named = {plain_name(name): mask for name, mask in maa.masks.items()}
        tissue = {name: mask for name, mask in named.items() if name == LIVER or is_lesion(name)}
        if LIVER not in tissue or len(tissue) < 2:
            raise InputError(
                "The masks of the MAA SPECT must hold a region liver, drawn beside the lesions, and the lesions; they "
                f"hold {', '.join(maa.masks)}."
            )
        transform, source = None, "SPECT, regions drawn on it"
    elif transform is not None:
        source = "SPECT, alignment given"
    elif maa.ct is not None:
        registration, source = register_via(maa.spect, maa.ct, anatomy, settings, progress), "SPECT, through its own CT"
        transform = registration.transform
    else:
        registration, source = register(maa.spect, anatomy, settings, progress), "SPECT, registered"
        transform = registration.transform
    uptake = measure_many(maa.spect, tissue, transform)
    normal = uptake[LIVER].mean
    if normal <= 0:
        raise InputError("The liver holds no MAA in the SPECT: the ratio has no value. Are image and alignment right?")
    ratios = {name: measured.mean / normal for name, measured in uptake.items() if name != LIVER}
    warnings = [*maa.spect.warnings, *(registration.warnings if registration else ())]
    partly = [name for name, measured in uptake.items() if measured.fraction_inside < 1]
    if partly:
        warnings.append(f"Partly outside the MAA SPECT: {', '.join(partly)}; only what is inside was measured.")
    return MaaUptake(ratios, source, uptake, maa.spect, registration, transform, tuple(warnings))


def compare_with_maa(rows: Sequence[Mapping[str, Any]], ratios: Mapping[str, float]) -> MaaComparison:
    """Set perfusion beside MAA, lesion by lesion.

    Args:
        rows: of the table of tissue (``region`` and ``<quantity>_<method>``); the row "liver" is the normal tissue.
        ratios: T/N by lesion.

    Raises InputError where no lesion has both.
    """
    known = {row["region"]: row for row in rows}
    normal = known[LIVER]
    common = [name for name in known if name != LIVER and name in ratios]
    if not common:
        raise InputError(
            f"No lesion has both perfusion and MAA. Perfusion: {', '.join(n for n in known if n != LIVER) or 'none'}; "
            f"MAA: {', '.join(ratios)}. Name them alike."
        )
    compared = []
    for name in common:
        row: dict[str, Any] = {"region": name, "maa_ratio": float(ratios[name])}
        for method in METHODS:
            for quantity in QUANTITIES:
                value, base = known[name][f"{quantity}_{method}"], normal[f"{quantity}_{method}"]
                row[f"{quantity}_{method}"] = value
                row[f"{quantity}_ratio_{method}"] = value / base if base > 0 else math.nan
        compared.append(row)
    warnings = _gap(len(common))
    alone = [name for name in {**known, **ratios} if name != LIVER and name not in common]
    if alone:
        warnings.append(f"Not compared, measured on one side only: {', '.join(alone)}.")
    statistics = [
        _correlation(compared, method, key) for method in METHODS for key in (*QUANTITIES, *_with_ratio("alp"))
    ]
    return MaaComparison(
        tuple(compared),
        tuple(statistics),
        {method: _agreement(compared, method) for method in METHODS},
        tuple(warnings),
    )


def _with_ratio(quantity: str) -> tuple[str, ...]:
    return (f"{quantity}_ratio",)


def _gap(count: int) -> list[str]:
    if count < _LEAST:
        return [f"{count} lesion(s): correlation and agreement need {_LEAST} and are not given."]
    if count < _FEW:
        return [
            f"{count} lesions of one patient: coefficients of so few, which share one patient, describe these lesions "
            "only; look at the intervals, and pool patients before concluding anything."
        ]
    return ["Lesions of one patient are not independent: p values take them as if they were."]


def _correlation(rows: Sequence[Mapping[str, Any]], method: str, quantity: str) -> dict[str, Any]:
    pairs = [(row["maa_ratio"], row[f"{quantity}_{method}"]) for row in rows]
    pairs = [pair for pair in pairs if all(map(math.isfinite, pair))]
    found: dict[str, Any] = {"method": method, "quantity": quantity, "n": len(pairs)}
    for name, statistic in (("pearson", pearson), ("spearman", spearman)):
        value, ci, p_value = math.nan, (math.nan, math.nan), math.nan
        if len(pairs) >= _LEAST and all(len(set(side)) > 1 for side in zip(*pairs, strict=True)):
            result = statistic(*zip(*pairs, strict=True))
            value, ci, p_value = result.value, result.ci, result.p_value
        found |= {name: value, f"{name}_low": ci[0], f"{name}_high": ci[1], f"{name}_p": p_value}
    return found


def _agreement(rows: Sequence[Mapping[str, Any]], method: str) -> BlandAltman | None:
    pairs = [(row["maa_ratio"], row[f"alp_ratio_{method}"]) for row in rows]
    pairs = [pair for pair in pairs if pair[1] > 0]  # NaN too is left out: a ratio of 0 has no logarithm
    if len(pairs) < _LEAST:
        return None
    return bland_altman(*zip(*pairs, strict=True), scale="ratio")
