"""Plots of curves over time: measured points with their fitted lines, and an input curve with that of every slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bonequant.report.pictures import to_png
from bonequant.report.plots import _colours, _figure
from bonequant.volume import Curve

_SLICE, _LEFT_OUT = "#9aa7b4", "#D55E00"


def fitted_curves(
    measured: Mapping[str, Curve],
    fitted: Mapping[str, Curve] | None = None,
    *,
    label: str,
    marked_s: Mapping[str, float] | None = None,
) -> bytes:
    """Points of every measured curve, and the line fitted to it in the same colour.

    Args:
        measured: name to curve; without a line of that name in ``fitted`` the points are joined.
        fitted: name to the model's curve, on any times.
        label: of the vertical axis, with its unit.
        marked_s: moments (s) shown as dotted lines: arrival, splenic peak.
    """
    fitted = fitted or {}
    figure, axis = _figure(9.5, 4.0)
    for (name, curve), colour in zip(measured.items(), _colours(len(measured)), strict=True):
        line = fitted.get(name)
        shown = name.replace("_", " ")
        style = "o" if line is not None else "o-"
        axis.plot(curve.times_s, curve.values, style, color=colour, markersize=3.2, linewidth=1.0, label=shown)
        if line is not None:
            axis.plot(line.times_s, line.values, color=colour, linewidth=1.7)
    for name, moment in (marked_s or {}).items():
        axis.axvline(moment, color="#555555", linestyle=":", linewidth=1.0)
        axis.annotate(name, (moment, 1.0), xycoords=("data", "axes fraction"), fontsize=8, ha="left", va="bottom")
    axis.axhline(0.0, color="#c8d0d8", linewidth=0.8, zorder=0)
    axis.set_xlabel("time (s)")
    axis.set_ylabel(label)
    if len(measured) > 6:
        axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    else:
        axis.legend(frameon=False, fontsize=9)
    return to_png(figure)


def input_curve(
    curve: Curve,
    slices: Sequence[tuple[Curve, bool]] = (),
    *,
    label: str,
    as_found: Curve | None = None,
) -> bytes:
    """An input curve; behind it those of the single slices as (curve, accepted), each on its own times.

    Args:
        label: of the vertical axis, with its unit.
        as_found: the curve before it was shifted in time or averaged with others, drawn dashed.
    """
    figure, axis = _figure(9.5, 3.6)
    said: set[str] = set()
    for one, accepted in slices:
        text = "slice" if accepted else "slice left out"
        colour, style = (_SLICE, "-") if accepted else (_LEFT_OUT, ":")
        axis.plot(one.times_s, one.values, style, color=colour, linewidth=0.9, label=None if text in said else text)
        said.add(text)
    if as_found is not None:
        axis.plot(as_found.times_s, as_found.values, "--", color="#0b5c8a", linewidth=1.2, label="before the shift")
    axis.plot(curve.times_s, curve.values, color="#0b5c8a", linewidth=2.0, label=curve.name or "input")
    axis.set_xlabel("time (s)")
    axis.set_ylabel(label)
    axis.legend(frameon=False, fontsize=9)
    return to_png(figure)
