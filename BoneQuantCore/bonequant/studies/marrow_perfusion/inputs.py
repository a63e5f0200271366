"""What the marrow job takes, and the checks made before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import SimpleITK as sitk

from bonequant.errors import ConfirmationRequired, InputError, MissingFactError
from bonequant.volume import Volume


@dataclass(frozen=True, eq=False)
class MarrowInputs:
    """One date of one patient.

    Attributes:
        functional: SPECT (or PET) in counts, Bq/mL or SUV.
        ct: CT in HU; None where the regions are all drawn on the functional image.
        masks_on_ct: the user's regions in the space of the CT; one named as a region that is found replaces it.
        masks_on_functional: the user's regions in the space of the functional image.
        transform: the user's own alignment, points of the CT to points of the functional image.
        same_patient_confirmed: run although the files name different patients.
        name: of the date in tables ("baseline"); no patient identifier.
        lesion_suffix: put behind the names of lesion candidates, so that those of a later date are told from the
            first date's, which are carried to it.
    """

    functional: Volume
    ct: Volume | None = None
    masks_on_ct: Mapping[str, sitk.Image] = field(default_factory=dict)
    masks_on_functional: Mapping[str, sitk.Image] = field(default_factory=dict)
    transform: sitk.Transform | None = None
    same_patient_confirmed: bool = False
    name: str = "baseline"
    lesion_suffix: str = ""


@contextmanager
def facts_of(date: str) -> Iterator[None]:
    """A fact that is missing at a later date is asked for under that date's name, "follow_up_1.injection_time"."""
    try:
        yield
    except MissingFactError as error:
        raise MissingFactError(f"{date}: {error}", f"{date}.{error.fact}" if error.fact else "") from error


def check(inputs: MarrowInputs) -> tuple[str, ...]:
    """Warnings about inputs that fit; an error for those that do not.

    Raises InputError for a CT that is none, or nothing to measure; ConfirmationRequired for two patients.
    """
    label = inputs.functional.source or "The functional image"
    if inputs.functional.modality == "CT":
        raise InputError(f"{label} is a CT; a SPECT or PET is due as the functional image. Are the two exchanged?")
    if inputs.ct is None:
        if inputs.masks_on_ct:
            raise InputError("There are masks drawn on a CT but no CT: give the CT, or masks on the functional image.")
        if not inputs.masks_on_functional:
            raise InputError(f"{label}: give a CT, from which the regions are found, or masks of the regions.")
        return ("No CT was given: only the drawn regions are measured, and no CT numbers.",)
    if inputs.ct.modality not in ("CT", "OT"):
        raise InputError(f"{inputs.ct.source or 'The CT'} has modality {inputs.ct.modality}; a CT in HU is due.")
    both = set(inputs.masks_on_ct) & set(inputs.masks_on_functional)
    if both:
        raise InputError(f"Drawn both on the CT and on the functional image: {', '.join(sorted(both))}. Give one.")
    return _check_same_patient(inputs.functional, inputs.ct, inputs.same_patient_confirmed)


def _check_same_patient(functional: Volume, ct: Volume, confirmed: bool) -> tuple[str, ...]:
    first, second = functional.acquisition, ct.acquisition
    differing = [
        what
        for what, a, b in (
            ("patient ID", first.patient_id, second.patient_id),
            ("sex", first.patient_sex, second.patient_sex),
        )
        if a and b and a != b
    ]
    if not differing:
        return ()
    text = f"The functional image and the CT differ in {' and '.join(differing)}"
    if not confirmed:
        raise ConfirmationRequired(
            f"{text}: they may show different patients. If they show one patient, confirm it "
            "(--confirm-same-patient) and run again."
        )
    return (f"{text}; that they show one patient was confirmed by the user.",)
