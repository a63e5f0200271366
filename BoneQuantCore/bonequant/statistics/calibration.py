"""Do predicted probabilities come true? Calibration curve, slope and intercept by logistic recalibration.

Source: Cox, Biometrika 1958;45:562; Van Calster et al., BMC Med 2019;17:230. logit P(y = 1) = intercept + slope
logit(p); calibration in the large is the intercept with the slope held at 1. Ideal: slope 1, both intercepts 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, ndtri

from bonequant.errors import InputError
from bonequant.statistics.checks import UNDEFINED, Booleans, Floats, Interval, both_classes, level, probabilities
from bonequant.statistics.checks import binary as binary_labels
from bonequant.statistics.proportions import Proportion, proportion

_STEPS = 100
_STEP_DONE = 1e-10
_ROUNDING = 1e-9  # predictions that differ by no more are equal: a slope on them would be infinite or undefined


@dataclass(frozen=True)
class CalibrationBin:
    """One group of cases with similar prediction: their mean prediction, and how often it came true."""

    predicted: float
    observed: Proportion


@dataclass(frozen=True)
class Calibration:
    """Recalibration coefficients with Wald intervals; NaN, with the reason in ``note``, where they do not exist."""

    slope: float
    slope_ci: Interval
    intercept: float
    intercept_ci: Interval
    in_the_large: float
    in_the_large_ci: Interval
    bins: tuple[CalibrationBin, ...]
    note: str
    n: int


def calibration(
    labels: npt.ArrayLike, predicted: npt.ArrayLike, *, bins: int = 10, confidence: float = 0.95
) -> Calibration:
    """Calibration of ``predicted`` probabilities of label 1 (N,) against 0/1 ``labels`` (N,).

    ``bins`` groups of (nearly) equal size in order of prediction, equal predictions never split, with Wilson intervals.
    """
    level(confidence)
    truth = binary_labels(labels)
    both_classes(truth)
    p = probabilities(predicted, len(truth))
    if bins < 1:
        raise InputError(f"A calibration curve needs at least one group, not {bins}.")
    curve = _curve(truth, p, bins, confidence)
    undefined = float("nan")
    if ((p == 0) | (p == 1)).any():
        note = "predictions of exactly 0 or 1 have no logit: no recalibration"
        return Calibration(undefined, UNDEFINED, undefined, UNDEFINED, undefined, UNDEFINED, curve, note, len(truth))
    x, y = logit(p), truth.astype(np.float64)
    z = float(ndtri((1 + confidence) / 2))
    large, large_error = _fit(np.ones((len(x), 1)), y, x)
    in_the_large = float(large[0])
    in_the_large_ci = _wald(in_the_large, float(large_error[0]), z)
    note = _why_no_slope(x, truth)
    if note:
        return Calibration(
            undefined, UNDEFINED, undefined, UNDEFINED, in_the_large, in_the_large_ci, curve, note, len(truth)
        )
    # Centred, so that the two coefficients hardly depend on each other and Newton's steps stay tame.
    centre = float(x.mean())
    design = np.column_stack([np.ones(len(x)), x - centre])
    found, _ = _fit(design, y, np.zeros(len(x)))
    slope, intercept = float(found[1]), float(found[0] - found[1] * centre)
    covariance = np.linalg.inv(_information(np.column_stack([np.ones(len(x)), x]), intercept + slope * x))
    return Calibration(
        slope=slope,
        slope_ci=_wald(slope, math.sqrt(covariance[1, 1]), z),
        intercept=intercept,
        intercept_ci=_wald(intercept, math.sqrt(covariance[0, 0]), z),
        in_the_large=in_the_large,
        in_the_large_ci=in_the_large_ci,
        bins=curve,
        note="",
        n=len(truth),
    )


def _curve(truth: Booleans, p: Floats, bins: int, confidence: float) -> tuple[CalibrationBin, ...]:
    # A value's group follows from where its ties begin and end, so equal predictions share one.
    ordered = np.sort(p)
    middle = (np.searchsorted(ordered, p, "left") + np.searchsorted(ordered, p, "right")) / 2
    group = np.minimum((middle * bins / len(p)).astype(np.int64), bins - 1)
    return tuple(
        CalibrationBin(
            float(p[group == at].mean()),
            proportion(int(truth[group == at].sum()), int((group == at).sum()), confidence),
        )
        for at in np.unique(group)
    )


def _why_no_slope(x: Floats, truth: Booleans) -> str:
    """The reason why the likelihood of the slope has no maximum, or nothing."""
    if np.ptp(x) <= _ROUNDING * max(1.0, float(np.abs(x).max())):
        return "all predictions are equal: no slope"
    positive, negative = x[truth], x[~truth]
    if negative.max() <= positive.min() or positive.max() <= negative.min():
        return "the predictions separate the classes perfectly: the slope is infinite"
    return ""


def _fit(design: Floats, y: Floats, offset: Floats) -> tuple[Floats, Floats]:
    """Maximum-likelihood logistic coefficients by Newton's method with step halving, and their standard errors."""
    beta = np.zeros(design.shape[1])
    score = _log_likelihood(design @ beta + offset, y)
    for _ in range(_STEPS):
        eta = design @ beta + offset
        step = np.linalg.solve(_information(design, eta), design.T @ (y - expit(eta)))
        while (tried := _log_likelihood(design @ (beta + step) + offset, y)) < score and np.abs(
            step
        ).max() > _STEP_DONE:
            step = step / 2
        beta, score = beta + step, tried
        if np.abs(step).max() <= _STEP_DONE:
            break
    return beta, np.sqrt(np.diag(np.linalg.inv(_information(design, design @ beta + offset))))


def _information(design: Floats, eta: Floats) -> Floats:
    fitted = expit(eta)
    return design.T @ (design * (fitted * (1 - fitted))[:, None])


def _log_likelihood(eta: Floats, y: Floats) -> float:
    return float(np.sum(y * eta - np.logaddexp(0, eta)))


def _wald(value: float, error: float, z: float) -> Interval:
    return value - z * error, value + z * error
