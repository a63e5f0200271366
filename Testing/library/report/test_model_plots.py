"""Plots of diagnostic models draw the numbers they are given: the figure itself is looked into, not its pixels."""

from __future__ import annotations

import numpy as np
import pytest
from bonequant.radiomics.model.lasso_cv import cross_validate
from bonequant.radiomics.model.predict import Contribution, Prediction
from bonequant.report import feature_plots, performance_plots, selection_plots
from bonequant.report.panels import INK, NEGATIVE, POSITIVE, model_colours, short
from bonequant.statistics import Confusion, calibration, decision_curve, delong, roc

RANDOM = np.random.default_rng(4)
LABELS = np.arange(60) % 2 == 0
SCORES = {name: np.clip(0.5 + 0.2 * LABELS - 0.1 + 0.2 * RANDOM.standard_normal(60), 0.02, 0.98) for name in "AB"}


@pytest.fixture
def drawn(monkeypatch):
    """Every plot returns its figure in place of the PNG."""
    for module in (performance_plots, selection_plots, feature_plots):
        monkeypatch.setattr(module, "to_png", lambda figure: figure)


def test_a_plot_is_a_png_and_the_same_every_time():
    curves = {name: (roc(LABELS, scores), delong(LABELS, scores)) for name, scores in SCORES.items()}
    first = performance_plots.roc_curves(curves)
    assert first.startswith(b"\x89PNG") and first == performance_plots.roc_curves(curves)


def test_roc_curves_and_readers(drawn):
    curves = {name: (roc(LABELS, scores), delong(LABELS, scores)) for name, scores in SCORES.items()}
    (axis,) = performance_plots.roc_curves(curves, {"reader 1": (0.8, 0.7)}).axes
    lines = {line.get_label().partition(":")[0]: line for line in axis.lines}
    for name, (curve, auc) in curves.items():
        assert np.array_equal(lines[name].get_xdata(), curve.fpr)
        assert np.array_equal(lines[name].get_ydata(), curve.tpr)
        assert f"{auc.auc:.3f} ({auc.ci[0]:.3f}–{auc.ci[1]:.3f})" in lines[name].get_label()
    assert (lines["reader 1"].get_xdata()[0], lines["reader 1"].get_ydata()[0]) == (pytest.approx(0.3), 0.8)


def test_forest_of_aucs(drawn):
    found = {name: delong(LABELS, scores) for name, scores in SCORES.items()}
    rows = [performance_plots.AucRow(name, "honest", auc, True) for name, auc in found.items()]
    (axis,) = performance_plots.auc_forest(rows, {"A": 0.9}).axes
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["A, honest", "B, honest"]
    spans = [tuple(line.get_xdata()) for line in axis.lines]
    assert all(auc.ci in spans for auc in found.values()) and (0.9, 0.9) in spans


def test_confusion_matrices_show_all_four_counts(drawn):
    figure = performance_plots.confusion_matrices({"A": Confusion(tp=30, fn=10, tn=45, fp=15)}, "sick", "well")
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "30", "75 %", "10", "25 %", "15", "25 %", "45", "75 %",
    ]  # fmt: skip


def test_calibration_shows_groups_and_the_recalibration(drawn):
    found = calibration(LABELS, SCORES["A"])
    (axis,) = performance_plots.calibration_curves({"A": (found, SCORES["A"], LABELS)}).axes
    dots = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axis.lines if line.get_marker() == "o"]
    assert dots == [(part.predicted, part.observed.value) for part in found.bins]
    fitted = next(line for line in axis.lines if len(line.get_xdata()) == 99)
    odds = found.intercept + found.slope * np.log(0.3 / 0.7)
    assert fitted.get_ydata()[29] == pytest.approx(1 / (1 + np.exp(-odds)))
    assert f"slope {found.slope:.2f}" in axis.texts[0].get_text()


def test_decision_curves_beside_all_and_none(drawn):
    curve = decision_curve(LABELS, SCORES["A"])
    (axis,) = performance_plots.decision_curves({"A": curve}).axes
    by_label = {line.get_label(): line for line in axis.lines}
    assert np.array_equal(by_label["A"].get_ydata(), curve.net_benefit)
    assert np.array_equal(by_label["call all"].get_ydata(), curve.treat_all)


def test_lasso_marks_both_lambdas_and_colours_what_is_kept(drawn):
    x = RANDOM.standard_normal((60, 6))
    x[:, 0] += 1.2 * LABELS
    x[:, 1] -= 1.2 * LABELS
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    lasso = cross_validate(z, LABELS.astype(float), np.arange(60) % 5)
    figure = selection_plots.lasso_plot(lasso, [f"f{at}" for at in range(6)], "1se", "CT")
    left, right = figure.axes
    vertical = sorted({float(line.get_xdata()[0]) for line in left.lines if len(set(line.get_xdata())) == 1})
    assert vertical == pytest.approx(sorted(np.log10([lasso.lambda_min, lasso.lambda_1se])))
    chosen = lasso.path.coefficients[lasso.at_1se]
    drawn_lines = [line for line in right.lines if len(line.get_xdata()) == len(lasso.path.lambdas)]
    assert sum(line.get_color() in (POSITIVE, NEGATIVE) for line in drawn_lines) == np.count_nonzero(chosen)
    assert drawn_lines[0].get_color() == POSITIVE and drawn_lines[1].get_color() == NEGATIVE
    assert "f0" in {text.get_text() for text in right.texts}


def test_selection_frequency_fills_what_is_in_the_model(drawn):
    figure = selection_plots.selection_frequency({"CT": {"a": 1.0, "b": 0.3}, "SPECT": {}}, {"CT": ["a"], "SPECT": []})
    bars = figure.axes[0].patches
    assert [bar.get_width() for bar in bars] == [100.0, 30.0]
    assert [bar.get_facecolor() == (1, 1, 1, 1) for bar in bars] == [False, True]
    assert figure.axes[1].texts[0].get_text() == "nothing was ever chosen"


def test_heatmap_goes_by_class_and_probability(drawn):
    z = np.column_stack([SCORES["A"], SCORES["B"]])
    figure = feature_plots.class_heatmap(z, ["a", "b"], LABELS, SCORES["A"], ("sick", "well"))
    shown = np.asarray(figure.axes[0].images[0].get_array())[0]
    assert np.array_equal(np.sort(shown[:30]), np.sort(SCORES["A"][LABELS]))
    assert (np.diff(shown[:30]) <= 0).all() and (np.diff(shown[30:]) <= 0).all()
    assert np.array_equal(np.asarray(figure.axes[1].images[0].get_array())[0], shown)


def test_boxes_hold_the_lesions_of_their_class(drawn):
    values = np.column_stack([SCORES["A"]] * 6)
    figure = feature_plots.class_boxplots(values, list("abcdef"), LABELS, ("sick", "well"))
    assert sum(axis.get_visible() for axis in figure.axes) == 6
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "."]
    assert np.array_equal(dots[0].get_ydata(), SCORES["A"][LABELS])
    assert np.array_equal(dots[1].get_ydata(), SCORES["A"][~LABELS])


def test_waterfall_ends_at_the_lesions_log_odds(drawn):
    random = np.random.default_rng(1)
    steps = random.normal(0, 1, 20).tolist()
    parts = tuple(Contribution(f"f{at}", 1.0, step, 1.0, step) for at, step in enumerate(steps))
    total = 0.3 + sum(steps)
    said = Prediction(1 / (1 + np.exp(-total)), total, 0.3, parts, total > 0, 0.5, "sick", (), "")
    axis = feature_plots.contributions(said).axes[0]
    bars = axis.patches
    assert len(bars) == 15  # the 14 largest, and the others in one
    ends = [bar.get_x() + bar.get_width() for bar in bars]
    starts = [bar.get_x() for bar in bars]
    assert starts[0] == 0.3 and starts[1:] == pytest.approx(ends[:-1]) and ends[-1] == pytest.approx(total)
    assert [abs(bar.get_width()) for bar in bars[:14]] == sorted(
        (abs(bar.get_width()) for bar in bars[:14]), reverse=True
    )
    assert "6 other features" in {tick.get_text() for tick in axis.get_yticklabels()}


def test_the_combined_model_is_in_ink_and_long_names_keep_both_ends():
    assert model_colours(["CT", "SPECT", "combined"])["combined"] == INK
    assert len(set(model_colours("abcde").values())) == 5
    assert short("x" * 20) == "x" * 20
    assert short("SPECT:wavelet-LLH_glcm_ClusterProminence", 20) == "SPECT:wav…rominence"
