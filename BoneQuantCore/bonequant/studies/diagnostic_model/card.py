"""The model card: what a model is for, from what it was made, how well it does, and where it ends.

After Mitchell et al., FAT* 2019:220. Everything in it follows from the result; nothing is promised.
"""

from __future__ import annotations

import math
from typing import Any

from bonequant.radiomics.model import ModelEvidence
from bonequant.statistics import Auc
from bonequant.studies.diagnostic_model.result import DiagnosticResult
from bonequant.studies.diagnostic_model.texts import ends

_ALWAYS = (
    "Research use only. No claim beyond lesions like those of the training: same kind of patients, scanners, protocol, "
    "way of drawing, extraction settings and share of positive lesions.",
    "Cross-validation on the same cohort is no external test; expect less elsewhere.",
)
_SLOPE_FAR = 0.2


def card(result: DiagnosticResult, model: ModelEvidence) -> dict[str, Any]:
    """The card of one model as plain data, in the order in which it is read."""
    stored, found = model.model, model.performance
    cohort = result.models
    by_patient = ", by patient" if result.grouped else ""
    return {
        "intended_use": stored.intended_use,
        "not_intended": "Decisions about a patient; lesions with a warning of values outside the training range; other "
        "extraction settings, which bonequant predict refuses.",
        "predicts": f"probability of {result.positive} (against {result.negative})",
        "data": f"{cohort.n_lesions} lesions"
        + (f" of {cohort.n_patients} patients" if result.grouped else "")
        + f", {100 * cohort.n_positive / cohort.n_lesions:.0f} % {result.positive}",
        "centres": ", ".join(sorted({lesion.centre for lesion in result.inputs.lesions} - {""})) or "not told",
        "model": model.name,
        "features": f"{len(stored.features)} of {len(model.features)}",
        "performance": f"AUC {found.auc.auc:.3f}{ends(found.auc.ci)}, Brier score {found.brier.value:.3f}, "
        f"calibration slope {found.calibration.slope:.2f}; out of fold{by_patient}",
        "cut_off": f"{stored.threshold:.3f} ({stored.threshold_rule})",
        "file": file_name(model.name),
        "sha256": stored.sha256,
        "limits": list(limits(result, model)),
    }


def limits(result: DiagnosticResult, model: ModelEvidence) -> tuple[str, ...]:
    """What speaks against believing this model, in this cohort."""
    said = list(_ALWAYS)
    slope = model.performance.calibration.slope
    if not math.isnan(slope) and abs(slope - 1) > _SLOPE_FAR:
        too = "too extreme" if slope < 1 else "too timid"
        said.append(f"Its probabilities are {too} (calibration slope {slope:.2f}): recalibrate before they are read.")
    if shows_nothing(model.performance.auc):
        said.append("Its AUC was not shown to lie above 0.5: nothing was found.")
    if not result.grouped:
        said.append("Patients were not named: lesions of one patient may stand on both sides of a fold.")
    if not result.inputs.recipes:
        said.append("How its features were made is not known: it cannot refuse others.")
    said += [f"{text[:1].upper()}{text[1:]}." for text in model.warnings]
    return tuple(said)


def shows_nothing(auc: Auc) -> bool:
    """Whether the AUC, or its interval's lower end, does not lie above 0.5. An interval may not exist (AUC of 1)."""
    return auc.auc <= 0.5 or auc.ci[0] <= 0.5


def file_name(model: str) -> str:
    """Of the model's file: model_<name>.json, with letters, digits, dots and lines only."""
    safe = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in model)
    return f"model_{safe}.json"
