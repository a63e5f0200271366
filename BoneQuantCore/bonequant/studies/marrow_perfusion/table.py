"""The tables: uptake, ratios, relative perfusion, heterogeneity and CT numbers together, one row per region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bonequant.roi import LesionCandidate, RoiMeasurement

REFERENCES = ("blood_pool", "muscle", "liver")


def region_rows(
    uptake: Mapping[str, RoiMeasurement],
    hu: Mapping[str, RoiMeasurement],
    origins: Mapping[str, str],
    references: Sequence[str],
    whole: str | None,
    corrected: Mapping[str, float],
) -> tuple[dict[str, Any], ...]:
    """One row per measured region.

    Args:
        uptake, hu: measurements of the functional image and of the CT, by region.
        origins: how each region came to be.
        references: regions against which ratios of the means are stated, where they were measured.
        corrected: means after partial volume correction, by region.
        whole: region whose total uptake is the 100 % of ``percent_of_total``; None leaves that column empty.
    """
    total = uptake[whole].total if whole is not None and whole in uptake else None
    rows = []
    for name, m in uptake.items():
        ct = hu.get(name)
        row: dict[str, Any] = {
            "region": name,
            "origin": origins.get(name, ""),
            "unit": m.unit,
            "volume_ml": m.volume_ml,
            "mean": m.mean,
            "mean_corrected": corrected.get(name),
            "sd": m.sd,
            "median": m.median,
            "min": m.min,
            "max": m.max,
            "peak": m.peak,
            "p5": m.p5,
            "p95": m.p95,
            "total": m.total,
            "percent_of_total": 100 * m.total / total if total else None,
            "cv": m.cv,
            "entropy_bits": m.entropy,
            "hu_mean": ct.mean if ct else None,
            "hu_sd": ct.sd if ct else None,
        }
        for reference in references:
            base = uptake.get(reference)
            row[f"ratio_to_{reference}"] = m.mean / base.mean if base and base.mean > 0 else None
        row["fraction_inside"] = m.fraction_inside
        row["remarks"] = "; ".join(m.flags)
        rows.append(row)
    return tuple(rows)


def lesion_rows(
    lesions: Sequence[LesionCandidate], uptake: Mapping[str, RoiMeasurement], corrected: Mapping[str, float]
) -> tuple[dict[str, Any], ...]:
    """One row per lesion candidate; uptake as measured by the rule of the regions' table."""
    return tuple(
        {
            "name": lesion.name,
            "region": lesion.region,
            "volume_ml": uptake[lesion.name].volume_ml,
            "unit": uptake[lesion.name].unit,
            "mean": uptake[lesion.name].mean,
            "mean_corrected": corrected.get(lesion.name),
            "max": uptake[lesion.name].max,
            "peak": uptake[lesion.name].peak,
            "total": uptake[lesion.name].total,
            "ratio_to_normal": lesion.ratio,
            "hu_mean": lesion.mean_hu,
            "type": lesion.kind,
            "lytic_fraction": lesion.lytic_fraction,
            "blastic_fraction": lesion.blastic_fraction,
        }
        for lesion in lesions
    )
