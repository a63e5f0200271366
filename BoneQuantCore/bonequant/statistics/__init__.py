"""Agreement, diagnostic accuracy and group statistics, each with interval and source.

Two-number intervals are ``(low, high)`` tuples, labels are 0/1 with 1 the class looked for, missing values are errors.
Measures that do not exist for the data given are NaN.
"""

from bonequant.statistics.bland_altman import BlandAltman, bland_altman
from bonequant.statistics.bootstrap import Bootstrap, cluster_bootstrap
from bonequant.statistics.brier import Brier, brier
from bonequant.statistics.calibration import Calibration, CalibrationBin, calibration
from bonequant.statistics.compare_groups import (
    GroupComparison,
    Summary,
    TableComparison,
    compare_groups,
    compare_table,
    summarise,
)
from bonequant.statistics.concordance import Concordance, concordance
from bonequant.statistics.confusion import Confusion, PredictiveValues, confusion
from bonequant.statistics.correlation import Correlation, pearson, spearman
from bonequant.statistics.correlation_filter import find_correlation
from bonequant.statistics.decision_curve import DecisionCurve, decision_curve
from bonequant.statistics.delong import Auc, AucComparison, delong
from bonequant.statistics.deming import Deming, deming
from bonequant.statistics.icc import Icc, icc
from bonequant.statistics.kappa import Kappa, kappa, weighted_kappa
from bonequant.statistics.mcnemar import McNemar, mcnemar
from bonequant.statistics.passing_bablok import PassingBablok, passing_bablok
from bonequant.statistics.proportions import Proportion, clopper_pearson, proportion, wilson
from bonequant.statistics.rank_tests import MannWhitney, Wilcoxon, mann_whitney, wilcoxon
from bonequant.statistics.repeatability import Repeatability, Reproducibility, repeatability, reproducibility
from bonequant.statistics.roc import Roc, roc
from bonequant.statistics.youden import Cutoff, YoudenOptimism, youden, youden_optimism

__all__ = [
    "Auc",
    "AucComparison",
    "BlandAltman",
    "Bootstrap",
    "Brier",
    "Calibration",
    "CalibrationBin",
    "Concordance",
    "Confusion",
    "Correlation",
    "Cutoff",
    "DecisionCurve",
    "Deming",
    "GroupComparison",
    "Icc",
    "Kappa",
    "MannWhitney",
    "McNemar",
    "PassingBablok",
    "PredictiveValues",
    "Proportion",
    "Repeatability",
    "Reproducibility",
    "Roc",
    "Summary",
    "TableComparison",
    "Wilcoxon",
    "YoudenOptimism",
    "bland_altman",
    "brier",
    "calibration",
    "clopper_pearson",
    "cluster_bootstrap",
    "compare_groups",
    "compare_table",
    "concordance",
    "confusion",
    "decision_curve",
    "delong",
    "deming",
    "find_correlation",
    "icc",
    "kappa",
    "mann_whitney",
    "mcnemar",
    "passing_bablok",
    "pearson",
    "proportion",
    "repeatability",
    "reproducibility",
    "roc",
    "spearman",
    "summarise",
    "weighted_kappa",
    "wilcoxon",
    "wilson",
    "youden",
    "youden_optimism",
]
