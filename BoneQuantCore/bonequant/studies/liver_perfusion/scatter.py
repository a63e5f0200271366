"""A plot of lesions by two ratios, on logarithmic axes, with the line on which they agree. PNG bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bonequant.report.pictures import to_png
from bonequant.report.plots import COLOURS


def scatter(points: Mapping[str, Sequence[tuple[float, float, str]]], across: str, up: str) -> bytes:
    """``points``: name of a method to (x, y, label) of each lesion; points without a logarithm are left out."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    axis.spines[["top", "right"]].set_visible(False)
    seen = [value for rows in points.values() for x, y, _ in rows if x > 0 and y > 0 for value in (x, y)]
    ends = (min(seen, default=0.5) / 1.4, max(seen, default=2.0) * 1.4)
    axis.plot(ends, ends, color="#9aa7b4", linewidth=1.0, linestyle="--")
    for (name, rows), colour, marker in zip(points.items(), COLOURS, "os^D", strict=False):
        good = [(x, y, label) for x, y, label in rows if x > 0 and y > 0]
        axis.plot([x for x, _, _ in good], [y for _, y, _ in good], marker, color=colour, label=name)
        for x, y, label in good:
            axis.annotate(label, (x, y), xytext=(5, 4), textcoords="offset points", fontsize=7, color=colour)
    axis.set(xscale="log", yscale="log", xlim=ends, ylim=ends, xlabel=across, ylabel=up)
    axis.legend(frameon=False, fontsize=9)
    return to_png(figure)
