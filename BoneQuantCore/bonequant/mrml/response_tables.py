"""Tables and plots of the response job as nodes: changes, calls, and the curves of both dates side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bonequant.mrml.charts import PALETTE, Series, chart_to_node
from bonequant.mrml.result_nodes import ResultNodes
from bonequant.mrml.tables import rows_into_node, rows_to_node
from bonequant.studies.treatment_response import ResponseResult

# Columns of the change table, in the order in which they are read; columns without a value are left out.
COLUMNS = (
    "lesion",
    "date",
    "call",
    "vp_change_percent",
    "vp_normalised",
    "vp",
    "vp_reference",
    "ktrans_normalised_change_percent",
    "ktrans_normalised",
    "ktrans",
    "ktrans_reference",
    "call_by_size",
    "size_change_percent",
    "product_mm2",
    "longest_mm",
    "perpendicular_mm",
    "volume_ml",
    "outline",
    "rule",
    "tracking_id",
)
CALL_COLUMNS = ("subject", "date", "criterion", "category", "direction", "rule", "flags")
_UNITS = {"percent": "%", "mm": "mm", "mm2": "mm2", "ml": "mL"}
Curves = Mapping[tuple[str, str], Any]  # (region, date) to what has concentration and fitted, as Perfusion has


def fill_table(
    nodes: ResultNodes,
    role: str,
    name: str,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str] | None,
    units: Mapping[str, str],
) -> Any:
    """A table node under ``role`` with these rows (and columns, where they hold anything); None without rows."""
    wanted = columns or list(dict.fromkeys(key for row in rows for key in row))
    filled = [name for name in wanted if any(row.get(name) not in (None, [], ()) for row in rows)]
    if not rows or not filled:
        return nodes.put(role, None)
    plain = [{name: _plain(row.get(name)) for name in filled} for row in rows]
    suffixes = {name: _UNITS[name.rsplit("_", 1)[-1]] for name in filled if name.rsplit("_", 1)[-1] in _UNITS}
    shown = {name: unit for name, unit in {**suffixes, **units}.items() if name in filled}
    node = nodes.get(role)
    if node is None:
        return nodes.put(role, rows_to_node(plain, name, nodes.scene, units=shown))
    rows_into_node(plain, node, units=shown)
    return node


def fill_chart(nodes: ResultNodes, role: str, table: Any, series: Sequence[Series], title: str, y_title: str) -> Any:
    """A chart node under ``role``, the same node when it is filled again."""
    chart = chart_to_node(table, series, title, x_title="Time (s)", y_title=y_title, chart=nodes.get(role))
    return nodes.put(role, chart)


def curve_rows(result: ResponseResult) -> list[dict[str, Any]]:
    """Measured and fitted curves of all lesions and references, one row per frame."""
    found: dict[tuple[str, str], Any] = {}
    for what, table in (("", result.perfusion), (" reference", result.reference_perfusion)):
        for (tracking_id, k), one in table.items():
            found[f"{tracking_id}{what}", result.dates[k].name] = one
    return rows_of_curves(found)


def rows_of_curves(curves: Curves) -> list[dict[str, Any]]:
    """Columns ``time <date>``, ``<region> <date>`` and ``<region> <date> fit``; shorter series end in NaN."""
    columns: dict[str, np.ndarray] = {}
    for (region, date_name), one in curves.items():
        if one.concentration is None:
            continue
        times = one.concentration.times_s
        columns[f"time {date_name}"] = times
        columns[f"{region} {date_name}"] = one.concentration.values
        if one.fitted is not None:
            columns[f"{region} {date_name} fit"] = np.interp(times, one.fitted.times_s, one.fitted.values)
    count = max((len(values) for values in columns.values()), default=0)
    return [
        {name: float(values[row]) if row < len(values) else float("nan") for name, values in columns.items()}
        for row in range(count)
    ]


def curve_series(table: Any) -> list[Series]:
    """Points for what was measured, lines for what was fitted; a colour per curve, the fit in its own."""
    names = [table.GetColumnName(index) for index in range(table.GetNumberOfColumns())]
    dates = [name.removeprefix("time ") for name in names if name.startswith("time ")]
    series: list[Series] = []
    shown = 0
    for name in names:
        date_name = next((one for one in dates if name.removesuffix(" fit").endswith(f" {one}")), None)
        if name.startswith("time ") or date_name is None:
            continue
        fit = name.endswith(" fit")
        shown += not fit
        colour = PALETTE[(shown - 1) % len(PALETTE)]
        series.append(Series(name, f"time {date_name}", "line" if fit else "points", name, colour))
    return series


def _plain(value: Any) -> Any:
    return "; ".join(str(part) for part in value) if isinstance(value, (list, tuple)) else value
