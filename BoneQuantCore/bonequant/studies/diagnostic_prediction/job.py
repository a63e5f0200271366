"""The prediction job: every lesion through the model, or all refused."""

from __future__ import annotations

from dataclasses import dataclass

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.provenance import Provenance
from bonequant.radiomics import Prediction, predict
from bonequant.studies.diagnostic_prediction.inputs import NewLesion, PredictionInputs


@dataclass(frozen=True, eq=False)
class LesionPrediction:
    """One lesion and what the model says of it."""

    lesion: NewLesion
    prediction: Prediction


@dataclass(frozen=True, eq=False)
class PredictionResult:
    """All lesions, in the order of the tables. ``warnings`` are of the model; each prediction has its own beside."""

    inputs: PredictionInputs
    lesions: tuple[LesionPrediction, ...]
    warnings: tuple[str, ...]
    provenance: Provenance

    def shown_ids(self, identified: bool) -> list[tuple[str, str]]:
        """Patient (by number, or by pseudonym where ``identified``) and lesion, as shown."""
        order: dict[str, int] = {}
        found = []
        for item in self.lesions:
            number = order.setdefault(item.lesion.patient, len(order) + 1)
            shown = item.lesion.patient if identified else f"P{number:02d}"
            found.append((shown if item.lesion.patient else "", item.lesion.id))
        return found


def run(inputs: PredictionInputs, settings: None = None, progress: Progress | None = None) -> PredictionResult:
    """Apply the model. It has no settings: they are the model's own.

    Raises InputError naming the lesion: features made otherwise than those of the training, or missing.
    """
    report = progress or no_progress
    model, found = inputs.model, []
    for at, lesion in enumerate(inputs.lesions):
        report(at / len(inputs.lesions), f"Lesion {lesion.id}")
        try:
            said = predict(model, lesion.features, lesion.recipes or None, centre=inputs.centre or None)
        except InputError as error:
            raise InputError(f"{lesion.where}, lesion {lesion.id}: {error}") from error
        found.append(LesionPrediction(lesion, said))
    warnings = []
    if not model.features:
        warnings.append("This model kept no feature: it gives every lesion the same probability.")
    if "honest" not in model.training.get("performance", {}):
        warnings.append("This model was never judged honestly: how good it is is not known.")
    outside = sum(bool(item.prediction.warnings) for item in found)
    if outside:
        warnings.append(f"{outside} of {len(found)} lesion(s) have warnings of their own, see below.")
    report(1.0, "Predicted")
    provenance = Provenance("diagnostic_prediction", dict(inputs.sha256), {"centre": inputs.centre})
    return PredictionResult(inputs, tuple(found), tuple(warnings), provenance)
