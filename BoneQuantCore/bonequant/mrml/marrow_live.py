"""The marrow job's table while regions are drawn: a stroke is measured by the job's own rules, and its row rewritten.

Only the segments that changed are measured; red marrow, lesions and everything else that the job derives from regions
waits for the next full measurement.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.mrml.found_regions import space_of
from bonequant.mrml.live import LivePropagation, Schedule
from bonequant.mrml.marrow_nodes import MarrowContent, write_marrow_tables
from bonequant.mrml.patches import fingerprint, patch_of
from bonequant.roi import measure
from bonequant.roi.levels import is_level
from bonequant.studies.marrow_perfusion.table import REFERENCES, region_rows

if TYPE_CHECKING:
    from bonequant.studies.marrow_perfusion import MarrowResult

_DRAWN = "drawn"


class LiveMarrow:
    """Follows the segments of ``regions`` from ``result`` on, until :meth:`stop` or until the scene is closed.

    Segments that were drawn since ``result`` was measured are measured at once.

    Args:
        result, content: of the job, and of :func:`bonequant.mrml.marrow_nodes.marrow_content`.
        regions: segmentation node on the CT or on the functional image.
        functional, ct: the volume nodes that were measured; the tables of ``functional`` are rewritten.
        on_update: called with the names of the regions that were measured again.
        schedule: starts a timer, as for :class:`bonequant.mrml.LivePropagation`.
    """

    def __init__(
        self,
        result: MarrowResult,
        content: MarrowContent,
        regions: Any,
        functional: Any,
        ct: Any = None,
        *,
        on_update: Callable[[list[str]], None] | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        self.result, self.regions, self.functional = result, regions, functional
        self.uptake, self.hu, self.origins = dict(result.uptake), dict(result.hu), dict(result.origins)
        on_ct = space_of(regions, {"ct": ct, "functional": functional}) == "ct"
        self._to_functional: sitk.Transform | None = result.transform if on_ct else None
        self._to_ct: sitk.Transform | None = None if on_ct else _back(result)
        self._on_update, self._names, self._started = on_update, self._names_by_id(), False
        self._follower = LivePropagation(regions, [], on_update=self._on_drawn, schedule=schedule)
        self._started = True
        measured = {name: mark for name, (_, mark) in (content.on_ct if on_ct else content.on_functional).items()}
        stale = [one for one, name in self._names.items() if self._mark(one) != measured.get(name)]
        if stale:
            self._on_drawn(stale)

    @property
    def running(self) -> bool:
        return self._follower.running

    def update(self) -> None:
        """Measure what changed now, without waiting for the timer."""
        self._follower.update()

    def stop(self) -> None:
        self._follower.stop()

    def _names_by_id(self) -> dict[str, str]:
        segmentation = self.regions.GetSegmentation()
        return {
            segmentation.GetNthSegmentID(index): segmentation.GetNthSegment(index).GetName()
            for index in range(segmentation.GetNumberOfSegments())
        }

    def _mark(self, segment_id: str) -> str:
        patch = patch_of(self.regions, segment_id)
        return fingerprint(patch) if patch is not None else ""

    def _on_drawn(self, segment_ids: list[str]) -> None:
        if not self._started:  # the follower's first look; the result holds these numbers
            return
        names_before, self._names = self._names, self._names_by_id()
        renamed = [one for one, name in names_before.items() if self._names.get(one, name) != name]
        for table in (self.uptake, self.hu, self.origins):
            for one in renamed:
                table.pop(names_before[one], None)
        changed = []
        for segment_id in dict.fromkeys([*segment_ids, *renamed]):
            name = self._names.get(segment_id) or names_before.get(segment_id)
            if name is not None:
                self._measure(name, segment_id)
                changed.append(name)
        rows = self._rows()
        vertebrae = [row for row in rows if is_level(row["region"])]
        write_marrow_tables({"regions": rows, "vertebrae": vertebrae}, self.functional, self.result.functional.unit)
        if self._on_update is not None:
            self._on_update(changed)

    def _measure(self, name: str, segment_id: str) -> None:
        """A region that is gone, or lies where there is no image, has no row: not that of the stroke before."""
        for table in (self.uptake, self.hu, self.origins):
            table.pop(name, None)
        patch = patch_of(self.regions, segment_id) if segment_id in self._names else None
        if patch is None or not patch.voxels.size:
            return
        result, mask = self.result, patch.image()
        try:
            uptake = measure(result.functional, mask, self._to_functional, name)
            hu = measure(result.ct, mask, self._to_ct, name) if result.ct is not None else None
        except InputError:
            return
        self.uptake[name], self.origins[name] = uptake, _DRAWN
        if hu is not None:
            self.hu[name] = hu

    def _rows(self) -> tuple[dict[str, Any], ...]:
        references = list(dict.fromkeys([self.result.settings.reference, *REFERENCES]))
        order = [row["region"] for row in self.result.rows if row["region"] in self.uptake]
        uptake = {name: self.uptake[name] for name in dict.fromkeys([*order, *self.uptake])}
        return region_rows(uptake, self.hu, self.origins, references, "marrow", self.result.corrected)


def _back(result: MarrowResult) -> sitk.Transform | None:
    """Points of the functional image to points of the CT."""
    if result.registration is not None:
        return result.registration.inverse
    return result.transform.GetInverse() if result.transform is not None else None
