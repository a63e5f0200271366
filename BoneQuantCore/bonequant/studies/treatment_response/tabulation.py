"""Lesions, measures and calls of the job as rows in the shape of SDTM TU, TR and RS."""

from __future__ import annotations

from typing import Any

from bonequant.response import LesionTrack, LesionTracks
from bonequant.response.sdtm import Visit, sdtm
from bonequant.roi import RoiMeasurement
from bonequant.studies.treatment_response.images import ADC
from bonequant.studies.treatment_response.result import ResponseResult
from bonequant.studies.treatment_response.uptake import SUV_UNITS, suv_role

_METHODS = {"MR": "MRI", "CT": "CT SCAN", "PT": "PET/CT SCAN", "NM": "SPECT/CT"}
_MEASURES = {
    "vp": "vp",
    "vp_normalised": "vp_normalised",
    "ktrans": "ktrans",
    "longest_mm": "long_diameter_mm",
    "perpendicular_mm": "short_diameter_mm",
    "product_mm2": "size_product_mm2",
    "volume_ml": "volume_ml",
}


def sdtm_rows(result: ResponseResult) -> dict[str, list[dict[str, Any]]]:
    """Rows by domain; study and subject are stand-ins that the trial replaces. A carried outline has no state."""
    tracks = tuple(
        LesionTrack(
            one.tracking_id,
            one.names,
            tuple("not yet" if state == "not drawn" else state for state in one.states),
            one.split_from,
            one.merged_into,
        )
        for one in result.lesions
    )
    visits = [
        Visit(one.name, number, one.scan_date, _METHODS.get(result.anatomies[number - 1][1].modality, "OTHER"))
        for number, one in enumerate(result.dates, 1)
    ]
    index = {one.name: k for k, one in enumerate(result.dates)}
    measured = {
        (row["tracking_id"], index[row["date"]]): {
            name: float(row[key]) for key, name in _MEASURES.items() if row.get(key) is not None
        }
        for row in result.rows
    }
    methods: dict[tuple[int, str], str] = {}
    for (k, role, tracking_id), found in result.images.lesions.items():
        image = result.dates[k].images[role]
        for name, value in image_measures(result, k, role, found).items():
            measured[(tracking_id, k)][name] = value
            methods[(k, name)] = _METHODS.get(image.modality, "OTHER")
    calls = {(name, k): call for k, found in result.vp_calls.items() for name, call in found.items()}
    calls |= {("", k): call for k, call in result.patient_calls.items()}
    return sdtm("BONEQUANT", "SUBJECT", LesionTracks(tracks, ()), visits, measured, calls, methods=methods)


def image_measures(result: ResponseResult, k: int, role: str, found: RoiMeasurement) -> dict[str, float]:
    """SUV of the first SPECT or PET of the date, and ADC, by the names of exports; nothing of other images."""
    if role == suv_role(result.dates[k]):
        what = SUV_UNITS[found.unit]
        return {f"{what}_max": found.max, f"{what}_mean": found.mean, f"{what}_peak": found.peak}
    if role == ADC and found.unit == "um2/s":
        return {"adc_mean": found.mean}
    return {}
