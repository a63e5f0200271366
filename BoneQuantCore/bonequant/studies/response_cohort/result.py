"""Results of the cohort evidence: per measure, per call, between two calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bonequant.provenance import Provenance
from bonequant.statistics import Auc, Confusion, MannWhitney, McNemar, Roc, Wilcoxon, YoudenOptimism
from bonequant.studies.response_cohort.inputs import CohortInputs
from bonequant.studies.response_cohort.settings import CohortSettings


@dataclass(frozen=True, eq=False)
class MeasureEvidence:
    """The percent change of one measure against the outcome.

    Attributes:
        missing: cases without a change.
        groups: summary of the change (n, mean, median, quartiles ...) by outcome.
        between: Mann-Whitney test of the change between the outcomes; ``superiority`` = P(positive > negative).
        within: paired Wilcoxon test of after against before, by outcome; left out without pairs.
        auc, roc, youden: of the change, higher being positive; None where a class is empty.
    """

    name: str
    missing: int
    groups: dict[str, Any]
    between: MannWhitney
    within: dict[str, Wilcoxon]
    auc: Auc
    roc: Roc
    youden: YoudenOptimism


@dataclass(frozen=True)
class CallEvidence:
    """One way to call cases: by a cut-off (``rule`` says which) or as the table has it; ``missing`` could not be."""

    name: str
    rule: str
    confusion: Confusion
    missing: int
    called: dict[str, bool]  # by case id: positive


@dataclass(frozen=True)
class Comparison:
    """Two ways to call the same cases: do they err equally often among positives, among negatives, among all?"""

    first: str
    second: str
    sensitivity: McNemar
    specificity: McNemar
    accuracy: McNemar
    discordant: tuple[str, ...]  # case ids
    n: int


@dataclass(frozen=True, eq=False)
class CohortResult:
    """Everything that is reported. ``negative``: the outcome that is not looked for."""

    inputs: CohortInputs
    settings: CohortSettings
    negative: str
    measures: dict[str, MeasureEvidence]
    calls: dict[str, CallEvidence]
    comparisons: tuple[Comparison, ...]
    warnings: list[str]
    provenance: Provenance

    @property
    def positive(self) -> str:
        return self.settings.positive

    @property
    def primary(self) -> str:
        return self.settings.primary or next(iter(self.measures), "")

    def shown_ids(self, identified: bool) -> dict[str, str]:
        """How a case is named in a report: L (lesion) and its number in the table, or its own id where wanted."""
        width = len(str(len(self.inputs.cases)))
        return {
            case.id: case.id if identified else f"L{number:0{max(width, 2)}d}"
            for number, case in enumerate(self.inputs.cases, 1)
        }
