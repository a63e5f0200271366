"""Two readers who drew the same regions: mean difference, its range, correlation and ICC of each quantity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bonequant.errors import InputError
from bonequant.statistics import bland_altman, icc, pearson
from bonequant.studies.liver_perfusion.tissue import METHODS, QUANTITIES

_LEAST = 3  # regions below which correlation and limits are not given


@dataclass(frozen=True, eq=False)
class ReaderComparison:
    """Differences are the second reader minus the first.

    Attributes:
        rows: per region, quantity and method: both values and their difference.
        statistics: per method and quantity: n, mean_difference, lowest and highest difference, limits of agreement
            (Bland-Altman, 1.96 SD), Pearson's r and ICC(2,1), absolute agreement, with their intervals.
    """

    rows: tuple[dict[str, Any], ...]
    statistics: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...] = ()


def compare_readers(first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]) -> ReaderComparison:
    """Compare two tables of tissue (``region`` and ``<quantity>_<method>``), region by region.

    Raises InputError where they share no region.
    """
    mine, other = ({row["region"]: row for row in rows} for rows in (first, second))
    common = [name for name in mine if name in other]
    if not common:
        raise InputError(
            f"The two readers share no region. First: {', '.join(mine)}; second: {', '.join(other)}. Name them alike."
        )
    rows, statistics = [], []
    for method in METHODS:
        for quantity in QUANTITIES:
            key = f"{quantity}_{method}"
            pairs = np.array([(mine[name][key], other[name][key]) for name in common], dtype=float)
            rows += [
                {"region": name, "method": method, "quantity": quantity, "first": a, "second": b, "difference": b - a}
                for name, (a, b) in zip(common, pairs.tolist(), strict=True)
            ]
            statistics.append({"method": method, "quantity": quantity, **_statistics(pairs)})
    warnings = []
    if len(common) < _LEAST:
        warnings.append(f"The readers share {len(common)} region(s): r, ICC and limits need {_LEAST}.")
    alone = [name for name in {**mine, **other} if name not in common]
    if alone:
        warnings.append(f"Drawn by one reader only: {', '.join(alone)}.")
    return ReaderComparison(tuple(rows), tuple(statistics), tuple(warnings))


def _statistics(pairs: np.ndarray) -> dict[str, Any]:
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    difference = pairs[:, 1] - pairs[:, 0]
    nan = math.nan
    found: dict[str, Any] = {
        "n": len(pairs),
        "mean_difference": float(difference.mean()) if len(pairs) else nan,
        "lowest_difference": float(difference.min()) if len(pairs) else nan,
        "highest_difference": float(difference.max()) if len(pairs) else nan,
    }
    names = ("limit_low", "limit_high", "r", "r_low", "r_high", "icc_2_1", "icc_low", "icc_high")
    found |= dict.fromkeys(names, nan)
    if len(pairs) < _LEAST:
        return found
    limits = bland_altman(pairs[:, 1], pairs[:, 0]).limits
    agreement = icc(pairs, "2,1")
    found |= {
        "limit_low": limits[0],
        "limit_high": limits[1],
        "icc_2_1": agreement.value,
        "icc_low": agreement.ci[0],
        "icc_high": agreement.ci[1],
    }
    if np.ptp(pairs, axis=0).min() > 0:
        r = pearson(pairs[:, 0], pairs[:, 1])
        found |= {"r": r.value, "r_low": r.ci[0], "r_high": r.ci[1]}
    return found
