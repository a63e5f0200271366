"""Which features to leave out so that no two that are kept correlate beyond a cut-off.

The rule of caret's findCorrelation (Kuhn, J Stat Softw 2008;28(5)): of each pair above the cut-off the feature goes
that correlates more with the others on average. "Exact" renews the averages after each removal, "fast" does not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bonequant.errors import InputError
from bonequant.statistics.checks import Floats, numbers


def find_correlation(correlation: npt.ArrayLike, cutoff: float = 0.9, exact: bool = True) -> tuple[int, ...]:
    """Features to remove, counted from 0 in caret's order, from a (P, P) matrix of correlations.

    The exact variant goes through the features from the highest mean absolute correlation down. Of a pair i, j (j after
    i) above ``cutoff`` feature i goes if its mean |r| is larger than the mean |r| of the matrix without row j, else j;
    what is removed no longer counts. The fast variant compares the two features' mean |r| in the whole matrix.
    Raises InputError for missing correlations (a constant feature) or a matrix that is not symmetric.
    """
    matrix = _checked(correlation, cutoff)
    if len(matrix) < 2:
        return ()
    return _exact(matrix, cutoff) if exact else _fast(matrix, cutoff)


def _exact(matrix: Floats, cutoff: float) -> tuple[int, ...]:
    others = matrix.copy()
    np.fill_diagonal(others, 0)
    order = np.argsort(-others.sum(axis=0), kind="stable")
    r = others[np.ix_(order, order)]
    kept = np.ones(len(r), dtype=bool)
    sums, left = r.sum(axis=1), len(r)  # sums of |r| with the features still there
    for i in range(len(r) - 1):
        for j in (i + 1 + np.flatnonzero(r[i, i + 1 :] > cutoff)).tolist():
            if not kept[i]:
                break
            if not kept[j]:
                continue
            mean_i = sums[i] / (left - 1)
            # All entries but those of row j: left - 1 rows of left - 1 off-diagonal entries.
            mean_rest = (sums[kept].sum() - sums[j]) / (left - 1) ** 2
            goes = i if mean_i > mean_rest else j
            kept[goes] = False
            sums -= r[goes]
            left -= 1
    return tuple(order[~kept].tolist())


def _fast(matrix: Floats, cutoff: float) -> tuple[int, ...]:
    means = matrix.mean(axis=0)
    # Pairs column by column of the upper triangle; the later features' removals are named first, as caret does.
    later, earlier = np.nonzero(np.tril(matrix, -1) > cutoff)
    later_goes = means[later] > means[earlier]
    removed = [*later[later_goes].tolist(), *earlier[~later_goes].tolist()]
    return tuple(dict.fromkeys(removed))


def _checked(correlation: npt.ArrayLike, cutoff: float) -> Floats:
    if not 0 <= cutoff <= 1:
        raise InputError(f"The cut-off of |r| must lie within 0 to 1, not {cutoff}.")
    try:
        found = np.asarray(correlation, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"The correlations must be numbers: {error}.") from error
    if found.ndim != 2 or found.shape[0] != found.shape[1]:
        raise InputError(f"A square matrix of correlations is needed, not one of shape {found.shape}.")
    constant = np.flatnonzero(np.isnan(found).sum(axis=0) >= max(len(found) - 1, 1)).tolist()
    if constant:
        raise InputError(
            f"Features {constant[:8]} (counted from 0) have no correlations: constant features, leave them out."
        )
    matrix = np.abs(numbers(found, "the correlations", 1, dimensions=2))
    if not np.allclose(matrix, matrix.T, rtol=0, atol=1e-8):
        raise InputError("A matrix of correlations is symmetric; this one is not.")
    return matrix
