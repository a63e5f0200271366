"""Sections of the report that set perfusion beside MAA, and two readers beside each other."""

from __future__ import annotations

import math
from typing import Any

from bonequant.report import Facts, Notice, Picture, Section, Table
from bonequant.report.closing import title_of
from bonequant.report.page import Block
from bonequant.report.pictures import fused_sections
from bonequant.report.planes import centre_of
from bonequant.studies.liver_perfusion.readers import ReaderComparison
from bonequant.studies.liver_perfusion.result import LiverResult
from bonequant.studies.liver_perfusion.scatter import scatter
from bonequant.studies.liver_perfusion.tissue import METHODS

_QUANTITY = {"alp_ratio": "ALP tumour / liver"}


def maa_section(result: LiverResult) -> Section:
    """Ratios by lesion, correlation with each quantity, agreement of MAA's ratio with that of ALP."""
    maa, uptake = result.maa, result.maa_uptake
    assert maa is not None and uptake is not None
    blocks: list[Block] = [Facts({"Ratios from": uptake.source, **_alignment(result)})]
    picture = _fused(result)
    if picture is not None:
        blocks.append(picture)
    columns = {"region": "Lesion", "maa_ratio": "MAA T/N"}
    for method in METHODS:
        short = "max slope" if method == "max_slope" else "dual input"
        columns |= {f"alp_ratio_{method}": f"ALP T/N {short}", f"alp_{method}": f"ALP {short}"}
        columns |= {f"pvp_{method}": f"PVP {short}", f"tlp_{method}": f"TLP {short}"}
    blocks.append(Table(columns, [{**row, "region": title_of(row["region"])} for row in maa.rows]))
    blocks += [Notice("warning", text) for text in maa.warnings]
    if len(maa.rows) > 1:
        points = {
            METHODS[method]: [
                (row["maa_ratio"], row[f"alp_ratio_{method}"], title_of(row["region"])) for row in maa.rows
            ]
            for method in METHODS
        }
        png = scatter(points, "MAA uptake, tumour / liver", "ALP, tumour / liver")
        blocks.append(Picture(png, "Each lesion once per method; on the line both ratios agree.", wide=False))
    rows = [
        {
            **row,
            "method": METHODS[row["method"]],
            "quantity": _QUANTITY.get(row["quantity"], row["quantity"].upper()),
            "pearson_ci": _interval(row["pearson_low"], row["pearson_high"]),
            "spearman_ci": _interval(row["spearman_low"], row["spearman_high"]),
        }
        for row in maa.statistics
    ]
    headings = {
        "method": "Method",
        "quantity": "Quantity",
        "n": "Lesions",
        "pearson": "Pearson r",
        "pearson_ci": "95 % interval",
        "pearson_p": "p",
        "spearman": "Spearman ρ",
        "spearman_ci": "95 % interval",
        "spearman_p": "p",
    }
    blocks.append(Table(headings, rows, caption="Correlation of the MAA ratio with perfusion, over the lesions."))
    for method, agreement in maa.agreement.items():
        if agreement is not None:
            blocks.append(
                Facts(
                    {
                        f"Bland-Altman on the logarithms, {METHODS[method]}, lesions": agreement.n,
                        "MAA T/N over ALP T/N, geometric mean": agreement.bias,
                        "its 95 % interval": _interval(*agreement.bias_ci),
                        "Limits of agreement (factor)": _interval(*agreement.limits),
                    }
                )
            )
    return Section("Comparison with 99mTc-MAA", blocks)


def readers_section(readers: ReaderComparison) -> Section:
    """Mean difference, range, r and ICC by quantity, and the regions they come from."""
    rows = [
        {
            **row,
            "method": METHODS[row["method"]],
            "quantity": row["quantity"].upper(),
            "range": _interval(row["lowest_difference"], row["highest_difference"]),
            "limits": _interval(row["limit_low"], row["limit_high"]),
            "r_ci": _interval(row["r_low"], row["r_high"]),
            "icc_ci": _interval(row["icc_low"], row["icc_high"]),
        }
        for row in readers.statistics
    ]
    headings = {
        "method": "Method",
        "quantity": "Quantity",
        "n": "Regions",
        "mean_difference": "Mean difference",
        "range": "Range",
        "limits": "Limits of agreement",
        "r": "r",
        "r_ci": "95 % interval",
        "icc_2_1": "ICC(2,1)",
        "icc_ci": "95 % interval",
    }
    single = [
        {
            **row,
            "region": title_of(row["region"]),
            "method": METHODS[row["method"]],
            "quantity": row["quantity"].upper(),
        }
        for row in readers.rows
    ]
    columns = {
        "region": "Region",
        "method": "Method",
        "quantity": "Quantity",
        "first": "First reader",
        "second": "Second reader",
        "difference": "Difference",
    }
    blocks: list[Block] = [Notice("warning", text) for text in readers.warnings]
    blocks += [
        Table(headings, rows, caption="Second reader minus first, over the regions that both drew."),
        Table(columns, single),
    ]
    return Section("Two readers", blocks)


def _alignment(result: LiverResult) -> dict[str, Any]:
    assert result.maa_uptake is not None
    registration = result.maa_uptake.registration
    if registration is None:
        return {}
    return {
        "Alignment": registration.quality.text,
        "Displacement from the scanner's alignment (mm)": registration.quality.displacement_mm,
    }


def _fused(result: LiverResult) -> Picture | None:
    """MAA over the perfusion CT, with the regions; none where the regions were drawn on the SPECT, or ratios given."""
    uptake = result.maa_uptake
    if uptake is None or uptake.spect is None or not uptake.uptake or "drawn on it" in uptake.source:
        return None
    outlines = {name: result.masks[name] for name in ["liver", *result.lesions]}
    upper = max(1e-6, *(measured.p95 for measured in uptake.uptake.values()))
    png = fused_sections(
        result.anatomy,
        uptake.spect,
        uptake.transform,
        outlines=outlines,
        centre_mm=centre_of(result.masks[result.lesions[0]] if result.lesions else result.masks["liver"]),
        upper=upper,
    )
    return Picture(png, "99mTc-MAA in colour over the perfusion CT, with the outlines of liver and lesions.")


def _interval(low: float, high: float) -> str:
    if math.isnan(low) or math.isnan(high):
        return "–"
    return f"{low:.3g} to {high:.3g}"
