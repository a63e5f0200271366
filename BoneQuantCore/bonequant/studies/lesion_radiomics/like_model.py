"""Settings with which a diagnostic model's features were measured, so that it takes those of a new lesion."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from bonequant.errors import InputError, SettingsError
from bonequant.radiomics import DiagnosticModel, MazdaSettings
from bonequant.settings import describe
from bonequant.studies.lesion_radiomics.inputs import LesionInputs, Space
from bonequant.studies.lesion_radiomics.result import image_name
from bonequant.studies.lesion_radiomics.settings import CtIbsiSettings, FunctionalIbsiSettings, LesionSettings

_CT = "CT"
_QUANTITIES = {"SUVbw": ("suv", "bw"), "SUVlbm": ("suv", "lbm"), "SUVbsa": ("suv", "bsa"), "Bq/mL": ("activity", "")}


def settings_like(model: DiagnosticModel, settings: LesionSettings | None = None) -> LesionSettings:
    """``settings`` (the defaults without them), with all that decides a feature's value as the model has it.

    Raises InputError for a model that does not say how its features were measured, or in a way this job cannot.
    """
    settings = LesionSettings.of(settings)
    wanted = model.extraction
    try:
        changes: dict[str, Any] = {}
        for image, recipe in wanted.items():
            for name, value in _changes(image, recipe).items():
                if changes.setdefault(name, value) != value:
                    raise InputError(f"{name} differs between its images")
        if not changes:
            raise InputError("it does not say how they were measured")
    except (InputError, SettingsError, KeyError, TypeError, AttributeError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(
            f"Features cannot be measured as those of the model {model.name!r} were: {why}. Train it on results of "
            "`bonequant radiomics`."
        ) from error
    return dataclasses.replace(settings, **changes)


def overruled(asked: LesionSettings, taken: LesionSettings) -> list[str]:
    """Names of what was set in ``asked``, but is otherwise in ``taken``, as "plane (axial)"."""
    rows = zip(describe(LesionSettings), describe(asked), describe(taken), strict=True)
    return [
        f"{got['name']} ({got['value']})"
        for default, said, got in rows
        if said["value"] not in (default["value"], got["value"])
    ]


def check_images(model: DiagnosticModel, inputs: LesionInputs) -> None:
    """Raise InputError where an image that the model needs is not there."""
    spaces: tuple[Space, ...] = ("ct", "functional")
    there = [image_name(space, image) for space in spaces if (image := inputs.image(space)) is not None]
    absent = sorted(set(model.extraction) - set(there))
    if absent:
        raise InputError(
            f"The model {model.name!r} needs features of {' and '.join(absent)}; given are {', '.join(there)}."
        )


def _changes(image: str, recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What one image's recipe (:func:`image_recipe`) says of the job's settings."""
    changes: dict[str, Any] = {"families": tuple(sorted(recipe["families"], reverse=True))}  # in the order of FAMILIES
    if "mazda" in recipe:
        changes |= {"plane": recipe["plane"], "mazda": MazdaSettings.from_dict(recipe["mazda"])}
    if "ibsi" in recipe and image == _CT:
        changes["ct"] = CtIbsiSettings.from_dict(recipe["ibsi"])
    elif "ibsi" in recipe:
        changes["functional"] = FunctionalIbsiSettings.from_dict(recipe["ibsi"])
    if image != _CT:
        quantity, normalisation = _QUANTITIES.get(recipe["unit"], ("native", ""))
        changes |= {"quantity": quantity} | ({"normalisation": normalisation} if normalisation else {})
    return changes
