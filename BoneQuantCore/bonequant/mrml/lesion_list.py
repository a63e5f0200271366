"""The list of lesions while they are drawn: volume, what each image holds there, and whether the copy was adjusted.

Only lesions that changed are measured again. Values are of the volumes as they are, in their own unit.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from bonequant.errors import InputError
from bonequant.mrml.kept import kept_table
from bonequant.mrml.lesion_inputs import LEVEL, drawn_on, is_adjusted, tag
from bonequant.mrml.live_measure import LiveMeasurement
from bonequant.mrml.units import unit_of


class LesionList:
    """Rows of the lesions of a segmentation; ``refresh`` after they were drawn.

    Args:
        lesions: segmentation node.
        ct, functional: volume nodes, or None.
        carried: the segmentation that live propagation keeps on the other image, or None.
    """

    def __init__(self, lesions: Any, ct: Any = None, functional: Any = None, carried: Any = None) -> None:
        self.lesions, self.carried = lesions, carried
        space = drawn_on(lesions, ct, functional)
        both = {"functional": functional, "ct": ct}
        self._volumes = {name: node for name, node in both.items() if node is not None}
        self._drawn_in = {name: lesions if name == space else carried for name in self._volumes}
        self._live = LiveMeasurement()
        self._rows: dict[str, dict[str, Any]] = {}

    def refresh(self, changed: Collection[str] | None = None) -> list[dict[str, Any]]:
        """The rows, in the order of the segments.

        Args:
            changed: IDs of the segments that were drawn since the last time; all by default.
        """
        segmentation = self.lesions.GetSegmentation()
        ids = [segmentation.GetNthSegmentID(index) for index in range(segmentation.GetNumberOfSegments())]
        for segment_id in ids:
            if changed is None or segment_id in changed or segment_id not in self._rows:
                self._rows[segment_id] = self._measured(segment_id)
        return [{**self._facts(segment_id), **self._rows[segment_id]} for segment_id in ids]

    def to_node(self, rows: list[dict[str, Any]]) -> Any:
        """The table node of the list, kept with the segmentation; None where there is no lesion."""
        units = {"volume_ml": "mL"}
        for name, node in self._volumes.items():
            units |= {f"{name}_{value}": unit_of(node) for value in ("mean", "max")}
        return kept_table(self.lesions, "List", f"{self.lesions.GetName()}: list", rows, units)

    def _facts(self, segment_id: str) -> dict[str, Any]:
        copied = self.carried.GetSegmentation().GetSegment(segment_id) if self.carried is not None else None
        state = "" if copied is None else "adjusted" if is_adjusted(self.carried, segment_id) else "carried"
        return {
            "lesion": self.lesions.GetSegmentation().GetSegment(segment_id).GetName(),
            "level": tag(self.lesions, segment_id, LEVEL),
            "copy": state,
        }

    def _measured(self, segment_id: str) -> dict[str, Any]:
        row: dict[str, Any] = {"volume_ml": math.nan}
        for name, volume in self._volumes.items():
            node, found = self._drawn_in[name], None
            if node is not None and node.GetSegmentation().GetSegment(segment_id) is not None:
                try:
                    found = self._live.measure(volume, node, segment_id)
                except InputError:  # drawn beside this image: there is nothing to measure on it
                    found = None
            row[f"{name}_mean"] = found.mean if found is not None else math.nan
            row[f"{name}_max"] = found.max if found is not None else math.nan
            if found is not None and node is self.lesions:
                row["volume_ml"] = found.volume_ml
        return row
