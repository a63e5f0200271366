"""The report of a response study as a reader asks: are the outcomes told apart, how well, where do calls differ."""

from __future__ import annotations

from typing import Any

from bonequant.report import Notice, Page, Picture, Section, Table, Text
from bonequant.report.closing import provenance_section, settings_section, title_of
from bonequant.report.page import Block
from bonequant.statistics import Proportion
from bonequant.studies.response_cohort import plots, tables
from bonequant.studies.response_cohort.result import CohortResult

_PLOTS_IN_HALF_WIDTH = 2


def page(result: CohortResult, *, identified: bool = False) -> Page:
    """The page; cases are numbered as in the table unless ``identified``."""
    shown = result.shown_ids(identified)
    sections = [
        *([_measures(result, shown)] if result.measures else []),
        *([_calls(result)] if result.calls else []),
        *([_discordance(result, shown)] if result.comparisons else []),
        _cases(result, shown),
        settings_section(result.settings),
        provenance_section(result.provenance),
    ]
    positives = sum(case.outcome == result.positive for case in result.inputs.cases)
    return Page(
        title="Evidence of response criteria",
        subtitle=f"{len(result.inputs.cases)} cases: {positives} {result.positive}, "
        f"{len(result.inputs.cases) - positives} {result.negative}",
        headline=_headline(result),
        notices=[Notice("warning", text) for text in result.warnings],
        sections=[section for section in sections if section is not None],
    )


def _headline(result: CohortResult) -> list[tuple[str, Any, str]]:
    cards: list[tuple[str, Any, str]] = []
    for call in list(result.calls.values())[:2]:
        cards.append((f"{title_of(call.name)}: sensitivity", 100 * call.confusion.sensitivity.value, "%"))
        cards.append((f"{title_of(call.name)}: specificity", 100 * call.confusion.specificity.value, "%"))
    if result.primary in result.measures:
        cards.append((f"{title_of(result.primary)}: AUC", result.measures[result.primary].auc.auc, ""))
    return cards


def _measures(result: CohortResult, shown: dict[str, str]) -> Section:
    groups = {
        "measure": "Change of",
        "outcome": "Outcome",
        "n": "n",
        "median_percent": "Median %",
        "quartile_low_percent": "1st quartile %",
        "quartile_high_percent": "3rd quartile %",
        "mean_percent": "Mean %",
        "wilcoxon_p": "P, after against before",
    }
    separation = {
        "measure": "Change of",
        "mann_whitney_p": "P, Mann-Whitney",
        "mann_whitney_method": "Method",
        "auc": "AUC",
        "auc_low": "from",
        "auc_high": "to",
        "youden_rule": "Youden's cut-off",
        "youden_j": "J",
        "youden_optimism": "Optimism",
        "youden_j_corrected": "J corrected",
    }
    blocks: list[Block] = [
        Table(
            groups, _titled(tables.measure_rows(result)), "Percent change by outcome; paired Wilcoxon test within each."
        ),
        Table(
            separation,
            _titled(tables.separation_rows(result)),
            f"Between the outcomes. A higher change speaks for {result.positive}. AUC by DeLong; the optimism of a "
            "cut-off chosen on these very cases is estimated by the bootstrap. Youden's cut-off is itself called "
            f"{result.positive}; fixed ones are compared by {result.settings.cutoff_operator}.",
        ),
        Picture(
            plots.boxplots(result),
            "Change by outcome; the dashed line is the fixed cut-off.",
            wide=len(result.measures) > _PLOTS_IN_HALF_WIDTH,
        ),
        Picture(
            plots.roc_plot(result),
            "ROC curves. Dots: fixed cut-offs; diamonds: Youden's cut-off; squares: calls of the table.",
            wide=False,
        ),
    ]
    if result.primary in result.measures:
        blocks.append(Picture(plots.waterfall(result, shown), f"Waterfall plot of {title_of(result.primary)}."))
        course = plots.spider(result, shown)
        if course:
            blocks.append(Picture(course, f"Spider plot of {title_of(result.primary)}."))
    followed = plots.swimmer(result, shown)
    if followed:
        blocks.append(Picture(followed, "Swimmer plot: how long each case was followed."))
    return Section("Measures", blocks)


def _calls(result: CohortResult) -> Section:
    rows = []
    for call in result.calls.values():
        counts = call.confusion
        rows.append(
            {
                "call": title_of(call.name),
                "rule": call.rule,
                "counts": f"{counts.tp} / {counts.fn} / {counts.tn} / {counts.fp}",
                "sensitivity": _interval(counts.sensitivity),
                "specificity": _interval(counts.specificity),
                "accuracy": _interval(counts.accuracy),
                "missing": call.missing,
            }
        )
    columns = {
        "call": "Call",
        "rule": f"Called {result.positive}",
        "counts": "TP / FN / TN / FP",
        "sensitivity": "Sensitivity %",
        "specificity": "Specificity %",
        "accuracy": "Accuracy %",
        "missing": "Not called",
    }
    how = {"wilson": "Wilson's", "clopper_pearson": "Clopper and Pearson's"}[result.settings.interval]
    caption = f"Intervals: {how}, {100 * result.settings.confidence:g} %."
    blocks: list[Block] = [Table(columns, rows, caption)]
    if not result.measures:
        blocks.append(Picture(plots.roc_plot(result), "Where the calls lie in the ROC plane.", wide=False))
    return Section("Calls", blocks)


def _discordance(result: CohortResult, shown: dict[str, str]) -> Section:
    columns = {
        "first": "First",
        "second": "Second",
        "question": "Compared",
        "first_only_right": "First alone right",
        "second_only_right": "Second alone right",
        "mcnemar_p": "P, McNemar",
        "method": "Method",
    }
    blocks: list[Block] = [Table(columns, tables.comparison_rows(result), "Do two calls err equally often?")]
    picture = plots.discordance(result, shown)
    if picture:
        blocks.append(
            Picture(
                picture, "Ringed: cases that the two cut-offs call differently; their names stand below.", wide=False
            )
        )
    rows = tables.discordant_rows(result, shown)
    named = {
        "case": "Case",
        "outcome": "Outcome",
        "first": "First",
        "first_call": "says",
        "second": "Second",
        "second_call": "says",
        "right": "Right",
    }
    blocks.append(Table(named, rows, "Discordant cases.") if rows else Text("No case is called differently."))
    return Section("Where calls differ", blocks)


def _cases(result: CohortResult, shown: dict[str, str]) -> Section:
    rows = tables.case_rows(result, shown)
    columns = {key: title_of(key).replace(" percent", " %") for key in rows[0]}
    return Section("Cases", [Table(columns, rows)], folded=True)


def _titled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "measure": title_of(row["measure"])} for row in rows]


def _interval(measured: Proportion) -> str:
    if measured.total == 0:
        return "–"
    low, high = (100 * end for end in measured.ci)
    return f"{100 * measured.value:.1f} ({low:.1f} to {high:.1f})"
