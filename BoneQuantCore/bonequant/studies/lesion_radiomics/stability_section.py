"""The part of the report that says which features survive redrawing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bonequant.report import Notice, Section, Table, Text
from bonequant.report.page import Block
from bonequant.studies.lesion_radiomics.result import LesionResult
from bonequant.studies.lesion_radiomics.table import stability_rows


def stability_section(result: LesionResult) -> Section:
    """Counts of stable features by class, and the least stable ones of each image."""
    quality, settings = result.quality, result.settings.stability
    if not quality.tables:
        return Section("Stability", [Text("Not asked for: give --second-reader, --second-time or --set perturb=true.")])
    limit = "lower limit of the interval" if settings.by_lower_limit else "ICC"
    blocks: list[Block] = [
        Text(
            f"Stable: {limit} of ICC({settings.icc_form}) at least {settings.threshold:g} for every kind of drawing. "
            f"The perturbation draws each lesion {settings.count} times more: shift up to {settings.shift_mm:g} mm, "
            f"growth up to {settings.grow_mm:g} mm, contour noise {settings.contour_noise_mm:g} mm"
            f"{' within slices' if settings.in_plane else ''}."
        )
    ]
    if quality.stable is None:
        blocks.append(Notice("note", f"Which features are stable cannot be told: {quality.reason}."))
    rows = stability_rows(result)
    columns = {
        "drawing": "Drawing",
        "image": "Image",
        "class": "Class",
        "features": "Features",
        "stable": "Stable",
        "icc": "Median ICC(2,1)",
        "icc_3_1": "Median ICC(3,1)",
        "cv": "Median CV within lesions %",
        "lesions": "Lesions",
        "drawings": "Drawings",
    }
    blocks.append(Table(columns, _by_class(rows)))
    for image in dict.fromkeys(row["image"] for row in rows):
        kind = rows[0]["drawing"]
        listed = [
            row for row in rows if row["image"] == image and row["drawing"] == kind and row["icc_2_1"] is not None
        ]
        worst = sorted((row for row in listed if math.isfinite(row["icc_2_1"])), key=lambda row: row["icc_2_1"])[:8]
        if worst:
            heads = {"feature": "Feature", "icc_2_1": "ICC(2,1)", "icc_2_1_low": "from", "icc_2_1_high": "to"}
            heads |= {"icc_3_1": "ICC(3,1)", "icc_3_1_low": "from", "icc_3_1_high": "to", "cv_percent": "CV %"}
            blocks.append(Table(heads, worst, caption=f"Least stable of {image} ({kind}); all are in stability.csv."))
    return Section("Stability under redrawing", blocks)


def _by_class(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        kind = f"MaZda {row['class']}" if row["family"] == "mazda" else row["class"]
        groups.setdefault((row["drawing"], row["image"], kind), []).append(row)
    return [
        {
            "drawing": drawing,
            "image": image,
            "class": name,
            "features": len(group),
            "stable": sum(told) if (told := [row["stable"] for row in group if row["stable"] is not None]) else None,
            "icc": _median(group, "icc_2_1"),
            "icc_3_1": _median(group, "icc_3_1"),
            "cv": _median(group, "cv_percent"),
            "lesions": max(row["lesions"] for row in group),
            "drawings": max(row["drawings"] for row in group),
        }
        for (drawing, image, name), group in groups.items()
    ]


def _median(rows: list[dict[str, Any]], key: str) -> float:
    values = [row[key] for row in rows if math.isfinite(row[key])]
    return float(np.median(values)) if values else math.nan
