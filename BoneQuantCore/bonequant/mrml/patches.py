"""Single segments as :class:`bonequant.roi.carry.Patch`: read and written without touching the rest of the node."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from bonequant.mrml.core import require_slicer
from bonequant.mrml.geometry import grid_of, set_grid
from bonequant.mrml.volumes import numpy_array, vtk_image
from bonequant.roi.carry import Patch, cropped
from bonequant.volume import Geometry


def segment_labelmap(node: Any, segment_id: str) -> Any:
    """The segment's binary labelmap, which other segments may share; None where it has none."""
    segment = node.GetSegmentation().GetSegment(segment_id)
    if segment is None:
        return None
    name = require_slicer().vtkSegmentationConverter.GetBinaryLabelmapRepresentationName()
    return segment.GetRepresentation(name)


def patch_of(node: Any, segment_id: str) -> Patch | None:
    """The segment's voxels in the node's own space; None where it has no binary labelmap or nothing was drawn yet."""
    labelmap = segment_labelmap(node, segment_id)
    if labelmap is None:
        return None
    first = np.array(labelmap.GetExtent()[::2])
    grid = grid_of(labelmap, (1, 1, 1))
    if min(labelmap.GetDimensions()) < 1 or labelmap.GetPointData().GetScalars() is None:
        return Patch(grid, first, np.zeros((0, 0, 0), dtype=bool))
    label = node.GetSegmentation().GetSegment(segment_id).GetLabelValue()
    return Patch(grid, first, numpy_array(labelmap) == label).trimmed()


def write_patch(node: Any, segment_id: str, patch: Patch) -> None:
    """Make the segment hold ``patch`` and nothing else; other segments stay as they are, overlapping or not."""
    slicer = require_slicer()
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    if not patch.voxels.any():
        logic.ClearSegment(node, segment_id)
        return
    logic.SetBinaryLabelmapToSegment(_labelmap(patch), node, segment_id, logic.MODE_REPLACE)


def add_patch(node: Any, segment_id: str, patch: Patch, colour: tuple[float, float, float]) -> None:
    """A new segment, named as its ID, that holds ``patch`` in a labelmap of its own."""
    slicer = require_slicer()
    segment = slicer.vtkSegment()
    segment.SetName(segment_id)
    segment.SetColor(*colour)
    segment.SetLabelValue(1)
    name = slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName()
    segment.AddRepresentation(name, _labelmap(patch))
    node.GetSegmentation().AddSegment(segment, segment_id)


def _labelmap(patch: Patch) -> Any:
    labelmap = require_slicer().vtkOrientedImageData()
    if patch.voxels.any():
        labelmap.DeepCopy(vtk_image(patch.voxels.astype(np.uint8)))
        labelmap.SetExtent(*(int(index) for index in np.stack([patch.start, patch.stop - 1], axis=1).ravel()))
    set_grid(labelmap, Geometry((1, 1, 1), patch.grid.spacing, patch.grid.origin, patch.grid.direction))
    return labelmap


def tag_of(segment: Any, name: str) -> str:
    """The text of a segment's tag; "" where it has none."""
    if not segment.HasTag(name):
        return ""
    from vtkmodules.vtkCommonCore import reference

    text = reference("")
    segment.GetTag(name, text)
    return str(text)


def fingerprint(patch: Patch) -> str:
    """Of the drawn voxels and where they lie, whatever box the labelmap happens to have."""
    drawn = patch.trimmed()
    if not drawn.voxels.size:
        return "empty"
    corner = np.round(cropped(drawn.grid, (drawn.start, drawn.stop)).origin, 2) + 0.0
    return hashlib.sha256(f"{drawn.voxels.shape}{corner.tolist()}".encode() + drawn.voxels.tobytes()).hexdigest()[:16]
