"""The LASSO path of logistic regression: minimise -loglik/n + lambda sum |b_j| over falling lambda.

Problem, lambda sequence and stopping rule as in Friedman, Hastie & Tibshirani, J Stat Softw 2010;33(1) (features
scaled to SD 1 with divisor n, intercept unpenalised). Solver: an active-set Newton method. Given the set of non-zero
coefficients and their signs the problem is smooth; Newton's steps solve it, stopping at the first coefficient that
would change sign, which leaves the set. Then the feature that violates |gradient_j| <= lambda most strongly joins.
Each step lowers the objective, so the method ends; what it returns meets the optimality (KKT) conditions to ``KKT``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from bonequant.errors import InputError
from bonequant.statistics.checks import Floats

KKT = 1e-7  # largest violation of the optimality conditions, on the scale of lambda (some 0.001 to 0.5)
_STEPS = 2000
_LOOSE = 0.003  # share of lambda
_SATURATED = 0.999  # share of the null deviance explained at which the path ends, as published
_STILL = 1e-5  # and its relative growth from one lambda to the next, below which it ends
_RIDGE = 1e-10  # keeps Newton's matrix invertible; it changes the steps, not where they end


@dataclass(frozen=True, eq=False)
class LassoPath:
    """Coefficients (L, P) and intercepts (L,) for L falling ``lambdas``, on the scale of the columns given.

    ``deviance`` (L,) is -2 loglik/n. ``saturated`` is the lambda (L where there is none) at which 99.9 % of the null
    deviance are explained, or the share explained no longer grows; its solution stands for the smaller lambdas.
    """

    lambdas: Floats
    coefficients: Floats
    intercepts: Floats
    deviance: Floats
    null_deviance: float
    saturated: int

    @property
    def nonzero(self) -> np.ndarray:
        """Number of features with a coefficient at each lambda."""
        return np.count_nonzero(self.coefficients, axis=1)


def lambda_sequence(x: Floats, y: Floats, count: int = 100, min_ratio: float | None = None) -> Floats:
    """From the smallest lambda that leaves no feature, max_j |x_j'(y - mean y)|/n, evenly in the logarithm.

    ``min_ratio``: last over first; by default 0.0001 where n >= p, otherwise 0.01.
    """
    n, p = x.shape
    largest = float(np.abs(x.T @ (y - y.mean())).max() / n) if p else 0.0
    if largest <= 0:
        raise InputError("No feature has anything to do with the labels: all are constant or exactly uncorrelated.")
    ratio = min_ratio if min_ratio is not None else (1e-4 if n >= p else 1e-2)
    return np.geomspace(largest, largest * ratio, count)


def lasso_path(x: Floats, y: Floats, lambdas: Floats) -> LassoPath:
    """The path of ``x`` (N, P), columns scaled by the caller, and 0/1 ``y`` (N,) with both classes.

    Raises InputError where the solver does not reach the optimality conditions (not seen on finite data).
    """
    n, p = x.shape
    mean = float(y.mean())
    intercept, beta = float(np.log(mean / (1 - mean))), np.zeros(p)
    null = _deviance(np.full(n, intercept), y)
    coefficients, intercepts, deviance = np.zeros((len(lambdas), p)), np.empty(len(lambdas)), np.empty(len(lambdas))
    saturated = len(lambdas)
    for at, penalty in enumerate(lambdas.tolist()):
        if saturated == len(lambdas):
            intercept = _solve(x, y, penalty, beta, intercept)
        coefficients[at], intercepts[at] = beta, intercept
        deviance[at] = _deviance(x @ beta + intercept, y)
        if saturated == len(lambdas) and at and _ends(deviance[at - 1], deviance[at], null):
            saturated = at
    return LassoPath(lambdas, coefficients, intercepts, deviance, null, saturated)


def kkt_violation(x: Floats, y: Floats, penalty: float, beta: Floats, intercept: float) -> float:
    """Largest violation of the optimality conditions: 0 at the solution.

    gradient_j = -lambda sign(b_j) where b_j is not 0, |gradient_j| <= lambda elsewhere, 0 for the intercept.
    """
    residual = expit(x @ beta + intercept) - y
    gradient = x.T @ residual / len(y)
    kept = beta != 0
    inside = np.abs(gradient + penalty * np.sign(beta))[kept]
    outside = np.maximum(np.abs(gradient[~kept]) - penalty, 0)
    return float(max(abs(residual.mean()), inside.max(initial=0.0), outside.max(initial=0.0)))


def _solve(x: Floats, y: Floats, penalty: float, beta: Floats, intercept: float) -> float:
    """Solve for one lambda from a warm start; ``beta`` is changed in place, the intercept returned."""
    n = len(y)
    active = np.flatnonzero(beta)
    signs = np.sign(beta[active])
    columns = _with_intercept(x, active)
    theta = np.append(intercept, beta[active])
    eta = columns @ theta
    # Features may join before the others have settled; where one then heads the wrong way, no longer.
    tolerance = max(KKT, _LOOSE * penalty)
    for _ in range(_STEPS):
        fitted = expit(eta)
        residual = fitted - y
        slope = columns.T @ residual / n
        slope[1:] += penalty * signs
        if np.abs(slope).max() <= tolerance:
            gradient = x.T @ residual / n
            excess = np.abs(gradient) - penalty
            excess[active] = 0.0
            new = int(excess.argmax()) if len(excess) else -1
            if new < 0 or excess[new] <= tolerance:
                if tolerance > KKT:
                    tolerance = KKT
                    continue
                beta[:] = 0.0
                beta[active] = theta[1:]
                return float(theta[0])
            active, signs = np.append(active, new), np.append(signs, -np.sign(gradient[new]))
            columns, theta = _with_intercept(x, active), np.append(theta, 0.0)
            continue
        theta, eta, gone = _newton_step(columns, y, theta, eta, fitted, slope, penalty, signs)
        if gone is not None:
            tolerance = KKT
            active, signs, theta = np.delete(active, gone - 1), np.delete(signs, gone - 1), np.delete(theta, gone)
            columns = _with_intercept(x, active)
    raise InputError(
        f"The LASSO did not converge at lambda {penalty:.3g}: look for features of extreme values, or raise "
        "lambda_min_ratio."
    )


def _newton_step(
    columns: Floats, y: Floats, theta: Floats, eta: Floats, fitted: Floats, slope: Floats, penalty: float, signs: Floats
) -> tuple[Floats, Floats, int | None]:
    """One step within the orthant of ``signs``; the position that reached 0 and must go, or None."""
    n = len(y)
    hessian = columns.T @ (columns * (fitted * (1 - fitted) / n)[:, None])
    hessian.flat[:: len(hessian) + 1] += _RIDGE
    step = -np.linalg.solve(hessian, slope)
    heading = np.sign(step[1:]) * signs
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(heading < 0, -theta[1:] / step[1:], np.inf)
    first = int(reach.argmin()) if len(reach) else -1
    longest = min(1.0, float(reach[first])) if first >= 0 else 1.0
    along, change = float(slope @ step), columns @ step
    before = _objective(eta, y, theta, penalty)
    size = longest
    while size > 0 and _objective(eta + size * change, y, theta + size * step, penalty) > before + 1e-4 * size * along:
        if -size * along < 1e-15:  # what is left to gain is below rounding
            break
        size /= 2
    theta, eta = theta + size * step, eta + size * change
    if first >= 0 and size == longest and reach[first] <= 1.0:
        theta[first + 1] = 0.0
        return theta, eta, first + 1
    return theta, eta, None


def _ends(before: float, now: float, null: float) -> bool:
    explained = null - now
    return now < (1 - _SATURATED) * null or 0 < before - now < _STILL * explained


def _objective(eta: Floats, y: Floats, theta: Floats, penalty: float) -> float:
    return _deviance(eta, y) / 2 + penalty * float(np.abs(theta[1:]).sum())


def _deviance(eta: Floats, y: Floats) -> float:
    return float(2 * np.mean(np.logaddexp(0, eta) - y * eta))


def _with_intercept(x: Floats, active: np.ndarray) -> Floats:
    return np.column_stack([np.ones(len(x)), x[:, active]])
