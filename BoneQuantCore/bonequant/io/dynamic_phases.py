"""Planes of a dynamic series sorted into phases, in each of which every slice position occurs exactly once.

Vendors number phases in many ways, and some in none, so every attribute that could tell them apart is tried in a fixed
order and taken only if it gives whole phases: first those that are equal within a phase (temporal position, trigger or
acquisition time, series, acquisition number, content time), then, for slices that each have their own time, the order
of times at every position. GE series whose AcquisitionNumber is one for two phases, and Philips series whose
AcquisitionTime is that of the whole series, fall through to the attribute that does tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bonequant.errors import GeometryError, InputError
from bonequant.io.dicom_header import tag
from bonequant.io.dicom_stack import POSITION_TOLERANCE_MM, Plane

NUMBERS = ("TemporalPositionIndex", "TemporalPositionIdentifier")
TIMES = (
    "FrameReferenceDateTime",
    "FrameAcquisitionDateTime",
    "TemporalPositionTimeOffset",
    "TriggerTime",
    "AcquisitionTime",
    "FrameReferenceTime",
)
IMAGE_TIMES = ("ContentTime",)  # when the image was made, not when it was taken
_EQUAL_WITHIN_PHASE = (*NUMBERS, *TIMES, "SeriesInstanceUID", "AcquisitionNumber", *IMAGE_TIMES)
_ORDER_AT_POSITION = (*TIMES, *IMAGE_TIMES, "InstanceNumber")


@dataclass(frozen=True)
class TimedPlane:
    """A plane, and whatever could tell its phase or time.

    ``keys``: attribute keyword -> number; times in seconds from any origin that all planes share.
    ``duration_s``: of the frame that the plane belongs to, None where the file does not say.
    """

    plane: Plane
    keys: Mapping[str, float] = field(default_factory=dict)
    duration_s: float | None = None


def split_phases(planes: Sequence[TimedPlane], normal: np.ndarray, label: str) -> tuple[np.ndarray, str]:
    """Indices into ``planes``, shape (phases, slices) with slices along ``normal``, and the keyword that told them.

    Raises GeometryError for planes without position, for slices that are missing (naming them and their phase), and
    InputError where nothing tells the phases apart or there is one phase only.
    """
    lacking = sum(timed.plane.position is None for timed in planes)
    if lacking:
        raise GeometryError(
            f"{label}: {lacking} of {len(planes)} slices have no {tag('ImagePositionPatient')}; phases cannot be told "
            "apart without it. Export the series again."
        )
    positions = np.array([timed.plane.position for timed in planes], dtype=float)
    place, heights = _places(positions @ normal)
    counts = np.bincount(place)
    if counts.max() == 1:
        raise InputError(f"{label} is one volume of {len(counts)} slices, no dynamic series; read it with load().")
    found = _by_label(planes, place, len(heights))
    if found is None and np.all(counts == counts[0]):
        found = _by_order(planes, place, len(heights))
    if found is None:
        _explain(planes, place, heights, label)
    assert found is not None
    phases, keyword = found
    _refuse_movement(positions[phases], label)
    return phases, keyword


def key_values(planes: Sequence[TimedPlane], keyword: str) -> np.ndarray:
    """The keys of all planes (N,), NaN where one lacks it."""
    return np.array([timed.keys.get(keyword, np.nan) for timed in planes], dtype=float)


def _places(along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each plane the number of its slice position, and the height of every position in mm."""
    order = np.argsort(along, kind="stable")
    starts = np.concatenate([[True], np.diff(along[order]) > POSITION_TOLERANCE_MM])
    place = np.empty(along.size, dtype=int)
    place[order] = np.cumsum(starts) - 1
    return place, along[order][starts]


def _labels(planes: Sequence[TimedPlane], keyword: str) -> np.ndarray | None:
    values = key_values(planes, keyword)
    if not np.all(np.isfinite(values)):
        return None
    return np.unique(values, return_inverse=True)[1].reshape(-1)


def _by_label(planes: Sequence[TimedPlane], place: np.ndarray, slices: int) -> tuple[np.ndarray, str] | None:
    for keyword in _EQUAL_WITHIN_PHASE:
        labels = _labels(planes, keyword)
        if labels is None:
            continue
        phases = int(labels.max()) + 1
        if phases < 2 or phases * slices != len(planes):
            continue
        cell = labels * slices + place
        if np.all(np.bincount(cell, minlength=phases * slices) == 1):
            return np.argsort(cell).reshape(phases, slices), keyword
    return None


def _by_order(planes: Sequence[TimedPlane], place: np.ndarray, slices: int) -> tuple[np.ndarray, str] | None:
    """The k-th plane of every position is phase k: for slices that each carry their own time."""
    for keyword in _ORDER_AT_POSITION:
        values = key_values(planes, keyword)
        if not np.all(np.isfinite(values)):
            continue
        order = np.lexsort((values, place)).reshape(slices, -1)
        if np.all(np.diff(values[order], axis=1) > 0):
            return order.T, keyword
    return None


def _refuse_movement(positions: np.ndarray, label: str) -> None:
    """``positions`` (phases, slices, 3). Raise GeometryError where a phase lies elsewhere than the first."""
    away = np.linalg.norm(positions - positions[0], axis=2).max(axis=1)
    worst = int(np.argmax(away))
    if away[worst] > POSITION_TOLERANCE_MM:
        raise GeometryError(
            f"{label}: frame {worst + 1} lies {away[worst]:.2f} mm away from frame 1; all frames must lie on one grid. "
            "Read the frames as volumes and resample them, or leave that series out."
        )


def _explain(planes: Sequence[TimedPlane], place: np.ndarray, heights: np.ndarray, label: str) -> None:
    """Raise the error that says which slices of which phase are missing or doubled."""
    slices = len(heights)
    best: tuple[int, str, np.ndarray] | None = None
    for keyword in _EQUAL_WITHIN_PHASE:
        labels = _labels(planes, keyword)
        if labels is None or labels.max() == 0:
            continue
        table = np.bincount(labels * slices + place, minlength=(labels.max() + 1) * slices).reshape(-1, slices)
        missing = int((table == 0).sum())
        if table.max() == 1 and missing < table.size // 2 and (best is None or missing < best[0]):
            best = missing, keyword, table
    if best is not None:
        missing, keyword, table = best
        where = [
            f"frame {phase + 1} of {len(table)} lacks {_heights(heights[row == 0])}"
            for phase, row in enumerate(table)
            if (row == 0).any()
        ]
        raise GeometryError(
            f"{label}: {missing} slice{'s are' if missing > 1 else ' is'} missing by {tag(keyword)}: "
            f"{'; '.join(where[:6])}{' ...' if len(where) > 6 else ''}. Find the missing files, or leave those frames "
            "out of the folder."
        )
    counts = np.bincount(place)
    usual = int(np.median(counts))
    odd = counts != usual
    if odd.any():
        listed = ", ".join(f"{counts[i]} times at {heights[i]:.2f} mm" for i in np.flatnonzero(odd)[:6])
        raise GeometryError(
            f"{label}: slices occur {usual} times at most positions, but {listed} along the normal: slices are "
            "missing, or two series are mixed. Find the missing files, or take the others away."
        )
    raise InputError(
        f"{label}: {usual} phases x {slices} slices, and no time, temporal position or instance number tells the "
        "phases apart. Export the series again, or put each phase into a series of its own."
    )


def _heights(heights: np.ndarray) -> str:
    shown = ", ".join(f"{height:.2f}" for height in heights[:6])
    return f"{heights.size} slice{'s' * (heights.size > 1)} at {shown}{' ...' if heights.size > 6 else ''} mm"
