"""The rows of the cohort evidence: measures, calls, comparisons, discordant cases, cases. Numbers in full."""

from __future__ import annotations

from typing import Any

from bonequant.statistics import McNemar
from bonequant.studies.response_cohort.result import CohortResult


def measure_rows(result: CohortResult) -> list[dict[str, Any]]:
    """One row per measure and outcome."""
    rows = []
    for name, found in result.measures.items():
        for outcome, group in found.groups.items():
            within = found.within.get(outcome)
            rows.append(
                {
                    "measure": name,
                    "outcome": outcome,
                    "n": group.n,
                    "median_percent": group.median,
                    "quartile_low_percent": group.quartiles[0],
                    "quartile_high_percent": group.quartiles[1],
                    "mean_percent": group.mean,
                    "sd_percent": group.sd,
                    "pairs": within.n if within else 0,
                    "wilcoxon_p": within.p_value if within else None,
                    "wilcoxon_method": within.method if within else None,
                }
            )
    return rows


def separation_rows(result: CohortResult) -> list[dict[str, Any]]:
    """One row per measure: test between the outcomes, AUC, Youden's cut-off with its optimism."""
    rows = []
    for name, found in result.measures.items():
        best = found.youden
        rows.append(
            {
                "measure": name,
                "missing": found.missing,
                "mann_whitney_u": found.between.statistic,
                "mann_whitney_p": found.between.p_value,
                "mann_whitney_method": found.between.method,
                "auc": found.auc.auc,
                "auc_low": found.auc.ci[0],
                "auc_high": found.auc.ci[1],
                "youden_cutoff_percent": best.apparent.threshold,
                "youden_rule": f"{best.apparent.operator} {best.apparent.threshold:g} %",
                "youden_cutoff_low_percent": best.threshold_ci[0],
                "youden_cutoff_high_percent": best.threshold_ci[1],
                "youden_j": best.apparent.j,
                "youden_optimism": best.optimism,
                "youden_j_corrected": best.corrected_j,
            }
        )
    return rows


def call_rows(result: CohortResult) -> list[dict[str, Any]]:
    """One row per way of calling: counts, and the measures of accuracy with their intervals (0..1)."""
    rows = []
    for call in result.calls.values():
        counts = call.confusion
        row: dict[str, Any] = {"call": call.name, "rule": call.rule, "missing": call.missing}
        row |= {"tp": counts.tp, "fn": counts.fn, "tn": counts.tn, "fp": counts.fp}
        for name in ("sensitivity", "specificity", "accuracy", "ppv", "npv"):
            measured = getattr(counts, name)
            row |= {name: measured.value, f"{name}_low": measured.ci[0], f"{name}_high": measured.ci[1]}
        rows.append(row)
    return rows


def comparison_rows(result: CohortResult) -> list[dict[str, Any]]:
    """One row per pair of calls and question."""
    rows = []
    for pair in result.comparisons:
        for name in ("sensitivity", "specificity", "accuracy"):
            test: McNemar = getattr(pair, name)
            rows.append(
                {
                    "first": pair.first,
                    "second": pair.second,
                    "question": name,
                    "first_only_right": test.first_only,
                    "second_only_right": test.second_only,
                    "mcnemar_p": test.p_value,
                    "method": test.method,
                }
            )
    return rows


def case_rows(result: CohortResult, shown: dict[str, str]) -> list[dict[str, Any]]:
    """One row per case: outcome, changes, and what each way calls it."""
    rows = []
    for case in result.inputs.cases:
        row: dict[str, Any] = {"case": shown[case.id], "outcome": case.outcome}
        row |= {f"{name}_change_percent": value for name, value in case.change_percent.items()}
        for call in result.calls.values():
            said = call.called.get(case.id)
            row[call.name] = None if said is None else result.positive if said else result.negative
        rows.append(row)
    return rows


def discordant_rows(result: CohortResult, shown: dict[str, str]) -> list[dict[str, Any]]:
    """Cases that two calls disagree on, and which of them was right."""
    outcomes = {case.id: case.outcome for case in result.inputs.cases}
    rows = []
    for pair in result.comparisons:
        first, second = result.calls[pair.first], result.calls[pair.second]
        for case in pair.discordant:
            right = first if first.called[case] == (outcomes[case] == result.positive) else second
            rows.append(
                {
                    "case": shown[case],
                    "outcome": outcomes[case],
                    "first": pair.first,
                    "first_call": result.positive if first.called[case] else result.negative,
                    "second": pair.second,
                    "second_call": result.positive if second.called[case] else result.negative,
                    "right": right.name,
                }
            )
    return rows
