"""Draw on one modality, see it on the others at once: segments carried to every linked volume while they are drawn.

Each linked volume (another modality, another date) gets a segmentation of its own, on its own grid and under its own
parent transform. A stroke on the source is carried there through the composed transforms by the propagation rule
(:mod:`bonequant.roi.carry`): only the box that changed, only the segment that changed. A carried segment that the user
then adjusts is marked and left alone until :meth:`LivePropagation.reset`.

The library has no timer: hand one in to throttle, or every stroke is carried within its own event::

    live = LivePropagation(lesions, [ct, second_spect], on_update=panel.refresh,
                           schedule=BoneQuantPanels.later.call_later)
    ...
    live.stop()
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.mrml.core import require_slicer
from bonequant.mrml.geometry import grid_of
from bonequant.mrml.patches import fingerprint, patch_of, segment_labelmap, tag_of, write_patch
from bonequant.mrml.segments import set_reference_geometry
from bonequant.mrml.transforms import transform_between
from bonequant.roi.carry import Patch, carry, changed_box
from bonequant.volume import Geometry

Schedule = Callable[[float, Callable[[], None]], None]  # seconds, what to call then

ADJUSTED = "BoneQuant.Adjusted"  # tag of a carried segment that the user has changed
_CARRIED = "BoneQuant.Carried"  # tag with the fingerprint of what was carried: a change made meanwhile is seen
_FROM, _ONTO = "BoneQuant.carriedFrom", "BoneQuant.carriedOnto"  # node references of a carried segmentation


class LivePropagation:
    """Keeps carried segmentations in step with ``source``; observes until :meth:`stop` or until the scene is closed.

    Args:
        source: segmentation node that is drawn on; it must have a binary labelmap as source representation.
        volumes: the volumes to carry to. A carried segmentation that the scene already has for one is taken up again.
        on_update: called with the IDs of the segments that changed, after all of them were carried.
        schedule: starts a timer; without it nothing is throttled.
        delay_s: strokes within this time are carried together.

    Raises:
        InputError: source or volume is not in a scene, or a transform on the way cannot be inverted.
    """

    def __init__(
        self,
        source: Any,
        volumes: Sequence[Any],
        *,
        on_update: Callable[[list[str]], None] | None = None,
        schedule: Schedule | None = None,
        delay_s: float = 0.05,
    ) -> None:
        if any(node is None or node.GetScene() is None for node in (source, *volumes)):
            raise InputError("Live propagation needs a segmentation and volumes that are in a scene: select them.")
        self.source, self.scene = source, source.GetScene()
        self._on_update, self._schedule, self._delay_s = on_update, schedule, delay_s
        self._links = [_Link(source, volume) for volume in volumes]
        self._seen: dict[str, tuple[int, Patch]] = {}  # what was drawn when it was last carried
        self._observers: list[tuple[Any, int]] = []
        self._waiting = self._writing = False
        self.update()
        self._observe()

    @property
    def targets(self) -> dict[str, Any]:
        """The carried segmentation node by ID of its volume."""
        return {link.volume.GetID(): link.node for link in self._links}

    @property
    def running(self) -> bool:
        return bool(self._observers)

    def update(self) -> list[str]:
        """Carry what changed since the last time, now; the IDs of the segments that had changed."""
        self._waiting = False
        segmentation = self.source.GetSegmentation()
        ids = [segmentation.GetNthSegmentID(index) for index in range(segmentation.GetNumberOfSegments())]
        removed = [segment_id for segment_id in self._seen if segment_id not in ids]
        changed = [segment_id for segment_id in ids if self._carry(segment_id)]
        self._write(lambda link: link.name_as_drawn())
        for segment_id in removed:
            del self._seen[segment_id]
            self._write(lambda link, gone=segment_id: link.remove(gone))  # type: ignore[misc]
        if (changed or removed) and self._on_update is not None:
            self._on_update(changed + removed)
        return changed + removed

    def adjusted(self, volume: Any, segment_id: str) -> bool:
        """Has the user changed the carried segment on this volume?"""
        return self._link(volume).is_adjusted(segment_id)

    def reset(self, volume: Any, segment_id: str) -> None:
        """Forget the user's adjustment: the segment is carried again, and follows the source from now on."""
        self._link(volume).forget(segment_id)
        self._seen.pop(segment_id, None)
        self.update()

    def stop(self) -> None:
        """Remove every observer; the carried segments stay in the scene."""
        while self._observers:
            subject, tag = self._observers.pop()
            subject.RemoveObserver(tag)

    def _carry(self, segment_id: str) -> bool:
        labelmap = segment_labelmap(self.source, segment_id)
        moment = labelmap.GetMTime() if labelmap is not None else 0
        before_moment, before = self._seen.get(segment_id, (-1, None))
        if moment == before_moment:
            return False
        now = patch_of(self.source, segment_id)
        if now is None:
            return False
        box = changed_box(before, now)
        self._seen[segment_id] = (moment, now)
        if before is None or box is not None:
            self._write(lambda link: link.carry(segment_id, now, box, whole=before is None or before.grid != now.grid))
        return before is None or box is not None

    def _write(self, way: Callable[[_Link], None]) -> None:
        self._writing = True
        try:
            for link in self._links:
                way(link)
        finally:
            self._writing = False

    def _link(self, volume: Any) -> _Link:
        return next(link for link in self._links if link.volume is volume)

    def _observe(self) -> None:
        kinds = require_slicer().vtkSegmentation
        drawn = (kinds.SourceRepresentationModified, kinds.RepresentationModified)
        for event in (*drawn, kinds.SegmentAdded, kinds.SegmentRemoved, kinds.SegmentModified):
            self._add(self.source, event, self._on_drawn)
        for link in self._links:
            for event in drawn:
                self._add(link.node, event, self._on_target)
            self._add(link.volume, link.volume.TransformModifiedEvent, self._on_moved)
        self._add(self.source, self.source.TransformModifiedEvent, self._on_moved)
        self._add(self.scene, self.scene.StartCloseEvent, self._on_close)
        self._add(self.scene, self.scene.NodeRemovedEvent, self._on_removed)

    def _add(self, subject: Any, event: Any, callback: Callable[[Any, str], None]) -> None:
        self._observers.append((subject, subject.AddObserver(event, callback)))

    def _on_drawn(self, caller: Any, event: str) -> None:
        if self._schedule is None:
            self.update()
        elif not self._waiting:
            self._waiting = True
            self._schedule(self._delay_s, self._on_time)

    def _on_time(self) -> None:
        if self._waiting and self._observers:
            self.update()

    def _on_moved(self, caller: Any, event: str) -> None:
        for link in self._links:
            link.place()
        self._seen.clear()
        self._on_drawn(caller, event)

    def _on_target(self, caller: Any, event: str) -> None:
        if not self._writing:
            for link in self._links:
                if link.node is caller:
                    link.mark_adjusted()

    def _on_close(self, caller: Any, event: str) -> None:
        self.stop()

    def _on_removed(self, caller: Any, event: str) -> None:
        nodes = [self.source, *(node for link in self._links for node in (link.node, link.volume))]
        if any(not self.scene.IsNodePresent(node) for node in nodes):
            self.stop()


def carried_node(source: Any, volume: Any) -> Any:
    """The segmentation that was carried from ``source`` onto ``volume``; None where there is none."""
    scene = source.GetScene()
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLSegmentationNode")
        if node.GetNodeReference(_FROM) is source and node.GetNodeReference(_ONTO) is volume:
            return node
    return None


class _Link:
    """One volume, the segmentation carried onto it, and what was written there."""

    def __init__(self, source: Any, volume: Any) -> None:
        self.source, self.volume = source, volume
        data = volume.GetImageData()
        if data is None:
            raise InputError(f"Volume node '{volume.GetName()}' holds no voxels: load its data first.")
        self.grid: Geometry = grid_of(volume, data.GetDimensions())
        self.node = carried_node(source, volume) or self._new()
        self.written: dict[str, Patch] = {}
        self._mark_changed_meanwhile()
        self.place()

    def place(self) -> None:
        """Put the segmentation where the volume lies, and find the way from the source anew."""
        if self.node.GetTransformNodeID() != self.volume.GetTransformNodeID():
            self.node.SetAndObserveTransformNodeID(self.volume.GetTransformNodeID())
        self.transform: sitk.Transform = transform_between(self.source, self.node)

    def carry(self, segment_id: str, mask: Patch, box: Any, whole: bool) -> None:
        if self.is_adjusted(segment_id):
            return
        self._make(segment_id)
        empty = Patch(self.grid, np.zeros(3, dtype=int), np.zeros((0, 0, 0), dtype=bool))
        before = empty if whole else self.written.get(segment_id, empty)
        part = carry(mask, self.grid, self.transform, box) if box is not None else None
        self.written[segment_id] = after = before.with_part(part) if part is not None else before
        if whole or part is not None:
            write_patch(self.node, segment_id, after)
            self.node.GetSegmentation().GetSegment(segment_id).SetTag(_CARRIED, fingerprint(after))

    def remove(self, segment_id: str) -> None:
        self.written.pop(segment_id, None)
        if self.node.GetSegmentation().GetSegment(segment_id) is not None and not self.is_adjusted(segment_id):
            self.node.GetSegmentation().RemoveSegment(segment_id)

    def name_as_drawn(self) -> None:
        """Give carried segments the names and colours of those drawn."""
        for segment_id in self.written:
            drawn = self.source.GetSegmentation().GetSegment(segment_id)
            segment = self.node.GetSegmentation().GetSegment(segment_id)
            if drawn is None or segment is None:
                continue
            if segment.GetName() != drawn.GetName():
                segment.SetName(drawn.GetName())
            if tuple(segment.GetColor()) != tuple(drawn.GetColor()):
                segment.SetColor(*drawn.GetColor())

    def is_adjusted(self, segment_id: str) -> bool:
        segment = self.node.GetSegmentation().GetSegment(segment_id)
        return segment is not None and segment.HasTag(ADJUSTED)

    def mark_adjusted(self) -> None:
        """Tag every segment that is no longer what was written."""
        for segment_id, written in self.written.items():
            now = patch_of(self.node, segment_id)
            if now is not None and not self.is_adjusted(segment_id) and changed_box(written, now) is not None:
                self.node.GetSegmentation().GetSegment(segment_id).SetTag(ADJUSTED, "1")

    def _mark_changed_meanwhile(self) -> None:
        """The same for a segmentation that was carried before, by what was noted then."""
        segmentation = self.node.GetSegmentation()
        for index in range(segmentation.GetNumberOfSegments()):
            segment, patch = segmentation.GetNthSegment(index), patch_of(self.node, segmentation.GetNthSegmentID(index))
            noted = tag_of(segment, _CARRIED)
            if patch is not None and noted and noted != fingerprint(patch):
                segment.SetTag(ADJUSTED, "1")

    def forget(self, segment_id: str) -> None:
        segment = self.node.GetSegmentation().GetSegment(segment_id)
        if segment is not None:
            segment.RemoveTag(ADJUSTED)

    def _make(self, segment_id: str) -> None:
        """Add the carried segment where there is none."""
        segmentation = self.node.GetSegmentation()
        if segmentation.GetSegment(segment_id) is None:
            drawn = self.source.GetSegmentation().GetSegment(segment_id)
            segmentation.AddEmptySegment(segment_id, drawn.GetName(), drawn.GetColor())

    def _new(self) -> Any:
        name = f"{self.source.GetName()} on {self.volume.GetName()}"
        node = self.source.GetScene().AddNewNodeByClass("vtkMRMLSegmentationNode", name)
        node.SetNodeReferenceID(_FROM, self.source.GetID())
        node.SetNodeReferenceID(_ONTO, self.volume.GetID())
        node.CreateDefaultDisplayNodes()
        set_reference_geometry(node, self.grid)
        node.SetReferenceImageGeometryParameterFromVolumeNode(self.volume)
        return node
