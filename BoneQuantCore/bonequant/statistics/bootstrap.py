"""The bootstrap over patients: whole patients are drawn with replacement, so lesions of one patient stay together.

Percentile interval. Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993; Field & Welsh, J R Stat Soc B
2007;69:369 (cluster bootstrap). One seed gives one result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.statistics.checks import Floats, Integers, Interval, codes, level


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """The statistic on all cases, its percentile interval and standard error, and the usable draws themselves.

    ``failed`` counts draws on which the statistic was undefined (one class only, say); they are left out.
    """

    estimate: float
    ci: Interval
    standard_error: float
    draws: Floats
    failed: int


def cluster_bootstrap(
    statistic: Callable[..., float],
    *columns: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> Bootstrap:
    """Bootstrap ``statistic(*columns)`` over the ``groups`` (patients); without groups over the cases.

    Each of ``columns`` has the N cases along its first axis and is drawn alike. ``groups``: N names.
    Raises InputError if there are fewer than two groups, or over half of the draws leave the statistic undefined.
    """
    level(confidence)
    arrays = [np.asarray(column) for column in columns]
    sizes = {len(array) for array in arrays}
    if len(sizes) != 1:
        raise InputError(f"The bootstrap needs lists of one length, not of {sorted(sizes)} cases.")
    report = progress or no_progress
    draws: list[float] = []
    for done, rows in enumerate(resample(sizes.pop(), groups, resamples, seed)):
        report(done / resamples, "Bootstrap")
        try:
            value = float(statistic(*(array[rows] for array in arrays)))
        except InputError:
            continue
        if math.isfinite(value):
            draws.append(value)
    usable = np.array(draws)
    require_usable(len(usable), resamples)
    return Bootstrap(
        estimate=float(statistic(*arrays)),
        ci=percentiles(usable, confidence),
        standard_error=float(usable.std(ddof=1)),
        draws=usable,
        failed=resamples - len(usable),
    )


def resample(cases: int, groups: npt.ArrayLike | None, resamples: int, seed: int) -> Iterator[Integers]:
    """Row numbers of each of the ``resamples`` draws of whole groups with replacement."""
    if resamples < 2:
        raise InputError(f"A bootstrap needs at least 2 draws, not {resamples}.")
    owner = codes(groups, cases)
    count = int(owner.max()) + 1 if cases else 0
    if count < 2:
        raise InputError(f"A bootstrap needs at least 2 groups (patients) to draw from, not {count}.")
    rows = np.argsort(owner, kind="stable")
    members = np.split(rows, np.cumsum(np.bincount(owner))[:-1])
    random = np.random.default_rng(seed)
    for _ in range(resamples):
        drawn = random.integers(0, count, count)
        yield rows[drawn] if count == cases else np.concatenate([members[group] for group in drawn])


def percentiles(draws: Floats, confidence: float) -> Interval:
    """The central ``confidence`` of the draws."""
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def require_usable(usable: int, resamples: int) -> None:
    """Raise InputError where over half of the draws failed: what is left would mislead."""
    if usable < max(2, resamples / 2):
        raise InputError(
            f"The statistic was undefined in {resamples - usable} of {resamples} bootstrap draws: too few cases "
            "or patients of one class."
        )
