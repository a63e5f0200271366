"""Do the classes differ in age, sex, level ...? Each fact by the test whose conditions hold, of patients or of lesions.

A fact that never differs between lesions of one patient is the patient's: each patient then counts once, and those
with lesions of both classes, who belong to neither group, are left out of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bonequant.statistics import compare_groups, compare_table, summarise
from bonequant.statistics.checks import Booleans
from bonequant.studies.diagnostic_model.csv_file import number
from bonequant.studies.diagnostic_model.inputs import Lesion
from bonequant.studies.diagnostic_model.result import FactComparison

_MOST_WORDS = 12
_MISSING = ""


def compare_facts(lesions: Sequence[Lesion], labels: Booleans, facts: Sequence[str]) -> tuple[FactComparison, ...]:
    """Every fact, and the centres where there are several."""
    rows = [_compare(name, [lesion.facts.get(name, _MISSING) for lesion in lesions], lesions, labels) for name in facts]
    centres = [lesion.centre for lesion in lesions]
    if len(set(centres)) > 1:
        rows.append(_compare("centre", centres, lesions, labels))
    return tuple(rows)


def _compare(name: str, texts: list[str], lesions: Sequence[Lesion], labels: Booleans) -> FactComparison:
    unit, chosen = _unit(texts, lesions, labels)
    known = [row for row in chosen if texts[row] != _MISSING]
    missing = len(chosen) - len(known)
    groups = tuple([texts[row] for row in known if labels[row] == value] for value in (True, False))
    numbers = tuple(np.array([number(text) for text in group]) for group in groups)
    if all(np.isfinite(group).all() for group in numbers) and len({text for group in groups for text in group}) > 2:
        if min(len(group) for group in numbers) < 2:
            return _untested(name, unit, groups, missing, "fewer than two values in a class")
        found = compare_groups(*numbers)
        said = tuple(_numbers(group) for group in numbers)
        return FactComparison(name, unit, said[0], said[1], missing, found.test, found.rule, found.p_value)
    words = sorted({text for group in groups for text in group})
    if len(words) < 2 or not all(groups):
        return _untested(name, unit, groups, missing, "one value only")
    if len(words) > _MOST_WORDS:
        return _untested(name, unit, groups, missing, f"{len(words)} different words")
    table = compare_table([[group.count(word) for word in words] for group in groups])
    counted = tuple(_words(group, words) for group in groups)
    return FactComparison(name, unit, counted[0], counted[1], missing, table.test, table.rule, table.p_value)


def _unit(texts: list[str], lesions: Sequence[Lesion], labels: Booleans) -> tuple[str, list[int]]:
    """ "patients" and one row for each that has lesions of one class, or "lesions" and all rows."""
    rows_of: dict[str, list[int]] = {}
    for row, lesion in enumerate(lesions):
        rows_of.setdefault(lesion.patient, []).append(row)
    own = lesions[0].patient and all(len({texts[row] for row in rows}) == 1 for rows in rows_of.values())
    if not own:
        return "lesions", list(range(len(lesions)))
    return "patients", [rows[0] for rows in rows_of.values() if len({bool(labels[row]) for row in rows}) == 1]


def _untested(name: str, unit: str, groups: tuple[list[str], ...], missing: int, why: str) -> FactComparison:
    said = [f"n = {len(group)}" for group in groups]
    return FactComparison(name, unit, said[0], said[1], missing, "", why, math.nan)


def _numbers(values: np.ndarray) -> str:
    found = summarise(values)
    low, high = found.quartiles
    return f"{found.mean:.3g} ± {found.sd:.2g}; median {found.median:.3g} ({low:.3g}–{high:.3g}), n = {found.n}"


def _words(group: list[str], words: list[str]) -> str:
    return ", ".join(f"{word} {group.count(word)} ({100 * group.count(word) / len(group):.0f} %)" for word in words)
