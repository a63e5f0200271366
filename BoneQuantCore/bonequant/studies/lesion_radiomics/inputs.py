"""What the lesion radiomics job takes: one or two images, lesions with their masks, and redrawn masks."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import SimpleITK as sitk

from bonequant.errors import ConfirmationRequired, InputError
from bonequant.volume import Volume

Space = Literal["ct", "functional"]


@dataclass(frozen=True, eq=False)
class Lesion:
    """One lesion.

    Attributes:
        id: unique within the patient.
        mask: one region, in the space of the image it was drawn on.
        drawn_on: that image.
        level: vertebra or bone, "" where not known.
        label: class for a model ("metastasis", "benign" ...), "" where not known.
        adjusted: the user's own mask in the space of the other image, in place of the carried one.
        origin: "drawn", or "found" by uptake.
    """

    id: str
    mask: sitk.Image
    drawn_on: Space
    level: str = ""
    label: str = ""
    adjusted: sitk.Image | None = None
    origin: str = "drawn"


@dataclass(frozen=True, eq=False)
class LesionInputs:
    """One patient at one date.

    Attributes:
        ct: CT in HU, or None.
        functional: SPECT or PET in counts, Bq/mL or SUV (or any other image to be beside a CT), or None.
        transform: alignment given by the user, points of the CT to points of the functional image.
        readings: other drawings of the same lesions (reader or time to lesion id to mask), in the space of the first.
        patient: pseudonym for the cohort's table; never the patient's name or ID.
        find: look for lesion candidates by uptake in bone, beside the lesions given.
    """

    lesions: tuple[Lesion, ...] = ()
    ct: Volume | None = None
    functional: Volume | None = None
    transform: sitk.Transform | None = None
    readings: Mapping[str, Mapping[str, sitk.Image]] = field(default_factory=dict)
    patient: str = ""
    find: bool = False
    same_patient_confirmed: bool = False
    warnings: tuple[str, ...] = ()

    def image(self, space: Space) -> Volume | None:
        return self.ct if space == "ct" else self.functional

    def replace(self, **changes: object) -> LesionInputs:
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


def check(inputs: LesionInputs) -> tuple[str, ...]:
    """Warnings about inputs that fit. Raises InputError for others, ConfirmationRequired for two patients."""
    if inputs.ct is None and inputs.functional is None:
        raise InputError("There is no image: give --ct, --spect, or both.")
    if inputs.ct is not None and inputs.ct.modality not in ("CT", "OT"):
        raise InputError(f"{inputs.ct.source or 'The CT'} has modality {inputs.ct.modality}; a CT in HU is due.")
    if inputs.functional is not None and inputs.functional.modality == "CT":
        label = inputs.functional.source or "The functional image"
        raise InputError(f"{label} is a CT; a SPECT or PET is due. Are the two exchanged?")
    if inputs.find and (inputs.ct is None or inputs.functional is None):
        raise InputError("Lesion candidates are found by uptake in the bone of a CT: --find needs both images.")
    if not inputs.lesions and not inputs.find:
        raise InputError("There is no lesion: give --mask, or --find to look for candidates.")
    twice = [name for name, count in Counter(lesion.id for lesion in inputs.lesions).items() if count > 1]
    if twice:
        raise InputError(f"Lesion {', '.join(twice)} is there twice: every lesion needs an id of its own.")
    known = {lesion.id for lesion in inputs.lesions}
    for reading, masks in inputs.readings.items():
        if unknown := sorted(set(masks) - known):
            raise InputError(f"The {reading} drew {', '.join(unknown)}, which is no lesion of the first drawing.")
    for lesion in inputs.lesions:
        other: Space = "ct" if lesion.drawn_on == "functional" else "functional"
        if inputs.image(lesion.drawn_on) is None:
            raise InputError(f"Lesion {lesion.id} was drawn on the {lesion.drawn_on} image, which was not given.")
        if lesion.adjusted is not None and inputs.image(other) is None:
            raise InputError(f"Lesion {lesion.id} has an adjusted mask, but the image it belongs to was not given.")
    return _same_patient(inputs)


def _same_patient(inputs: LesionInputs) -> tuple[str, ...]:
    if inputs.ct is None or inputs.functional is None:
        return ()
    first, second = inputs.ct.acquisition, inputs.functional.acquisition
    pairs = {"patient ID": (first.patient_id, second.patient_id), "sex": (first.patient_sex, second.patient_sex)}
    differing = [what for what, (a, b) in pairs.items() if a and b and a != b]
    if not differing:
        return ()
    text = f"The functional image and the CT differ in {' and '.join(differing)}"
    if not inputs.same_patient_confirmed:
        raise ConfirmationRequired(
            f"{text}: they may show different patients. If they show one patient, confirm it "
            "(--confirm-same-patient) and run again."
        )
    return (f"{text}; that they show one patient was confirmed by the user.",)
