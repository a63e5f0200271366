"""Standardised uptake values: SUV = C * mass / A_ref, with every intermediate kept for the report.

A_ref by DecayCorrection (DICOM PS3.3 C.8.9.1): START, the net activity decayed to the start of the acquisition; ADMIN,
the net activity itself; NONE, as START after each voxel was brought from the frame's mean to the frame's start.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from bonequant.errors import InputError, MissingFactError
from bonequant.spect.body_size import JAMES_HIGHEST_BMI, body_mass_index, body_surface_m2, lean_body_mass_kg
from bonequant.spect.decay import decay_factor, frame_factor, net_activity_bq, scan_duration_s, seconds_between
from bonequant.spect.facts import missing, need
from bonequant.spect.half_life import half_life_of
from bonequant.volume import Acquisition, Volume

Normalisation = Literal["bw", "lbm", "bsa"]
LbmFormula = Literal["janmahasatian", "james"]
_UNIT = {"bw": "SUVbw", "lbm": "SUVlbm", "bsa": "SUVbsa"}
_LONG_AGO = 10  # half-lives; more between injection and scan is more often a wrong date than a late scan
_PLAUSIBLE_BMI = (10.0, 70.0)  # kg/m2; outside, weight and height hardly belong to one person


@dataclass(frozen=True)
class SuvFactors:
    """Every number between Bq/mL and SUV, in the order in which they are used.

    Attributes:
        unit: "SUVbw" or "SUVlbm" (g/mL), "SUVbsa" (cm2/mL).
        half_life_s, half_life_source: "file", "typed" or the table's source.
        net_activity_bq: in the patient at injection, residual subtracted.
        elapsed_s: injection to start of acquisition; None where ADMIN did not need it and it is unknown.
        decay_factor: reference activity over net activity, 2^(-elapsed/T), 1 for ADMIN.
        reference_activity_bq: what the concentration is divided by.
        frame_duration_s: wall clock of the scan where the frame factor needed it.
        frame_factor: lambda dt / (1 - exp(-lambda dt)) for NONE, otherwise 1.
        body_measure: g (body weight, lean mass) or cm2 (surface).
        scale: SUV per Bq/mL.
        typed: facts that the user gave.
    """

    normalisation: str
    formula: str
    unit: str
    decay_correction: str
    half_life_s: float
    half_life_source: str
    net_activity_bq: float
    elapsed_s: float | None
    decay_factor: float
    reference_activity_bq: float
    frame_duration_s: float | None
    frame_factor: float
    body_measure: float
    body_measure_unit: str
    scale: float
    typed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def to_suv(
    volume: Volume, *, normalisation: Normalisation = "bw", formula: LbmFormula = "janmahasatian", **overrides: Any
) -> Volume:
    """``volume`` in Bq/mL as SUV, unit "SUVbw", "SUVlbm" or "SUVbsa".

    ``overrides`` are acquisition facts (``patient_weight_kg=80``, ``decay_correction="START"`` ...) that replace the
    file's; they are listed in the result's ``acquisition.typed``. ``formula`` is the lean body mass formula.

    Raises InputError for a volume not in Bq/mL and for impossible facts, MissingFactError naming an absent fact.
    """
    label = volume.source or volume.name or "The volume"
    if not volume.unit:
        text = f"{label} does not say in which unit its voxels are. Give unit=Bq/mL or unit=SUVbw, whichever it is."
        raise MissingFactError(text, "unit")
    if volume.unit != "Bq/mL":
        way = "call to_activity first" if volume.unit == "counts" else "read it again with unit=Bq/mL"
        if volume.unit.startswith("SUV"):
            way = "it is SUV already"
        raise InputError(f"{label} is in {volume.unit}, where Bq/mL is due: {way}.")
    acquisition = volume.acquisition.with_typed(**overrides)
    factors = suv_factors(acquisition, normalisation=normalisation, formula=formula, label=label)
    scaled = volume.with_array(volume.array * factors.scale, unit=factors.unit)
    return dataclasses.replace(scaled, acquisition=acquisition, warnings=volume.warnings + factors.warnings)


def suv_factors(
    acquisition: Acquisition,
    *,
    normalisation: Normalisation = "bw",
    formula: LbmFormula = "janmahasatian",
    label: str = "The acquisition",
) -> SuvFactors:
    """The factors from Bq/mL to SUV. ``label`` names the file in messages. Errors as :func:`to_suv`."""
    if normalisation not in _UNIT:
        raise InputError(f"No SUV normalisation {normalisation!r}; choose {', '.join(_UNIT)}.")
    correction = _decay_correction(acquisition, label)
    half_life_s, half_life_source, warnings = half_life_of(acquisition, label)
    net = net_activity_bq(acquisition, half_life_s, label)
    elapsed = _elapsed_s(acquisition, label, needed=correction != "ADMIN")
    if elapsed is not None and elapsed > _LONG_AGO * half_life_s:
        warnings += (
            f"{label}: {elapsed / half_life_s:.1f} half-lives lie between injection ({acquisition.injection_time}) and "
            f"acquisition ({acquisition.acquisition_start}); check both dates.",
        )
    to_start = 1.0 if correction == "ADMIN" or elapsed is None else decay_factor(elapsed, half_life_s)
    duration = scan_duration_s(acquisition, label) if correction == "NONE" else None
    within = 1.0 if duration is None else frame_factor(duration, half_life_s)
    measure, unit, body_warnings = _body_measure(acquisition, normalisation, formula, label)
    return SuvFactors(
        normalisation=normalisation,
        formula=formula if normalisation == "lbm" else "",
        unit=_UNIT[normalisation],
        decay_correction=correction,
        half_life_s=half_life_s,
        half_life_source=half_life_source,
        net_activity_bq=net,
        elapsed_s=elapsed,
        decay_factor=to_start,
        reference_activity_bq=net * to_start,
        frame_duration_s=duration,
        frame_factor=within,
        body_measure=measure,
        body_measure_unit=unit,
        scale=within * measure / (net * to_start),
        typed=acquisition.typed,
        warnings=warnings + body_warnings,
    )


def _decay_correction(acquisition: Acquisition, label: str) -> str:
    known = "START (corrected to the start of the acquisition), ADMIN (to the injection) or NONE (not corrected)"
    value = (acquisition.decay_correction or "").strip().upper()
    if not value:
        raise missing("decay_correction", label, f"It is {known}.")
    if value not in ("START", "ADMIN", "NONE"):
        raise InputError(f"{label}: decay_correction {acquisition.decay_correction!r} is unknown; give {known}.")
    return value


def _elapsed_s(acquisition: Acquisition, label: str, *, needed: bool) -> float | None:
    """Seconds from injection to the start of the acquisition; None where not needed and unknown."""
    if not needed and (acquisition.injection_time is None or acquisition.acquisition_start is None):
        return None
    injection = need(acquisition, "injection_time", label)
    start = need(acquisition, "acquisition_start", label)
    elapsed = seconds_between(injection, start, label)
    if elapsed < 0:
        midnight = " If the study crossed midnight, the date is wrong." if elapsed > -86400 else ""
        raise InputError(
            f"{label}: the injection ({injection}) is after the start of the acquisition ({start}).{midnight} "
            "Give injection_time or acquisition_start."
        )
    return elapsed


def _body_measure(
    acquisition: Acquisition, normalisation: str, formula: str, label: str
) -> tuple[float, str, tuple[str, ...]]:
    """The patient's measure, its unit, and warnings."""
    weight = float(need(acquisition, "patient_weight_kg", label))
    if normalisation == "bw":
        return 1000 * weight, "g", ()
    height = float(need(acquisition, "patient_height_m", label))
    bmi = body_mass_index(weight, height)
    warnings: tuple[str, ...] = ()
    if not _PLAUSIBLE_BMI[0] <= bmi <= _PLAUSIBLE_BMI[1]:
        warnings += (f"{label}: {weight:g} kg and {height:g} m give a BMI of {bmi:.1f}; check weight and height.",)
    if normalisation == "bsa":
        return 1e4 * body_surface_m2(weight, height), "cm2", warnings
    sex = str(need(acquisition, "patient_sex", label, "M or F; lean body mass depends on it.")).strip().upper()[:1]
    mass = lean_body_mass_kg(weight, height, sex, formula)
    if formula == "james" and bmi > JAMES_HIGHEST_BMI[sex]:
        warnings += (f"{label}: James' formula falls with weight at a BMI of {bmi:.1f}; use janmahasatian.",)
    return 1000 * mass, "g", warnings
