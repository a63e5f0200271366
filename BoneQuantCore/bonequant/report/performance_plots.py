"""How well predictions fit the truth, models side by side: ROC, AUC, confusion, calibration, decision. PNG bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bonequant.report.panels import INK, LINE, NEGATIVE, POSITIVE, SOFT, model_colours, panels
from bonequant.report.pictures import to_png
from bonequant.statistics import Auc, Calibration, Confusion, DecisionCurve, Roc


@dataclass(frozen=True)
class AucRow:
    """One line of :func:`auc_forest`: an AUC by which model and by which way of judging; ``honest`` ones stand out."""

    model: str
    judged: str
    auc: Auc
    honest: bool


def roc_curves(
    curves: Mapping[str, tuple[Roc, Auc]], readers: Mapping[str, tuple[float, float]] | None = None
) -> bytes:
    """ROC curves by model; ``readers``: name to (sensitivity, specificity), shown as numbered squares."""
    figure, (axis,) = panels(6.4, 6.2)
    axis.plot([0, 1], [0, 1], color=LINE, linewidth=1.0)
    for (name, (curve, auc)), colour in zip(curves.items(), model_colours(curves).values(), strict=True):
        label = f"{name}: {auc.auc:.3f}{_interval(auc.ci)}"
        axis.plot(curve.fpr, curve.tpr, color=colour, linewidth=2.2, label=label, solid_joinstyle="round")
    for number, (name, (sensitivity, specificity)) in enumerate((readers or {}).items(), start=1):
        label = f"{name}: {sensitivity:.2f} / {specificity:.2f}"
        axis.plot(1 - specificity, sensitivity, "s", color="#E69F00", markeredgecolor=INK, markersize=11, label=label)
        axis.annotate(str(number), (1 - specificity, sensitivity), ha="center", va="center", fontsize=7.5)
    axis.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.02), aspect="equal")
    axis.set_xlabel("1 - specificity")
    axis.set_ylabel("sensitivity")
    title = "AUC (interval)" + ("; readers: sensitivity / specificity" if readers else "")
    axis.legend(frameon=False, fontsize=9, loc="lower right", title=title, title_fontsize=9, alignment="left")
    return to_png(figure)


def auc_forest(rows: Sequence[AucRow], best: Mapping[str, float] | None = None) -> bytes:
    """AUC with interval, one line each, grouped by model; ``best``: model to the AUC that cannot be surpassed."""
    figure, (axis,) = panels(8.6, 0.9 + 0.33 * len(rows))
    colours = model_colours(dict.fromkeys(row.model for row in rows))
    before = ""
    for at, row in enumerate(rows):
        low, high = row.auc.ci
        colour = colours[row.model]
        if before and before != row.model:
            axis.axhline(at - 0.5, color=LINE, linewidth=0.8)
        before = row.model
        if not math.isnan(low):
            axis.plot([low, high], [at, at], color=colour, linewidth=3.0 if row.honest else 1.4)
        face = colour if row.honest else "white"
        axis.plot(row.auc.auc, at, "o", color=colour, markersize=8 if row.honest else 6, markerfacecolor=face)
        axis.annotate(f"{row.auc.auc:.3f}", (1.01, at), xycoords=("axes fraction", "data"), va="center", fontsize=9)
    for name, value in (best or {}).items():
        places = [at for at, row in enumerate(rows) if row.model == name]
        if places:
            axis.plot([value] * 2, [places[0] - 0.4, places[-1] + 0.4], color=SOFT, linestyle=":", linewidth=1.6)
    axis.set_yticks(range(len(rows)), [f"{row.model}, {row.judged}" for row in rows], fontsize=9)
    for tick, row in zip(axis.get_yticklabels(), rows, strict=True):
        tick.set_fontweight("bold" if row.honest else "normal")
    axis.set_ylim(len(rows) - 0.4, -0.6)
    ends = [end for row in rows for end in (*row.auc.ci, row.auc.auc) if not math.isnan(end)]
    axis.axvline(0.5, color=LINE, linewidth=1.0)
    axis.set_xlim(min(0.48, *ends) - 0.01, 1.0)
    axis.set_xlabel("AUC")
    return to_png(figure)


def confusion_matrices(tables: Mapping[str, Confusion], positive: str, negative: str) -> bytes:
    """Counts of truth against call, one square per model, shaded by the share of the true class."""
    figure, axes = panels(3.5 * len(tables), 3.3, len(tables))
    for axis, (name, found) in zip(axes, tables.items(), strict=True):
        counts = np.array([[found.tp, found.fn], [found.fp, found.tn]])
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axis.imshow(share, cmap="Blues", vmin=0, vmax=1.15, aspect="equal")
        for row in range(2):
            for column in range(2):
                ink = "white" if share[row, column] > 0.6 else INK
                axis.text(
                    column, row - 0.08, str(counts[row, column]), ha="center", va="center", color=ink, fontsize=17
                )
                axis.text(column, row + 0.22, f"{100 * share[row, column]:.0f} %", ha="center", va="center", color=ink,
                          fontsize=9.5)  # fmt: skip
        axis.set_xticks([0, 1], [f"called\n{positive}", f"called\n{negative}"], fontsize=9)
        axis.set_yticks([0, 1], [positive, negative], fontsize=9, rotation=90, va="center")
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        axis.set_title(name, fontsize=11, fontweight="bold", color=model_colours(tables)[name])
    axes[0].set_ylabel("truth", fontsize=9)
    return to_png(figure)


def calibration_curves(models: Mapping[str, tuple[Calibration, np.ndarray, np.ndarray]]) -> bytes:
    """Observed against predicted, one panel per model, with the fitted recalibration and the spread of predictions.

    ``models``: name to calibration, probabilities (N,), labels (N,).
    """
    figure, axes = panels(4.1 * len(models), 4.3, len(models))
    colours = model_colours(models)
    grid = np.linspace(0.01, 0.99, 99)
    for axis, (name, (found, predicted, labels)) in zip(axes, models.items(), strict=True):
        axis.plot([0, 1], [0, 1], color=LINE, linewidth=1.2)
        if not math.isnan(found.slope):
            odds = found.intercept + found.slope * np.log(grid / (1 - grid))
            axis.plot(grid, 1 / (1 + np.exp(-odds)), color=colours[name], linewidth=2.0)
        for part in found.bins:
            low, high = part.observed.ci
            axis.plot([part.predicted] * 2, [low, high], color=colours[name], linewidth=1.0, alpha=0.5)
            axis.plot(part.predicted, part.observed.value, "o", color=colours[name], markersize=5)
        edges = np.linspace(0, 1, 41)
        for own, colour, base, sign in ((labels, POSITIVE, 1.16, -1), (~labels, NEGATIVE, -0.16, 1)):
            heights = np.histogram(predicted[own], edges)[0]
            heights = heights / max(heights.max(initial=1), 1) * 0.13
            axis.bar(edges[:-1], sign * heights, np.diff(edges), base, align="edge", color=colour, alpha=0.75)
        slope = "slope –" if math.isnan(found.slope) else f"slope {found.slope:.2f}, intercept {found.intercept:.2f}"
        axis.set_title(name, fontsize=11, fontweight="bold", color=colours[name])
        axis.text(0.97, 0.04, slope, ha="right", fontsize=9.5)
        axis.set(xlim=(-0.02, 1.02), ylim=(-0.18, 1.18), aspect="equal")
        axis.set_yticks(np.linspace(0, 1, 6))
        axis.set_xlabel("predicted probability")
    axes[0].set_ylabel("observed share")
    return to_png(figure)


def decision_curves(curves: Mapping[str, DecisionCurve]) -> bytes:
    """Net benefit over the threshold probability, beside treating all and none."""
    figure, (axis,) = panels(8.6, 4.2)
    first = next(iter(curves.values()))
    axis.plot(first.thresholds, first.treat_all, color=SOFT, linewidth=1.3, linestyle="--", label="call all")
    axis.axhline(0, color=SOFT, linewidth=1.3, linestyle=":", label="call none")
    for (name, curve), colour in zip(curves.items(), model_colours(curves).values(), strict=True):
        axis.plot(curve.thresholds, curve.net_benefit, color=colour, linewidth=2.1, label=name)
    axis.set(xlim=(0, 1), ylim=(-0.08, max(first.prevalence * 1.12, 0.1)))
    axis.set_xlabel("threshold probability")
    axis.set_ylabel("net benefit (per lesion)")
    axis.legend(frameon=False, fontsize=9.5)
    return to_png(figure)


def _interval(ci: tuple[float, float]) -> str:
    return "" if math.isnan(ci[0]) else f" ({ci[0]:.3f}–{ci[1]:.3f})"
