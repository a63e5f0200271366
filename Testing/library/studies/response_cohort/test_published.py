"""The published counts give the published accuracies, with intervals by Wilson, and every part of the evidence."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from bonequant.errors import SettingsError
from bonequant.report import render
from bonequant.studies.response_cohort import CohortSettings, page, read_inputs, run, summary, write
from scipy import stats

_spec = importlib.util.spec_from_file_location("published", Path(__file__).with_name("published.py"))
published = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(published)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    table = published.write_table(tmp_path_factory.mktemp("cohort") / "t.csv", courses=True)
    return run(read_inputs(table), CohortSettings(resamples=200))


def test_published_accuracies(result):
    """Vp -40 %: 10/1/33/5, 90.9 and 86.8 %; size -10 %: 9/2/18/20, 81.8 and 47.4 % (paper 4)."""
    vp, size = (result.calls[name].confusion for name in ("vp -40 %", "size -10 %"))
    assert (vp.tp, vp.fn, vp.tn, vp.fp) == (10, 1, 33, 5)
    assert (size.tp, size.fn, size.tn, size.fp) == (9, 2, 18, 20)
    # one decimal is printed
    for measured, value, low, high in (
        (vp.sensitivity, 90.9, 62.3, 98.4),
        (vp.specificity, 86.8, 72.7, 94.2),
        (size.sensitivity, 81.8, 52.3, 94.9),
        (size.specificity, 47.4, 32.5, 62.7),
    ):
        assert 100 * measured.value == pytest.approx(value, abs=0.05)
        assert [100 * end for end in measured.ci] == pytest.approx([low, high], abs=0.05)


def test_tests_against_scipy(result):
    cases = result.inputs.cases
    for name, found in result.measures.items():
        groups = [
            [case.change_percent[name] for case in cases if case.outcome == outcome]
            for outcome in ("failure", "success")
        ]
        theirs = stats.mannwhitneyu(*groups, method="exact")
        assert found.between.method == "exact"
        assert found.between.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
        assert found.auc.auc == pytest.approx(theirs.statistic / (11 * 38), abs=1e-12)
        assert found.roc.auc == pytest.approx(found.auc.auc, abs=1e-12)
    pairs = [(case.after["vp"], case.before["vp"]) for case in cases if case.outcome == "success"]
    theirs = stats.wilcoxon(*np.transpose(pairs), method="exact")
    assert result.measures["vp"].within["success"].p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert result.measures["size"].within == {}  # no values before and after are in the table


def test_optimism_is_taken_off(result):
    for found in result.measures.values():
        assert found.youden.optimism > 0
        assert found.youden.corrected_j == pytest.approx(found.youden.apparent.j - found.youden.optimism)


def test_mcnemar_between_criteria(result):
    """Counted by hand from the table's rows: the calls that are right by one criterion alone."""
    (pair,) = [c for c in result.comparisons if (c.first, c.second) == ("vp -40 %", "size -10 %")]
    alone = [0, 0]
    for case in result.inputs.cases[11:]:
        right = [case.change_percent["vp"] <= -40, case.change_percent["size"] <= -10]
        alone[0] += right[0] and not right[1]
        alone[1] += right[1] and not right[0]
    assert (pair.specificity.first_only, pair.specificity.second_only) == tuple(alone)
    assert pair.specificity.p_value == pytest.approx(stats.binomtest(min(alone), sum(alone)).pvalue, rel=1e-9)
    # 33 right against 18 right among successes
    assert alone[0] - alone[1] == 33 - 18
    assert len(pair.discordant) == pair.accuracy.first_only + pair.accuracy.second_only


def test_a_case_that_is_not_evaluable_is_left_out_and_said(result):
    assert result.calls["reader"].missing == 1
    assert result.calls["reader"].confusion.total == 48
    rows = {row["case"]: row for row in summary(result)["cases"]}
    assert rows["L21"]["reader"] is None


def test_report_and_tables(result, tmp_path):
    report = write(result, tmp_path / "out")
    html = report.read_text()
    assert html.count("data:image/png;base64,") == 6  # boxes, ROC, waterfall, spider, swimmer, discordance
    assert "90.9 (62.3 to 98.4)" in html and "10 / 1 / 33 / 5" in html
    for file in (tmp_path / "out").iterdir():
        assert "MRN-" not in file.read_text()
    with (tmp_path / "out" / "calls.csv").open() as stream:
        first = next(csv.DictReader(stream))
    assert float(first["sensitivity"]) == 10 / 11
    assert json.loads((tmp_path / "out" / "result.json").read_text())["job"] == "response_cohort"
    named = write(result, tmp_path / "named", identified=True)
    assert "MRN-1000" in named.read_text()


def test_the_same_table_gives_the_same_page(result):
    assert render(page(result)) == render(page(result))
    again = run(result.inputs, result.settings)
    assert again.measures["vp"].youden == result.measures["vp"].youden


def test_calls_alone_and_other_words(tmp_path):
    table = tmp_path / "t.csv"
    rows = ["id;outcome;vp_call"]
    rows += [f"{k};PD;{'PD' if k < 10 else 'PR'}" for k in range(11)]
    rows += [f"{k};PR;{'PR' if k < 44 else 'PD'}" for k in range(11, 49)]
    table.write_text("\n".join(rows))
    result = run(read_inputs(table), CohortSettings(positive="PD"))
    counts = result.calls["vp"].confusion
    assert (counts.tp, counts.fn, counts.tn, counts.fp) == (10, 1, 33, 5)
    assert result.measures == {} and result.comparisons == ()
    assert write(result, tmp_path / "out").is_file()


def test_a_change_at_the_cutoff_is_a_success_unless_set_otherwise(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("id,outcome,vp_before,vp_after\n1,failure,1,0.6\n2,success,1,0.6\n3,failure,2,2\n4,success,2,1\n")
    assert not run(read_inputs(table)).calls["vp -40 %"].called["1"]
    strict = run(read_inputs(table), CohortSettings(cutoff_operator=">="))
    assert strict.calls["vp -40 %"].called["1"]


def test_clusters_and_missing_changes_are_said(tmp_path):
    table = tmp_path / "t.csv"
    rng = np.random.default_rng(1)
    rows = ["id,patient,outcome,vp_before,vp_after"]
    rows += [
        f"{k},{k // 2},{'failure' if k % 4 < 2 else 'success'},{1 + rng.random()},{rng.random()}" for k in range(24)
    ]
    rows += ["x,x,failure,0,1"]
    table.write_text("\n".join(rows))
    result = run(read_inputs(table), CohortSettings(resamples=200))
    assert result.measures["vp"].missing == 1
    assert any("25 cases come from 13 patients" in warning for warning in result.warnings)
    assert any("1 of 25 cases have no percent change" in warning for warning in result.warnings)


def test_a_cutoff_is_laid_over_the_defaults_and_null_switches_one_off(result):
    assert CohortSettings(cutoffs_percent={"vp": -20}).cutoffs == {"vp": -20.0, "size": -10.0}
    off = CohortSettings(cutoffs_percent={"size": None})
    assert CohortSettings.from_json(off.to_json()).cutoffs == off.cutoffs == {"vp": -40.0}
    assert "size -10 %" not in run(result.inputs, off).calls


def test_a_cutoff_of_no_measure_is_refused(result, tmp_path):
    with pytest.raises(SettingsError, match="no measure sise; its measures are vp, size"):
        run(result.inputs, CohortSettings(cutoffs_percent={"vp": -20, "sise": -10}))
    (tmp_path / "t.csv").write_text(
        "id,outcome,adc_change_percent\n1,failure,3\n2,success,1\n3,failure,2\n4,success,0\n"
    )
    adc = read_inputs(tmp_path / "t.csv")
    assert list(run(adc, CohortSettings(cutoffs_percent={"adc": 1.5}, resamples=100)).calls) == ["adc +1.5 %"]
    with pytest.raises(SettingsError, match=r"cutoffs_percent\.vp.*its measures are adc"):
        run(adc, CohortSettings(cutoffs_percent={"vp": -20}))


def test_youdens_cutoff_says_its_operator_and_fixed_by_it_gives_the_same_calls(result):
    """The observed change that is the cut-off is positive by >=, and would be negative by >."""
    (vp, _size) = summary(result)["separation"]
    best = result.measures["vp"].youden.apparent
    assert vp["youden_rule"] == f">= {vp['youden_cutoff_percent']:g} %"
    assert vp["youden_rule"].replace(">", "&gt;") in render(page(result))
    fixed = {
        operator: run(
            result.inputs,
            CohortSettings(cutoffs_percent={"vp": best.threshold}, cutoff_operator=operator, resamples=100),
        )
        for operator in (">=", ">")
    }
    counts = {
        operator: next(call.confusion for name, call in found.calls.items() if name.startswith("vp "))
        for operator, found in fixed.items()
    }
    assert counts[">="] == best.confusion
    assert counts[">"].tp + counts[">"].fp == best.confusion.tp + best.confusion.fp - 1
