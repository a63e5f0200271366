"""How features were chosen: the LASSO's deviance and coefficient path, and how often each was chosen. PNG bytes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bonequant.radiomics.model.lasso_cv import LassoCv
from bonequant.report.panels import INK, LINE, NEGATIVE, POSITIVE, SOFT, panels, short
from bonequant.report.pictures import to_png
from bonequant.statistics.checks import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMED = 8  # the largest coefficients whose names fit beside the path


def lasso_plot(lasso: LassoCv, names: Sequence[str], rule: str, title: str) -> bytes:
    """Left: cross-validated deviance with its standard error; right: coefficients. Both over log10 lambda.

    ``names``: of the columns of the path; ``rule``: "min" or "1se", whose line is drawn in full.
    """
    figure, (left, right) = panels(11.0, 4.3, 2)
    x = np.log10(lasso.path.lambdas)
    left.errorbar(x, lasso.mean_deviance, lasso.standard_error, fmt="o", color=NEGATIVE, ecolor=LINE, markersize=3,
                  elinewidth=1.0)  # fmt: skip
    left.set_ylabel(f"deviance per lesion, {lasso.folds} folds")
    top = left.secondary_xaxis("top")
    shown = np.linspace(0, len(x) - 1, 9).round().astype(int)
    top.set_xticks(x[shown], [str(count) for count in lasso.path.nonzero[shown]], fontsize=8, color=SOFT)
    top.tick_params(length=0)
    top.spines["top"].set_visible(False)
    top.set_xlabel("features kept", fontsize=8.5, color=SOFT)
    chosen = lasso.at(rule)
    coefficients = lasso.path.coefficients
    for feature in np.flatnonzero(np.any(coefficients != 0, axis=0)).tolist():
        kept = coefficients[chosen, feature] != 0
        colour = (POSITIVE if coefficients[chosen, feature] > 0 else NEGATIVE) if kept else LINE
        right.plot(x, coefficients[:, feature], color=colour, linewidth=1.5 if kept else 0.8, zorder=3 if kept else 1)
    for axis in (left, right):
        for name, at in (("min", lasso.at_min), ("1se", lasso.at_1se)):
            full = name == rule
            axis.axvline(x[at], color=INK if full else SOFT, linestyle="-" if full else ":", linewidth=1.3, zorder=2)
            # The labels stand on the outer sides of the two lines: lambda falls to the right.
            side, shift = ("left", 3) if name == "min" else ("right", -3)
            axis.annotate(name, (x[at], 0.99), (shift, 0), xycoords=("data", "axes fraction"), va="top", ha=side,
                          textcoords="offset points", fontsize=8.5, color=INK if full else SOFT)  # fmt: skip
        axis.set_xlabel("log10 lambda")
        axis.invert_xaxis()
    # The part of the path beyond lambda.min says nothing about the model and would flatten the rest.
    last = min(len(x) - 1, lasso.at_min + 8)
    right.set_xlim(x[0] + 0.03, x[last])
    low, high = float(coefficients[: last + 1].min()), float(coefficients[: last + 1].max())
    room = max(high - low, 0.1)
    right.set_ylim(low - 0.06 * room, high + 0.06 * room)
    right.axhline(0, color=INK, linewidth=0.8)
    right.set_ylabel("coefficient per SD")
    _name_largest(right, coefficients[last], coefficients[chosen], names, 1.12 * room)
    figure.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
    return to_png(figure)


def _name_largest(axis: Axes, ends: Floats, chosen: Floats, names: Sequence[str], height: float) -> None:
    """Names of the largest kept coefficients at the right end of their lines, moved apart where they would touch."""
    largest = np.argsort(-np.abs(chosen))[:_NAMED]
    order = sorted((at for at in largest.tolist() if chosen[at] != 0), key=lambda at: float(ends[at]))
    places: list[float] = []
    for at in order:
        places.append(max(float(ends[at]), places[-1] + height / 20) if places else float(ends[at]))
    for at, y in zip(order, places, strict=True):
        axis.text(1.015, y, short(names[at], 26), transform=axis.get_yaxis_transform(), fontsize=7.5, va="center",
                  color=POSITIVE if chosen[at] > 0 else NEGATIVE)  # fmt: skip


def selection_frequency(
    frequency: Mapping[str, Mapping[str, float]], selected: Mapping[str, Collection[str]], most: int = 15
) -> bytes:
    """Share of the outer folds that chose a feature, one panel per model; full bars are in the final model."""
    frequency = {name: dict(list(found.items())[:most]) for name, found in frequency.items()}
    tallest = max((len(found) for found in frequency.values()), default=1)
    figure, axes = panels(4.3 * len(frequency), 1.0 + 0.27 * max(tallest, 3), len(frequency))
    for axis, (name, found) in zip(axes, frequency.items(), strict=True):
        for at, (feature, share) in enumerate(found.items()):
            kept = feature in selected[name]
            axis.barh(at, 100 * share, 0.74, color="#0b5c8a" if kept else "white", edgecolor="#0b5c8a", linewidth=1.0)
        axis.set_yticks(range(len(found)), [short(feature, 30) for feature in found], fontsize=8)
        axis.set(xlim=(0, 100), ylim=(max(tallest, 3) - 0.4, -0.6))
        axis.set_title(name, fontsize=11, fontweight="bold")
        axis.set_xlabel("% of outer folds")
        if not found:
            axis.text(50, 1, "nothing was ever chosen", ha="center", color=SOFT, fontsize=9)
    return to_png(figure)
