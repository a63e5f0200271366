"""The table of lesions: one row per lesion and date, every number raw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bonequant.response import Call
from bonequant.response.compare import percent_change
from bonequant.studies.treatment_response.inputs import DateInputs
from bonequant.studies.treatment_response.lesions import Lesion
from bonequant.studies.treatment_response.perfusion import Perfusion
from bonequant.studies.treatment_response.settings import ResponseSettings
from bonequant.studies.treatment_response.sizes import Size

Key = tuple[str, int]


def lesion_rows(
    dates: Sequence[DateInputs],
    lesions: Sequence[Lesion],
    perfusion: Mapping[Key, Perfusion],
    healthy: Mapping[Key, Perfusion],
    sizes: Mapping[Key, Size],
    calls: Mapping[int, Mapping[str, Call]],
    settings: ResponseSettings,
) -> tuple[dict[str, Any], ...]:
    """Values in the unit that the column names; None where there is none. Both ways to Vp stand side by side."""
    rows = []
    for lesion in lesions:
        for k, one in enumerate(dates):
            key = (lesion.tracking_id, k)
            size, first = sizes[key], sizes[(lesion.tracking_id, 0)]
            row: dict[str, Any] = {
                "tracking_id": lesion.tracking_id,
                "lesion": lesion.first_name,
                "date": one.name,
                "scan_date": one.scan_date.isoformat() if one.scan_date else None,
                "state": lesion.states[k],
                "outline": lesion.outlines[k].origin,
                "split_from": lesion.split_from,
                "merged_into": lesion.merged_into,
            }
            if key in perfusion:
                row |= _perfusion(perfusion[key], healthy[key], settings.vp_of)
            if size.diameters is not None:
                row |= {
                    "volume_ml": size.volume_ml,
                    "longest_mm": size.diameters.longest_mm,
                    "perpendicular_mm": size.diameters.perpendicular_mm,
                    "product_mm2": size.diameters.product_mm2,
                    "section_at_mm": size.diameters.position_mm,
                    "volume_change_percent": percent_change(first.volume_ml, size.volume_ml) if k else None,
                }
            if size.extra_osseous_mm is not None:
                row["extra_osseous_mm"] = list(size.extra_osseous_mm)
            call = calls.get(k, {}).get(lesion.tracking_id)
            if call is not None:
                row |= {
                    "vp_change_percent": call.values["vp_change_percent"],
                    "ktrans_change_percent": call.values["ktrans_change_percent"],
                    "ktrans_normalised_change_percent": call.values["ktrans_normalised_change_percent"],
                    "size_change_percent": call.values["size_change_percent"],
                    "call": call.category,
                    "call_by_size": call.values["size_category"],
                    "rule": call.rule,
                    "flags": list(call.flags),
                }
            rows.append(row)
    return tuple(rows)


def _perfusion(lesion: Perfusion, healthy: Perfusion, way: str) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for parameter in ("vp", "ktrans"):
        value, reference = lesion.value(parameter, way), healthy.value(parameter, way)
        normal = value / reference if value is not None and reference is not None and reference > 0 else None
        row |= {
            parameter: value,
            f"{parameter}_reference": reference,
            f"{parameter}_normalised": normal,
            f"{parameter}_of_voxels": lesion.value(parameter, "voxels"),
            f"{parameter}_of_mean_curve": lesion.value(parameter, "mean_curve"),
        }
    row |= {"fraction_inside": lesion.inside, "fraction_without_fit": lesion.missing}
    return row
