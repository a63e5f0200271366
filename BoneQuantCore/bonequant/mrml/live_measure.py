"""Measuring one segment again and again while it is drawn: volumes are read once, masks come cropped."""

from __future__ import annotations

from typing import Any

from bonequant.mrml.patches import patch_of
from bonequant.mrml.transforms import transform_between
from bonequant.mrml.volumes import volume_from_node
from bonequant.roi import RoiMeasurement, measure
from bonequant.volume import Volume


class LiveMeasurement:
    """``roi.measure`` of single segments; the same numbers as :func:`bonequant.mrml.measure_segments`.

    A volume node is converted when it is first measured, and again once its voxels, grid or facts were modified.
    """

    def __init__(self) -> None:
        self._volumes: dict[str, tuple[tuple[int, int], Volume]] = {}

    def measure(self, volume_node: Any, segmentation_node: Any, segment_id: str) -> RoiMeasurement | None:
        """The measurement, named as the segment; None while nothing is drawn.

        Raises:
            InputError: the volume is empty, or the segment does not overlap it.
        """
        patch = patch_of(segmentation_node, segment_id)
        if patch is None or not patch.voxels.any():
            return None
        name = segmentation_node.GetSegmentation().GetSegment(segment_id).GetName()
        transform = transform_between(segmentation_node, volume_node)
        return measure(self._volume(volume_node), patch.image(), transform, name)

    def _volume(self, node: Any) -> Volume:
        data = node.GetImageData()
        moment = (node.GetMTime(), data.GetMTime() if data is not None else 0)
        known = self._volumes.get(node.GetID())
        if known is None or known[0] != moment:
            known = self._volumes[node.GetID()] = (moment, volume_from_node(node))
        return known[1]
