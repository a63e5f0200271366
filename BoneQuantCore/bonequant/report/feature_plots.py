"""What the features of a model look like: values by class, all lesions as a heatmap, and one prediction taken apart.

PNG bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bonequant.radiomics import Prediction
from bonequant.report.panels import INK, LINE, NEGATIVE, POSITIVE, SOFT, panels, short
from bonequant.report.pictures import to_png

_COLUMNS = 5
_MOST_BARS = 14


def class_boxplots(values: np.ndarray, names: Sequence[str], labels: np.ndarray, classes: tuple[str, str]) -> bytes:
    """A panel for each feature ``values`` (N, P): box, whiskers to 1.5 IQR, every lesion a dot.

    ``labels`` (N,): True for the first of ``classes``.
    """
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure, axes = panels(2.35 * max(columns, 2), 2.6 * rows, columns, rows)
    chance = np.random.default_rng(0)
    for axis in axes[len(names) :]:
        axis.set_visible(False)
    for at, (axis, name) in enumerate(zip(axes, names, strict=False)):
        for place, (own, colour) in enumerate(((labels, POSITIVE), (~labels, NEGATIVE))):
            shown = values[own, at]
            jitter = place + chance.uniform(-0.17, 0.17, len(shown))
            axis.plot(jitter, shown, ".", color=colour, alpha=0.45, markersize=4)
            axis.boxplot([shown], positions=[place], widths=0.5, showfliers=False, manage_ticks=False,
                         medianprops={"color": INK, "linewidth": 1.8}, boxprops={"color": INK, "linewidth": 0.9},
                         whiskerprops={"color": INK, "linewidth": 0.9}, capprops={"linewidth": 0.0})  # fmt: skip
        axis.set_title(short(name, 26), fontsize=8.5)
        axis.set_xticks([0, 1], list(classes) if at >= len(names) - columns else ["", ""], fontsize=8.5)
        axis.tick_params(axis="y", labelsize=7.5)
        axis.set_xlim(-0.5, 1.5)
    return to_png(figure)


def class_heatmap(
    z: np.ndarray, names: Sequence[str], labels: np.ndarray, predicted: np.ndarray, classes: tuple[str, str]
) -> bytes:
    """Features ``z`` (N, P) in SD, one column per lesion: by class, within it by predicted probability (N,)."""
    order = np.lexsort((-predicted, ~labels))
    figure, (bar, axis) = _two_rows(len(names))
    split = int(labels.sum())
    bar.imshow(predicted[order][None], aspect="auto", cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
    bar.set_yticks([0], ["probability"], fontsize=8)
    bar.set_xticks([])
    for name, start, stop, colour in ((classes[0], 0, split, POSITIVE), (classes[1], split, len(labels), NEGATIVE)):
        bar.text((start + stop - 1) / 2, -0.85, f"{name} ({stop - start})", ha="center", color=colour, fontsize=10,
                 fontweight="bold")  # fmt: skip
    image = axis.imshow(z[order].T, aspect="auto", cmap="RdBu_r", vmin=-3, vmax=3, interpolation="nearest")
    for part in (bar, axis):
        part.axvline(split - 0.5, color=INK, linewidth=1.6)
        part.spines[:].set_visible(False)
        part.tick_params(length=0)
    axis.set_yticks(range(len(names)), [short(name) for name in names], fontsize=8)
    axis.set_xticks([])
    axis.set_xlabel("lesions, by class and predicted probability")
    figure.colorbar(image, ax=[axis], label="SD from the mean", fraction=0.025, pad=0.01, extend="both")
    return to_png(figure)


def contributions(prediction: Prediction) -> bytes:
    """From the average lesion to this one: what each feature adds to the log odds, the largest first."""
    parts = sorted(prediction.contributions, key=lambda part: -abs(part.log_odds))
    shown = [(f"{short(part.feature, 30)} = {part.value:.4g}", part.log_odds) for part in parts[:_MOST_BARS]]
    if len(parts) > _MOST_BARS:
        shown.append((f"{len(parts) - _MOST_BARS} other features", sum(part.log_odds for part in parts[_MOST_BARS:])))
    figure, (axis,) = panels(8.6, 1.5 + 0.34 * (len(shown) + 2))
    at = prediction.intercept
    ends = [at]
    axis.axvline(prediction.intercept, color=LINE, linewidth=1.0, zorder=0)
    for row, (_, step) in enumerate(shown, start=1):
        colour = POSITIVE if step > 0 else NEGATIVE
        axis.barh(row, step, 0.66, at, color=colour)
        axis.annotate(f"{step:+.2f}", (max(at, at + step), row), (4, 0), textcoords="offset points", fontsize=8.5,
                      va="center", color=INK)  # fmt: skip
        axis.plot([at + step] * 2, [row - 0.33, row + 1.33], color=SOFT, linewidth=0.8)
        at += step
        ends.append(at)
    last = len(shown) + 1
    threshold = float(np.log(prediction.threshold / (1 - prediction.threshold)))
    axis.axvline(threshold, color=INK, linestyle="--", linewidth=1.1)
    axis.annotate("cut-off", (threshold, -0.62), (3, 0), textcoords="offset points", fontsize=8.5, va="center")
    for row, value in ((0, prediction.intercept), (last, prediction.log_odds)):
        axis.plot(value, row, "D", color=INK, markersize=7)
        axis.annotate(f"{value:.2f}", (value, row), (8, 0), textcoords="offset points", fontsize=8.5, va="center")
    names = ["average training lesion", *(name for name, _ in shown), f"this lesion: p = {prediction.probability:.3f}"]
    axis.set_yticks(range(last + 1), names, fontsize=8.5)
    axis.get_yticklabels()[-1].set_fontweight("bold")
    low, high = min(*ends, threshold), max(*ends, threshold)
    room = max(high - low, 0.5)
    axis.set(ylim=(last + 0.6, -0.95), xlim=(low - 0.08 * room, high + 0.16 * room))
    axis.set_xlabel(f"log odds of {prediction.positive_class}")
    ticks = np.array([0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99])
    top = axis.secondary_xaxis("top")
    top.set_xticks(np.log(ticks / (1 - ticks)), [f"{tick:g}" for tick in ticks], fontsize=8, color=SOFT)
    top.set_xlabel("probability", fontsize=8.5, color=SOFT)
    return to_png(figure)


def _two_rows(features: int):  # type: ignore[no-untyped-def]
    """A thin panel over a large one."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 1.5 + 0.3 * max(features, 3)), layout="constrained")
    axes = figure.subplots(2, 1, height_ratios=[1, max(features, 3) * 1.1])
    return figure, axes
