"""How two DCE studies were made, and what differs: perfusion changes with the protocol too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bonequant.studies.dce_perfusion import DceResult
from bonequant.studies.treatment_response.inputs import DateInputs

_FRAME_CHANGE = 0.1  # of the interval between frames
_SCAN_CHANGE = 0.2  # of the length of the scan


def contrast_agent(result: DceResult) -> str | None:
    """As the file has it; None where it does not."""
    found = result.series.acquisition.protocol.get("contrast_agent")
    return str(found).strip() or None if found else None


def protocol_text(result: DceResult) -> str:
    """Sequence in one line, to be compared as text."""
    protocol, facts = result.series.acquisition.protocol, result.facts
    spacing = result.series.geometry.spacing
    parts = [
        f"TR {facts.tr_ms:g} ms" if facts.tr_ms is not None else "",
        f"TE {protocol['echo_time_ms']:g} ms" if protocol.get("echo_time_ms") is not None else "",
        f"flip angle {facts.flip_angle_deg:g} degrees" if facts.flip_angle_deg is not None else "",
        f"{protocol['field_strength_t']:g} T" if protocol.get("field_strength_t") is not None else "",
        f"voxels {' x '.join(f'{edge:.3g}' for edge in spacing)} mm",
    ]
    return ", ".join(part for part in parts if part)


def differences(dates: Sequence[DateInputs], results: Sequence[DceResult | None]) -> tuple[str, ...]:
    """Warnings about timing, scanner, T1 and input that differ between the first DCE study and the later ones."""
    pairs = [(one, result) for one, result in zip(dates, results, strict=True) if result is not None]
    found = []
    for one, result in pairs[1:]:
        first, before = pairs[0]
        label = f"{first.name} and {one.name}"
        intervals = [float(np.median(np.diff(r.series.times_s))) for r in (before, result)]
        if abs(intervals[1] / intervals[0] - 1.0) > _FRAME_CHANGE:
            found.append(f"{label} differ in the time between frames: {intervals[0]:.3g} and {intervals[1]:.3g} s.")
        lengths = [float(np.ptp(r.series.times_s)) for r in (before, result)]
        if abs(lengths[1] / lengths[0] - 1.0) > _SCAN_CHANGE:
            found.append(f"{label} differ in the length of the scan: {lengths[0]:.0f} and {lengths[1]:.0f} s.")
        for what in ("manufacturer", "scanner"):
            names = [getattr(r.series.acquisition, what) for r in (before, result)]
            if None not in names and names[0] != names[1]:
                found.append(f"{label} differ in {what}: {names[0]} and {names[1]}.")
        for what, values in (
            ("T1 before contrast", [r.facts.t1_source.split(" from ")[0] for r in (before, result)]),
            ("the arterial input", [r.artery.method if r.artery else "" for r in (before, result)]),
        ):
            if values[0] != values[1] and all(values):
                found.append(f"{label} differ in the source of {what}: {values[0]}; {values[1]}.")
    return tuple(found)
