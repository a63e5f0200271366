"""The correlation filter against caret's published example and a literal reading of its rule."""

from __future__ import annotations

import time

import numpy as np
import pytest
from bonequant.errors import InputError
from bonequant.statistics import find_correlation

R1 = np.array(
    [
        [1.00, 0.86, 0.56, 0.32, 0.85],
        [0.86, 1.00, 0.01, 0.74, 0.32],
        [0.56, 0.01, 1.00, 0.65, 0.91],
        [0.32, 0.74, 0.65, 1.00, 0.36],
        [0.85, 0.32, 0.91, 0.36, 1.00],
    ]
)


def test_carets_example() -> None:
    """caret's R1 at 0.6, counted from 1: exact 1, 5, 4 and fast 4, 5, 1, 3."""
    assert find_correlation(R1, cutoff=0.6) == (0, 4, 3)
    assert find_correlation(R1, cutoff=0.6, exact=False) == (3, 4, 0, 2)


def test_carets_example_with_negative_correlations() -> None:
    """caret's R2, with the entry its own tests add to break a tie, at 0.65 flags 3 and 4 (from 1), at 0.99 nothing."""
    r2 = np.eye(5)
    for i, j, r in ((1, 2, 0.7), (4, 2, -0.7), (3, 0, -0.67), (3, 1, 0.5)):
        r2[i, j] = r2[j, i] = r
    assert find_correlation(r2, cutoff=0.65) == (2, 3)
    assert find_correlation(r2, cutoff=0.99) == ()


def literal(matrix: np.ndarray, cutoff: float) -> list[int]:
    """The exact rule pair by pair, every mean taken afresh over what is left."""
    order = np.argsort(-np.abs(matrix).mean(axis=0), kind="stable").tolist()
    r = np.abs(matrix[np.ix_(order, order)])
    there = r.copy()
    np.fill_diagonal(there, np.nan)
    gone: list[int] = []
    for i in range(len(r) - 1):
        for j in range(i + 1, len(r)):
            if i in gone or j in gone or r[i, j] <= cutoff:
                continue
            leaves = i if np.nanmean(there[i]) > np.nanmean(np.delete(there, j, axis=0)) else j
            gone.append(leaves)
            there[leaves] = there[:, leaves] = np.nan
    return [order[at] for at in sorted(gone)]


@pytest.mark.parametrize("seed", range(6))
def test_exact_is_the_literal_rule_and_leaves_no_pair_above(seed: int) -> None:
    random = np.random.default_rng(seed)
    data = random.normal(size=(50, 6)) @ random.normal(size=(6, 40)) + random.normal(size=(50, 40))
    matrix = np.corrcoef(data.T)
    for cutoff in (0.5, 0.8, 0.9):
        removed = find_correlation(matrix, cutoff)
        assert list(removed) == literal(matrix, cutoff)
        for chosen in (removed, find_correlation(matrix, cutoff, exact=False)):
            kept = np.delete(np.arange(40), np.array(chosen, int))
            assert np.abs(np.triu(matrix[np.ix_(kept, kept)], 1)).max() <= cutoff


def test_exact_with_two_thousand_features_is_quick() -> None:
    random = np.random.default_rng(0)
    data = random.normal(size=(300, 40)) @ random.normal(size=(40, 2000)) + 2 * random.normal(size=(300, 2000))
    matrix = np.corrcoef(data.T)
    begin = time.process_time()
    assert len(find_correlation(matrix, 0.5)) > 100
    # Well under a second; means taken afresh for each pair would be hundreds of times slower.
    assert time.process_time() - begin < 10


def test_edges_and_bad_input() -> None:
    assert find_correlation([[1.0]]) == ()
    assert find_correlation([[1, 0.95], [0.95, 1]]) == (1,)
    constant = R1.copy()
    constant[2] = constant[:, 2] = np.nan
    with pytest.raises(InputError, match=r"Features \[2\] .* constant"):
        find_correlation(constant)
    with pytest.raises(InputError, match="square"):
        find_correlation(R1[:3])
    with pytest.raises(InputError, match="symmetric"):
        find_correlation(np.triu(R1))
    with pytest.raises(InputError, match="cut-off"):
        find_correlation(R1, 1.5)
    with pytest.raises(InputError, match="must be numbers"):
        find_correlation("features.csv")
