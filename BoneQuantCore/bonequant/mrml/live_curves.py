"""Curves, values and the call that follow the regions of a measured result while they are drawn or adjusted.

The maps, inputs and alignment stay those of the result; only the region that changed is measured anew, by its fraction
in every voxel. The job, run again, gives the numbers of the report.
"""

from __future__ import annotations

from typing import Any

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.mrml.hierarchy import place
from bonequant.mrml.patches import patch_of
from bonequant.mrml.response_nodes import FOLDER
from bonequant.mrml.response_tables import curve_series, fill_chart, fill_table, rows_of_curves
from bonequant.mrml.result_nodes import ResultNodes
from bonequant.mrml.transforms import transform_between
from bonequant.response import DceScan, dce_vp
from bonequant.roi import propagate
from bonequant.studies.treatment_response import ResponseResult
from bonequant.studies.treatment_response.reading import REFERENCE

Key = tuple[str, str]  # region ("L01", "L01 reference"), name of the date
_LIVE_COLUMNS = ("region", "date", "volume_ml", "vp", "vp_of_mean_curve", "ktrans", "ktrans_of_mean_curve")


class LiveCurves:
    """Holds what was measured last for every region and date; :meth:`update` after a stroke.

    Roles in the scene: ``table.live``, and ``table.curves`` with ``chart.curves``, which are filled again.
    """

    def __init__(self, result: ResponseResult, nodes: ResultNodes) -> None:
        self.result, self.nodes = result, nodes
        self._curves: dict[Key, Any] = {}
        self._values: dict[Key, dict[str, float]] = {}
        for what, table in (("", result.perfusion), (f" {REFERENCE}", result.reference_perfusion)):
            for (tracking_id, k), one in table.items():
                key = (f"{tracking_id}{what}", result.dates[k].name)
                self._curves[key] = one
                self._values[key] = _of_perfusion(one)

    def update(self, date_name: str, segmentation: Any, segment_ids: list[str]) -> list[Key]:
        """Measure changed segments at one date, and fill tables and plot; the regions that were measured.

        Args:
            segmentation: drawn on that date's images, or carried onto them.
            segment_ids: those that changed; others of the date's regions stay as they were.

        A segment that is empty, lies beside the series or belongs to no lesion of the result is passed over.
        """
        k = next(index for index, one in enumerate(self.result.dates) if one.name == date_name)
        study, anatomy = self.result.dce[k], self.nodes.get(f"anatomy.{date_name}")
        measured: list[Key] = []
        if study is None or anatomy is None:
            return measured
        way = transform_between(segmentation, anatomy)
        for segment_id in segment_ids:
            segment, patch = segmentation.GetSegmentation().GetSegment(segment_id), patch_of(segmentation, segment_id)
            if segment is None or patch is None or not patch.voxels.any():
                continue
            carried: sitk.Image = propagate(patch.image(), study.anatomy, way)
            for region in self._regions_of(segment.GetName(), k):
                try:
                    found = study.measure({region: carried})[region]
                except InputError:
                    continue
                self._curves[region, date_name] = found
                self._values[region, date_name] = _of_region(found)
                measured.append((region, date_name))
        if measured:
            self._fill()
        return measured

    def rows(self) -> list[dict[str, Any]]:
        """The live table: one row per region and date, and per lesion the call as it is drawn now."""
        rows = [{"region": region, "date": name, **values} for (region, name), values in self._values.items()]
        for k, calls in self.result.vp_calls.items():
            for tracking_id in calls:
                first = next(j for j, study in enumerate(self.result.dce) if study is not None)
                scans = [self._scan(tracking_id, j) for j in (first, k)]
                call = dce_vp(scans[0], scans[1], None, self.result.settings.dce_vp)
                name = self.result.dates[k].name
                row = next(one for one in rows if (one["region"], one["date"]) == (tracking_id, name))
                row |= {"vp_change_percent": call.values["vp_change_percent"], "call": call.category}
        return rows

    def _fill(self) -> None:
        columns = (*_LIVE_COLUMNS, "vp_change_percent", "call")
        live = fill_table(self.nodes, "table.live", "Live values", self.rows(), columns, {})
        table = fill_table(self.nodes, "table.curves", "Curves", rows_of_curves(self._curves), None, {})
        former = self.nodes.get("chart.curves")
        title = former.GetYAxisTitle() if former is not None else "Concentration"
        fill_chart(self.nodes, "chart.curves", table, curve_series(table), "Lesion and healthy vertebra", title)
        place([live], FOLDER)

    def _regions_of(self, name: str, k: int) -> list[str]:
        """The result's regions for a segment's name: a lesion, or a reference of one or of all."""
        lesions = self.result.lesions
        own = [one.tracking_id for one in lesions if name in (one.names[k], one.first_name, one.tracking_id)]
        if own:
            return own
        if name == REFERENCE:
            return [f"{one.tracking_id} {REFERENCE}" for one in lesions]
        stem = name.removesuffix(f"_{REFERENCE}")
        return [
            f"{one.tracking_id} {REFERENCE}"
            for one in lesions
            if name.endswith(f"_{REFERENCE}") and stem in (one.names[k], one.first_name, one.tracking_id)
        ]

    def _scan(self, tracking_id: str, k: int) -> DceScan:
        name, way = self.result.dates[k].name, self.result.settings.vp_of
        key = "vp" if way == "voxels" else "vp_of_mean_curve"
        values = [self._values.get((region, name), {}).get(key) for region in (tracking_id, f"{tracking_id} reference")]
        return DceScan(vp=values[0], vp_reference=values[1])


def _of_perfusion(one: Any) -> dict[str, float]:
    found = {name: one.value(name, "voxels") for name in ("vp", "ktrans")}
    found |= {f"{name}_of_mean_curve": one.value(name, "mean_curve") for name in ("vp", "ktrans")}
    return {name: value for name, value in found.items() if value is not None}


def _of_region(one: Any) -> dict[str, float]:
    found = {name: one.of_voxels[name]["mean"] for name in ("vp", "ktrans") if name in one.of_voxels}
    found |= {f"{n}_of_mean_curve": one.of_mean_curve[n] for n in ("vp", "ktrans") if n in one.of_mean_curve}
    return {"volume_ml": one.volume_ml, **found}
