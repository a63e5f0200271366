"""McNemar's test: do two calls on the same cases disagree more often in one direction than in the other?

Source: McNemar, Psychometrika 1947;12:153. Only the discordant counts b and c matter: exact binomial, or chi-square.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, chdtrc

from bonequant.errors import InputError
from bonequant.statistics.checks import binary, table

EXACT_BELOW = 25  # discordant cases; from there on "auto" takes chi-square


@dataclass(frozen=True)
class McNemar:
    """``first_only`` (b) and ``second_only`` (c) are the discordant cases; ``statistic`` is min(b, c) or chi-square."""

    first_only: int
    second_only: int
    statistic: float
    p_value: float
    method: str  # "exact" or "chi2"


def mcnemar(first: npt.ArrayLike, second: npt.ArrayLike | None = None, *, method: str = "auto") -> McNemar:
    """Two lists of 0/1 calls on the same cases, or (``first`` alone) their 2 x 2 table.

    The table is [[both 1, first only], [second only, both 0]]. To compare accuracies give 1 for each right call.
    ``method``: "exact" (two-sided binomial), "chi2" (continuity corrected, (|b-c|-1)^2/(b+c)), or "auto": exact below
    25 discordant cases. Without any, p = 1.
    """
    if second is None:
        counts = table(first, square=True)
        if counts.shape != (2, 2):
            raise InputError(f"McNemar's table is 2 x 2, not {counts.shape[0]} x {counts.shape[1]}.")
        b, c = int(counts[0, 1]), int(counts[1, 0])
    else:
        one, two = binary(first, "the first calls"), binary(second, "the second calls")
        if len(one) != len(two):
            raise InputError(f"Paired calls must be equally many, not {len(one)} and {len(two)}.")
        b, c = int(np.sum(one & ~two)), int(np.sum(~one & two))
    if method not in ("auto", "exact", "chi2"):
        raise InputError(f"The method is 'auto', 'exact' or 'chi2', not {method!r}.")
    if method == "auto":
        method = "exact" if b + c < EXACT_BELOW else "chi2"
    if b + c == 0:
        return McNemar(b, c, 0.0, 1.0, method)
    if method == "exact":
        return McNemar(b, c, float(min(b, c)), min(1.0, 2 * float(bdtr(min(b, c), b + c, 0.5))), method)
    statistic = max(abs(b - c) - 1, 0) ** 2 / (b + c)
    return McNemar(b, c, statistic, float(chdtrc(1, statistic)), method)
