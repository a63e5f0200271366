"""The dynamic SPECT job with nodes: a sequence and a segmentation in; table, curves and chart out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bonequant.errors import InputError
from bonequant.mrml.charts import PALETTE, Series, chart_to_node
from bonequant.mrml.hierarchy import place
from bonequant.mrml.kept import keep, kept_node, kept_table
from bonequant.mrml.liver import SeriesNodes, drawn_on_series
from bonequant.mrml.sequences import series_from_node
from bonequant.studies.dynamic_spect import DynamicSpectInputs
from bonequant.studies.dynamic_spect.export import curve_rows

if TYPE_CHECKING:
    from bonequant.studies.dynamic_spect import DynamicSpectResult

_UNITS = {
    "volume_ml": "mL",
    "time_of_peak_s": "s",
    "washout_percent": "%",
    "k1": "mL/min/mL",
    "k2": "1/min",
    "ki": "mL/min/mL",
    "middle_s": "s",
}


def dynamic_spect_inputs(series: Any, regions: Any) -> DynamicSpectInputs:
    """One dynamic scan: a sequence node in counts or Bq/mL, and a segmentation drawn on a frame of it.

    Raises:
        InputError: one of the two is missing, or the segmentation lies under a transform.
    """
    if series is None:
        raise InputError("Select a dynamic SPECT (a sequence) first: there is nothing to measure.")
    if regions is None:
        raise InputError("Select the regions first: segments drawn on a frame, one of them named blood_pool.")
    return DynamicSpectInputs(series_from_node(series), drawn_on_series(regions))


def dynamic_spect_to_nodes(result: DynamicSpectResult, series: Any) -> SeriesNodes:
    """Write a result; nodes made by a former result of ``series`` are filled again."""
    name, unit = series.GetName(), result.frames.series.unit
    units = {**_UNITS, "peak": unit, "last": unit}
    in_curves = {**_UNITS, **dict.fromkeys(result.curves, unit)}
    tables = {
        "regions": kept_table(series, "Table.regions", f"{name} kinetics", result.rows, units),
        "curves": kept_table(series, "Table.curves", f"{name} curves", curve_rows(result), in_curves),
    }
    columns = tables["curves"].GetTable()
    names = [columns.GetColumnName(index) for index in range(columns.GetNumberOfColumns())]
    colours = {region: PALETTE[index % len(PALETTE)] for index, region in enumerate(result.curves)}
    shown = [Series(region, "middle_s", "points", colour=colour) for region, colour in colours.items()]
    shown += [
        Series(f"{region}_one_tissue", "middle_s", "line", name=f"{region}, 1TCM", colour=colour)
        for region, colour in colours.items()
        if f"{region}_one_tissue" in names
    ]
    chart = chart_to_node(
        tables["curves"],
        shown,
        f"{name} curves",
        x_title="Time since injection (s)",
        y_title=unit,
        chart=kept_node(series, "Chart.curves"),
    )
    keep(series, "Chart.curves", chart)
    place([*tables.values(), chart], f"{name} kinetics")
    return SeriesNodes({}, tables, {"curves": chart})
