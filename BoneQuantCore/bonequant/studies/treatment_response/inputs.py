"""What the response job takes, and the checks made before anything is computed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import SimpleITK as sitk

from bonequant.errors import ConfirmationRequired, InputError
from bonequant.response import EvidenceRow, Radiotherapy
from bonequant.response.compare import check_sequence
from bonequant.studies.dce_perfusion import DceInputs
from bonequant.volume import Acquisition, Volume

DCE = "dce"


@dataclass(frozen=True, eq=False)
class DateInputs:
    """One date of one patient. All masks lie in the space of its anatomy: the DCE series, else its CT or first image.

    Attributes:
        name: of the date in tables ("before", "after"); no patient identifier.
        dce: the dynamic study, without masks.
        images: further images by role: "adc", "high_b", "ct", "spect", "pet" or any other name.
        lesions: drawn at this date, by name.
        extra_osseous: soft-tissue part of a lesion, drawn from the line of the normal cortex, by the lesion's name.
        references: adjacent healthy vertebra by the lesion's name; "" serves every lesion.
        normal_bone: normal trabecular bone, for typing on CT.
        skeleton: for the skeleton fraction index.
        typed_date: of the scan, where the files do not say.
        folder, image_folders: where the DICOM files of the series and of the images by role are, for exports that refer
            to them; None or left out for others.
    """

    name: str
    dce: DceInputs | None = None
    images: Mapping[str, Volume] = field(default_factory=dict)
    lesions: Mapping[str, sitk.Image] = field(default_factory=dict)
    extra_osseous: Mapping[str, sitk.Image] = field(default_factory=dict)
    references: Mapping[str, sitk.Image] = field(default_factory=dict)
    normal_bone: sitk.Image | None = None
    skeleton: sitk.Image | None = None
    typed_date: date | None = None
    folder: str | None = None
    image_folders: Mapping[str, str] = field(default_factory=dict)

    @property
    def acquisitions(self) -> dict[str, Acquisition]:
        """Facts of everything that was scanned, by role; the DCE series first."""
        found = {} if self.dce is None else {DCE: self.dce.series.acquisition}
        return found | {role: volume.acquisition for role, volume in self.images.items()}

    @property
    def scan_date(self) -> date | None:
        """As typed, else as the files say."""
        return self.file_date if self.typed_date is None else self.typed_date

    @property
    def file_date(self) -> date | None:
        """Of the first image whose file tells."""
        for facts in self.acquisitions.values():
            moment = facts.acquisition_start or facts.series_datetime or facts.study_datetime
            if moment is not None:
                return moment.date()
        return None

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of the files, by role; "" for images made in code."""
        found = {} if self.dce is None else {DCE: self.dce.series.sha256}
        return found | {role: volume.sha256 for role, volume in self.images.items()}

    @property
    def t1_images(self) -> tuple[Volume, ...]:
        """From which T1 before contrast comes."""
        if self.dce is None:
            return ()
        return (*self.dce.t1_volumes, *([self.dce.t1_map] if self.dce.t1_map is not None else []))


@dataclass(frozen=True, eq=False)
class ResponseInputs:
    """Two dates or more, the oldest first.

    Attributes:
        radiotherapy: for the time window and the dose.
        reference_in_field: does the reference vertebra lie in the radiation field?
        fracture: is the lesion's vertebra, or the reference, fractured?
        evidence: what other criteria judge, from :func:`bonequant.response.read_evidence`.
        links: lesions that belong together as the reader says, by index of the interval: names before, names after.
        same_patient_confirmed: run although the files name different patients.
    """

    dates: Sequence[DateInputs]
    radiotherapy: Radiotherapy | None = None
    reference_in_field: bool | None = None
    fracture: bool | None = None
    evidence: Sequence[EvidenceRow] = ()
    links: Mapping[int, Sequence[tuple[Sequence[str], Sequence[str]]]] = field(default_factory=dict)
    same_patient_confirmed: bool = False


def file_name(name: str) -> str:
    """The name of a date as that of its folder."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)


def check(inputs: ResponseInputs) -> tuple[str, ...]:
    """Warnings about inputs that fit; an error for those that do not.

    Raises InputError for fewer than two dates, dates out of order, one scan given twice, different units, or no lesion;
    ConfirmationRequired for two patients.
    """
    if len(inputs.dates) < 2:
        raise InputError("Response compares two dates or more; one was given. For one date alone use bonequant dce.")
    for one in inputs.dates:
        if one.dce is None and not one.images:
            raise InputError(f"{one.name} holds no image: give a DCE series, or images with roles such as ct or adc.")
    if not any(one.lesions for one in inputs.dates):
        raise InputError("No lesion is drawn at any date: give masks of the lesions for one date at least.")
    names = [one.name for one in inputs.dates]
    if len({file_name(name).casefold() for name in names}) < len(names):
        raise InputError(f"Two dates have one name, or one folder by their names: {', '.join(names)}. Rename one.")
    warnings = [*_order(inputs.dates), *_typed_dates(inputs.dates), *_patients(inputs)]
    for before, after in itertools.combinations(inputs.dates, 2):
        _same_scan(before, after)
        _units(before, after)
        warnings += _same_t1(before, after)
    return tuple(warnings)


def _order(dates: Sequence[DateInputs]) -> Iterator[str]:
    check_sequence((one.name, one.scan_date) for one in dates)
    for before, after in itertools.pairwise(dates):
        if before.scan_date is None or after.scan_date is None:
            yield f"The date of {before.name} or of {after.name} is not known: their order was taken as given."


def _typed_dates(dates: Sequence[DateInputs]) -> Iterator[str]:
    for one in dates:
        if one.typed_date is not None and one.file_date not in (None, one.typed_date):
            yield f"{one.name}: the date {one.typed_date} was typed and taken; the files say {one.file_date}."


def _same_t1(before: DateInputs, after: DateInputs) -> Iterator[str]:
    """T1 changes with therapy: one measurement for two dates is no error, but must be known."""
    known = {volume.sha256 for volume in before.t1_images if volume.sha256}
    if any(volume.sha256 in known for volume in after.t1_images):
        yield (
            f"T1 of {after.name} comes from the very same images as that of {before.name}: a change of T1, or another "
            "position of the patient, would pass into every number of that date."
        )


def _same_scan(before: DateInputs, after: DateInputs) -> None:
    hashes = {digest: role for role, digest in before.hashes.items() if digest}
    for role, digest in after.hashes.items():
        if digest in hashes:
            raise InputError(f"{before.name} and {after.name} hold the same scan ({role}): give one scan per date.")
    uids = {facts.series_uid for facts in before.acquisitions.values() if facts.series_uid}
    for role, facts in after.acquisitions.items():
        if facts.series_uid in uids:
            raise InputError(f"{before.name} and {after.name} hold the same series ({role}): give one scan per date.")
    # Made in code or edited in a scene, images have neither hash nor UID: the very same voxels are one scan too.
    early, late = _voxels(before), _voxels(after)
    for role in early.keys() & late.keys():
        if np.array_equal(early[role], late[role]):
            raise InputError(f"{before.name} and {after.name} hold the same voxels ({role}): give one scan per date.")


def _voxels(one: DateInputs) -> dict[str, np.ndarray]:
    found = {} if one.dce is None else {DCE: one.dce.series.frames}
    return found | {role: volume.array for role, volume in one.images.items()}


def _units(before: DateInputs, after: DateInputs) -> None:
    pairs = {
        role: (before.images[role].unit, after.images[role].unit) for role in before.images if role in after.images
    }
    if before.dce is not None and after.dce is not None:
        pairs[DCE] = (before.dce.series.unit, after.dce.series.unit)
    for role, (first, second) in pairs.items():
        if first != second:
            raise InputError(
                f"{role} is in {first or 'no unit'} at {before.name} and in {second or 'no unit'} at {after.name}: "
                "these do not compare. Bring both to one unit (facts: unit=...)."
            )


def _patients(inputs: ResponseInputs) -> Iterator[str]:
    for what, name in (("patient_id", "patient ID"), ("patient_sex", "sex")):
        every = [facts for one in inputs.dates for facts in one.acquisitions.values()]
        every += [volume.acquisition for one in inputs.dates for volume in one.t1_images]
        found = {getattr(facts, what) for facts in every if getattr(facts, what)}
        if len(found) > 1:
            if not inputs.same_patient_confirmed:
                raise ConfirmationRequired(
                    f"The images differ in {name}: they may show different patients. If they show one, confirm it "
                    "(--confirm-same-patient) and run again."
                )
            yield f"The images differ in {name}; that they show one patient was confirmed by the user."
