"""DynamicSeries <-> vtkMRMLSequenceNode: one scalar volume per frame, indexed by time in seconds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bonequant.errors import GeometryError, InputError
from bonequant.mrml.core import embedded, require_slicer
from bonequant.mrml.facts import facts_of, is_unit_typed, set_facts, with_typed
from bonequant.mrml.units import unit_of
from bonequant.mrml.volumes import fill_node, voxels_of, vtk_image
from bonequant.volume import DynamicSeries

_LABELS = "MultiVolume."  # how Slicer's DICOM reader (MultiVolumeImporter) says what tells frames apart
_TIME_TAGS = ("TriggerTime", "AcquisitionTime", "ContentTime", "SeriesTime")
_SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "min": 60.0, "minute": 60.0}
_SAME_MM = 1e-3
_DURATIONS = "BoneQuant.Durations_s"


def frame_images(series: DynamicSeries) -> list[Any]:
    """Copies of the frames as VTK images, for :func:`series_to_node`. Touches no node: may run beside the interface."""
    return [vtk_image(frame) for frame in series.frames]


def series_to_node(
    series: DynamicSeries,
    name: str = "",
    scene: Any = None,
    *,
    identifiers: bool = False,
    images: Sequence[Any] | None = None,
) -> Any:
    """A new sequence node in ``scene`` with a copy of every frame; ``images``: these copies, where they are made."""
    scene = scene if scene is not None else embedded()
    node = scene.AddNewNodeByClass("vtkMRMLSequenceNode", name or series.name or "Dynamic series")
    node.SetIndexName("time")
    node.SetIndexUnit("s")
    node.SetIndexTypeFromString("numeric")
    node.SetNumericIndexValueTolerance(1e-6)
    frame = require_slicer().vtkMRMLScalarVolumeNode()
    fill_node(frame, series.frame(0), identifiers=identifiers)
    images = images or frame_images(series)
    for index, time_s in enumerate(series.times_s.tolist()):
        frame.SetName(f"{node.GetName()} {index}")
        frame.SetAndObserveImageData(None)
        node.SetDataNodeAtValue(frame, repr(time_s))  # copies voxels: so without them first
        frame.SetAndObserveImageData(images[index])
        node.UpdateDataNodeAtValue(frame, repr(time_s), True)
    set_facts(node, series, identifiers=identifiers)
    if series.durations_s is not None:
        node.SetAttribute(_DURATIONS, json.dumps(np.asarray(series.durations_s).tolist()))
    return node


def series_from_node(node: Any) -> DynamicSeries:
    """Frames, times (:func:`times_of`) and grid of a sequence of scalar volumes; see :func:`series_reader`."""
    return series_reader(node)()


def series_reader(node: Any) -> Callable[[], DynamicSeries]:
    """What reads a sequence of scalar volumes: nodes are looked at now, voxels copied when it is called.

    The call touches no node, so that it may run beside the interface.

    Raises:
        InputError: no frames, frames that are no volumes, or no times.
        GeometryError: the frames lie on different grids.
    """
    what = f"Sequence node '{node.GetName()}'"
    count = node.GetNumberOfDataNodes()
    if count == 0:
        raise InputError(f"{what} has no frames.")
    times = times_of(node)
    nodes = [node.GetNthDataNode(index) for index in range(count)]
    if not all(frame.IsA("vtkMRMLScalarVolumeNode") for frame in nodes):
        raise InputError(f"{what} holds {nodes[0].GetClassName()}, not scalar volumes.")
    voxels = [voxels_of(frame) for frame in nodes]
    grid = voxels[0][1]
    corners = grid.corners()
    if not all(one.size == grid.size and np.abs(one.corners() - corners).max() <= _SAME_MM for _, one in voxels):
        raise GeometryError(f"The frames of {what} lie on different grids: resample them to one first.")
    facts = with_typed(facts_of(node if node.GetAttribute("BoneQuant.Modality") else nodes[0]), node)
    unit_of_frames = "" if is_unit_typed(node) else unit_of(nodes[0]) or facts_of(nodes[0])["unit"]
    durations = node.GetAttribute(_DURATIONS)
    name, source = node.GetName() or "", f"node '{node.GetName() or node.GetID()}'"

    def read() -> DynamicSeries:
        return DynamicSeries(
            frames=np.stack([array for array, _ in voxels], dtype=np.float32, casting="unsafe"),
            times_s=times,
            geometry=grid,
            durations_s=np.array(json.loads(durations)) if durations else None,
            name=name,
            source=source,
            **{**facts, "unit": unit_of_frames or facts["unit"]},
        )

    return read


def times_of(node: Any) -> np.ndarray:
    """Seconds of every frame: the sequence's index in s, ms or min; without a unit, the times of the DICOM tag by which
    Slicer told the frames apart when it loaded them.

    Raises InputError for a sequence whose frames have no times.
    """
    count = node.GetNumberOfDataNodes()
    scale = seconds_per_unit(node)
    if scale is not None:
        return np.array([float(node.GetNthIndexValue(index)) * scale for index in range(count)])
    unit = (node.GetIndexUnit() or "").strip()
    told = _labels(node, count) if not unit else None
    if told is None:
        tag = node.GetAttribute(_LABELS + "FrameIdentifyingDICOMTagName")
        by = f" (Slicer told its frames apart by {tag})" if tag else ""
        raise InputError(
            f"Sequence node '{node.GetName()}' is indexed in '{unit}', not in time{by}. Type its frame times, or set "
            "its index unit to s, ms or min."
        )
    return told


def seconds_per_unit(node: Any) -> float | None:
    """Seconds in one unit of the sequence's index; None for an index that is not time."""
    return _SECONDS.get((node.GetIndexUnit() or "").strip().lower())


def _labels(node: Any, count: int) -> np.ndarray | None:
    """Times that Slicer's DICOM reader noted for its frames, which it numbers; None where it went by anything else."""
    tag = node.GetAttribute(_LABELS + "FrameIdentifyingDICOMTagName")
    if tag not in _TIME_TAGS or node.GetAttribute(_LABELS + "FrameIdentifyingDICOMTagUnits") != "ms":
        return None
    labels = (node.GetAttribute(_LABELS + "FrameLabels") or "").split(",")
    return np.array([float(label) for label in labels]) * 1e-3 if len(labels) == count else None
