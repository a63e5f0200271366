"""What :func:`~bonequant.radiomics.evaluate` returns: every model, how it was reached and how well it does."""

from __future__ import annotations

from dataclasses import dataclass

from bonequant.radiomics.model.evidence import ModelComparison, Performance
from bonequant.radiomics.model.honest import HonestRun
from bonequant.radiomics.model.model_file import DiagnosticModel
from bonequant.radiomics.model.paper import PaperRun
from bonequant.radiomics.model.pipeline import Fitted
from bonequant.radiomics.model.settings import ModelSettings
from bonequant.statistics.checks import Booleans, Integers


@dataclass(frozen=True, eq=False)
class HonestEvidence:
    """Nested cross-validation of one model: the out-of-fold predictions judged, and what happened in the folds.

    ``selection_frequency``: feature to the share of outer folds that selected it, the most frequent first.
    """

    performance: Performance
    run: HonestRun
    selection_frequency: dict[str, float]


@dataclass(frozen=True, eq=False)
class PaperEvidence:
    """The published order for one model: training and validation part of the split, and cross-validation.

    All three saw the labels of all lesions in the selection. Intervals take each lesion for itself.
    """

    train: Performance
    validation: Performance
    cross_validated: Performance
    run: PaperRun


@dataclass(frozen=True, eq=False)
class ModelEvidence:
    """One feature set: its final model fitted on all lesions, and the evidence for it.

    Attributes:
        name: of the feature set; ``features`` are the usable columns offered.
        fitted: every step on all lesions: filter, LASSO path and cross-validation, coefficients.
        model: the same as a file holds it, for ``save`` and ``predict``.
        apparent: performance on the very lesions that trained it; only to show the optimism.
        honest, paper: None where that mode was not asked for.
        warnings: of this model.
    """

    name: str
    features: tuple[str, ...]
    fitted: Fitted
    model: DiagnosticModel
    apparent: Performance
    honest: HonestEvidence | None
    paper: PaperEvidence | None
    warnings: tuple[str, ...]

    @property
    def performance(self) -> Performance:
        """The number to quote: honest where there is one, else the published order's validation part."""
        if self.honest is not None:
            return self.honest.performance
        return self.paper.validation if self.paper is not None else self.apparent


@dataclass(frozen=True, eq=False)
class ModelReport:
    """All models side by side.

    Attributes:
        models: feature set to its evidence, the combined one last.
        comparisons: DeLong's test of every pair on the out-of-fold predictions (honest), clustered by patient.
        paper_comparisons: the same on the validation part (paper mode), lesion by lesion as published.
        labels, patients: of the N lesions; patients as codes 0..G-1, never names.
        dropped: column of the table to the reason why no model could use it.
        warnings: what a reader must know of all models; each model has its own beside.
    """

    settings: ModelSettings
    models: dict[str, ModelEvidence]
    comparisons: tuple[ModelComparison, ...]
    paper_comparisons: tuple[ModelComparison, ...]
    labels: Booleans
    patients: Integers
    n_lesions: int
    n_patients: int
    n_positive: int
    dropped: dict[str, str]
    warnings: tuple[str, ...]
    versions: dict[str, str]

    def __getitem__(self, name: str) -> ModelEvidence:
        return self.models[name]
