"""The plots of a response study: boxes, ROC curves, waterfall, spider, swimmer and discordance. PNG bytes.

One colour per outcome throughout: the positive one (failure) warm, the other cool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bonequant.report.pictures import to_png
from bonequant.report.plots import COLOURS
from bonequant.studies.response_cohort.inputs import Case
from bonequant.studies.response_cohort.result import CohortResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_USUAL_LINES = (-30.0, 20.0)  # of a waterfall plot of a measure without a cut-off of its own
_MOST_NAMES = 60  # cases whose names fit under the bars
_MOST_RINGS_NAMED = 12  # beyond, names lie over each other; the table has them
_CUT: dict[str, Any] = {"color": "#555555", "linewidth": 1.1, "linestyle": "--"}


def _colour(result: CohortResult, outcome: str) -> str:
    return COLOURS[1] if outcome == result.positive else COLOURS[0]


def _cases(result: CohortResult, measure: str) -> list[Case]:
    """Cases with a change of ``measure``."""
    return [case for case in result.inputs.cases if np.isfinite(case.change_percent.get(measure, np.nan))]


def boxplots(result: CohortResult) -> bytes:
    """The change of every measure by outcome: box, whiskers to 1.5 IQR, every case a dot."""
    names = list(result.measures)
    figure, axes = _figure(min(3.3 * len(names), 13.0), 3.9, len(names))
    chance = np.random.default_rng(0)
    for axis, name in zip(axes, names, strict=True):
        for place, outcome in enumerate((result.positive, result.negative)):
            change = np.array([c.change_percent[name] for c in _cases(result, name) if c.outcome == outcome])
            colour = _colour(result, outcome)
            axis.boxplot([change], positions=[place], widths=0.55, showfliers=False, manage_ticks=False,
                         medianprops={"color": colour, "linewidth": 2})  # fmt: skip
            axis.plot(place + chance.uniform(-0.16, 0.16, len(change)), change, ".", color=colour, alpha=0.65)
        if name in result.settings.cutoffs:
            axis.axhline(result.settings.cutoffs[name], **_CUT)
        axis.set_xticks([0, 1], [result.positive, result.negative])
        axis.set_xlim(-0.6, 1.6)
        axis.set_ylabel(f"change of {_title(name)} (%)")
    return to_png(figure)


def roc_plot(result: CohortResult) -> bytes:
    """ROC curves of the changes; dots: fixed cut-offs, diamonds: Youden's, squares: calls of the table."""
    figure, (axis,) = _figure(5.6, 5.3)
    axis.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=0.9)
    for (name, found), colour in zip(result.measures.items(), _several(len(result.measures)), strict=True):
        axis.plot(found.roc.fpr, found.roc.tpr, color=colour, linewidth=1.9,
                  label=f"{_title(name)}, AUC {found.auc.auc:.2f}")  # fmt: skip
        best = found.youden.apparent
        axis.plot(1 - best.specificity, best.sensitivity, "D", color=colour, markersize=7, markerfacecolor="white")
    for call in result.calls.values():
        confusion = call.confusion
        measure = next((m for m in result.measures if call.rule.startswith(f"change of {m} ")), None)
        colour = _several(len(result.measures))[list(result.measures).index(measure)] if measure else "#333333"
        axis.plot(1 - confusion.specificity.value, confusion.sensitivity.value, "o" if measure else "s", color=colour,
                  markersize=7)  # fmt: skip
        axis.annotate(call.name, (1 - confusion.specificity.value, confusion.sensitivity.value), (7, -10),
                      textcoords="offset points", fontsize=8.5)  # fmt: skip
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04), aspect="equal")
    axis.set_xlabel("1 - specificity")
    axis.set_ylabel("sensitivity")
    if result.measures:
        axis.legend(frameon=False, fontsize=9, loc="lower right")
    return to_png(figure)


def waterfall(result: CohortResult, shown: dict[str, str]) -> bytes:
    """The change of the primary measure, one bar per case from the highest to the lowest."""
    name = result.primary
    cases = sorted(_cases(result, name), key=lambda case: -case.change_percent[name])
    figure, (axis,) = _figure(10.5, 4.0)
    for outcome in (result.positive, result.negative):
        own = [(place, case.change_percent[name]) for place, case in enumerate(cases) if case.outcome == outcome]
        places, heights = zip(*own, strict=True)
        axis.bar(places, heights, 0.82, color=_colour(result, outcome), label=outcome)
    cutoff = result.settings.cutoffs.get(name)
    for line in _USUAL_LINES if cutoff is None else (cutoff,):
        axis.axhline(line, **_CUT)
        axis.annotate(f"{line:+g} %", (1.0, line), (3, 0), xycoords=("axes fraction", "data"),
                      textcoords="offset points", fontsize=8.5, va="center")  # fmt: skip
    axis.axhline(0, color="#333333", linewidth=0.8)
    axis.set_xlim(-0.7, len(cases) - 0.3)
    names = [shown[case.id] for case in cases] if len(cases) <= _MOST_NAMES else []
    axis.set_xticks(range(len(names)), names, rotation=90, fontsize=7.5)
    axis.set_ylabel(f"change of {_title(name)} (%)")
    axis.legend(frameon=False, fontsize=9)
    return to_png(figure)


def spider(result: CohortResult, shown: dict[str, str]) -> bytes | None:
    """The change of the primary measure over the days, one line per case; None where the table has no courses."""
    name = result.primary
    cases = [case for case in result.inputs.cases if case.courses.get(name)]
    if not cases:
        return None
    figure, (axis,) = _figure(9.0, 4.4)
    for case in cases:
        days, change = zip((0.0, 0.0), *case.courses[name], strict=True)
        axis.plot(days, change, ".-", color=_colour(result, case.outcome), linewidth=1.1, alpha=0.75)
        if len(cases) <= _MOST_NAMES // 2:
            axis.annotate(shown[case.id], (days[-1], change[-1]), (4, 0), textcoords="offset points", fontsize=7.5,
                          va="center")  # fmt: skip
    _outcome_legend(axis, result)
    axis.axhline(0, color="#333333", linewidth=0.8)
    if name in result.settings.cutoffs:
        axis.axhline(result.settings.cutoffs[name], **_CUT)
    axis.set_xlabel("days since the first scan")
    axis.set_ylabel(f"change of {_title(name)} (%)")
    return to_png(figure)


def swimmer(result: CohortResult, shown: dict[str, str]) -> bytes | None:
    """How long each case was followed, and when it failed; None where the table does not say."""
    cases = [case for case in result.inputs.cases if case.followed_days is not None]
    if not cases:
        return None
    cases.sort(key=lambda case: case.followed_days or 0.0)
    figure, (axis,) = _figure(9.0, 0.9 + 0.17 * len(cases))
    for place, case in enumerate(cases):
        length = case.followed_days or 0.0
        axis.barh(place, length, 0.72, color=_colour(result, case.outcome), alpha=0.8)
        if case.failed_day is None:
            axis.plot(length, place, ">", color="#333333", markersize=4.5)
        else:
            axis.plot(case.failed_day, place, "X", color="#111111", markersize=6, markeredgecolor="white")
    _outcome_legend(axis, result)
    axis.set_yticks(range(len(cases)), [shown[case.id] for case in cases], fontsize=7.5)
    axis.set_ylim(-0.8, len(cases) - 0.2)
    axis.set_xlabel("days; x failure, arrow still followed without failure")
    return to_png(figure)


def discordance(result: CohortResult, shown: dict[str, str]) -> bytes | None:
    """One measure against another, with both cut-offs: cases that the two call differently are ringed."""
    names = [name for name in result.measures if name in result.settings.cutoffs][:2]
    if len(names) < 2:
        return None
    first, second = names
    cases = [case for case in _cases(result, first) if np.isfinite(case.change_percent.get(second, np.nan))]
    cut = result.settings.cutoffs
    calls = [result.calls[f"{name} {cut[name]:+g} %"].called for name in names]
    figure, (axis,) = _figure(6.6, 5.2)
    differing = {case.id for case in cases if calls[0][case.id] != calls[1][case.id]}
    for case in cases:
        x, y = case.change_percent[first], case.change_percent[second]
        differ = case.id in differing
        axis.plot(x, y, "o", color=_colour(result, case.outcome), markersize=9 if differ else 5,
                  markeredgecolor="#111111" if differ else "none", alpha=0.8)  # fmt: skip
        if differ and len(differing) <= _MOST_RINGS_NAMED:
            axis.annotate(shown[case.id], (x, y), (7, 3), textcoords="offset points", fontsize=8)
    axis.axvline(cut[first], **_CUT)
    axis.axhline(cut[second], **_CUT)
    _outcome_legend(axis, result)
    axis.set_xlabel(f"change of {_title(first)} (%)")
    axis.set_ylabel(f"change of {_title(second)} (%)")
    return to_png(figure)


def _outcome_legend(axis: Axes, result: CohortResult) -> None:
    from matplotlib.lines import Line2D

    outcomes = (result.positive, result.negative)
    handles = [Line2D([], [], color=_colour(result, outcome), linewidth=4, label=outcome) for outcome in outcomes]
    axis.legend(handles=handles, frameon=False, fontsize=9)


def _title(name: str) -> str:
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def _several(count: int) -> list[str]:
    """Colours of measures, other than those of the outcomes."""
    own = COLOURS[2:]
    return [own[place % len(own)] for place in range(count)]


def _figure(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, list(axes)
