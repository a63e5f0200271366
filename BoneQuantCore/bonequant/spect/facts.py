"""How a fact that quantification needs is asked for: its name here, its DICOM keyword and tag, and its sane range.

Tags: DICOM PS3.6. Ranges only catch a wrong unit (grams, centimetres, MBq); they are no clinical limits.
"""

from __future__ import annotations

import math
from typing import Any

from bonequant.errors import InputError, MissingFactError
from bonequant.volume import Acquisition

_DICOM = {
    "patient_weight_kg": "PatientWeight (0010,1030)",
    "patient_height_m": "PatientSize (0010,1020)",
    "patient_sex": "PatientSex (0010,0040)",
    "half_life_s": "RadionuclideHalfLife (0018,1075)",
    "radionuclide": "RadionuclideCodeSequence (0054,0300)",
    "injected_activity_bq": "RadionuclideTotalDose (0018,1074)",
    "injection_time": "RadiopharmaceuticalStartDateTime (0018,1078)",
    "acquisition_start": "AcquisitionDate (0008,0022) and AcquisitionTime (0008,0032)",
    "frame_duration_s": "ActualFrameDuration (0018,1242)",
    "number_of_projections": "NumberOfFramesInRotation (0054,0053)",
    "number_of_detectors": "NumberOfDetectors (0054,0021)",
    "decay_correction": "DecayCorrection (0054,1102)",
}

# name: (lowest, highest, what a value outside most often is)
_RANGES = {
    "patient_weight_kg": (0.3, 400.0, "is it in grams or pounds? Kilograms are due"),
    "patient_height_m": (0.2, 2.6, "is it in centimetres? Metres are due"),
    "injected_activity_bq": (5e4, 1e12, "is it in MBq or mCi? Bq are due"),
}


def missing(fact: str, label: str, hint: str = "") -> MissingFactError:
    """The error for an absent fact: names the fact, its DICOM home and how to give it."""
    home = f" ({_DICOM[fact]})" if fact in _DICOM else ""
    return MissingFactError(f"{label} does not hold {fact}{home}. Give {fact}=... {hint}".rstrip(), fact)


def need(acquisition: Acquisition, fact: str, label: str, hint: str = "") -> Any:
    """The value of ``fact``. Raises MissingFactError where it is None, InputError where it is impossible."""
    value = getattr(acquisition, fact)
    if value is None or value == "":
        raise missing(fact, label, hint)
    if isinstance(value, (int, float)):
        check_positive(fact, value, label)
    if fact in _RANGES:
        low, high, question = _RANGES[fact]
        if not low <= value <= high:
            raise InputError(f"{label}: {fact} is {value:g}, outside {low:g} to {high:g}: {question}. Give {fact}=...")
    return value


def check_positive(fact: str, value: float, label: str) -> None:
    """Raise InputError for zero, a negative or a non-finite number."""
    if not math.isfinite(value) or value <= 0:
        home = f" ({_DICOM[fact]})" if fact in _DICOM else ""
        raise InputError(f"{label}: {fact}{home} is {value:g}; it must be above zero. Give {fact}=...")
