"""What readers call a lesion, on a scale of five grades, and how far two readers, or a reader and a model, agree.

The scale is that of confidence in malignancy, as in reader studies of bone lesions. A model has no grades: its
probability is put on the scale in fifths, [0, 0.2) to [0.8, 1], so that the same weighted kappa says how far it agrees.
"""

from __future__ import annotations

from collections.abc import Mapping

from bonequant.errors import InputError
from bonequant.statistics import Kappa, weighted_kappa

GRADES = (1, 2, 3, 4, 5)
GRADE_NAMES = ("benign", "probably benign", "equivocal", "probably malignant", "malignant")
MALIGNANT_FROM = 4  # grades from here on call a lesion malignant


def grade_of_probability(probability: float) -> int:
    """The fifth of [0, 1] in which a probability lies, as a grade.

    Raises InputError for what is no probability.
    """
    if not 0.0 <= probability <= 1.0:
        raise InputError(f"A probability lies between 0 and 1, not at {probability}.")
    return min(int(probability * len(GRADES)), len(GRADES) - 1) + 1


def agreement(first: Mapping[str, int], second: Mapping[str, int], weights: str = "linear") -> Kappa:
    """Weighted kappa of two readers over the lesions that both have graded.

    Args:
        first, second: lesion id to grade.
        weights: "linear", "quadratic" or "none".

    Raises InputError where fewer than two lesions have both grades, or a grade is none of 1 to 5.
    """
    both = [lesion for lesion in first if lesion in second]
    if len(both) < 2:
        raise InputError(
            f"Agreement needs two lesions or more with a grade of both readers; there are {len(both)}. Grade them in "
            "the list of lesions."
        )
    wrong = sorted({grade for lesion in both for grade in (first[lesion], second[lesion])} - set(GRADES))
    if wrong:
        raise InputError(f"Grades are 1 to 5, not {', '.join(map(str, wrong))}.")
    return weighted_kappa(
        [first[lesion] for lesion in both], [second[lesion] for lesion in both], weights=weights, categories=GRADES
    )
