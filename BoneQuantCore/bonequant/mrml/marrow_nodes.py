"""Results of the marrow job as nodes: alignment, editable regions, maps with legends, tables and charts that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bonequant.mrml.charts import Series, chart_to_node
from bonequant.mrml.found_regions import FoundPatches, patches_of, reference_volume, space_of, write_found
from bonequant.mrml.hierarchy import place
from bonequant.mrml.kept import keep, kept_map, kept_node, kept_table
from bonequant.mrml.transforms import transform_to_node

if TYPE_CHECKING:
    from bonequant.registration import RegistrationResult
    from bonequant.studies.marrow_perfusion import FollowUp, MarrowResult

_HISTOGRAM_BINS = 40
_QUANTITIES = {"SUVbw": "suv", "SUVlbm": "suv_lbm", "Bq/mL": "activity"}  # units whose quantity has codes
_FUSED_COLOURS = "vtkMRMLPETProceduralColorNodePET-Heat"
_TRANSPARENT_BELOW = 0.1  # of the window: the anatomy shows where there is no uptake


@dataclass(frozen=True, eq=False)
class MarrowNodes:
    """The nodes of one date; None or absent where the result has no such part."""

    regions: Any
    regions_on_functional: Any
    maps: Mapping[str, Any]
    tables: Mapping[str, Any]
    charts: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class MarrowContent:
    """What is written into nodes, prepared where no node is touched: in the thread of the job."""

    on_ct: FoundPatches
    on_functional: FoundPatches
    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    upper: float


def marrow_content(result: MarrowResult) -> MarrowContent:
    """Prepare :func:`marrow_to_nodes`."""
    uptake = result.uptake.get("marrow")
    upper = 2.0 * uptake.p95 if uptake is not None else max(measured.p95 for measured in result.uptake.values())
    return MarrowContent(
        patches_of(result.masks_on_ct), patches_of(result.masks_on_functional), marrow_tables(result), max(upper, 1e-6)
    )


def marrow_tables(result: MarrowResult) -> dict[str, Sequence[Mapping[str, Any]]]:
    """The job's rows by table name, and the histogram of uptake in its few large regions."""
    return {
        "regions": result.rows,
        "vertebrae": [row for row in result.rows if row["region"] in result.vertebrae],
        "lesions": result.lesion_rows,
        "histogram": _histogram(result.samples),
    }


def align_node(registration: RegistrationResult, functional: Any) -> Any:
    """Lay ``functional`` on its CT: a transform node of its own, under which it is put. Voxels stay as they are."""
    before = functional.GetParentTransformNode()
    node = transform_to_node(registration.transform, f"{functional.GetName()} on CT", functional.GetScene())
    keep(functional, "AlignmentBefore", before)
    keep(functional, "Alignment", node)
    _put_under(functional, node)
    return node


def undo_alignment(functional: Any) -> bool:
    """Put ``functional`` back where it lay before :func:`align_node`; False where there is nothing to undo."""
    node = kept_node(functional, "Alignment")
    if node is None:
        return False
    before = kept_node(functional, "AlignmentBefore")
    _put_under(functional, before)
    for role in ("Alignment", "AlignmentBefore"):
        keep(functional, role, None)
    functional.GetScene().RemoveNode(node)
    return True


def _put_under(volume: Any, transform: Any) -> None:
    """A volume, and the segmentations that were drawn on it and lie where it lies."""
    scene, before = volume.GetScene(), volume.GetParentTransformNode()
    count = scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
    segmentations = [scene.GetNthNodeByClass(index, "vtkMRMLSegmentationNode") for index in range(count)]
    for node in [volume, *segmentations]:
        drawn_on_it = node is volume or reference_volume(node) is volume
        if drawn_on_it and node.GetParentTransformNode() is before:
            node.SetAndObserveTransformNodeID(transform.GetID() if transform is not None else None)


def regions_to_node(found: FoundPatches, node: Any, volume: Any, name: str, pause: Callable[[], Any]) -> Any:
    """Found regions in the segmentation ``node``, or in a new one on ``volume``."""
    if node is None:
        node = volume.GetScene().AddNewNodeByClass("vtkMRMLSegmentationNode", f"{volume.GetName()} {name}")
    write_found(node, found, volume, pause)
    return node


def marrow_to_nodes(
    result: MarrowResult,
    content: MarrowContent,
    functional: Any,
    ct: Any = None,
    regions: Any = None,
    pause: Callable[[], Any] = lambda: None,
) -> MarrowNodes:
    """Write a result; nodes made by a former result of ``functional`` are filled again.

    Args:
        content: of :func:`marrow_content`.
        functional, ct: the nodes that were measured.
        regions: the segmentation that the user works with; a new one by default.
        pause: called between nodes: for the interface.
    """
    name = functional.GetName()
    space = "ct" if regions is None else space_of(regions, {"ct": ct, "functional": functional})
    on_ct = regions if space == "ct" else kept_node(functional, "RegionsOnCt")
    on_functional = regions if space == "functional" else kept_node(functional, "RegionsOnFunctional")
    if content.on_ct:
        on_ct = keep(functional, "RegionsOnCt", regions_to_node(content.on_ct, on_ct, ct, "regions", pause))
    if content.on_functional:
        node = regions_to_node(content.on_functional, on_functional, functional, "drawn regions", pause)
        on_functional = keep(functional, "RegionsOnFunctional", node)
    maps = {}
    for key, volume in result.maps.items():
        high = content.upper if key != "ratio" else max(2.0 * float(np.percentile(volume.array, 99.9)), 1e-6) / 2.0
        new = kept_node(functional, f"Map.{key}") is None
        quantity = _QUANTITIES.get(volume.unit, "")
        node = kept_map(functional, f"Map.{key}", f"{name} {key}", volume, quantity, (0.0, high))
        if new:
            _show_over_anatomy(node, high)
        maps[key] = node
        pause()
    tables = write_marrow_tables(content.tables, functional, result.functional.unit)
    pause()
    charts = _charts(tables, functional, result.functional.unit, pause)
    pause()
    place([node for node in (*maps.values(), *tables.values(), *charts.values()) if node], f"{name} marrow perfusion")
    pause()
    return MarrowNodes(regions or on_ct or on_functional, on_functional, maps, tables, charts)


def write_marrow_tables(
    tables: Mapping[str, Sequence[Mapping[str, Any]]], functional: Any, unit: str
) -> dict[str, Any]:
    """The job's tables as nodes; those without rows are left out."""
    units = dict.fromkeys(("mean", "mean_corrected", "sd", "median", "min", "max", "peak", "p5", "p95", "uptake"), unit)
    units |= {"volume_ml": "mL", "total": f"{unit} mL", "hu_mean": "HU", "hu_sd": "HU", "percent_of_total": "%"}
    titles = {"regions": "regions", "vertebrae": "vertebrae", "lesions": "lesions", "histogram": "histogram"}
    nodes = {
        key: kept_table(functional, f"Table.{key}", f"{functional.GetName()} {titles[key]}", rows, units)
        for key, rows in tables.items()
    }
    return {key: node for key, node in nodes.items() if node is not None}


def follow_up_to_node(follow_up: FollowUp, functional: Any) -> Any:
    """Two or more dates side by side, as a table node of the first date."""
    return kept_table(functional, "Table.follow_up", f"{functional.GetName()} follow-up", follow_up.rows)


def _charts(tables: Mapping[str, Any], functional: Any, unit: str, pause: Callable[[], Any]) -> dict[str, Any]:
    titles = {"regions": f"Mean {unit}", "vertebrae": f"Mean {unit}", "histogram": "% of voxels"}
    charts = {}
    for key, table in tables.items():
        if key not in titles:
            continue
        if key == "histogram":
            names = [table.GetColumnName(index) for index in range(1, table.GetNumberOfColumns())]
            series = [Series(column, "uptake") for column in names]
        else:
            kind = "bar" if key == "regions" else "points and line"
            series = [Series("mean", "region", kind, name=f"Mean {unit}")]
        chart = chart_to_node(
            table,
            series,
            f"{functional.GetName()} {key}",
            x_title=_x_title(key, table, unit),
            y_title=titles[key],
            chart=kept_node(functional, f"Chart.{key}"),
        )
        charts[key] = keep(functional, f"Chart.{key}", chart)
        pause()
    return charts


def _x_title(key: str, table: Any, unit: str) -> str:
    """Slicer's plots number bars from 0 and say a bar's name when the mouse is over it: the axis says what is where."""
    if key == "histogram":
        return unit
    if key == "regions":
        return "Rows of the table, from 0 (names under the mouse)"
    column = table.GetTable().GetColumnByName("region")
    return ", ".join(column.GetValue(row) for row in range(column.GetNumberOfValues())) + " (from top to bottom)"


def _show_over_anatomy(node: Any, upper: float) -> None:
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(_FUSED_COLOURS)
    display.SetThreshold(_TRANSPARENT_BELOW * upper, float(np.finfo(np.float32).max))
    display.ApplyThresholdOn()


def _histogram(samples: Mapping[str, np.ndarray]) -> list[dict[str, float]]:
    """Share of each region's voxels (%) by uptake; the last bin's edge is the highest 99.5th percentile."""
    values = {name: numbers for name, numbers in samples.items() if numbers.size}
    if not values:
        return []
    upper = max(float(np.percentile(numbers, 99.5)) for numbers in values.values())
    edges = np.linspace(0.0, max(upper, 1e-6), _HISTOGRAM_BINS + 1)
    shares = {name: 100.0 * np.histogram(numbers, edges)[0] / numbers.size for name, numbers in values.items()}
    middles = (edges[:-1] + edges[1:]) / 2.0
    return [
        {"uptake": float(middle), **{name: float(share[index]) for name, share in shares.items()}}
        for index, middle in enumerate(middles)
    ]
