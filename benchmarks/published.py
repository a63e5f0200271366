"""Statistics on the data of their own publications beside what was printed: ``python -m benchmarks published``."""

from __future__ import annotations

import numpy as np
from bonequant.statistics import (
    Confusion,
    bland_altman,
    clopper_pearson,
    concordance,
    icc,
    passing_bablok,
    repeatability,
    roc,
    weighted_kappa,
    wilcoxon,
    wilson,
)

# Peak expiratory flow (L/min), first and second reading by two meters: Bland & Altman, Lancet 1986;i:307.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
WRIGHT_2 = [490, 397, 512, 401, 470, 611, 415, 431, 638, 429, 420, 633, 275, 492, 165, 372, 421]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
# Six targets, four judges: Shrout & Fleiss, Psychol Bull 1979;86:420.
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
ICC = {"1,1": 0.1657, "2,1": 0.2898, "3,1": 0.7148, "1,k": 0.4428, "2,k": 0.6201, "3,k": 0.9093}
# Husbands by wives: Agresti, Categorical Data Analysis.
COUPLES = [[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]]
# Twenty pairs, as R's mcr fits them.
PAIRS = [1.03, 2.05, 2.79, 3.67, 5.00, 5.82, 7.16, 7.69, 8.53, 10.38]
PAIRS += [11.11, 12.17, 13.47, 13.83, 15.15, 16.12, 16.94, 18.09, 19.13, 19.54]
# 109 CT images rated 1 to 5: Hanley & McNeil, Radiology 1982;143:29.
NORMAL, ABNORMAL = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
# Depression scores: Hollander & Wolfe 1973.
BEFORE, AFTER = (
    [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30],
    [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29],
)


def main(arguments: list[str]) -> None:
    """Print the table; takes no argument."""
    print(f"{'statistic':<58}{'published':>12}{'here':>14}")
    flow = bland_altman(WRIGHT, MINI)
    line("Bland-Altman bias, L/min (Bland & Altman 1986)", -2.1, flow.bias)
    line("Bland-Altman SD of the differences, L/min", 38.8, flow.sd)
    repeats = np.sqrt(2.0) * repeatability(np.column_stack([WRIGHT, WRIGHT_2])).wsd
    line("SD of repeats, Wright meter, L/min", 21.6, float(repeats))
    line("Concordance of both meters", 0.943, concordance(WRIGHT, MINI).value)
    for form, value in ICC.items():
        line(f"ICC({form}) (Shrout & Fleiss 1979)", value, icc(JUDGES, form).value)
    line("Weighted kappa, linear (Agresti)", 0.23738, weighted_kappa(COUPLES).value)
    fitted = passing_bablok(np.arange(1, 21), PAIRS)
    line("Passing-Bablok slope (R mcr)", 1.0050, fitted.slope)
    line("Passing-Bablok intercept (R mcr)", 0.0125, fitted.intercept)
    scores = np.repeat([1, 2, 3, 4, 5, 1, 2, 3, 4, 5], [*NORMAL, *ABNORMAL])
    labels = np.repeat([0, 1], [sum(NORMAL), sum(ABNORMAL)])
    line("AUC (Hanley & McNeil 1982)", 0.893, roc(labels, scores).auc)
    line("Wilson interval of 81/263, low (Newcombe 1998)", 0.25529, wilson(81, 263)[0])
    line("Clopper-Pearson interval of 81/263, high (Newcombe 1998)", 0.36762, clopper_pearson(81, 263)[1])
    line(
        "Wilcoxon exact p, one-sided (Hollander & Wolfe 1973)",
        0.01953,
        wilcoxon(BEFORE, AFTER, alternative="greater").p_value,
    )
    cohort = Confusion(tp=10, fn=1, tn=33, fp=5)
    line("Sensitivity of Vp, % (paper 4)", 90.9, 100.0 * cohort.sensitivity.value)
    line("Specificity of Vp, % (paper 4)", 86.8, 100.0 * cohort.specificity.value)


def line(what: str, published: float, here: float) -> None:
    print(f"{what:<58}{published:>12g}{here:>14.6g}")
