"""Agreement of the measured means with a gold standard given as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bonequant.errors import InputError
from bonequant.io.csv_table import read_csv_table
from bonequant.roi import RoiMeasurement
from bonequant.statistics import bland_altman, concordance, deming, icc, passing_bablok

_LEAST = 4  # pairs below which no agreement can be stated


def read_gold_standard(path: str | Path) -> dict[str, float]:
    """Region and value from a CSV with these two columns. Raises InputError naming the line that cannot be read."""
    values: dict[str, float] = {}
    for row in read_csv_table(path).rows:
        region, text = row.cells.get("region"), row.cells.get("value")
        if region is None or text is None:
            raise InputError(f"{row.where}: the columns region and value are due.")
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(f"{row.where}: {text!r} is no number.")
        if region in values:
            raise InputError(f"{row.where}: {region} stands there twice.")
        values[region] = value
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
