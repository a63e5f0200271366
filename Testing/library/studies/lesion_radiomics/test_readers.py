"""Readers' grades: a model's probability on their scale, and agreement against a published table."""

from __future__ import annotations

import pytest
from bonequant.errors import InputError
from bonequant.studies.lesion_radiomics import agreement, grade_of_probability


def test_fifths_of_probability_are_grades():
    values = (0.0, 0.1999999, 0.2, 0.5, 0.79, 0.8, 1.0)
    assert [grade_of_probability(value) for value in values] == [1, 1, 2, 3, 4, 5, 5]
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError):
            grade_of_probability(wrong)


def test_agreement_is_weighted_kappa_over_lesions_that_both_graded():
    """By the definition: 1 - sum of observed over expected linear disagreement on five grades."""
    first = {"a": 1, "b": 1, "c": 5, "d": 5, "only_first": 3}
    second = {"a": 1, "b": 2, "c": 5, "d": 5, "only_second": 3}
    found = agreement(first, second)
    rows, columns = {1: 0.5, 5: 0.5}, {1: 0.25, 2: 0.25, 5: 0.5}
    expected = sum(p * q * (1 - abs(i - j) / 4) for i, p in rows.items() for j, q in columns.items())
    observed = (1 + 0.75 + 1 + 1) / 4
    assert found.n == 4
    assert found.value == pytest.approx((observed - expected) / (1 - expected), abs=1e-12)


def test_agreement_of_too_few_or_wrong_grades_is_told():
    with pytest.raises(InputError, match="there are 1"):
        agreement({"a": 1, "b": 2}, {"a": 1, "c": 2})
    with pytest.raises(InputError, match="not 9"):
        agreement({"a": 1, "b": 9}, {"a": 1, "b": 2})
