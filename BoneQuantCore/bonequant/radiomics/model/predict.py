"""A model applied to a new lesion: probability, what each feature contributed, and what speaks against believing it.

Refused, with the reason: features that are missing, and extraction settings other than those of the training, since a
feature measured otherwise is another number under the same name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scipy.special import expit

from bonequant.errors import InputError
from bonequant.radiomics.model.model_file import ANY, DiagnosticModel, content_hash, extraction_by_modality
from bonequant.settings import Settings

_SHOWN = 5


@dataclass(frozen=True)
class Contribution:
    """What one feature adds to the log odds: ``coefficient`` times ``z``, the value in training SD from the mean."""

    feature: str
    value: float
    z: float
    coefficient: float
    log_odds: float


@dataclass(frozen=True)
class Prediction:
    """Probability of ``positive_class`` and its log odds = ``intercept`` + the sum of the contributions.

    ``called``: whether the probability reaches the model's ``threshold``. ``warnings``: features outside the training
    range, a centre not seen in training, settings that could not be checked. ``model_sha256`` names the model.
    """

    probability: float
    log_odds: float
    intercept: float
    contributions: tuple[Contribution, ...]
    called: bool
    threshold: float
    positive_class: str
    warnings: tuple[str, ...]
    model_sha256: str


def predict(
    model: DiagnosticModel,
    features: Mapping[str, float],
    settings: Settings | Mapping[str, Any] | None = None,
    *,
    centre: str | None = None,
) -> Prediction:
    """Apply ``model`` to one lesion.

    Args:
        features: name to value, under the names of the training table ("CT:Mean"); more than needed may be there.
        settings: extraction settings of these features, or a mapping of modality to them, as given in training.
        centre: where the lesion was imaged, for a model harmonised by centre.

    Raises InputError where a feature is missing or not a number, or the settings differ from those of the training.
    """
    warnings = list(_check_settings(model, extraction_by_modality(settings)))
    values = [_value(features, feature.name) for feature in model.features]
    for feature, value in zip(model.features, values, strict=True):
        if not feature.low <= value <= feature.high:
            warnings.append(
                f"{feature.name} = {value:.6g} lies outside the training range {feature.low:.6g} to "
                f"{feature.high:.6g}: the model extrapolates"
            )
    harmonised = values
    if model.harmonisation is not None:
        correction = model.harmonisation
        if centre is None or centre not in correction.location:
            where = "no centre was given" if centre is None else f"centre {centre!r} was not in the training"
            known = ", ".join(correction.location)
            warnings.append(f"{where} (known: {known}): the features are not harmonised, the probability may be off")
        else:
            shape = zip(
                values,
                correction.mean,
                correction.sd,
                correction.location[centre],
                correction.scale[centre],
                strict=True,
            )
            harmonised = [((v - mean) / sd - shift) / scale * sd + mean for v, mean, sd, shift, scale in shape]
    contributions = []
    for feature, value, used in zip(model.features, values, harmonised, strict=True):
        z = (used - feature.mean) / feature.sd
        contributions.append(Contribution(feature.name, value, z, feature.coefficient, z * feature.coefficient))
    log_odds = model.intercept + math.fsum(part.log_odds for part in contributions)
    probability = float(expit(log_odds))
    return Prediction(
        probability=probability,
        log_odds=log_odds,
        intercept=model.intercept,
        contributions=tuple(contributions),
        called=probability >= model.threshold,
        threshold=model.threshold,
        positive_class=model.positive_class,
        warnings=tuple(warnings),
        model_sha256=model.sha256,
    )


def _check_settings(model: DiagnosticModel, given: dict[str, Any]) -> list[str]:
    """Raise InputError where the settings differ; warnings where there is nothing to compare."""
    if not model.extraction:
        return ["the model does not say how its features were extracted: the settings could not be compared"]
    if not given:
        raise InputError(
            f"The model {model.name!r} needs to know how these features were extracted: give their settings, which "
            "must equal those of its training."
        )
    for modality, wanted in model.extraction.items():
        found = given.get(modality, given.get(ANY))
        if found is None:
            raise InputError(
                f"The model {model.name!r} needs the extraction settings of {modality}; given are those of "
                f"{', '.join(given)}."
            )
        if content_hash(found) != content_hash(wanted):
            differences = setting_differences(wanted, found)
            shown = "; ".join(differences[:_SHOWN])
            more = f" and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
            where = "" if modality == ANY else f" of {modality}"
            raise InputError(
                f"The extraction settings{where} differ from those the model {model.name!r} was trained with: "
                f"{shown}{more}. Extract the lesion with the model's settings."
            )
    return []


def setting_differences(wanted: Any, found: Any, name: str = "") -> list[str]:
    """Where two plain settings differ, in words: "mazda.ar_order is 'a', trained with 'b'"."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        names = list(dict.fromkeys([*wanted, *found]))
        parts = [setting_differences(wanted.get(key), found.get(key), f"{name}.{key}".lstrip(".")) for key in names]
        return [part for group in parts for part in group]
    return [] if content_hash(wanted) == content_hash(found) else [f"{name} is {found!r}, trained with {wanted!r}"]


def _value(features: Mapping[str, float], name: str) -> float:
    if name not in features:
        near = ", ".join(list(features)[:3])
        raise InputError(
            f"The model needs feature {name!r}, which this lesion does not have (it has {len(features)}: {near}, ...). "
            "Extract it with the model's settings."
        )
    try:
        value = float(features[name])
    except (TypeError, ValueError) as error:
        raise InputError(f"Feature {name!r} is {features[name]!r}, not a number.") from error
    if not math.isfinite(value):
        reason = getattr(features, "missing", {}).get(name, "")
        why = f" ({reason})" if reason else ""
        raise InputError(f"Feature {name!r} does not exist for this lesion{why}: this model cannot judge it.")
    return value
