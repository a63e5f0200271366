"""The LASSO's lambda by cross-validated deviance: lambda.min and lambda.1se.

Definitions of Friedman, Hastie & Tibshirani, J Stat Softw 2010;33(1), section 5, and the documentation of cv.glmnet:
the lambdas come from the path on all lesions; each fold's mean deviance -2 loglik/n (probabilities held within 1e-5 of
0 and 1) is averaged over folds by their size, and its standard error is the SD of the folds' means over sqrt(K - 1),
weighted alike. lambda.min has the smallest mean; lambda.1se is the largest lambda whose mean is no more than one
standard error above that. Within each fold the columns are scaled anew by its training lesions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from bonequant.progress import Progress, no_progress
from bonequant.radiomics.model.lasso import LassoPath, lambda_sequence, lasso_path
from bonequant.radiomics.model.scaling import Scaling, varies
from bonequant.statistics.checks import Floats, Integers

_CERTAIN = 1e-5


@dataclass(frozen=True, eq=False)
class LassoCv:
    """The path on all lesions and its cross-validation, all that a path plot and a deviance plot show.

    ``mean_deviance`` and ``standard_error`` (L,) belong to ``path.lambdas``; ``at_min`` and ``at_1se`` index them.
    """

    path: LassoPath
    mean_deviance: Floats
    standard_error: Floats
    at_min: int
    at_1se: int
    folds: int

    @property
    def lambda_min(self) -> float:
        return float(self.path.lambdas[self.at_min])

    @property
    def lambda_1se(self) -> float:
        return float(self.path.lambdas[self.at_1se])

    def at(self, rule: str) -> int:
        """Index of lambda by ``rule``: "min" or "1se"."""
        return self.at_1se if rule == "1se" else self.at_min


def cross_validate(
    x: Floats,
    y: Floats,
    fold: Integers,
    *,
    count: int = 100,
    min_ratio: float | None = None,
    progress: Progress | None = None,
) -> LassoCv:
    """Path and cross-validation of ``x`` (N, P), columns already scaled, for 0/1 ``y`` (N,) and folds (N,) 0..K-1."""
    report = progress or no_progress
    lambdas = lambda_sequence(x, y, count, min_ratio)
    path = lasso_path(x, y, lambdas)
    folds = int(fold.max()) + 1
    deviance, sizes = np.empty((folds, len(lambdas))), np.bincount(fold, minlength=folds)
    for k in range(folds):
        report(k / folds, f"LASSO, fold {k + 1} of {folds}")
        test = fold == k
        deviance[k] = _held_out(x[~test], y[~test], x[test], y[test], lambdas)
    mean = np.average(deviance, axis=0, weights=sizes)
    error = np.sqrt(np.average((deviance - mean) ** 2, axis=0, weights=sizes) / (folds - 1))
    at_min = int(mean.argmin())  # the first of equals: the largest lambda
    at_1se = int(np.argmax(mean <= mean[at_min] + error[at_min]))
    return LassoCv(path, mean, error, at_min, at_1se, folds)


def _held_out(x: Floats, y: Floats, x_test: Floats, y_test: Floats, lambdas: Floats) -> Floats:
    """Mean deviance of the test lesions at each lambda."""
    usable = varies(x)
    scaling = Scaling.of(x[:, usable])
    path = lasso_path(scaling.apply(x[:, usable]), y, lambdas)
    eta = path.intercepts + scaling.apply(x_test[:, usable]) @ path.coefficients.T
    p = np.clip(expit(eta), _CERTAIN, 1 - _CERTAIN)
    return -2 * np.mean(np.where(y_test[:, None] > 0, np.log(p), np.log(1 - p)), axis=0)
