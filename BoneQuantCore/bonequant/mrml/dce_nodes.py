"""One date of a DCE study from its nodes: series, T1, regions drawn on it, artery, delay.

Nodes keep what the files said, so the inputs are those that the command line reads from the same files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.io import scan
from bonequant.mrml.core import embedded, require_slicer
from bonequant.mrml.facts import dicom_files
from bonequant.mrml.live import ADJUSTED
from bonequant.mrml.patches import add_patch, fingerprint, patch_of, tag_of
from bonequant.mrml.segments import masks_from_node, masks_to_node
from bonequant.mrml.sequences import series_reader, series_to_node
from bonequant.mrml.volumes import fill_node, volume_from_node, volume_to_node
from bonequant.progress import Progress
from bonequant.roi import propose_healthy_vertebra
from bonequant.roi.carry import Patch
from bonequant.studies.dce_perfusion import DceInputs
from bonequant.studies.treatment_response import DateInputs, ResponseResult
from bonequant.studies.treatment_response.alignment import anatomy_of
from bonequant.studies.treatment_response.reading import REFERENCE, with_masks
from bonequant.volume import DynamicSeries, Geometry, Volume

ARTERY = "aif"
FOUND = "BoneQuant.Found"  # tag of a segment: fingerprint of what the program put there
_FOLDER = "BoneQuant.Folder"
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
    """One date for :func:`bonequant.studies.treatment_response.run`; see :func:`date_reader`."""
    more = {"t1": t1, "flip_angles": flip_angles, "artery": artery, "delay_s": delay_s, "scan_date": scan_date}
    return date_reader(name, sequence, regions=regions, **more)()


def date_reader(
    name: str,
    sequence: Any,
    *,
    t1: Any = None,
    flip_angles: Any = None,
    regions: Sequence[Any] = (),
    artery: Any = None,
    delay_s: float | None = None,
    scan_date: date | None = None,
) -> Callable[[], DateInputs]:
    """What reads one date: nodes are looked at now, the series' voxels copied when it is called, beside the interface.

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
    read_series = series_reader(sequence)
    angles = [] if flip_angles is None else _angle_volumes(flip_angles)
    t1_map = None if t1 is None else volume_from_node(t1).replace(name="T1")  # not the date's own name
    aif_region = drawn_artery(artery)
    masks: dict[str, sitk.Image] = {}
    for node in regions:
        found = _drawn(node)
        twice = sorted(set(found) & set(masks))
        if twice:
            raise InputError(f"{name}: {', '.join(twice)} is drawn in two segmentations; keep it in one of them.")
        masks |= found
    files = dicom_files(sequence) or dicom_files(sequence.GetNthDataNode(0))
    folder = str(Path(files[0]).parent) if files else sequence.GetAttribute(_FOLDER)

    def read() -> DateInputs:
        series = read_series()
        dce = DceInputs(
            series, t1_volumes=tuple(angles), t1_map=t1_map, aif_region=aif_region, delay_s=delay_s, name=name
        )
        return with_masks(DateInputs(name, dce, typed_date=scan_date, folder=folder), masks)

    return read


def date_to_nodes(one: DateInputs, scene: Any = None, images: Sequence[Any] | None = None) -> dict[str, Any]:
    """Nodes of a date that was read from files: "sequence", and "t1", "flip_angles", "regions" where there are any.

    The sequence remembers the folder of its files, to which DICOM exports refer. ``images``: the series' frames as
    :func:`bonequant.mrml.sequences.frame_images` makes them beside the interface.
    """
    if one.dce is None:
        raise InputError(f"{one.name} holds no DCE series.")
    sequence = series_to_node(one.dce.series, f"DCE {one.name}", scene, images=images)
    if one.folder is not None and one.dce.series.acquisition.series_uid:
        sequence.SetAttribute(_FOLDER, one.folder)
    nodes = {"sequence": sequence}
    if one.dce.t1_map is not None:
        nodes["t1"] = volume_to_node(one.dce.t1_map, f"T1 {one.name}", scene)
    if one.dce.t1_volumes:
        nodes["flip_angles"] = _angles_to_node(one.dce.t1_volumes, f"Flip angles {one.name}", scene)
    masks = {**one.lesions, **{f"{name}_reference" if name else "reference": m for name, m in one.references.items()}}
    if masks:
        nodes["regions"] = masks_to_node(masks, f"Outlines {one.name}", scene)
    return nodes


def with_series(one: DateInputs) -> DateInputs:
    """The date with the UID of its DICOM series, which scenes leave out: found again in the folder of its files.

    As it is where the UID is known, where there is no folder, or where several series there could be the one.
    """
    if one.dce is None or one.folder is None or one.dce.series.acquisition.series_uid:
        return one
    series = one.dce.series
    count, slices = len(series.times_s), series.geometry.size[2]
    found = {info.series_uid for info in scan(one.folder) if (info.n_phases, info.n_slices) == (count, slices)}
    if len(found) != 1:
        return one
    known = dataclasses.replace(series.acquisition, series_uid=found.pop())
    return dataclasses.replace(one, dce=dataclasses.replace(one.dce, series=series.replace(acquisition=known)))


def with_all_series(result: ResponseResult) -> ResponseResult:
    """A result whose dates know their DICOM series, for exports that refer to them."""
    dates = tuple(with_series(one) for one in result.dates)
    return dataclasses.replace(result, inputs=dataclasses.replace(result.inputs, dates=dates))


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


def add_reference(one: DateInputs, node: Any, run: Callable[[Callable[[Progress], Any]], Any]) -> str:
    """Propose the healthy vertebra next to the first lesion and add it to ``node`` as the segment "reference".

    Args:
        one: the date, with its series and at least one lesion.
        node: the segmentation that it was drawn in.
        run: calls the work given to it with a progress callback.

    Returns:
        The reasons for the choice. Raises InputError where nothing suits.
    """
    if not one.lesions:
        raise InputError(f"Segmentation '{node.GetName()}' holds no lesion: draw it first.")
    anatomy = anatomy_of(one)[1]
    name, lesion = next(iter(one.lesions.items()))
    others = {key: mask for key, mask in one.lesions.items() if key != name}
    found = run(lambda progress: propose_healthy_vertebra(anatomy, lesion, others))
    if found is None:
        raise InputError(f"No healthy vertebra is seen beside {name}: draw one as a segment named {REFERENCE}.")
    array = sitk.GetArrayViewFromImage(found.mask) > 0
    patch = Patch(Geometry.of(found.mask), np.zeros(3, dtype=int), array.astype(bool)).trimmed()
    if node.GetSegmentation().GetSegment(REFERENCE) is not None:
        node.GetSegmentation().RemoveSegment(REFERENCE)
    add_patch(node, REFERENCE, patch, (0.20, 0.75, 0.45))
    return "; ".join(found.reasons)


def lay_like(anatomy: Any, nodes: Sequence[Any]) -> None:
    """Put what belongs to a date under the transform of that date's image."""
    for node in nodes:
        if anatomy is not None and node is not None:
            node.SetAndObserveTransformNodeID(anatomy.GetTransformNodeID())


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


def rise(series: DynamicSeries) -> Volume:
    """The highest rise of the signal over its first frame, in which vessels stand out: to draw the artery on."""
    highest, first = np.nan_to_num(np.fmax.reduce(series.frames)), np.nan_to_num(series.frames[0])
    return series.frame(0).with_array((highest - first).astype(np.float32), name="rise of the signal")


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


def _angles_to_node(volumes: Sequence[Volume], name: str, scene: Any) -> Any:
    scene = scene if scene is not None else embedded()
    node = scene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    node.SetIndexName("flip angle")
    node.SetIndexUnit("deg")
    node.SetIndexTypeFromString("numeric")
    for place, volume in enumerate(volumes):
        angle = volume.acquisition.protocol.get("flip_angle_deg", float(place))
        frame = require_slicer().vtkMRMLScalarVolumeNode()
        frame.SetName(f"{name} {angle:g}")
        fill_node(frame, volume)
        node.SetDataNodeAtValue(frame, repr(float(angle)))
    return node


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
