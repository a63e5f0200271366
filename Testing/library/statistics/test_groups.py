"""The bootstrap over patients, group comparisons by their conditions, and McNemar's test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bonequant.errors import Cancelled, InputError
from bonequant.statistics import cluster_bootstrap, compare_groups, compare_table, mcnemar, summarise
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar


def mean(values: np.ndarray) -> float:
    return float(values.mean())


def test_bootstrap_of_a_mean_has_its_standard_error() -> None:
    values = np.random.default_rng(0).normal(size=200)
    found = cluster_bootstrap(mean, values, resamples=4000)
    # A bootstrap SD from 4,000 draws is good to 1.1 %; 4 SD.
    assert found.standard_error == pytest.approx(values.std() / math.sqrt(200), rel=0.045)
    assert found.estimate == values.mean()
    # A percentile limit from 4,000 draws scatters by about 4 % of the standard error (0.07); 4 SD.
    assert found.ci == pytest.approx(values.mean() + np.array([-1.96, 1.96]) * found.standard_error, abs=0.012)


def test_patients_are_drawn_whole() -> None:
    """Identical lesions within a patient: the clustered error is that of the patients' means, sqrt(5) times the
    naive.
    """
    values = np.repeat(np.random.default_rng(1).normal(size=80), 5)
    names = np.repeat([f"P{number}" for number in range(80)], 5)
    clustered = cluster_bootstrap(mean, values, groups=names, resamples=3000)
    naive = cluster_bootstrap(mean, values, resamples=3000)
    assert clustered.standard_error / naive.standard_error == pytest.approx(math.sqrt(5), rel=0.07)

    def whole(drawn: np.ndarray) -> float:
        assert len(drawn) == 12 and all(count % 3 == 0 for count in np.unique(drawn, return_counts=True)[1])
        return 1.0

    cluster_bootstrap(whole, np.tile([0, 1, 2, 3], 3), groups=np.tile([0, 1, 2, 3], 3), resamples=50)


def test_columns_stay_together_and_one_seed_gives_one_result() -> None:
    random = np.random.default_rng(2)
    x, groups = random.normal(size=(40, 2)), random.integers(0, 9, 40)

    def gap(rows: np.ndarray, copy: np.ndarray) -> float:
        np.testing.assert_array_equal(rows[:, 0], copy)
        return float(rows.sum())

    one, two = (cluster_bootstrap(gap, x, x[:, 0], groups=groups, resamples=100, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one.draws, two.draws)
    assert not np.array_equal(one.draws, cluster_bootstrap(gap, x, x[:, 0], groups=groups, resamples=100).draws)


def test_undefined_draws_are_counted_and_too_many_are_an_error() -> None:
    values = np.arange(10.0)
    found = cluster_bootstrap(lambda v: math.nan if 0 not in v else v.mean(), values, resamples=400)
    # A given case is missed with chance 0.9^10 = 0.349: 3 SD of the count is 29.
    assert found.failed == pytest.approx(0.349 * 400, abs=29)
    assert len(found.draws) + found.failed == 400

    def raises(v: np.ndarray) -> float:
        raise InputError("one class only")

    with pytest.raises(InputError, match="400 of 400"):
        cluster_bootstrap(raises, values, resamples=400)
    with pytest.raises(InputError, match="2 groups"):
        cluster_bootstrap(mean, values, groups=["same"] * 10)
    with pytest.raises(InputError, match="one length"):
        cluster_bootstrap(mean, values, values[:3])
    with pytest.raises(InputError, match="name the group"):
        cluster_bootstrap(mean, values, groups=["a"])


def test_bootstrap_can_be_cancelled() -> None:
    def stop(fraction: float, message: str) -> None:
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        cluster_bootstrap(mean, np.arange(5.0), progress=stop)


def test_normal_samples_get_welchs_t() -> None:
    random = np.random.default_rng(3)
    x, y = random.normal(10, 1, 40), random.normal(9, 3, 25)
    found, reference = compare_groups(x, y), stats.ttest_ind(x, y, equal_var=False)
    assert found.test == "Welch t" and "Shapiro" in found.rule
    assert (found.statistic, found.p_value) == pytest.approx((reference.statistic, reference.pvalue))
    assert found.ci[0] < found.difference < found.ci[1]
    assert found.first == summarise(x)
    paired = compare_groups(x[:25], y, paired_cases=True)
    assert paired.test == "paired t"
    assert paired.p_value == pytest.approx(stats.ttest_rel(x[:25], y).pvalue)


def test_skewed_samples_get_rank_tests() -> None:
    random = np.random.default_rng(4)
    x, y = random.lognormal(0, 1.5, 40), random.lognormal(0.5, 1.5, 30)
    found = compare_groups(x, y)
    assert found.test == "Mann-Whitney (exact)"
    assert found.p_value == pytest.approx(stats.mannwhitneyu(x, y, method="exact").pvalue, rel=1e-9)
    assert found.difference == np.median(x) - np.median(y)
    assert math.isnan(found.ci[0])
    paired = compare_groups(x[:30], y, paired_cases=True)
    assert paired.test == "Wilcoxon signed-rank (exact)"
    assert paired.p_value == pytest.approx(stats.wilcoxon(x[:30], y, method="exact").pvalue, rel=1e-9)


def test_samples_too_small_or_constant_to_check() -> None:
    assert "2 values" in compare_groups([1, 2], [3, 4, 5]).rule
    constant = compare_groups([1, 1, 1, 1], [1, 2, 3, 4])
    assert constant.test.startswith("Mann-Whitney") and "all values equal" in constant.rule
    assert compare_groups([1, 2, 3], [1, 2, 3], paired_cases=True).p_value == 1
    with pytest.raises(InputError, match="at least 2"):
        compare_groups([1], [1, 2])


def test_summary_by_hand() -> None:
    found = summarise([1, 2, 3, 4, 10])
    assert (found.n, found.mean, found.median, found.quartiles) == (5, 4, 3, (2, 4))
    assert found.sd == pytest.approx(math.sqrt((9 + 4 + 1 + 0 + 36) / 4))


def test_large_tables_get_chi_square() -> None:
    table = [[30, 12, 18], [22, 25, 13]]
    found, reference = compare_table(table), stats.chi2_contingency(table, correction=False)
    assert found.test == "chi-square"
    assert (found.statistic, found.p_value) == pytest.approx((reference.statistic, reference.pvalue))
    assert found.degrees_of_freedom == 2
    assert compare_table([[20, 10], [10, 20]]).test == "chi-square"


def test_small_two_by_two_gets_fisher() -> None:
    """Fisher's lady tasting tea, 3 of 4 cups right: two-sided p = 0.4857 (34/70)."""
    tea = compare_table([[3, 1], [1, 3]])
    assert tea.test == "Fisher exact"
    assert tea.p_value == pytest.approx(34 / 70, rel=1e-10)
    # An expected count of 4.9 turns a 2 x 2 table over to Fisher, 5 does not.
    assert compare_table([[7, 3], [7, 3]]).test == "Fisher exact"
    assert compare_table([[5, 5], [5, 5]]).test == "chi-square"


def test_small_larger_table_gets_freeman_halton() -> None:
    """Job satisfaction by income of Agresti (Fisher exact p 0.7827 in R's fisher.test), 3 SE of 20,000 tables:
    0.009.
    """
    job = [[1, 2, 1, 0], [3, 3, 6, 1], [10, 10, 14, 9], [6, 7, 12, 11]]
    found = compare_table(job)
    assert found.test.startswith("Fisher-Freeman-Halton")
    assert found.p_value == pytest.approx(0.7827, abs=0.009)
    assert compare_table(job).p_value == found.p_value


def test_bad_tables() -> None:
    with pytest.raises(InputError, match="empty row"):
        compare_table([[0, 0], [1, 2]])
    with pytest.raises(InputError, match="whole numbers"):
        compare_table([[0.5, 1], [1, 2]])
    with pytest.raises(InputError, match="whole numbers"):
        compare_table([[-1, 1], [1, 2]])
    with pytest.raises(InputError, match="2 x 2 or larger"):
        compare_table([[1], [2]])


@pytest.mark.parametrize("table", [[[794, 86], [150, 570]], [[10, 3], [9, 5]], [[10, 12], [12, 4]], [[5, 0], [6, 5]]])
def test_mcnemar_agrees_with_statsmodels(table: list[list[int]]) -> None:
    for method in ("exact", "chi2"):
        reference = reference_mcnemar(table, exact=method == "exact", correction=True)
        found = mcnemar(table, method=method)
        assert (found.first_only, found.second_only) == (table[0][1], table[1][0])
        # statsmodels does not hold the corrected |b - c| - 1 at 0 when b = c.
        if method == "exact" or found.first_only != found.second_only:
            assert found.p_value == pytest.approx(reference.pvalue, rel=1e-9)
    assert mcnemar([[3, 4], [4, 3]], method="chi2").p_value == 1


def test_mcnemar_by_hand() -> None:
    """Six discordant pairs, all one way: 2 / 2^6; the two criteria of paper 4 differ as their calls do."""
    first, second = [1] * 6 + [1, 0], [0] * 6 + [1, 0]
    found = mcnemar(first, second)
    assert (found.p_value, found.method) == (2 / 64, "exact")
    assert mcnemar(second, first).second_only == 6
    assert mcnemar([1, 0], [1, 0]).p_value == 1
    assert mcnemar([[0, 12], [13, 0]]).method == "chi2"
    assert mcnemar([[0, 12], [12, 0]]).method == "exact"
    with pytest.raises(InputError, match="2 x 2"):
        mcnemar(np.ones((3, 3)))
    with pytest.raises(InputError, match="equally many"):
        mcnemar([1, 0], [1])
    with pytest.raises(InputError, match="method"):
        mcnemar([1, 0], [1, 0], method="mid-p")
