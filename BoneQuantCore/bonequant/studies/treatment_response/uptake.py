"""SPECT and PET as SUV: between dates injected activity, uptake time and weight differ, and Bq/mL with them.

A role is converted at every date or at none, so that its values compare; where a date lacks a fact the voxels stay as
stored, and a warning says what the changes then hold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from bonequant.errors import InputError, MissingFactError
from bonequant.spect import to_activity, to_suv
from bonequant.studies.treatment_response.inputs import DateInputs, ResponseInputs
from bonequant.studies.treatment_response.settings import ResponseSettings
from bonequant.volume import Volume

NUCLEAR = ("NM", "PT")
SUV_UNITS = {"SUVbw": "suv", "g/mL": "suv", "SUVlbm": "suv_lbm"}  # and the name of the measure in exports
_STORED = ("counts", "Bq/mL")


def as_suv(inputs: ResponseInputs, settings: ResponseSettings) -> tuple[ResponseInputs, tuple[str, ...]]:
    """The inputs with SPECT and PET in SUV, and warnings.

    Raises MissingFactError where ``quantity`` is "suv" and a fact is missing, InputError for facts that cannot be.
    """
    if settings.quantity == "native":
        return inputs, ()
    dates, warnings = list(inputs.dates), []
    for role in dict.fromkeys(role for one in dates for role, image in one.images.items() if image.modality in NUCLEAR):
        with_role = [k for k, one in enumerate(dates) if role in one.images]
        try:
            made = [_suv(dates[k], role, settings) for k in with_role]
        except MissingFactError as error:
            way_out = (
                f'Give it with the image in the manifest of the date ("{role}": {{"path": ..., "facts": {{...}}}}).'
            )
            if settings.quantity == "suv":
                raise MissingFactError(f"{error} {way_out}", error.fact) from error
            unit = dates[with_role[0]].images[role].unit
            warnings.append(
                f"{role} is compared in {unit}, not in SUV: changes hold those of the injected activity, the uptake "
                f"time and the weight too. {error} {way_out}"
            )
            continue
        for k, (image, said) in zip(with_role, made, strict=True):
            dates[k] = dataclasses.replace(dates[k], images={**dates[k].images, role: image})
            warnings += said
    return dataclasses.replace(inputs, dates=dates), tuple(warnings)


def suv_role(one: DateInputs) -> str | None:
    """The first image of a date that is SUV; None where there is none."""
    return next(
        (role for role, image in one.images.items() if image.modality in NUCLEAR and image.unit in SUV_UNITS), None
    )


def _suv(one: DateInputs, role: str, settings: ResponseSettings) -> tuple[Volume, Sequence[str]]:
    image = one.images[role]
    label = f"{one.name}, {role}"
    if image.unit.startswith("SUV") or image.unit in SUV_UNITS:
        return image, ()
    if image.unit not in _STORED:
        text = f"{label}: SPECT or PET in {image.unit or 'no unit'}"
        if settings.quantity == "suv":
            raise InputError(f"{text} does not become SUV; counts, Bq/mL or SUV are due (facts: unit=...).")
        return image, (f"{text} is compared as stored; say what it is (facts: unit=...).",)
    named = image.replace(source=label)
    activity = to_activity(named, settings.calibration) if image.unit == "counts" else named
    suv = to_suv(activity, normalisation=settings.normalisation)  # type: ignore[arg-type]
    return suv.replace(source=image.source), [text for text in suv.warnings if text not in image.warnings]
