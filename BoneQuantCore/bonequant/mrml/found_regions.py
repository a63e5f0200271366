"""Regions that a job found as an editable segmentation; what the user drew or changed in it is told from the rest.

A segment that was found carries a tag with the fingerprint of its voxels. One without the tag, or with other voxels,
is drawn: it goes into the job as the user's, and is never written over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.mrml.patches import add_patch, fingerprint, patch_of, tag_of, write_patch
from bonequant.mrml.segments import colour_of, masks_from_node, set_reference_geometry
from bonequant.roi.carry import Patch
from bonequant.volume import Geometry

_FOUND = "BoneQuant.Found"
_VISIBLE = ("marrow", "spine")  # of a new segmentation; the others are one click away
_FILL_OPACITY = 0.25  # uptake is to be seen below
FoundPatches = Mapping[str, tuple[Patch, str]]  # by region: its voxels and their fingerprint


def patches_of(masks: Mapping[str, sitk.Image]) -> dict[str, tuple[Patch, str]]:
    """What :func:`write_found` writes; made apart because it takes time and touches no node."""
    found = {}
    for name, mask in masks.items():
        voxels = sitk.GetArrayViewFromImage(mask) > 0.5
        patch = Patch(Geometry.of(mask), np.zeros(3, dtype=int), voxels).trimmed()
        found[name] = (patch, fingerprint(patch))
    return found


def drawn_names(node: Any) -> set[str]:
    """Names of the segments that the user drew or changed and that are not empty."""
    segmentation, names = node.GetSegmentation(), set()
    for index in range(segmentation.GetNumberOfSegments()):
        segment, patch = segmentation.GetNthSegment(index), patch_of(node, segmentation.GetNthSegmentID(index))
        has_voxels = patch is None or bool(patch.voxels.size)  # None: a surface or contour, which no job makes
        if has_voxels and (patch is None or tag_of(segment, _FOUND) != fingerprint(patch)):
            names.add(segment.GetName())
    return names


def drawn_masks(node: Any) -> dict[str, sitk.Image]:
    """Masks of the segments that the user drew or changed, in the node's own space."""
    return masks_from_node(node, drawn_names(node))


def write_found(node: Any, found: FoundPatches, like: Any, pause: Callable[[], Any] = lambda: None) -> None:
    """Put found regions into a segmentation node; drawn and changed segments stay, found ones that are gone go.

    Args:
        like: volume node on which they were found: the segmentation lies where it lies, and draws on its grid.
        pause: called between two segments: for the interface.
    """
    segmentation = node.GetSegmentation()
    drawn, first_time = drawn_names(node), segmentation.GetNumberOfSegments() == 0
    grid = next(iter(found.values()))[0].grid if found else None
    if grid is not None and first_time:
        set_reference_geometry(node, grid)
        node.SetReferenceImageGeometryParameterFromVolumeNode(like)
    node.SetAndObserveTransformNodeID(like.GetTransformNodeID())
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetOpacity2DFill(_FILL_OPACITY)  # of all, whenever they are added
    for segment_id in [segmentation.GetNthSegmentID(index) for index in range(segmentation.GetNumberOfSegments())]:
        segment = segmentation.GetSegment(segment_id)
        if segment.GetName() not in found and segment.GetName() not in drawn:
            segmentation.RemoveSegment(segment_id)
    for index, (name, (patch, mark)) in enumerate(found.items()):
        if name in drawn:
            continue
        segment_id = segmentation.GetSegmentIdBySegmentName(name)
        if not segment_id:
            segment_id = name
            add_patch(node, name, patch, colour_of(name, index))
            if first_time:
                node.GetDisplayNode().SetSegmentVisibility(name, name in _VISIBLE)
        elif tag_of(segmentation.GetSegment(segment_id), _FOUND) != mark:
            write_patch(node, segment_id, patch)
        segmentation.GetSegment(segment_id).SetTag(_FOUND, mark)
        pause()


def space_of(regions: Any, volumes: Mapping[str, Any]) -> str:
    """In the space of which of the named volume nodes a segmentation lies.

    By the volume that its geometry refers to; else by its parent transform.

    Raises InputError where that does not tell, or where it lies under a transform of its own.
    """
    reference = reference_volume(regions)
    parent = regions.GetParentTransformNode()
    there = [name for name, node in volumes.items() if node is not None and node.GetParentTransformNode() is parent]
    named = [name for name in there if volumes[name] is reference]
    if named:
        return named[0]
    moved = any(node is not None and node is reference for node in volumes.values())
    names = " or ".join(f"'{node.GetName()}'" for node in volumes.values() if node is not None)
    if not there or moved:
        raise InputError(
            f"Segmentation '{regions.GetName()}' lies under another transform than {names}: put it under that of the "
            "volume on which it was drawn, in Slicer's Transforms module."
        )
    return there[0]  # where several do, they lie in one space, and it is the same


def reference_volume(regions: Any) -> Any:
    """The volume node whose grid the segmentation draws on; None where it names none."""
    return regions.GetNodeReference(regions.GetReferenceImageGeometryReferenceRole())
