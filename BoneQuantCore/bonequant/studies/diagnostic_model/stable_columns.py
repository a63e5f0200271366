"""Which features survive redrawing, over the drawings of all patients that were read."""

from __future__ import annotations

from bonequant.errors import InputError
from bonequant.radiomics import StabilitySettings, feature_stability, stable_features
from bonequant.studies.diagnostic_model.inputs import TrainingInputs


def stable_columns(inputs: TrainingInputs, settings: StabilitySettings) -> tuple[set[str], str]:
    """The stable columns, and from what that is known.

    Stable is what is stable for every kind of drawing (second reader, second time, perturbation). Raises InputError
    where nobody redrew two lesions.
    """
    pooled = {kind: list(lesions.values()) for kind, lesions in inputs.drawings.items() if len(lesions) > 1}
    if pooled:
        kept = set(inputs.columns)
        for kind, lesions in pooled.items():
            if len({len(drawings) for drawings in lesions}) > 1:
                raise InputError(
                    f"Lesions were drawn a different number of times ({kind}): use the same count for all."
                )
            found = feature_stability(list(zip(*lesions, strict=True)), form=settings.icc_form)
            kept &= set(stable_features(found, settings))
        lesions_drawn = ", ".join(f"{kind}: {len(lesions)} lesions" for kind, lesions in pooled.items())
        return kept, f"ICC({settings.icc_form}) over the drawings of all tables ({lesions_drawn})"
    if inputs.stable is not None:
        return set(inputs.stable), "the stable columns of features.json"
    raise InputError(
        "stable_only needs two redrawn lesions (readings.csv beside lesions.csv, from `bonequant radiomics` with "
        "perturb=true or a second reader); there are none. Redraw, or leave stable_only off."
    )
