"""The liver job with nodes: a sequence and segmentations in; tables, curves, charts and maps out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bonequant.errors import InputError
from bonequant.mrml.charts import PALETTE, Series, chart_to_node
from bonequant.mrml.found_regions import patches_of, write_found
from bonequant.mrml.hierarchy import place
from bonequant.mrml.kept import keep, kept_map, kept_node, kept_table
from bonequant.mrml.segments import masks_from_node
from bonequant.mrml.sequences import series_from_node
from bonequant.mrml.transforms import transform_between
from bonequant.mrml.volumes import volume_from_node
from bonequant.studies.liver_perfusion import LiverInputs, MaaInputs

if TYPE_CHECKING:
    from bonequant.studies.liver_perfusion import LiverResult

_METHODS = ("_max_slope", "_dual_input")
_UNITS = {"alp": "mL/min/100 mL", "pvp": "mL/min/100 mL", "tlp": "mL/min/100 mL", "hpi": "%", "volume_ml": "mL"}


@dataclass(frozen=True, eq=False)
class SeriesNodes:
    """The nodes of a dynamic job, by name."""

    maps: Mapping[str, Any]
    tables: Mapping[str, Any]
    charts: Mapping[str, Any]
    regions: Any = None


def liver_inputs(
    series: Any,
    regions: Any,
    second: Any = None,
    maa: Any = None,
    maa_ct: Any = None,
    *,
    confirmed: bool = False,
) -> LiverInputs:
    """One perfusion CT.

    Args:
        series: sequence node in HU, indexed in time.
        regions, second: segmentation nodes of one reader or two, drawn on a frame.
        maa, maa_ct: volume nodes of the MAA SPECT and its own CT. A transform between the two, or above the SPECT alone
            where it has no CT, is taken as the user's alignment with the perfusion CT.
        confirmed: the images show one patient although their facts differ.

    Raises:
        InputError: no series or no regions, or a segmentation under a transform, which a sequence cannot lie under.
    """
    if series is None:
        raise InputError("Select a dynamic CT (a sequence) first: there is nothing to measure.")
    if regions is None:
        raise InputError("Select the regions first: portal_vein, liver, spleen, aorta and lesions, drawn on the CT.")
    found = None
    if maa is not None:
        moved = maa_ct is None and maa.GetParentTransformNode() is not None
        found = MaaInputs(
            spect=volume_from_node(maa),
            ct=volume_from_node(maa_ct) if maa_ct is not None else None,
            transform=transform_between(None, maa) if moved else None,
        )
    return LiverInputs(
        series=series_from_node(series),
        masks=drawn_on_series(regions),
        second=drawn_on_series(second) if second is not None else {},
        maa=found,
        same_patient_confirmed=confirmed,
    )


def drawn_on_series(regions: Any) -> dict[str, Any]:
    """Masks by name. Raises InputError for a segmentation that a transform moves away from the frames."""
    parent = regions.GetParentTransformNode()
    if parent is not None:
        raise InputError(
            f"Segmentation '{regions.GetName()}' lies under the transform '{parent.GetName()}', and frames of a "
            "sequence do not: draw on a frame, or harden the transform on the segmentation first."
        )
    return masks_from_node(regions)


def liver_to_nodes(result: LiverResult, series: Any, pause: Callable[[], Any] = lambda: None) -> SeriesNodes:
    """Write a result; nodes made by a former result of ``series`` are filled again."""
    name, maps = series.GetName(), {}
    for key, volume in {"anatomy": result.anatomy, **result.maps}.items():
        quantity = next((key.removesuffix(method) for method in _METHODS if key.endswith(method)), "")
        finite = volume.array[np.isfinite(volume.array)]
        window = (-50.0, 250.0) if key == "anatomy" else (0.0, max(_high(finite), 1e-6))
        maps[key] = kept_map(series, f"Map.{key}", f"{name} {key}", volume, quantity, window)
        pause()
    rows = {
        "tissue": result.rows,
        "voxels": result.voxel_rows,
        "inputs": result.input_rows,
        "curves": curve_rows(result),
    }
    tables = {key: kept_table(series, f"Table.{key}", f"{name} {key}", table, _UNITS) for key, table in rows.items()}
    charts = {"curves": _chart(tables["curves"], series, result)}
    found = {key: mask for key, mask in result.masks.items() if result.origins[key] == "found"}
    regions = kept_node(series, "FoundRegions")
    if found:
        if regions is None:
            regions = series.GetScene().AddNewNodeByClass("vtkMRMLSegmentationNode", f"{name} found regions")
        write_found(keep(series, "FoundRegions", regions), patches_of(found), maps["anatomy"], pause)
    nodes = [node for node in (*maps.values(), *tables.values(), *charts.values()) if node is not None]
    place(nodes, f"{name} liver perfusion")
    return SeriesNodes(maps, {key: node for key, node in tables.items() if node is not None}, charts, regions)


def curve_rows(result: LiverResult) -> list[dict[str, float]]:
    """One row per frame: enhancement (HU) of every region, and of tissue as fitted."""
    fitted = {name: fit.predict()[0] for name, fit in result.fits.items()}
    return [
        {
            "time_s": time,
            **{name: float(curve[t]) for name, curve in result.enhancement.items()},
            **{f"{name} fitted": float(curve[t]) for name, curve in fitted.items()},
        }
        for t, time in enumerate(result.times_s.tolist())
    ]


def _chart(table: Any, series: Any, result: LiverResult) -> Any:
    colours = {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(result.enhancement)}
    shown = [
        Series(name, "time_s", "points" if name in result.fits else "line", colour=colour)
        for name, colour in colours.items()
    ]
    shown += [Series(f"{name} fitted", "time_s", "line", colour=colours[name]) for name in result.fits]
    chart = chart_to_node(
        table,
        shown,
        f"{series.GetName()} curves",
        x_title="Time (s)",
        y_title="Enhancement (HU)",
        chart=kept_node(series, "Chart.curves"),
    )
    return keep(series, "Chart.curves", chart)


def _high(values: np.ndarray) -> float:
    return float(np.percentile(values, 99.0)) if values.size else 1.0
