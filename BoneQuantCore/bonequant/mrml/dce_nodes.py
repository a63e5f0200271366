"""One date of a DCE study from its nodes: series, T1, regions drawn on it, artery, delay.

Nodes keep what the files said, so the inputs are those that the command line reads from the same files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.mrml.facts import dicom_files
from bonequant.mrml.live import ADJUSTED
from bonequant.mrml.patches import fingerprint, patch_of, tag_of
from bonequant.mrml.segments import masks_from_node, masks_to_node
from bonequant.mrml.sequences import series_from_node
from bonequant.mrml.volumes import volume_from_node
from bonequant.studies.dce_perfusion import DceInputs
from bonequant.studies.treatment_response import DateInputs
from bonequant.studies.treatment_response.reading import with_masks
from bonequant.volume import Volume

ARTERY = "aif"
FOUND = "BoneQuant.Found"  # tag of a segment: fingerprint of what the program put there
_DEGREES = ("deg", "degree", "degrees", "°")


def date_from_nodes(
    name: str,
    sequence: Any,
    *,
    t1: Any = None,
    flip_angles: Any = None,
    regions: Sequence[Any] = (),
    artery: Any = None,
    delay_s: float | None = None,
    scan_date: date | None = None,
) -> DateInputs:
    """One date for :func:`bonequant.studies.treatment_response.run`.

    Args:
        name: of the date in tables.
        sequence: vtkMRMLSequenceNode of the dynamic series.
        t1: scalar volume node, map of T1 before contrast.
        flip_angles: sequence node of volumes of several flip angles (indexed by angle), or a list of volume nodes.
        regions: segmentation nodes drawn at this date; names of segments tell what they are (``reference``,
            ``<lesion>_reference``, ``normal_bone`` ...; all others are lesions). Of a segmentation that was carried
            here, only the segments that were adjusted count as drawn.
        artery: segmentation node with the voxels of the artery; where they are as the program found them, it is
            searched again at the run, with the same result.
        delay_s: of the tissue, by hand.
        scan_date: where the files do not say.

    Raises:
        InputError: no series, or a node that holds no such data.
    """
    if sequence is None:
        raise InputError(f"{name}: no dynamic series is selected. Select the sequence of the DCE frames.")
    series = series_from_node(sequence)
    angles = [] if flip_angles is None else _angle_volumes(flip_angles)
    dce = DceInputs(
        series,
        t1_volumes=tuple(angles),
        t1_map=None if t1 is None else volume_from_node(t1),
        aif_region=drawn_artery(artery),
        delay_s=delay_s,
        name=name,
    )
    masks: dict[str, sitk.Image] = {}
    for node in regions:
        found = _drawn(node)
        twice = sorted(set(found) & set(masks))
        if twice:
            raise InputError(f"{name}: {', '.join(twice)} is drawn in two segmentations; keep it in one of them.")
        masks |= found
    files = dicom_files(sequence) or dicom_files(sequence.GetNthDataNode(0))
    folder = str(Path(files[0]).parent) if files else None
    return with_masks(DateInputs(name, dce, typed_date=scan_date, folder=folder), masks)


def artery_to_node(aif: Any, name: str, scene: Any = None) -> Any:
    """The voxels an input was taken from as a segmentation with one segment, marked as found.

    Raises InputError for an input that is of no voxels.
    """
    if aif.mask is None:
        raise InputError(f"The input '{aif.name}' comes from no voxels: there is nothing to show.")
    node = masks_to_node({ARTERY: aif.mask}, name, scene)
    node.GetSegmentation().GetSegment(ARTERY).SetColor(0.84, 0.15, 0.15)
    mark_found(node)
    return node


def mark_found(node: Any) -> None:
    """Say that the segments are as the program made them; what the user changes afterwards is seen."""
    for segment_id, segment in _segments(node):
        patch = patch_of(node, segment_id)
        if patch is not None:
            segment.SetTag(FOUND, fingerprint(patch))


def drawn_artery(node: Any) -> sitk.Image | None:
    """The voxels of the artery where the user drew or changed them; None where they are as found, or empty."""
    if node is None:
        return None
    segments = _segments(node)
    if not segments:
        return None
    segment_id, segment = next((one for one in segments if one[1].GetName() == ARTERY), segments[0])
    patch = patch_of(node, segment_id)
    if patch is None or not patch.voxels.any() or tag_of(segment, FOUND) == fingerprint(patch):
        return None
    return masks_from_node(node)[segment.GetName()]


def _drawn(node: Any) -> dict[str, sitk.Image]:
    """Masks that hold voxels; of a carried segmentation those that the user adjusted."""
    masks = masks_from_node(node)
    carried = node.GetNodeReference("BoneQuant.carriedFrom") is not None
    found = {}
    for segment_id, segment in _segments(node):
        patch = patch_of(node, segment_id)
        empty = patch is not None and not patch.voxels.any()
        if not empty and (not carried or segment.HasTag(ADJUSTED)):
            found[segment.GetName() or segment_id] = masks[segment.GetName() or segment_id]
    return found


def _segments(node: Any) -> list[tuple[str, Any]]:
    segmentation = node.GetSegmentation()
    ids = [segmentation.GetNthSegmentID(index) for index in range(segmentation.GetNumberOfSegments())]
    return [(segment_id, segmentation.GetSegment(segment_id)) for segment_id in ids]


def _angle_volumes(nodes: Any) -> list[Volume]:
    """Volumes of several flip angles; the angle from the files, else from the sequence's index."""
    if isinstance(nodes, (list, tuple)):
        return [volume_from_node(node) for node in nodes]
    in_degrees = (nodes.GetIndexUnit() or "").strip().lower() in _DEGREES
    volumes = []
    for index in range(nodes.GetNumberOfDataNodes()):
        frame = nodes.GetNthDataNode(index)
        if not frame.IsA("vtkMRMLScalarVolumeNode"):
            raise InputError(f"Sequence '{nodes.GetName()}' holds {frame.GetClassName()}, not volumes of flip angles.")
        volume = volume_from_node(frame)
        if in_degrees and "flip_angle_deg" not in volume.acquisition.protocol:
            angle = {"flip_angle_deg": float(nodes.GetNthIndexValue(index))}
            facts = dataclasses.replace(volume.acquisition, protocol={**volume.acquisition.protocol, **angle})
            volume = volume.replace(acquisition=facts)
        volumes.append(volume)
    if not volumes:
        raise InputError(f"Sequence '{nodes.GetName()}' holds no volumes of flip angles.")
    return volumes
