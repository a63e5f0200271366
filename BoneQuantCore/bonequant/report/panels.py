"""Figures of several panels in one style, and the colours of classes and models. For the plots of diagnostic models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from bonequant.report.plots import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POSITIVE, NEGATIVE = COLOURS[1], COLOURS[0]  # warm and cool, in every plot
INK, SOFT, LINE = "#1c2733", "#5d6b7a", "#c8d0d8"
_MODELS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999933")


def panels(width: float, height: float, columns: int = 1, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure in inches with ``rows`` times ``columns`` axes, row by row, without a display."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes: list[Axes] = np.ravel(figure.subplots(rows, columns, squeeze=False)).tolist()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def model_colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each model, the last of several (the combined one) in ink."""
    names = list(names)
    colours = {name: _MODELS[at % len(_MODELS)] for at, name in enumerate(names)}
    if len(names) > 1:
        colours[names[-1]] = INK
    return colours


def short(name: str, length: int = 34) -> str:
    """A long name with its middle left out."""
    half = (length - 1) // 2
    return name if len(name) <= length else f"{name[:half]}…{name[-half:]}"
