"""What a protocol item asks about, found in an Acquisition: its fields, its protocol record, what follows from both.

A key is looked up among the derived facts below, then the Acquisition's fields, then ``acquisition.protocol`` (the keys
of ``bonequant.io.dicom_protocol``). None is "unknown": a fact that nobody wrote down is neither met nor missed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from bonequant.errors import InputError
from bonequant.radionuclides import radionuclide
from bonequant.volume import Acquisition

_FIELDS = frozenset(field.name for field in dataclasses.fields(Acquisition)) - {"protocol", "typed"}


def find_fact(acquisition: Acquisition, key: str) -> tuple[Any, str]:
    """The value of ``key`` and where it comes from: "file", "typed", "derived" (from the file) or "" where unknown."""
    if key in _DERIVED:
        derive, inputs = _DERIVED[key]
        value = derive(acquisition)
        origin = "typed" if set(inputs) & set(acquisition.typed) else "derived"
    elif key in _FIELDS:
        value = getattr(acquisition, key)
        origin = "typed" if key in acquisition.typed else "file"
    else:
        value, origin = acquisition.protocol.get(key), "file"
    if value is None or value == "" or value == ():
        return None, ""
    return value, origin


def _radionuclide(acquisition: Acquisition) -> str | None:
    if not acquisition.radionuclide:
        return None
    try:
        return radionuclide(acquisition.radionuclide).name
    except InputError:
        return acquisition.radionuclide


def _activity_mbq(acquisition: Acquisition) -> float | None:
    activity = acquisition.injected_activity_bq
    return None if activity is None else activity / 1e6


def _activity_mbq_per_kg(acquisition: Acquisition) -> float | None:
    activity, weight = acquisition.injected_activity_bq, acquisition.patient_weight_kg
    return activity / 1e6 / weight if activity is not None and weight else None


def _uptake_time_min(acquisition: Acquisition) -> float | None:
    start, injection = acquisition.acquisition_start, acquisition.injection_time
    if start is None or injection is None or (start.tzinfo is None) != (injection.tzinfo is None):
        return None
    return (start - injection).total_seconds() / 60


def _corrected(code: str, method: str) -> Callable[[Acquisition], bool | None]:
    """Was correction ``code`` of CorrectedImage (0028,0051) done? A stated method answers where the list is silent."""

    def derive(acquisition: Acquisition) -> bool | None:
        if code in {one.upper() for one in acquisition.corrections}:
            return True
        stated = str(acquisition.protocol.get(method, "")).strip().upper()
        if stated:
            return stated not in ("NONE", "NO")
        return False if acquisition.corrections else None

    return derive


def _photopeak(acquisition: Acquisition) -> tuple[float, float] | None:
    """The energy window around the radionuclide's photon; without one the widest, as scatter windows are narrower."""
    windows = acquisition.protocol.get("energy_windows_kev") or ()
    photon = _photon_kev(acquisition)
    around = [window for window in windows if photon is not None and window[0] <= photon <= window[1]]
    return max(around or windows, key=lambda window: window[1] - window[0], default=None)


def _photon_kev(acquisition: Acquisition) -> float | None:
    try:
        return radionuclide(acquisition.radionuclide or "").photon_kev
    except InputError:
        return None


def _window_centre_kev(acquisition: Acquisition) -> float | None:
    window = _photopeak(acquisition)
    return None if window is None else (window[0] + window[1]) / 2


def _window_width_percent(acquisition: Acquisition) -> float | None:
    window = _photopeak(acquisition)
    return None if window is None else 200 * (window[1] - window[0]) / (window[1] + window[0])


# key: (function, the Acquisition's fields that go in)
_DERIVED: dict[str, tuple[Callable[[Acquisition], Any], tuple[str, ...]]] = {
    "radionuclide": (_radionuclide, ("radionuclide",)),
    "activity_mbq": (_activity_mbq, ("injected_activity_bq",)),
    "activity_mbq_per_kg": (_activity_mbq_per_kg, ("injected_activity_bq", "patient_weight_kg")),
    "uptake_time_min": (_uptake_time_min, ("injection_time", "acquisition_start")),
    "attenuation_corrected": (_corrected("ATTN", "attenuation_correction"), ("corrections",)),
    "scatter_corrected": (_corrected("SCAT", "scatter_correction"), ("corrections",)),
    "energy_window_centre_kev": (_window_centre_kev, ()),
    "energy_window_width_percent": (_window_width_percent, ()),
}
