"""Agreement of the measured means with a gold standard given as a table."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bonequant.errors import InputError
from bonequant.roi import RoiMeasurement
from bonequant.statistics import bland_altman, concordance, deming, icc, passing_bablok

_LEAST = 4  # pairs below which no agreement can be stated


def read_gold_standard(path: str | Path) -> dict[str, float]:
    """Region and value from a CSV with these two columns. Raises InputError naming the line that cannot be read."""
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error
    values: dict[str, float] = {}
    for line, row in enumerate(rows, start=2):
        if not row.get("region") or row.get("value") is None:
            raise InputError(f"{path}, line {line}: the columns region and value are due.")
        try:
            value = float(row["value"])
        except ValueError:
            raise InputError(f"{path}, line {line}: {row['value']!r} is no number.") from None
        if row["region"] in values:
            raise InputError(f"{path}, line {line}: {row['region']} stands there twice.")
        values[row["region"]] = value
    if not values:
        raise InputError(f"{path} holds no row; the columns region and value are due.")
    return values


def agreement_with(standard: Mapping[str, float], uptake: Mapping[str, RoiMeasurement]) -> dict[str, Any]:
    """Bland-Altman, ICC(2,1), CCC, Deming and Passing-Bablok over the regions that both sides know.

    Raises InputError where these are fewer than four.
    """
    common = [name for name in standard if name in uptake]
    if len(common) < _LEAST:
        raise InputError(
            f"The gold standard and the result share {len(common)} regions; {_LEAST} are due. "
            f"Measured: {', '.join(uptake)}."
        )
    measured = np.array([uptake[name].mean for name in common])
    known = np.array([standard[name] for name in common])
    return {
        "regions": common,
        "bland_altman": bland_altman(measured, known),
        "icc_2_1": icc(np.column_stack([measured, known])),
        "concordance": concordance(measured, known),
        "deming": deming(known, measured),
        "passing_bablok": passing_bablok(known, measured),
    }
