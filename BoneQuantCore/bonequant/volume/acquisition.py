"""The facts of an acquisition that quantification and the protocol record need, apart from the voxels.

A fact that the file does not hold is None, never a guess. Facts typed by the user are listed in ``typed``,
so that the report can say which numbers came from a keyboard.
"""

from __future__ import annotations

import dataclasses
import functools
import numbers
import typing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bonequant.errors import SettingsError

# Facts that tell whose images these are: messages and reports name them without their values.
IDENTIFYING = ("patient_id", "patient_name", "study_uid", "series_uid", "frame_of_reference_uid")


@dataclass(frozen=True)
class Acquisition:
    """Facts about one series. Units are in the names; times are local date-times as DICOM holds them."""

    # Who and which. Identifiers never leave the program unless the user asks for it.
    patient_id: str | None = None
    patient_name: str | None = None
    patient_sex: str | None = None
    patient_weight_kg: float | None = None
    patient_height_m: float | None = None
    patient_age_years: float | None = None
    study_uid: str | None = None
    series_uid: str | None = None
    frame_of_reference_uid: str | None = None
    study_description: str | None = None
    series_description: str | None = None
    manufacturer: str | None = None
    scanner: str | None = None
    software: str | None = None

    # When.
    study_datetime: datetime | None = None
    series_datetime: datetime | None = None
    acquisition_start: datetime | None = None
    frame_duration_s: float | None = None  # one projection (NM) or one bed position (PT)
    acquisition_duration_s: float | None = None  # whole acquisition, wall clock

    # What was injected. Activities are as measured at their own times.
    radionuclide: str | None = None  # e.g. "99mTc"
    half_life_s: float | None = None
    radiopharmaceutical: str | None = None
    injected_activity_bq: float | None = None  # before injection, at pre_injection_time or injection_time
    injection_time: datetime | None = None
    pre_injection_time: datetime | None = None
    residual_activity_bq: float | None = None
    residual_time: datetime | None = None

    # How the numbers came to be.
    decay_correction: str | None = None  # "START", "ADMIN" or "NONE"
    corrections: tuple[str, ...] = ()  # DICOM CorrectedImage codes: ATTN, SCAT, DECY ...
    number_of_projections: int | None = None
    number_of_detectors: int | None = None
    counts_kind: str | None = None  # free text of the file, e.g. Units (0054,1001)
    calibration_factor_cps_per_mbq: float | None = None

    # Protocol: whatever the standard protocol file asks about (collimator, energy window, kVp, matrix ...).
    protocol: dict[str, Any] = field(default_factory=dict, hash=False)

    # Names of the facts that the user typed.
    typed: tuple[str, ...] = ()

    def with_typed(self, **facts: Any) -> Acquisition:
        """Return a copy in which the user's facts replace the file's; None leaves the file's.

        Date-times may be written out, "2026-01-31T08:30". Raises SettingsError for a name that is no fact and for a
        value of another type than the fact's.
        """
        known = {f.name for f in dataclasses.fields(self)} - {"typed", "protocol"}
        unknown = sorted(set(facts) - known)
        if unknown:
            raise SettingsError(f"No such acquisition fact: {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")
        given = {name: as_declared(name, value) for name, value in facts.items() if value is not None}
        typed = tuple(sorted({*self.typed, *given}))
        return dataclasses.replace(self, **given, typed=typed)


def as_declared(name: str, value: Any) -> Any:
    """``value`` as the type that the fact ``name`` has, where that loses nothing. Raises SettingsError otherwise."""
    declared = _declared(name)
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if declared is float and number:
        return float(value)
    if declared is int and number and float(value).is_integer():
        return int(value)
    if declared is datetime:
        return _moment(name, value)
    if declared is tuple and isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        return tuple(value)
    if declared is dict and isinstance(value, dict):
        return {key: _tuples(part) for key, part in value.items()}
    if declared is str and isinstance(value, str):
        return value
    what = {float: "a number", int: "a whole number", str: "text", tuple: "a list of texts"}.get(declared, "an object")
    raise SettingsError(f"{name} must be {what}, not {value!r}.")


@functools.cache
def _declared(name: str) -> type:
    """The type of a fact without its "or None"; tuple and dict without what they hold."""
    hint = typing.get_type_hints(Acquisition)[name]
    kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
    return typing.get_origin(hint) if typing.get_origin(hint) in (tuple, dict) else kinds[0]


def _moment(name: str, value: Any) -> datetime:
    try:
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{name} must be a date-time such as 2026-01-31T08:30:00, not {value!r}.") from error


def _tuples(value: Any) -> Any:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value
