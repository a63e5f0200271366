"""The report of the response job, read top down: the call, why, pictures, numbers, warnings; then details."""

from __future__ import annotations

from typing import Any

import numpy as np

from bonequant.report import Facts, Notice, Page, Section, Table, Text
from bonequant.report.closing import provenance_section, settings_section
from bonequant.report.page import Block, Level
from bonequant.response import Call
from bonequant.response.call import NEW_LESION
from bonequant.response.compare import percent_change
from bonequant.studies.treatment_response.details import (
    alignment_section,
    criteria_section,
    dates_section,
    images_section,
)
from bonequant.studies.treatment_response.figures import curve_blocks, image_blocks, map_blocks
from bonequant.studies.treatment_response.result import ResponseResult

LEVELS: dict[str, Level] = {
    "response": "ok",
    "stable": "ok",
    "progression": "error",
    "undetermined": "warning",
    "not evaluable": "warning",
    "description": "note",
}


def page(result: ResponseResult, *, identified: bool = False) -> Page:
    """The page of all dates. ``identified`` prints patient name and ID."""
    sections = [
        _why(result),
        *map_blocks(result, "vp", "Vp", "Before and after, in one window"),
        *image_blocks(result),
        _numbers(result),
        _warnings(result),
        *curve_blocks(result),
        *images_section(result),
        *map_blocks(result, "ktrans", "Ktrans", "Ktrans before and after, in one window", folded=True),
        criteria_section(result),
        alignment_section(result),
        dates_section(result, identified),
        settings_section(result.settings),
        provenance_section(result.provenance),
    ]
    return Page(
        title="Treatment response",
        subtitle=_subtitle(result),
        headline=_headline(result),
        sections=sections,
    )


def _subtitle(result: ResponseResult) -> str:
    said = [f"{one.name} {one.scan_date}" if one.scan_date else one.name for one in result.dates]
    therapy = result.inputs.radiotherapy
    if therapy is not None and therapy.dose_gy is not None:
        dose = f"{therapy.dose_gy:g} Gy"
        said.append(f"radiotherapy {dose} in {therapy.fractions}" if therapy.fractions else f"radiotherapy {dose}")
    return " · ".join(said)


def _headline(result: ResponseResult) -> list[tuple[str, Any, str]]:
    """The call first, then the numbers of the lesion that decides."""
    call = result.call
    if call is None:
        others = [(f"{other.criterion}, {subject}", other.category, "") for subject, other in result.other_calls[:4]]
        return [*others, *_burden_cards(result), ("Lesions", len(result.lesions), "")]
    worst = deciding(result)
    cards: list[tuple[str, Any, str]] = [("DCE Vp call", call.category, "")]
    if worst is not None:
        values = worst[1].values
        cards += [
            (title, values[name], "%" if _known(values[name]) else "")
            for title, name in (
                ("Change of normalised Vp", "vp_change_percent"),
                ("Change of normalised Ktrans", "ktrans_normalised_change_percent"),
                ("Change of size", "size_change_percent"),
            )
        ]
        days = values["days_after_radiotherapy"]
        if days is not None:
            cards.append(("After radiotherapy", days, "days"))
    if call.values["new_lesions"]:
        cards.append(("New lesions", len(call.values["new_lesions"]), "not in the call"))
    return cards


def _burden_cards(result: ResponseResult) -> list[tuple[str, Any, str]]:
    """Change of the total uptake of the lesions drawn, from the first to the last date with the image."""
    cards: list[tuple[str, Any, str]] = []
    for role in dict.fromkeys(role for _, role in result.images.burden):
        known = [one for (_, name), one in sorted(result.images.burden.items()) if name == role and one.lesions]
        if len(known) > 1:
            change = percent_change(known[0].total_uptake, known[-1].total_uptake)
            cards.append((f"Change of total uptake, {role}", change, "%" if _known(change) else ""))
    return cards


def deciding(result: ResponseResult) -> tuple[str, Call] | None:
    """Tracking id and DCE Vp call, at the last date, of the lesion that decides: of those with the patient's category
    the one whose Vp rose most, or fell least."""
    call = result.call
    if call is None:
        return None
    calls = result.vp_calls[max(result.vp_calls)]
    judged = {name: one for name, one in calls.items() if name not in call.values["new_lesions"]} or calls
    alike = [item for item in judged.items() if item[1].category == call.category]
    return max(alike, key=lambda item: np.nan_to_num(item[1].values["vp_change_percent"], nan=-np.inf))


def _why(result: ResponseResult) -> Section:
    blocks: list[Block] = []
    for k, calls in result.vp_calls.items():
        name = result.dates[k].name
        patient = result.patient_calls[k]
        if len(calls) > 1:
            level = LEVELS[patient.direction]
            if NEW_LESION in patient.flags and level == "ok":
                level = "warning"  # what was treated responds, and there is new disease
            blocks.append(Notice(level, f"{name}, patient: {patient.category}. {_sentence(patient.rule)}"))
            if NEW_LESION in patient.flags:
                blocks.append(Notice("warning", f"{name}: {patient.warnings[0]}"))
        for tracking_id, call in calls.items():
            label = result.label_of(tracking_id)
            blocks.append(Notice(LEVELS[call.direction], f"{name}, {label}: {call.category}. {_sentence(call.rule)}"))
            if "discordant" in call.flags:
                size = call.values
                blocks.append(
                    Notice(
                        "warning",
                        f"{name}, {label}: size says {size['size_category']} ({size['size_change_percent']:+.1f} %), "
                        f"Vp says {call.category}.",
                    )
                )
    for subject, call in result.other_calls:
        blocks.append(
            Notice(LEVELS[call.direction], f"{call.criterion}, {subject}: {call.category}. {_sentence(call.rule)}")
        )
    if not blocks:
        blocks.append(Text("No criterion was judged: a call needs two DCE studies, or evidence for a criterion."))
    return Section("The call, and why", blocks)


def _sentence(rule: str) -> str:
    """The rule without the category at its end, which stands in front already."""
    text = rule.rsplit(": ", 1)[0]
    return f"{text[:1].upper()}{text[1:]}."


def _numbers(result: ResponseResult) -> Section:
    rows = [{**row, "name": result.label_of(row["tracking_id"])} for row in result.rows]
    head = {"name": "Lesion", "date": "Date"}
    perfusion = {
        "outline": "Outline",
        "vp": "Vp",
        "vp_reference": "Vp healthy",
        "vp_normalised": "Vp normalised",
        "vp_change_percent": "Change %",
        "ktrans": f"Ktrans {_ktrans_unit(result)}",
        "ktrans_normalised": "Ktrans normalised",
        "ktrans_normalised_change_percent": "Change %",
        "call": "Call",
    }
    size = {
        "state": "State",
        "longest_mm": "Longest mm",
        "perpendicular_mm": "Perpendicular mm",
        "product_mm2": "Product mm²",
        "size_change_percent": "Change %",
        "volume_ml": "Volume mL",
        "extra_osseous_mm": "Extra-osseous mm",
        "call_by_size": "Call by size",
    }
    blocks: list[Block] = []
    if not any(study is not None for study in result.dce):
        perfusion, size = {}, {"outline": "Outline", **size}
    for columns, caption in ((perfusion, "Perfusion"), (size, "Size and state")):
        shown = {key: heading for key, heading in columns.items() if any(_known(row.get(key)) for row in rows)}
        if shown:
            blocks.append(Table({**head, **shown}, rows, caption=caption))
    limits = result.settings.dce_vp
    if result.vp_calls:
        blocks.append(
            Text(
                f"Failure: change of normalised Vp {limits.vp_operator} {limits.vp_cutoff_percent:g} %; by size: "
                f"change of the product {limits.size_operator} {limits.size_cutoff_percent:g} %. Vp and Ktrans are "
                f"{_WAYS[result.settings.vp_of]}; normalised is the lesion over its healthy vertebra. Diameters on "
                f"{result.settings.size_plane} sections, the one with the largest product."
            )
        )
    return Section("The numbers", blocks)


_WAYS = {"voxels": "means over the voxels of the region", "mean_curve": "fits of the region's mean curve"}


def _ktrans_unit(result: ResponseResult) -> str:
    for study in result.dce:
        if study is not None and "ktrans" in study.maps:
            return study.maps["ktrans"].unit
    return ""


def _known(value: Any) -> bool:
    return value is not None and value == value


def _warnings(result: ResponseResult) -> Section:
    found = list(result.warnings)
    for k, calls in result.vp_calls.items():
        for tracking_id, call in calls.items():
            found += [f"{result.dates[k].name}, {result.label_of(tracking_id)}: {text}" for text in call.warnings]
    for subject, call in result.other_calls:
        found += [f"{call.criterion}, {subject}: {text}" for text in call.warnings]
    blocks: list[Block] = [Notice("warning", text) for text in dict.fromkeys(found)]
    proposals: dict[str, Any] = {
        f"Reference of {result.label_of(name)}, proposed because": "; ".join(one.reasons)
        for name, one in result.proposals.items()
    }
    if proposals:
        blocks.append(Facts(proposals))
    return Section("Warnings", blocks or [Text("None.")])
