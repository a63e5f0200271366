"""What the cohort evidence is made from: one case per lesion or patient, with its outcome, changes and calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        id, patient: of the row and of the patient; several lesions of one patient are a cluster.
        outcome: of the reference standard, as the table writes it.
        before, after: values by measure, where given.
        change_percent: by measure; NaN where it is missing or the value before is not above zero.
        calls: by criterion, in the words of the outcome; left out where not evaluable.
        followed_days, failed_day: for the swimmer plot, None where not given.
        courses: by measure: (day, change in percent) in order of time.
    """

    id: str
    patient: str
    outcome: str
    before: Mapping[str, float] = field(default_factory=dict)
    after: Mapping[str, float] = field(default_factory=dict)
    change_percent: Mapping[str, float] = field(default_factory=dict)
    calls: Mapping[str, str] = field(default_factory=dict)
    followed_days: float | None = None
    failed_day: float | None = None
    courses: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class CohortInputs:
    """Cases in the order of the table, the names of its measures and call columns, and the files' hash."""

    cases: tuple[Case, ...]
    measures: tuple[str, ...]
    calls: tuple[str, ...]
    name: str
    sha256: dict[str, str]
