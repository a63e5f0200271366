"""Distributions over a cohort: one box per region, every case a dot. PNG bytes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bonequant.report.pictures import to_png
from bonequant.report.plots import COLOURS

_MOST_DOTS = 400  # per region; more would be a blot


def boxes(values: Mapping[str, np.ndarray], label: str) -> bytes:
    """Box (quartiles, whiskers to 1.5 IQR) and dots of each region, from top to bottom."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 0.9 + 0.34 * len(values)), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    axis.spines[["top", "right"]].set_visible(False)
    places = np.arange(len(values), 0, -1)
    axis.boxplot(
        list(values.values()),
        positions=places,
        orientation="horizontal",
        widths=0.6,
        showfliers=False,
        manage_ticks=False,
        medianprops={"color": COLOURS[1], "linewidth": 1.8},
    )
    chance = np.random.default_rng(0)
    for place, numbers in zip(places, values.values(), strict=True):
        shown = numbers if len(numbers) <= _MOST_DOTS else chance.choice(numbers, _MOST_DOTS, replace=False)
        heights = place + chance.uniform(-0.18, 0.18, len(shown))
        axis.plot(shown, heights, ".", color=COLOURS[0], markersize=6, alpha=0.6, markeredgewidth=0)
    axis.set_yticks(places, [name.replace("_", " ") for name in values])
    axis.set_ylim(0.4, len(values) + 0.6)
    axis.set_xlabel(label)
    return to_png(figure)
