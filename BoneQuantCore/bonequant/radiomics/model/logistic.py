"""Logistic regression on the kept features: maximum likelihood, or Firth's penalised likelihood under separation.

Separation (a combination of the features that parts the classes, wholly or but for ties) leaves maximum likelihood
without an estimate. It is found exactly, by linear programming (Konis, DPhil thesis, Oxford 2007), and Firth's
likelihood, penalised by Jeffreys' prior, is fitted instead (Firth, Biometrika 1993;80:27; Heinze & Schemper, Stat Med
2002;21:2409): always finite, and said in ``note``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from bonequant.errors import InputError
from bonequant.statistics.checks import Booleans, Floats

_STEPS = 200
_DONE = 1e-8  # largest gradient of the log-likelihood, per unit of a standardised feature
_LONGEST = 5.0  # a Newton step moves no coefficient further
_SEPARATED = 1e-6


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """Coefficients (k,) and intercept on the scale of the columns given, with standard errors (intercept last).

    ``method``: "maximum likelihood", "Firth" (separation or collinear features, see ``note``) or "intercept only".
    """

    coefficients: Floats
    intercept: float
    standard_errors: Floats
    method: str
    separated: bool
    note: str


def fit_logistic(x: Floats, y: Floats) -> LogisticFit:
    """Fit 0/1 ``y`` (N,), both classes present, on ``x`` (N, k), k >= 0, by Newton's method with step halving."""
    n, k = x.shape
    design = np.column_stack([x, np.ones(n)])
    rate = float(y.mean())
    if k == 0:
        error = np.array([1 / np.sqrt(n * rate * (1 - rate))])
        return LogisticFit(np.empty(0), float(logit(rate)), error, "intercept only", False, "")
    collinear = np.linalg.matrix_rank(design) < k + 1
    separated = is_separated(x, y > 0)
    note = ""
    if separated:
        note = "the kept features separate the classes: maximum likelihood does not exist, Firth's likelihood was used"
    elif collinear:
        note = "the kept features are linearly dependent: a pseudo-inverse and Firth's likelihood were used"
    firth = bool(separated or collinear)
    theta = _newton(design, y, firth)
    errors = np.sqrt(np.diag(np.linalg.pinv(_information(design, design @ theta)[0])))
    method = "Firth" if firth else "maximum likelihood"
    return LogisticFit(theta[:k], float(theta[k]), errors, method, bool(separated), note)


def is_separated(x: Floats, truth: Booleans) -> bool:
    """Whether some direction b, intercept included, has (2y - 1)(x b) >= 0 for every case and > 0 for one."""
    from scipy.optimize import linprog

    signed = np.column_stack([x, np.ones(len(x))]) * np.where(truth, 1.0, -1.0)[:, None]
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(x)), bounds=(-1, 1), method="highs")
    return bool(found.status == 0 and -found.fun > _SEPARATED * np.abs(signed).sum(axis=1).max())


def _newton(design: Floats, y: Floats, firth: bool) -> Floats:
    theta = np.zeros(design.shape[1])
    theta[-1] = np.log(y.mean() / (1 - y.mean()))
    value = _likelihood(design, y, theta, firth)
    for _ in range(_STEPS):
        eta = design @ theta
        information, weights = _information(design, eta)
        inverse = np.linalg.pinv(information, hermitian=True)
        score = y - expit(eta)
        if firth:  # the hat matrix's diagonal pulls each case towards one half
            leverage = weights * np.einsum("ij,jk,ik->i", design, inverse, design)
            score = score + leverage * (0.5 - expit(eta))
        gradient = design.T @ score
        step = inverse @ gradient
        step *= min(1.0, _LONGEST / max(float(np.abs(step).max()), 1e-300))
        if np.abs(gradient).max() < _DONE * len(y):
            return theta
        size = 1.0
        while (tried := _likelihood(design, y, theta + size * step, firth)) < value and size > 1e-10:
            size /= 2
        if size <= 1e-10:  # nothing left to gain within rounding
            return theta
        theta, value = theta + size * step, tried
    raise InputError(
        "Logistic regression on the kept features did not converge: look for features of extreme values, or keep "
        "fewer (lambda_rule 1se, a lower correlation cut-off)."
    )


def _information(design: Floats, eta: Floats) -> tuple[Floats, Floats]:
    fitted = expit(eta)
    weights = fitted * (1 - fitted)
    return design.T @ (design * weights[:, None]), weights


def _likelihood(design: Floats, y: Floats, theta: Floats, firth: bool) -> float:
    eta = design @ theta
    value = float(np.sum(y * eta - np.logaddexp(0, eta)))
    if firth:
        found = np.linalg.eigvalsh(_information(design, eta)[0])
        value += 0.5 * float(np.log(found[found > found.max() * 1e-12]).sum())
    return value
