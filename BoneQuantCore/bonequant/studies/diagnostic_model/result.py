"""What the training job returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bonequant.provenance import Provenance
from bonequant.radiomics import ModelReport
from bonequant.statistics import Auc, AucComparison, Confusion, Kappa, McNemar
from bonequant.statistics.checks import Booleans, Floats
from bonequant.studies.diagnostic_model.inputs import TrainingInputs
from bonequant.studies.diagnostic_model.settings import DiagnosticSettings


@dataclass(frozen=True, eq=False)
class BesideModel:
    """A reader and a model on the lesions that the reader judged; a difference is reader minus model.

    The model calls at a probability of 0.5, out of fold. None where there is nothing to compare, or too few lesions.
    """

    model: str
    auc: AucComparison | None
    sensitivity: McNemar | None
    specificity: McNemar | None


@dataclass(frozen=True, eq=False)
class ReaderEvidence:
    """One reader: ``called`` from which grade (NaN: calls in words); AUC of the grades or calls; accuracy of the calls.

    ``confusion`` is None for grades without a cut-off, ``auc`` where too few lesions were judged.
    """

    name: str
    judged: int
    graded: bool
    called: float
    auc: Auc | None
    confusion: Confusion | None
    beside: tuple[BesideModel, ...]


@dataclass(frozen=True)
class ReaderAgreement:
    """Linearly weighted kappa of two readers on the ``kappa.n`` lesions that both judged, over ``categories``."""

    first: str
    second: str
    kappa: Kappa
    categories: tuple[str, ...]


@dataclass(frozen=True)
class FactComparison:
    """One fact (age, sex, level ...) between the classes; ``unit`` says whether patients or lesions were counted.

    ``test`` is empty, with the reason in ``rule``, where nothing could be tested.
    """

    fact: str
    unit: str
    positive: str
    negative: str
    missing: int
    test: str
    rule: str
    p_value: float


@dataclass(frozen=True, eq=False)
class DiagnosticResult:
    """The models, the evidence for them, and what they were trained from.

    Attributes:
        inputs: the lesions that were used (N of them).
        labels: True where ``positive``, in the order of the lesions; ``negative`` is the other word.
        values: (N, P) of the ``columns`` that were offered to the models.
        unstable: columns left out for their stability; None where that was not asked for.
        models: what :func:`bonequant.radiomics.evaluate` found.
    """

    inputs: TrainingInputs
    settings: DiagnosticSettings
    positive: str
    negative: str
    labels: Booleans
    columns: tuple[str, ...]
    values: Floats
    unstable: tuple[str, ...] | None
    models: ModelReport
    readers: tuple[ReaderEvidence, ...]
    agreement: tuple[ReaderAgreement, ...]
    facts: tuple[FactComparison, ...]
    warnings: tuple[str, ...]
    provenance: Provenance

    @property
    def grouped(self) -> bool:
        """Whether the patients are known."""
        return bool(self.inputs.lesions[0].patient)

    def of_columns(self, names: tuple[str, ...]) -> Floats:
        """Values (N, k) of some columns."""
        at = {name: index for index, name in enumerate(self.columns)}
        return np.asarray(self.values[:, [at[name] for name in names]])

    def shown_ids(self, identified: bool) -> list[tuple[str, str]]:
        """How patient and lesion are named in results: by their number in the tables, or by their own ids."""
        if identified:
            return [(lesion.patient, lesion.id) for lesion in self.inputs.lesions]
        width = max(3, len(str(len(self.labels))))
        return [
            (f"P{patient + 1:0{width}d}" if self.grouped else "", f"L{number:0{width}d}")
            for number, patient in enumerate(self.models.patients.tolist(), start=1)
        ]
