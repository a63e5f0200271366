"""DynamicSeries <-> vtkMRMLSequenceNode: one scalar volume per frame, indexed by time in seconds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from bonequant.errors import GeometryError, InputError
from bonequant.mrml.core import embedded, require_slicer
from bonequant.mrml.facts import facts_of, is_unit_typed, set_facts, with_typed
from bonequant.mrml.volumes import fill_node, volume_from_node
from bonequant.volume import DynamicSeries, same_grid

_SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "min": 60.0, "minute": 60.0}
_DURATIONS = "BoneQuant.Durations_s"


def series_to_node(series: DynamicSeries, name: str = "", scene: Any = None, *, identifiers: bool = False) -> Any:
    """A new sequence node in ``scene`` with a copy of every frame."""
    scene = scene if scene is not None else embedded()
    node = scene.AddNewNodeByClass("vtkMRMLSequenceNode", name or series.name or "Dynamic series")
    node.SetIndexName("time")
    node.SetIndexUnit("s")
    node.SetIndexTypeFromString("numeric")
    node.SetNumericIndexValueTolerance(1e-6)
    for index, time_s in enumerate(series.times_s.tolist()):
        frame = require_slicer().vtkMRMLScalarVolumeNode()
        frame.SetName(f"{node.GetName()} {index}")
        fill_node(frame, series.frame(index), identifiers=identifiers)
        node.SetDataNodeAtValue(frame, repr(time_s))
    set_facts(node, series, identifiers=identifiers)
    if series.durations_s is not None:
        node.SetAttribute(_DURATIONS, json.dumps(np.asarray(series.durations_s).tolist()))
    return node


def series_from_node(node: Any) -> DynamicSeries:
    """Frames, times and grid of a sequence of scalar volumes; index units s, ms and min are understood.

    Raises:
        InputError: no frames, frames that are no volumes, or an index that is not time.
        GeometryError: the frames lie on different grids.
    """
    what = f"Sequence node '{node.GetName()}'"
    count = node.GetNumberOfDataNodes()
    if count == 0:
        raise InputError(f"{what} has no frames.")
    seconds = seconds_per_unit(node)
    nodes = [node.GetNthDataNode(index) for index in range(count)]
    if not all(frame.IsA("vtkMRMLScalarVolumeNode") for frame in nodes):
        raise InputError(f"{what} holds {nodes[0].GetClassName()}, not scalar volumes.")
    frames = [volume_from_node(frame) for frame in nodes]
    if not all(same_grid(frame.image, frames[0].image) for frame in frames):
        raise GeometryError(f"The frames of {what} lie on different grids: resample them to one first.")
    facts = with_typed(facts_of(node if node.GetAttribute("BoneQuant.Modality") else nodes[0]), node)
    unit_of_frames = "" if is_unit_typed(node) else frames[0].unit
    durations = node.GetAttribute(_DURATIONS)
    return DynamicSeries(
        frames=np.stack([frame.array for frame in frames]).astype(np.float32, copy=False),
        times_s=np.array([float(node.GetNthIndexValue(index)) * seconds for index in range(count)]),
        geometry=frames[0].geometry,
        durations_s=np.array(json.loads(durations)) if durations else None,
        name=node.GetName() or "",
        source=f"node '{node.GetName() or node.GetID()}'",
        **{**facts, "unit": unit_of_frames or facts["unit"]},
    )


def seconds_per_unit(node: Any) -> float:
    """Seconds in one unit of the sequence's index. Raises InputError for an index that is not time."""
    unit = (node.GetIndexUnit() or "").strip().lower()
    if unit not in _SECONDS:
        raise InputError(
            f"Sequence node '{node.GetName()}' is indexed in '{unit}', not in time: set its index unit to s, ms or min."
        )
    return _SECONDS[unit]
