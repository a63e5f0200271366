"""The report of the marrow job, section by section, in the order in which a reader asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bonequant.report import Facts, Notice, Page, Picture, Section, Table, Text, jsonable
from bonequant.report.closing import provenance_section, settings_section, title_of
from bonequant.report.page import Block
from bonequant.report.pictures import alignment_sections, fused_sections
from bonequant.report.planes import centre_of
from bonequant.report.plots import bars, histograms
from bonequant.studies.marrow_perfusion.follow_up import FollowUp
from bonequant.studies.marrow_perfusion.result import MarrowResult
from bonequant.studies.marrow_perfusion.truth_tables import truth_section
from bonequant.volume import Acquisition
from bonequant.volume.acquisition import IDENTIFYING

_PICTURED = ("bone", "marrow", "red_marrow", "liver", "spleen", "blood_pool")
_PICTURED_LESIONS = 3  # with the highest peak; pictures of their own
_LESION_FIELD_MM = 160.0

_PER_CASE = ("means", "differences")  # of Bland and Altman's plot, one value per region
_ALIGNMENT_FACTS = {
    "metric_scanner": "Mutual information, scanner's alignment (nat)",
    "metric": "Mutual information, alignment used (nat)",
    "gain": "Gain over the scanner's alignment",
    "agreement_mm": "Largest difference between answers from perturbed starts (mm)",
    "bone_overlap_scanner": "Overlap of uptake and bone, scanner's alignment",
    "bone_overlap": "Overlap of uptake and bone, alignment used",
    "displacement_mm": "Mean displacement from the scanner's alignment (mm)",
    "displacement_max_mm": "Largest displacement (mm)",
    "voxel_mm": "Voxel of the coarser image (mm)",
    "kept_scanner_alignment": "Scanner's alignment kept",
}


def page(
    result: MarrowResult,
    *,
    follow_up: FollowUp | None = None,
    truth: Sequence[dict[str, Any]] = (),
    identified: bool = False,
) -> Page:
    """The page of one date, with the changes to later dates and, for a phantom, the truth.

    Args:
        truth: rows of :func:`bonequant.studies.marrow_perfusion.compare_with_truth`.
        identified: print patient name and ID; left out by default.
    """
    sections = [
        *([truth_section(truth)] if truth else []),
        _pictures(result),
        _regions(result),
        *([_lesions(result)] if result.lesions else []),
        *([_maa(result)] if result.maa else []),
        *([_follow_up(follow_up)] if follow_up else []),
        *([_agreement(result)] if result.agreement else []),
        _alignment(result),
        _quantification(result, identified),
        *([_protocol(result)] if result.protocol else []),
        settings_section(result.settings),
        provenance_section(result.provenance),
    ]
    return Page(
        title="Bone marrow perfusion",
        subtitle=_subtitle(result),
        headline=_headline(result),
        notices=[Notice("warning", text) for text in result.warnings],
        sections=[section for section in sections if section is not None],
    )


def _subtitle(result: MarrowResult) -> str:
    facts = result.functional.acquisition
    parts = [result.name, facts.radiopharmaceutical or facts.radionuclide, result.functional.modality]
    if facts.acquisition_start is not None:
        parts.append(f"{facts.acquisition_start:%Y-%m-%d}")
    return " · ".join(part for part in parts if part)


def _headline(result: MarrowResult) -> list[tuple[str, Any, str]]:
    unit = result.functional.unit
    cards: list[tuple[str, Any, str]] = []
    for name in ("marrow", "red_marrow", "spine"):
        if name in result.uptake:
            cards.append((f"{title_of(name)}, mean", result.uptake[name].mean, unit))
    rows = {row["region"]: row for row in result.rows}
    key = f"ratio_to_{result.settings.reference}"
    if rows.get("marrow", {}).get(key) is not None:
        cards.append((f"Marrow to {title_of(result.settings.reference).lower()}", rows["marrow"][key], ""))
    if "marrow" in result.uptake:
        cards.append(("Marrow volume", result.uptake["marrow"].volume_ml, "mL"))
    if result.lesions:
        cards.append(("Lesion candidates", len(result.lesions), ""))
    if not cards:
        cards = [(f"{title_of(name)}, mean", m.mean, unit) for name, m in list(result.uptake.items())[:4]]
    return cards


def _pictures(result: MarrowResult) -> Section:
    blocks: list[Block] = []
    masks = result.masks_on_ct if result.ct is not None else result.masks_on_functional
    anatomy = result.ct if result.ct is not None else result.functional
    transform = result.transform if result.ct is not None else None
    outlines = {name: masks[name] for name in _PICTURED if name in masks} or dict(list(masks.items())[:6])
    upper = _upper(result)
    centre = centre_of(masks.get("spine", masks.get("marrow", next(iter(masks.values())))))
    blocks.append(
        Picture(
            fused_sections(anatomy, result.functional, transform, outlines=outlines, centre_mm=centre, upper=upper),
            f"Functional image in colour over {'CT' if result.ct else 'itself in grey'}, with the outlines of regions; "
            "right of the patient is left of the picture.",
        )
    )
    for lesion in sorted(result.lesions, key=lambda lesion: -lesion.peak)[:_PICTURED_LESIONS]:
        mask = masks.get(lesion.name)
        if mask is not None:
            png = fused_sections(
                anatomy,
                result.functional,
                transform,
                outlines={lesion.name: mask},
                centre_mm=centre_of(mask),
                upper=max(upper, lesion.peak),
                field_mm=_LESION_FIELD_MM,
            )
            blocks.append(Picture(png, f"{title_of(lesion.name)} in {title_of(lesion.region)}."))
    values = {title_of(name): numbers for name, numbers in result.samples.items()}
    if values:
        highest = max(float(np.percentile(numbers, 99.5)) for numbers in values.values())
        blocks.append(Picture(histograms(values, result.functional.unit, upper=highest), "Uptake in the regions."))
    return Section("Images", blocks)


def _upper(result: MarrowResult) -> float:
    """Full colour: twice the 95th percentile of the marrow; without marrow the highest one of the drawn regions."""
    if "marrow" in result.uptake:
        return max(2.0 * result.uptake["marrow"].p95, 1e-6)
    return max(1e-6, *(measured.p95 for measured in result.uptake.values()))


def _regions(result: MarrowResult) -> Section:
    unit = result.functional.unit
    ratios = {key: f"to {key.removeprefix('ratio_to_').replace('_', ' ')}" for key in _ratio_keys(result)}
    columns = {
        "region": "Region",
        "volume_ml": "Volume mL",
        "mean": f"Mean {unit}",
        **({"mean_corrected": "Mean corrected"} if result.corrected else {}),
        "sd": "SD",
        "median": "Median",
        "max": "Max",
        "peak": "Peak 1 mL",
        **ratios,
        "percent_of_total": "% of marrow",
        "cv": "CV",
        "entropy_bits": "Entropy bit",
        "hu_mean": "HU mean",
        "origin": "Origin",
    }
    columns = {key: heading for key, heading in columns.items() if any(row[key] is not None for row in result.rows)}
    shown = [{**row, "region": title_of(row["region"])} for row in result.rows]
    flags = {i: "warning" for i, row in enumerate(result.rows) if row["remarks"]}
    vertebrae = [row for row in result.rows if row["region"] in result.vertebrae]
    blocks: list[Block] = [Table(columns, shown, flags=flags)]  # type: ignore[arg-type]
    if len(vertebrae) > 1:
        names = [row["region"] for row in vertebrae]
        png = bars(names, {"mean": [row["mean"] for row in vertebrae]}, f"Mean {unit}")
        blocks.append(Picture(png, "Vertebral bodies from top to bottom.", wide=False))
    for judged in result.plausibility:
        if not judged.inside:
            blocks.append(
                Notice(
                    "warning",
                    f"{title_of(judged.region)}: mean {judged.suv_mean:.2f} lies outside {judged.low:.2f} to "
                    f"{judged.high:.2f}, {judged.source}. Check dose, times and units, unless disease explains it.",
                )
            )
    remarks = sorted({remark for row in result.rows for remark in row["remarks"].split("; ") if remark})
    blocks.extend(Notice("note", f"Marked rows: {remark}.") for remark in remarks)
    return Section("Regions", blocks)


def _ratio_keys(result: MarrowResult) -> list[str]:
    keys = [key for key in (result.rows[0] if result.rows else {}) if key.startswith("ratio_to_")]
    return [key for key in keys if any(row[key] is not None for row in result.rows)]


def _lesions(result: MarrowResult) -> Section:
    unit = result.functional.unit
    columns = {
        "name": "Lesion",
        "region": "In",
        "volume_ml": "Volume mL",
        "mean": f"Mean {unit}",
        "max": "Max",
        "peak": "Peak 1 mL",
        "ratio_to_normal": "To normal bone",
        "hu_mean": "HU mean",
        "type": "CT type",
    }
    rows = [{**row, "name": title_of(row["name"]), "region": title_of(row["region"])} for row in result.lesion_rows]
    note = "Candidates by uptake; osteophytes, fractures and joints take up tracer too. A reader decides."
    return Section("Lesion candidates", [Table(columns, rows), Notice("note", note)])


def _maa(result: MarrowResult) -> Section:
    maa = result.maa
    assert maa is not None
    facts: dict[str, Any] = {f"T/N of {title_of(name)}": ratio for name, ratio in maa.tumour_to_normal.items()}
    facts |= {
        "T/N of all tumours": maa.all_tumours_to_normal,
        "Tumour volume (mL)": maa.tumour_volume_ml,
        "Normal liver volume (mL)": maa.normal_liver_volume_ml,
        "Lung shunt fraction (%)": None if maa.lung_shunt is None else 100 * maa.lung_shunt,
    }
    if maa.partition is not None:
        facts |= {
            "Planned activity (GBq)": result.settings.maa.activity_gbq,
            "Tumour dose (Gy)": maa.partition.tumour_gy,
            "Normal liver dose (Gy)": maa.partition.normal_liver_gy,
            "Lung dose (Gy)": maa.partition.lung_gy,
        }
    return Section("99mTc-MAA", [Facts(facts)])


def _follow_up(follow_up: FollowUp) -> Section:
    blocks: list[Block] = [Notice("warning", text) for text in follow_up.warnings]
    columns = {"region": "Region", "quantity": "Quantity", "unit": "Unit"}
    for i, name in enumerate(follow_up.dates):
        columns[f"value_{i}"] = name
        if i:
            columns[f"change_percent_{i}"] = "Change %"
    rows = [{**row, "region": title_of(row["region"])} for row in follow_up.rows]
    blocks.append(
        Table(columns, rows, caption="Regions found at each date by itself; lesions and drawn regions carried.")
    )
    if follow_up.once:
        names = ", ".join(title_of(name) for name in follow_up.once)
        blocks.append(Notice("note", f"Measured at one date only: {names}."))
    return Section("Follow-up", blocks)


def _agreement(result: MarrowResult) -> Section:
    facts: dict[str, Any] = {}
    for statistic, values in jsonable(result.agreement).items():
        if isinstance(values, dict):
            numbers = {f"{statistic}, {key}": value for key, value in values.items() if key not in _PER_CASE}
            facts |= {name.replace("_", " "): value for name, value in numbers.items()}
        else:
            facts[statistic] = values
    return Section("Agreement with the given standard", [Facts(facts)])


def _alignment(result: MarrowResult) -> Section:
    if result.ct is None:
        return Section("Alignment", [Text("Without a CT there is nothing to align.")])
    blocks: list[Block] = []
    if result.registration is not None:
        quality = result.registration.quality
        level = {"ok": "ok", "check": "note", "warn": "warning"}[quality.level]
        blocks.append(Notice(level, quality.text))  # type: ignore[arg-type]
        facts = result.alignment_facts
        blocks.append(Facts({heading: facts[name] for name, heading in _ALIGNMENT_FACTS.items() if name in facts}))
    else:
        blocks.append(Text("The alignment was given (the scanner's, or the user's); nothing was registered."))
    bone = result.masks_on_ct.get("bone")
    if bone is not None:
        rows = {"used": result.transform}
        if result.registration is not None:
            rows = {"scanner": None, "used": result.transform}
        centre = centre_of(result.masks_on_ct.get("spine", bone))
        png = alignment_sections(result.ct, result.functional, rows, bone=bone, centre_mm=centre, upper=_upper(result))
        blocks.append(Picture(png, "Functional image with the bone outline of the CT, and a checkerboard of both."))
    return Section("Alignment of the functional image with the CT", blocks)


def _quantification(result: MarrowResult, identified: bool) -> Section:
    facts = result.functional.acquisition
    shown: dict[str, Any] = {}
    if identified:
        shown |= {"Patient": facts.patient_name, "Patient ID": facts.patient_id}
    shown |= {
        "Scanner": " ".join(part for part in (facts.manufacturer, facts.scanner) if part) or None,
        "Radiopharmaceutical": facts.radiopharmaceutical,
        "Radionuclide": facts.radionuclide,
        "Injection": facts.injection_time,
        "Start of acquisition": facts.acquisition_start,
        "Corrections": facts.corrections,
        "Typed by the user": _typed(facts, identified),
    }
    blocks: list[Block] = [Facts(shown)]
    if result.factors is not None:
        f = result.factors
        blocks.append(
            Facts(
                {
                    # The file's own value is not kept once another was typed.
                    "Decay correction used": f"{f.decay_correction} (typed)"
                    if "decay_correction" in f.typed
                    else f"{f.decay_correction} (file)",
                    "Half-life (s)": f.half_life_s,
                    "Half-life from": f.half_life_source,
                    "Net injected activity (MBq)": f.net_activity_bq / 1e6,
                    "Injection to acquisition (s)": f.elapsed_s,
                    "Decay factor": f.decay_factor,
                    "Reference activity (MBq)": f.reference_activity_bq / 1e6,
                    "Within-scan decay factor": f.frame_factor,
                    f"Body measure ({f.body_measure_unit})": f.body_measure,
                    f"{f.unit} per Bq/mL": f.scale,
                }
            )
        )
    return Section("Quantification", blocks)


def _typed(facts: Acquisition, identified: bool) -> tuple[str, ...]:
    """What came from a keyboard, as "name = value"; the name alone where it identifies the patient or is no fact."""
    shown = []
    for name in facts.typed:
        value = getattr(facts, name, None)
        if value is None or (name in IDENTIFYING and not identified):
            shown.append(name)
        else:
            shown.append(f"{name} = {value:.10g}" if isinstance(value, float) else f"{name} = {value}")
    return tuple(shown)


def _protocol(result: MarrowResult) -> Section:
    assert result.protocol is not None
    rows = [jsonable(row) for row in result.protocol.rows]
    flags = {i: "warning" for i, row in enumerate(rows) if row["status"] == "not met"}
    columns = {
        "label": "Item",
        "series": "Series",
        "expected": "Standard",
        "found": "This scan",
        "unit": "Unit",
        "status": "Status",
        "source": "From",
        "basis": "Basis of the standard",
    }
    counts = {status: sum(row["status"] == status for row in rows) for status in ("met", "not met", "unknown")}
    title = "Protocol record: " + ", ".join(f"{count} {status}" for status, count in counts.items())
    return Section(title, [Table(columns, rows, flags=flags)], folded=True)  # type: ignore[arg-type]
