"""Two groups compared by the test whose conditions hold; the result says which test was taken and by which rule.

Numbers: t test where both samples look normal (Shapiro-Wilk p >= 0.05), else Mann-Whitney; paired: paired t or
Wilcoxon. Counts: chi-square where the expected counts allow it (Cochran, Biometrics 1954;10:417), else Fisher's exact
test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bonequant.errors import InputError
from bonequant.statistics.checks import UNDEFINED, Floats, Interval, level, numbers, paired, table
from bonequant.statistics.rank_tests import mann_whitney, wilcoxon

_NORMAL_P = 0.05
_MONTE_CARLO_TABLES = 20_000


@dataclass(frozen=True)
class Summary:
    """One sample: size, mean, standard deviation (n - 1), median and quartiles."""

    n: int
    mean: float
    sd: float
    median: float
    quartiles: Interval


@dataclass(frozen=True)
class GroupComparison:
    """``test`` that was taken, ``rule`` that chose it, its statistic and two-sided p value.

    ``difference`` is of the means (t tests, with ``ci``) or of the medians (rank tests, ``ci`` NaN): first - second.
    """

    test: str
    rule: str
    statistic: float
    p_value: float
    difference: float
    ci: Interval
    first: Summary
    second: Summary


@dataclass(frozen=True)
class TableComparison:
    """``test`` that was taken on a table of counts, ``rule`` that chose it, statistic (NaN for exact tests) and p
    value.
    """

    test: str
    rule: str
    statistic: float
    p_value: float
    degrees_of_freedom: int


def compare_groups(
    first: npt.ArrayLike, second: npt.ArrayLike, *, paired_cases: bool = False, confidence: float = 0.95
) -> GroupComparison:
    """Compare two samples of numbers, independent or, with ``paired_cases``, entry by entry of the same case.

    Welch's t test, which does not assume equal variances, is the t test for independent samples. A sample (or the
    differences) of fewer than 3, or of equal values, cannot be checked for normality: the rank test is taken.
    """
    level(confidence)
    if paired_cases:
        x, y = paired(first, second, minimum=2)
        checked = {"differences": x - y}
    else:
        x, y = numbers(first, "the first sample", 2), numbers(second, "the second sample", 2)
        checked = {"first sample": x, "second sample": y}
    normal, rule = _looks_normal(checked)
    summaries = (summarise(x), summarise(y))
    if not normal:
        found = wilcoxon(x, y) if paired_cases else mann_whitney(x, y)
        name = f"{'Wilcoxon signed-rank' if paired_cases else 'Mann-Whitney'} ({found.method})"
        difference = float(np.median(x - y) if paired_cases else np.median(x) - np.median(y))
        return GroupComparison(name, rule, found.statistic, found.p_value, difference, UNDEFINED, *summaries)
    from scipy import stats

    t = stats.ttest_rel(x, y) if paired_cases else stats.ttest_ind(x, y, equal_var=False)
    interval = t.confidence_interval(confidence)
    return GroupComparison(
        test="paired t" if paired_cases else "Welch t",
        rule=rule,
        statistic=float(t.statistic),
        p_value=float(t.pvalue),
        difference=float(x.mean() - y.mean()),
        ci=(float(interval.low), float(interval.high)),
        first=summaries[0],
        second=summaries[1],
    )


def compare_table(counts: npt.ArrayLike, *, seed: int = 0) -> TableComparison:
    """Test that rows and columns of a table of counts are independent.

    Chi-square without continuity correction where no expected count is below 1 and at most a fifth are below 5 (in a
    2 x 2 table none); else Fisher's exact test, for tables larger than 2 x 2 as the Fisher-Freeman-Halton test over
    20,000 random tables with the same margins (``seed``). Raises InputError for an empty row or column.
    """
    from scipy import stats

    found = table(counts)
    rows, columns = found.sum(axis=1), found.sum(axis=0)
    if (rows == 0).any() or (columns == 0).any():
        raise InputError("The table has an empty row or column; leave it out, there is nothing to compare in it.")
    expected = np.outer(rows, columns) / found.sum()
    freedom = (len(rows) - 1) * (len(columns) - 1)
    small = float((expected < 5).mean())
    rule = f"smallest expected count {expected.min():.3g}, {100 * small:.3g} % of them below 5"
    if expected.min() >= 1 and small <= (0.0 if found.size == 4 else 0.2):
        chi2 = float(np.sum((found - expected) ** 2 / expected))
        return TableComparison("chi-square", rule, chi2, float(stats.chi2.sf(chi2, freedom)), freedom)
    if found.size == 4:
        return TableComparison("Fisher exact", rule, float("nan"), float(stats.fisher_exact(found)[1]), freedom)
    random = stats.random_table(rows, columns, seed=np.random.default_rng(seed))
    chances = random.logpmf(random.rvs(_MONTE_CARLO_TABLES))
    # Equally likely tables differ by rounding of the log-probability; they count as equally extreme.
    as_extreme = int((chances <= random.logpmf(found) + 1e-9).sum())
    p_value = (as_extreme + 1) / (_MONTE_CARLO_TABLES + 1)
    return TableComparison(
        f"Fisher-Freeman-Halton (Monte Carlo, {_MONTE_CARLO_TABLES} tables)", rule, float("nan"), p_value, freedom
    )


def summarise(values: npt.ArrayLike) -> Summary:
    """Size, mean, SD, median and quartiles (linear interpolation) of one sample."""
    x = numbers(values, "the sample", 2)
    low, middle, high = (float(value) for value in np.quantile(x, [0.25, 0.5, 0.75]))
    return Summary(len(x), float(x.mean()), float(x.std(ddof=1)), middle, (low, high))


def _looks_normal(samples: dict[str, Floats]) -> tuple[bool, str]:
    """Whether Shapiro and Wilk's test leaves every sample standing as normal, and the rule in words."""
    from scipy import stats

    for name, values in samples.items():
        if len(values) < 3:
            return False, f"{name}: {len(values)} values, normality cannot be checked"
        if np.ptp(values) == 0:
            return False, f"{name}: all values equal"
    found = {name: float(stats.shapiro(values).pvalue) for name, values in samples.items()}
    rule = "Shapiro-Wilk p " + ", ".join(f"{p:.3g} ({name})" for name, p in found.items())
    return min(found.values()) >= _NORMAL_P, rule
