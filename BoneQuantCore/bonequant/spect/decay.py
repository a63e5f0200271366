"""Radioactive decay between the moments of a study: from the syringe to the start and through the frame.

DICOM PS3.3 C.8.9.1 (DecayCorrection START, ADMIN, NONE); QIBA FDG-PET profile (net activity). Times are full
date-times, so a study across midnight needs nothing special.
"""

from __future__ import annotations

import math
from datetime import datetime

from bonequant.errors import InputError
from bonequant.spect.facts import missing, need
from bonequant.volume import Acquisition


def decay_factor(elapsed_s: float, half_life_s: float) -> float:
    """What remains after ``elapsed_s``: 2^(-t/T)."""
    return float(2.0 ** (-elapsed_s / half_life_s))


def frame_factor(duration_s: float, half_life_s: float) -> float:
    """Activity at the start of a frame over its mean in the frame: x / (1 - exp(-x)), x = ln2 dt/T. 1 for dt = 0."""
    x = math.log(2) * duration_s / half_life_s
    return x / -math.expm1(-x) if x > 0 else 1.0


def seconds_between(earlier: datetime, later: datetime, label: str = "The acquisition") -> float:
    """Seconds from ``earlier`` to ``later``. Raises InputError where just one of them knows its time zone."""
    try:
        return (later - earlier).total_seconds()
    except TypeError as error:
        raise InputError(f"{label}: one of {earlier} and {later} has a time zone, the other has none.") from error


def net_activity_bq(acquisition: Acquisition, half_life_s: float, label: str = "The acquisition") -> float:
    """Activity in the patient at injection: A_pre 2^(-(t_inj - t_pre)/T) - A_res 2^(+(t_res - t_inj)/T), in Bq.

    Without pre_injection_time the activity is that at the injection; without residual_activity_bq nothing stays in the
    syringe. Raises MissingFactError for a time that is needed and absent, InputError for zero or negative activity and
    for times in the wrong order.
    """
    activity = float(need(acquisition, "injected_activity_bq", label))
    if acquisition.pre_injection_time is not None:
        injection = need(acquisition, "injection_time", label)
        waited = seconds_between(acquisition.pre_injection_time, injection, label)
        if waited < 0:
            raise InputError(
                f"{label}: the activity was measured at {acquisition.pre_injection_time}, after the injection at "
                f"{injection}. Correct pre_injection_time or injection_time."
            )
        activity *= decay_factor(waited, half_life_s)
    residual = acquisition.residual_activity_bq
    if residual is None or residual == 0:
        return activity
    if not residual > 0:
        raise InputError(f"{label}: residual_activity_bq is {residual:g}; it must not be below zero.")
    if acquisition.residual_time is None:
        raise missing("residual_time", label, "It is when the residual activity was measured.")
    injection = need(acquisition, "injection_time", label)
    waited = seconds_between(injection, acquisition.residual_time, label)
    if waited < 0:
        raise InputError(
            f"{label}: the residual activity was measured at {acquisition.residual_time}, before the injection at "
            f"{injection}. Correct residual_time or injection_time."
        )
    net = activity - residual / decay_factor(waited, half_life_s)
    if net <= 0:
        raise InputError(f"{label}: residual_activity_bq leaves {net:g} Bq in the patient; correct one of the two.")
    return net


def scan_duration_s(acquisition: Acquisition, label: str = "The acquisition") -> float:
    """How long the voxels were counted, wall clock, in s.

    A tomographic scan: acquisition_duration_s, or time per projection x projections (views of one detector, all
    detectors count at once). Without projections (PT bed position): frame_duration_s, or acquisition_duration_s.
    """
    whole, frame = acquisition.acquisition_duration_s, acquisition.frame_duration_s
    views = acquisition.number_of_projections
    if whole is not None and (views is not None or frame is None):
        return float(need(acquisition, "acquisition_duration_s", label))
    frame = float(need(acquisition, "frame_duration_s", label, "Or give acquisition_duration_s, the whole scan."))
    return frame if views is None else frame * float(need(acquisition, "number_of_projections", label))
