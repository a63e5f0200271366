"""What was planted in a simulated cohort, beside what the models found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bonequant.radiomics.model.table import modality_of
from bonequant.report import Section, Table
from bonequant.statistics import roc, spearman
from bonequant.studies.diagnostic_model.result import DiagnosticResult

_SHOWN = 6


@dataclass(frozen=True, eq=False)
class PlantedTruth:
    """``signals``: image to the hidden signal of each lesion (N,), in the order of the table; ``best_auc`` by model:
    what those signals reach in an endless cohort; ``what``: image to what the signal sets, in words.
    """

    signals: Mapping[str, np.ndarray]
    best_auc: dict[str, float]
    what: Mapping[str, str]


def truth_rows(result: DiagnosticResult, truth: PlantedTruth) -> list[dict[str, Any]]:
    """One row per model: best possible AUC, that of the signals in this very cohort, and what was reached."""
    rows = []
    for name, model in result.models.models.items():
        signal = truth.signals.get(name)
        rows.append(
            {
                "model": name,
                "best_auc": truth.best_auc.get(name),
                "auc_of_signal_here": None if signal is None else roc(result.labels, signal).auc,
                "honest_auc": model.performance.auc.auc,
                "honest_low": model.performance.auc.ci[0],
                "honest_high": model.performance.auc.ci[1],
                "paper_auc": model.paper.validation.auc.auc if model.paper else None,
            }
        )
    return rows


def kept_rows(result: DiagnosticResult, truth: PlantedTruth) -> list[dict[str, Any]]:
    """The kept features of the last model, by how closely each follows the hidden signal of its image."""
    last = list(result.models.models.values())[-1]
    rows = []
    for feature in last.model.features:
        signal = truth.signals.get(modality_of(feature.name))
        if signal is not None:
            values = result.of_columns((feature.name,))[:, 0]
            rows.append(
                {
                    "feature": feature.name,
                    "coefficient_per_sd": feature.coefficient,
                    "rank_correlation_with_signal": spearman(values, signal).value,
                }
            )
    return sorted(rows, key=lambda row: -abs(row["rank_correlation_with_signal"]))


def truth_section(result: DiagnosticResult, truth: PlantedTruth) -> Section:
    """Two tables."""
    columns = {
        "model": "Model",
        "best_auc": "Best possible AUC",
        "auc_of_signal_here": "AUC of the signal, these lesions",
        "honest_auc": "Found, honest",
        "honest_low": "from",
        "honest_high": "to",
        "paper_auc": "Paper mode, validation part",
    }
    planted = "; ".join(f"{image}: {what}" for image, what in truth.what.items())
    kept = {
        "feature": "Kept feature",
        "coefficient_per_sd": "Coefficient per SD",
        "rank_correlation_with_signal": "Rank correlation with the signal",
    }
    return Section(
        "Beside what was planted",
        [
            Table(columns, truth_rows(result, truth), f"A simulated cohort. Planted: {planted}."),
            Table(kept, kept_rows(result, truth)[:_SHOWN], "Does the combined model hold what was planted?"),
        ],
    )
