"""Plots of numbers: histograms of uptake, values beside their truth, agreement. PNG bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bonequant.report.pictures import to_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#999933")


def histograms(values: Mapping[str, np.ndarray], unit: str, *, upper: float) -> bytes:
    """Density of the values of each region, from 0 to ``upper``."""
    figure, axis = _figure(9.5, 3.6)
    bins = np.linspace(0, upper, 81)
    for (name, numbers), colour in zip(values.items(), _colours(len(values)), strict=True):
        density, _ = np.histogram(numbers, bins=bins, density=True)
        axis.stairs(density, bins, label=name.replace("_", " "), color=colour, linewidth=1.6)
    axis.set_xlabel(unit)
    axis.set_ylabel("density")
    axis.set_xlim(0, upper)
    axis.legend(frameon=False, fontsize=9)
    return to_png(figure)


def bars(names: Sequence[str], series: Mapping[str, Sequence[float]], label: str) -> bytes:
    """Grouped bars, one group per name."""
    figure, axis = _figure(9.5, 3.6)
    width = 0.8 / len(series)
    positions = np.arange(len(names))
    for i, ((name, numbers), colour) in enumerate(zip(series.items(), _colours(len(series)), strict=True)):
        axis.bar(positions + (i - (len(series) - 1) / 2) * width, numbers, width * 0.92, label=name, color=colour)
    axis.set_xticks(positions, [name.replace("_", " ") for name in names], rotation=35, ha="right", fontsize=9)
    axis.set_ylabel(label)
    if len(series) > 1:
        axis.legend(frameon=False, fontsize=9)
    return to_png(figure)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axis = figure.subplots()
    axis.spines[["top", "right"]].set_visible(False)
    return figure, axis


def _colours(count: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(count)]
