"""What the liver job takes, and the checks made before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import SimpleITK as sitk

from bonequant.errors import ConfirmationRequired, InputError
from bonequant.volume import Acquisition, DynamicSeries, Volume

_LEAST_FRAMES = 6


@dataclass(frozen=True, eq=False)
class MaaInputs:
    """99mTc-MAA of the same patient: an image, or ratios measured elsewhere.

    Attributes:
        spect: the SPECT in any unit; ratios need none.
        ct: its own CT, through which it is brought to the perfusion CT.
        transform: the user's alignment, points of the perfusion CT to points of the SPECT.
        masks: lesions and liver drawn on the SPECT itself, by the names of those on the CT; no alignment is needed.
        ratios: tumour to normal ratio by lesion, in place of an image.
    """

    spect: Volume | None = None
    ct: Volume | None = None
    transform: sitk.Transform | None = None
    masks: Mapping[str, sitk.Image] = field(default_factory=dict)
    ratios: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class LiverInputs:
    """One perfusion CT.

    Attributes:
        series: frames in HU.
        masks: the first reader's regions in the space of the series: aorta (found by itself where it is missing),
            portal_vein, spleen, liver, and lesions named tumour_1, lesion_2 ...
        second: the second reader's regions; what he did not draw is the first reader's.
        maa: 99mTc-MAA to compare with.
        same_patient_confirmed: run although the files name different patients.
        name: in titles; no patient identifier.
    """

    series: DynamicSeries
    masks: Mapping[str, sitk.Image] = field(default_factory=dict)
    second: Mapping[str, sitk.Image] = field(default_factory=dict)
    maa: MaaInputs | None = None
    same_patient_confirmed: bool = False
    name: str = "perfusion"


def check(inputs: LiverInputs) -> tuple[str, ...]:
    """Warnings about inputs that fit; an error for those that do not.

    Raises InputError for what is no perfusion CT or no MAA, ConfirmationRequired for two patients.
    """
    series = inputs.series
    label = series.source or series.name or "The series"
    if series.modality not in ("CT", "OT"):
        raise InputError(f"{label} has modality {series.modality}; a dynamic CT in HU is due.")
    if series.unit != "HU":
        raise InputError(
            f"{label} is in {series.unit or 'no unit'}, where HU are due. If it is a CT, say so: --fact unit=HU."
        )
    if len(series.times_s) < _LEAST_FRAMES:
        raise InputError(
            f"{label} has {len(series.times_s)} frames; liver perfusion needs {_LEAST_FRAMES} at least, from before "
            "the contrast to the portal phase."
        )
    maa = inputs.maa
    if maa is None:
        return ()
    if maa.spect is None:
        if maa.ct is not None or maa.masks or maa.transform is not None:
            raise InputError("A CT, a transform or masks of the MAA were given, but no MAA SPECT.")
        return ()
    if maa.ratios:
        raise InputError("MAA ratios were given both as an image and as a table; give one.")
    spect = maa.spect.source or "The MAA SPECT"
    if maa.spect.modality not in ("NM", "PT", "OT"):
        raise InputError(f"{spect} has modality {maa.spect.modality}; a SPECT is due. Are the images exchanged?")
    if maa.ct is not None and maa.ct.modality not in ("CT", "OT"):
        raise InputError(f"{maa.ct.source or 'The CT of the MAA'} has modality {maa.ct.modality}; a CT is due.")
    return _one_patient(series.acquisition, maa.spect.acquisition, inputs.same_patient_confirmed)


def _one_patient(first: Acquisition, second: Acquisition, confirmed: bool) -> tuple[str, ...]:
    pairs = {
        "patient ID": (first.patient_id, second.patient_id),
        "sex": (first.patient_sex, second.patient_sex),
    }
    differing = [what for what, (a, b) in pairs.items() if a and b and a != b]
    if not differing:
        return ()
    text = f"The perfusion CT and the MAA SPECT differ in {' and '.join(differing)}"
    if not confirmed:
        raise ConfirmationRequired(
            f"{text}: they may show different patients. If they show one patient, confirm it "
            "(--confirm-same-patient) and run again."
        )
    return (f"{text}; that they show one patient was confirmed by the user.",)
