"""Details of the report: every criterion with the rule that fired, other images, the alignment, the dates."""

from __future__ import annotations

from typing import Any

from bonequant.report import Facts, Notice, Picture, Section, Table, Text
from bonequant.report.closing import title_of
from bonequant.report.curves import input_curve
from bonequant.report.page import Block
from bonequant.response import Call
from bonequant.studies.dce_perfusion import DceResult
from bonequant.studies.dce_perfusion.arterial import Delay
from bonequant.studies.treatment_response.result import ResponseResult

_ALIGNMENT = {
    "method": "Method",
    "shift_mm": "Shift of the lesions from the scanner's geometry (mm)",
    "turn_deg": "Rotation (degrees)",
    "overlap": "Share of the body seen at both dates",
    "metric_scanner": "Mutual information, scanner's geometry (nat)",
    "metric": "Mutual information, alignment used (nat)",
    "agreement_mm": "Largest difference between answers from other starts (mm)",
}


def criteria_section(result: ResponseResult) -> Section:
    """Each call: category, rule, flags, settings, and every intermediate number."""
    blocks: list[Block] = []
    for k, calls in result.vp_calls.items():
        for tracking_id, call in calls.items():
            blocks += _call(call, f"{result.label_of(tracking_id)}, {result.dates[0].name} to {result.dates[k].name}")
    for subject, call in result.other_calls:
        blocks += _call(call, subject)
    return Section("Every criterion, with the rule that fired", blocks or [Text("None was judged.")], folded=True)


def _call(call: Call, subject: str) -> list[Block]:
    facts: dict[str, Any] = {
        "Criterion": call.criterion,
        "Of": subject,
        "Category": call.category,
        "Direction": call.direction,
        "Rule that fired": call.rule,
        "Flags": call.flags,
    }
    numbers = {title_of(name): value for name, value in call.to_dict()["values"].items()}
    limits = {f"Setting {name.replace('_', ' ')}": value for name, value in call.to_dict()["settings"].items()}
    return [Facts(facts), Facts({**numbers, **limits})]


def images_section(result: ResponseResult) -> list[Section]:
    """Lesions in further images, burden, skeleton; nothing where there are none."""
    found, sections = result.images, []
    rows = found.rows(result.dates, result.lesions)
    if rows:
        columns = {"lesion": "Lesion", "image": "Image", "quantity": "Quantity", "unit": "Unit"}
        for k, one in enumerate(result.dates):
            columns[f"value_{k}"] = one.name
            if k:
                columns[f"change_percent_{k}"] = "Change %"
        blocks: list[Block] = [Table(columns, rows)]
        burden = [
            {
                "date": result.dates[k].name,
                "image": role,
                "lesions": one.lesions,
                "volume_ml": one.volume_ml,
                "total": one.total_uptake,
                "mean": one.mean,
                "unit": one.unit,
            }
            for (k, role), one in found.burden.items()
        ]
        if burden:
            names = {
                "date": "Date",
                "image": "Image",
                "lesions": "Lesions drawn",
                "volume_ml": "Volume mL",
                "total": "Total uptake (unit mL)",
                "mean": "Mean",
                "unit": "Unit",
            }
            blocks.append(Table(names, burden, caption="Burden of the lesions drawn at each date"))
        for (k, role), share in found.skeleton.items():
            blocks.append(
                Facts(
                    {
                        f"Skeleton fraction index, {result.dates[k].name}, {role} (%)": share.percent,
                        f"above ({share.unit})": share.threshold,
                        "skeleton inside the image (%)": 100.0 * share.fraction_inside,
                    }
                )
            )
        sections.append(Section("Lesions in further images", blocks))
    return sections


def alignment_section(result: ResponseResult) -> Section:
    """How each date was laid on the one with the lesions drawn."""
    alignment = result.alignment
    blocks: list[Block] = []
    for k, facts in alignment.facts.items():
        said = {heading: facts[name] for name, heading in _ALIGNMENT.items() if name in facts}
        blocks.append(Facts({"Date": f"{result.dates[k].name} on {result.dates[alignment.home].name}", **said}))
        pieces = [
            {
                "z": piece.centre_mm[2],
                "bend": piece.bend_mm,
                "turn": piece.turn_deg,
                "agreement": piece.agreement_mm,
                "kept": "the whole's" if piece.kept or not facts.get("bent") else "its own",
            }
            for piece in facts.get("pieces", ())
        ]
        if pieces:
            columns = {
                "z": "Piece of the spine at z (mm)",
                "bend": "From the whole (mm)",
                "turn": "Turn (degrees)",
                "agreement": "Other starts end within (mm)",
                "kept": "Motion used",
            }
            blocks.append(Table(columns, pieces))
    note = "Masks stay on the grid on which they were drawn; maps are sampled through these transforms."
    return Section("Alignment of the dates", [*blocks, Text(note)], folded=True)


def dates_section(result: ResponseResult, identified: bool) -> Section:
    """Acquisition and kinetics of every date, and its arterial input."""
    blocks: list[Block] = []
    for one, study in zip(result.dates, result.dce, strict=True):
        typed = " (typed)" if one.typed_date is not None else ""
        facts: dict[str, Any] = {"Date": one.name, "Scan": f"{one.scan_date}{typed}" if one.scan_date else None}
        acquisition = next(iter(one.acquisitions.values()))
        if identified:
            facts |= {"Patient": acquisition.patient_name, "Patient ID": acquisition.patient_id}
        facts["Scanner"] = " ".join(filter(None, (acquisition.manufacturer, acquisition.scanner))) or None
        if study is not None:
            facts |= _study(study)
        blocks.append(Facts(facts))
        if study is not None and study.aif is not None:
            label = f"plasma ({study.facts.unit})" if study.facts.unit else "plasma, relative"
            png = input_curve(study.aif, label=label)
            blocks.append(Picture(png, f"{one.name}: arterial input as it was fitted.", wide=False))
            blocks += [Notice("note", f"{one.name}: {step}") for step in study.steps]
    return Section("Dates: acquisition and arterial input", blocks, folded=True)


def _study(study: DceResult) -> dict[str, Any]:
    facts, series = study.facts, study.series
    return {
        "Contrast agent": series.acquisition.protocol.get("contrast_agent"),
        "TR (ms)": facts.tr_ms,
        "Flip angle (degrees)": facts.flip_angle_deg,
        "Frames": len(series.times_s),
        "T1 before contrast": facts.t1_source or None,
        "Relaxivity (1/(mM s))": facts.relaxivity,
        "Relaxivity from": facts.relaxivity_source or None,
        "Frames before contrast": facts.baseline_frames,
        "Hematocrit": None if study.artery is None else study.artery.hematocrit,
        "Delay of the tissue (s)": study.delay.seconds,
        "Delay from": _delay_from(study.delay),
        "Model": study.settings.model,
        "Voxels": {key: value for key, value in study.counts.items() if value},
    }


def _delay_from(delay: Delay) -> str:
    if delay.quartiles_s is None:
        return delay.source
    low, high = delay.quartiles_s
    return f"{delay.source} ({delay.n_curves} curves, quartiles {low:.1f} and {high:.1f} s)"
