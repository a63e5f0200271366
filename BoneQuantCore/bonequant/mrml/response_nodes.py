"""The response job's result as nodes: maps of each date in one window, alignment, tables, curves, outlines, folders.

The later dates' images lie under the transform that lays them on the first, with their voxels untouched: linked slice
views then show one anatomy side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.io.export.codes import quantity as codes_of
from bonequant.mrml.hierarchy import place
from bonequant.mrml.maps import map_to_node
from bonequant.mrml.response_tables import (
    CALL_COLUMNS,
    COLUMNS,
    curve_rows,
    curve_series,
    fill_chart,
    fill_table,
)
from bonequant.mrml.result_nodes import ResultNodes
from bonequant.mrml.segments import masks_to_node
from bonequant.mrml.transforms import transform_to_node
from bonequant.mrml.volumes import fill_node, volume_to_node
from bonequant.roi import propagate
from bonequant.studies.dce_perfusion import DceResult
from bonequant.studies.treatment_response import ResponseResult
from bonequant.studies.treatment_response.lesions import PROPOSED
from bonequant.volume import Volume

FOLDER = "DCE response"
_COLOURS, _NOTHING = "vtkMRMLPETProceduralColorNodePET-Heat", 0.03  # of the window
_NATURAL = ("ve", "vp")  # have a window of their own


def anatomy_to_node(nodes: ResultNodes, date_name: str, anatomy: Volume) -> Any:
    """The image of a date on which regions are drawn and over which maps lie; filled again under the same node."""
    role = f"anatomy.{date_name}"
    node = nodes.get(role)
    if node is None:
        node = nodes.put(role, volume_to_node(anatomy, f"Anatomy {date_name}", nodes.scene))
        place([node], FOLDER, date_name)
    else:
        fill_node(node, anatomy)
    return node


def maps_to_nodes(nodes: ResultNodes, studies: Mapping[str, DceResult]) -> dict[str, dict[str, Any]]:
    """Map nodes by quantity and date name, each quantity in one window; those without codes stay out."""
    for role in nodes.roles():
        if role.startswith("map.") and role.rsplit(".", 1)[-1] in studies:
            nodes.put(role, None)
    quantities = dict.fromkeys(name for study in studies.values() for name in study.maps if _is_quantity(name))
    made: dict[str, dict[str, Any]] = {}
    for name in quantities:
        window = None if name in _NATURAL else _window([one.maps[name] for one in studies.values() if name in one.maps])
        for date_name, study in studies.items():
            if name not in study.maps:
                continue
            node = map_to_node(study.maps[name], name, f"{name} {date_name}", nodes.scene, window=window)
            _see_through(node)
            nodes.put(f"map.{name}.{date_name}", node)
            anatomy = nodes.get(f"anatomy.{date_name}")
            if anatomy is not None:
                node.SetAndObserveTransformNodeID(anatomy.GetTransformNodeID())
            place([node], FOLDER, date_name)
            made.setdefault(name, {})[date_name] = node
    return made


def study_to_nodes(study: DceResult, nodes: ResultNodes) -> None:
    """Maps of one date, and the table of its regions under ``table.regions.<date>``; its images are there already."""
    maps_to_nodes(nodes, {study.name: study})
    table = fill_table(nodes, f"table.regions.{study.name}", f"Regions {study.name}", study.rows, None, {})
    place([table], FOLDER, study.name)


def response_to_nodes(result: ResponseResult, nodes: ResultNodes) -> None:
    """Put everything to look at into the scene, in place of a former result under the same parameter node.

    Roles: ``anatomy.<date>``, ``map.<quantity>.<date>``, ``alignment.<date>``, ``outlines.<date>`` (carried or proposed
    reference vertebrae), ``table.lesions``, ``table.calls``, ``table.curves``, ``chart.curves``.
    """
    for k, one in enumerate(result.dates):
        anatomy_to_node(nodes, one.name, result.anatomies[k][1])
    _lay_on(result, nodes)
    studies = {one.name: study for one, study in zip(result.dates, result.dce, strict=True) if study is not None}
    maps_to_nodes(nodes, studies)
    _outlines(result, nodes)
    ktrans = next((study.maps["ktrans"].unit for study in studies.values() if "ktrans" in study.maps), "")
    lesions = [{**row, "lesion": result.label_of(row["tracking_id"])} for row in result.rows]
    tables = [
        fill_table(nodes, "table.lesions", "Changes", lesions, COLUMNS, {"ktrans": ktrans, "ktrans_reference": ktrans}),
        fill_table(nodes, "table.calls", "Calls", result.call_rows, CALL_COLUMNS, {}),
    ]
    table = fill_table(nodes, "table.curves", "Curves", curve_rows(result), None, {"time_s": "s"})
    if table is not None:
        unit = next((study.facts.unit for study in studies.values()), "")
        title = f"Concentration ({unit})" if unit else "Relative enhancement"
        chart = fill_chart(nodes, "chart.curves", table, curve_series(table), "Lesion and healthy vertebra", title)
        place([table, chart], FOLDER)
    place([node for node in tables if node is not None], FOLDER)


def _lay_on(result: ResponseResult, nodes: ResultNodes) -> None:
    """The transforms above the images of the other dates: the sampled image lies under points-of-home to it."""
    home = result.alignment.home
    for k, one in enumerate(result.dates):
        transform = result.alignment.between(home, k)
        role = f"alignment.{one.name}"
        node = None
        if transform is not None:
            name = f"{one.name} on {result.dates[home].name}"
            node = transform_to_node(transform, name, nodes.scene)
            place([node], FOLDER)
        former = nodes.get(role)
        below = _children(nodes.scene, former) if former is not None else []
        for child in (nodes.get(f"anatomy.{one.name}"), *below):
            child.SetAndObserveTransformNodeID(node.GetID() if node is not None else None)
        nodes.put(role, node)


def _outlines(result: ResponseResult, nodes: ResultNodes) -> None:
    """Reference vertebrae that the program proposed, on the grid of each date, to be looked at."""
    nodes.clear("outlines.")
    for k, (one, study) in enumerate(zip(result.dates, result.dce, strict=True)):
        if study is None:
            continue
        masks = {}
        for tracking_id, outlines in result.references.items():
            proposed = any(outline.origin == PROPOSED for outline in outlines)
            if proposed and (mask := _on(study, outlines[k])) is not None:
                masks[f"{tracking_id} reference, proposed"] = mask
        if masks:
            node = masks_to_node(masks, f"Proposed reference {one.name}", nodes.scene)
            for name in masks:
                node.GetSegmentation().GetSegment(name).SetColor(0.20, 0.75, 0.45)
            anatomy = nodes.get(f"anatomy.{one.name}")
            node.SetAndObserveTransformNodeID(anatomy.GetTransformNodeID())
            nodes.put(f"outlines.{one.name}", node)
            place([node], FOLDER, one.name)


def _on(study: DceResult, outline: Any) -> sitk.Image | None:
    """An outline on the grid of its date's series, for the eye."""
    if outline.mask is None:
        return None
    found = sitk.Cast(propagate(outline.mask, study.anatomy, outline.transform) >= 0.5, sitk.sitkUInt8)
    return found if sitk.GetArrayViewFromImage(found).any() else None


def _children(scene: Any, transform: Any) -> list[Any]:
    """Nodes that lie directly under a transform."""
    found = []
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLTransformableNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLTransformableNode")
        if node.GetParentTransformNode() is transform:
            found.append(node)
    return found


def _see_through(node: Any) -> None:
    """Colours for a map over an image: dark where it is low, and nothing where it is next to nothing."""
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(_COLOURS)
    low, high = display.GetWindowLevelMin(), display.GetWindowLevelMax()
    display.SetLowerThreshold(low + _NOTHING * (high - low))
    display.ApplyThresholdOn()


def _is_quantity(name: str) -> bool:
    try:
        codes_of(name)
    except InputError:
        return False
    return True


def _window(volumes: list[Volume]) -> tuple[float, float]:
    """From 0 to the highest 99th percentile of all dates: equal colours mean equal numbers."""
    highs = [np.percentile(known, 99.0) for one in volumes if (known := one.array[np.isfinite(one.array)]).size]
    high = float(max(highs, default=1.0))
    return 0.0, high if high > 0.0 else 1.0
