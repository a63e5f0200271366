"""The prediction job: every lesion through the model; one that it cannot judge is refused, and says why."""

from __future__ import annotations

from dataclasses import dataclass

from bonequant.errors import InputError
from bonequant.progress import Progress, no_progress
from bonequant.provenance import Provenance
from bonequant.radiomics import Prediction, predict
from bonequant.studies.diagnostic_prediction.inputs import NewLesion, PredictionInputs


@dataclass(frozen=True, eq=False)
class LesionPrediction:
    """One lesion and what the model says of it: a prediction, or None and why it is ``refused``."""

    lesion: NewLesion
    prediction: Prediction | None
    refused: str = ""


@dataclass(frozen=True, eq=False)
class PredictionResult:
    """All lesions, in the order of the tables. ``warnings`` are of the model; each prediction has its own beside."""

    inputs: PredictionInputs
    lesions: tuple[LesionPrediction, ...]
    warnings: tuple[str, ...]
    provenance: Provenance

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """Of the lesions that were judged."""
        return tuple(item.prediction for item in self.lesions if item.prediction is not None)

    @property
    def refused(self) -> tuple[LesionPrediction, ...]:
        return tuple(item for item in self.lesions if item.prediction is None)

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

    A lesion whose features were made otherwise than those of the training, or are missing, is refused.

    Raises InputError, with the reason of the first, where all are.
    """
    report = progress or no_progress
    model, found = inputs.model, []
    for at, lesion in enumerate(inputs.lesions):
        report(at / len(inputs.lesions), f"Lesion {lesion.id}")
        try:
            said = predict(model, lesion.features, lesion.recipes or None, centre=inputs.centre or None)
        except InputError as error:
            found.append(LesionPrediction(lesion, None, str(error)))
        else:
            found.append(LesionPrediction(lesion, said))
    refused = [item for item in found if item.prediction is None]
    if len(refused) == len(found):
        first, others = refused[0], len(refused) - 1
        more = f" So {'is the other lesion' if others == 1 else f'are the other {others} lesions'}." if others else ""
        raise InputError(f"{first.lesion.where}, lesion {first.lesion.id} is refused: {first.refused}{more}")
    warnings = []
    if refused:
        warnings.append(f"{len(refused)} of {len(found)} lesion(s) were refused, see the table.")
    if not model.features:
        warnings.append("This model kept no feature: it gives every lesion the same probability.")
    if "honest" not in model.training.get("performance", {}):
        warnings.append("This model was never judged honestly: how good it is is not known.")
    outside = sum(item.prediction is not None and bool(item.prediction.warnings) for item in found)
    if outside:
        warnings.append(f"{outside} of {len(found)} lesion(s) have warnings of their own, see below.")
    report(1.0, "Predicted")
    provenance = Provenance("diagnostic_prediction", dict(inputs.sha256), {"centre": inputs.centre})
    return PredictionResult(inputs, tuple(found), tuple(warnings), provenance)
