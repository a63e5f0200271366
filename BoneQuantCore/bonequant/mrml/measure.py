"""Measuring the segments of one node in the volume of another, wherever their parent transforms put them."""

from __future__ import annotations

from typing import Any

from bonequant.mrml.segments import masks_from_node
from bonequant.mrml.transforms import transform_between
from bonequant.mrml.volumes import volume_from_node
from bonequant.progress import Progress
from bonequant.roi import RoiMeasurement, measure_many


def measure_segments(
    volume_node: Any, segmentation_node: Any, progress: Progress | None = None
) -> dict[str, RoiMeasurement]:
    """``roi.measure_many`` of every segment: masks on their own grid, the volume sampled once through both parents.

    Raises:
        InputError: a node is empty, a segment is empty or does not overlap the volume, or a parent transform would have
            to be inverted and is not linear.
    """
    volume = volume_from_node(volume_node)
    masks = masks_from_node(segmentation_node)
    return measure_many(volume, masks, transform_between(segmentation_node, volume_node), progress)
