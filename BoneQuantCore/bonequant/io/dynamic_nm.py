"""Dynamic SPECT: several reconstructions over time, in one NM file (phases, rotations, time slices) or one file each.

Frame durations and pauses come from PhaseInformationSequence or RotationInformationSequence (DICOM PS3.3 C.8.4.8,
C.8.4.14), where views count per detector. Time slots are gates of a heart beat by the standard: as a time series they
are taken only with times_s from the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from bonequant.errors import GeometryError, InputError, MissingFactError
from bonequant.io.dicom_header import integer, items, number, read_header, tag
from bonequant.io.dicom_nm import (
    TIME_AXES,
    choose_window,
    frame_indices,
    nm_stack,
    require_reconstruction,
    stack_of_frames,
)
from bonequant.io.dicom_stack import Stack
from bonequant.io.dicom_times import moment
from bonequant.io.dicom_values import value_maps
from bonequant.io.dynamic_times import check_times, gaps, refuse_disorder
from bonequant.io.overrides import Overrides
from bonequant.io.series import SeriesInfo

_GATES = ("RRIntervalVector", "TimeSlotVector")


@dataclass(frozen=True)
class NmFrames:
    """One stack per frame, in order of time."""

    stacks: list[Stack]
    headers: list[Dataset]
    times_s: np.ndarray
    durations_s: np.ndarray | None
    source: str
    warnings: tuple[str, ...] = ()


def nm_frames(members: Sequence[SeriesInfo], overrides: Overrides, given: object, label: str) -> NmFrames:
    """Raises InputError for projections and planar images, MissingFactError (times_s) where the file has no times."""
    headers = []
    for member in members:
        header = read_header(member.files[0])
        if header is None or "Rows" not in header:
            raise InputError(f"{member.files[0]} is truncated or damaged.")
        headers.append(header)
    if len(headers) == 1:
        return _one_file(members[0].files[0], headers[0], overrides, given, label)
    return _file_per_frame([member.files[0] for member in members], headers, overrides, given, label)


def time_frames(header: Dataset) -> int:
    """How many frames over time an NM header announces: 1 for a static reconstruction."""
    count = integer(header, "NumberOfFrames") or 1
    try:
        index = frame_indices(header, count, "", [])
    except InputError:
        return 1
    return len(_frames_over_time(index, np.arange(count))[0])


def _one_file(path: Path, header: Dataset, overrides: Overrides, given: object, label: str) -> NmFrames:
    require_reconstruction(header, overrides, label)
    warnings: list[str] = []
    count = integer(header, "NumberOfFrames") or 1
    index = frame_indices(header, count, label, warnings)
    chosen = choose_window(header, index, count, overrides, label)
    frames, axes = _frames_over_time(index, chosen)
    if len(frames) == 1:
        raise InputError(f"{label} is one static reconstruction, no dynamic series; read it with load().")
    maps = value_maps(header, "NM")
    stacks = [stack_of_frames(path, header, [one], index, maps, overrides, label, warnings) for one in frames]
    starts, durations, source = _protocol_times(header, index, [int(one[0]) for one in frames], axes)
    if given is not None:
        times, source = check_times(given, len(frames), label), "given by the caller"
    elif starts is None or durations is None:
        raise MissingFactError(
            f"{label}: {len(frames)} frames along {', '.join(axes)}, and neither {tag('PhaseInformationSequence')} nor "
            f"{tag('RotationInformationSequence')} says how long each took. Give times_s, {len(frames)} numbers in "
            "seconds.",
            fact="times_s",
        )
    else:
        times = starts + durations / 2
        refuse_disorder(times, label)
        warnings += gaps(times)
    return NmFrames(stacks, [header], times, durations, source, tuple(dict.fromkeys(warnings)))


def _file_per_frame(
    paths: Sequence[Path], headers: Sequence[Dataset], overrides: Overrides, given: object, label: str
) -> NmFrames:
    moments = [moment(header, "Acquisition") for header in headers]
    known = [when for when in moments if when is not None]
    if len(set(known)) == len(headers):
        order = sorted(range(len(headers)), key=lambda k: known[k])
        start = min(known)
        starts = np.array([(known[k] - start).total_seconds() for k in order])
    elif given is not None:
        order, starts = list(range(len(headers))), None
    else:
        raise MissingFactError(
            f"{label}: {len(headers)} files, but {tag('AcquisitionTime')} is absent or the same in several. Give "
            f"times_s, {len(headers)} numbers in seconds for the files in order of series number and name.",
            fact="times_s",
        )
    stacks = [nm_stack(paths[k], headers[k], value_maps(headers[k], "NM"), overrides, label) for k in order]
    spans = [_rotation_s(headers[k], 0) for k in order]
    durations = None if None in spans else np.array(spans, dtype=float)
    warnings = [remark for stack in stacks for remark in stack.warnings]
    if given is not None:
        times, source = check_times(given, len(stacks), label), "given by the caller"
    else:
        assert starts is not None
        times, source = starts if durations is None else starts + durations / 2, tag("AcquisitionTime")
        refuse_disorder(times, label)
        warnings += gaps(times)
        if durations is None:
            warnings.append("frame durations are unknown: frame times are starts, counted from the first")
    for k, stack in enumerate(stacks):
        if stack.geometry != stacks[0].geometry:
            raise GeometryError(f"{label}: frame {k + 1} lies on another grid than frame 1; resample it first.")
    return NmFrames(stacks, [headers[k] for k in order], times, durations, source, tuple(dict.fromkeys(warnings)))


def _frames_over_time(index: dict[str, np.ndarray], chosen: np.ndarray) -> tuple[list[np.ndarray], list[str]]:
    """The file's frames of each point in time, and the axes that run over time, the slowest first."""
    axes = [axis for axis in (*TIME_AXES, *_GATES) if axis in index and np.unique(index[axis][chosen]).size > 1]
    if not axes:
        return [chosen], []
    keys = np.stack([index[axis][chosen] for axis in axes], axis=1)
    return [chosen[np.all(keys == kind, axis=1)] for kind in np.unique(keys, axis=0)], axes


def _protocol_times(
    header: Dataset, index: dict[str, np.ndarray], firsts: Sequence[int], axes: Sequence[str]
) -> tuple[np.ndarray | None, np.ndarray | None, str]:
    """Starts and durations of the frames whose first file frames are ``firsts``."""
    if any(axis in _GATES for axis in axes):
        return None, None, ""
    phases = items(header, "PhaseInformationSequence")
    starts, durations, clock, last = [], [], 0.0, -1
    for first in firsts:
        phase = int(index["PhaseVector"][first]) if "PhaseVector" in index else 0
        rotation = int(index["RotationVector"][first]) if "RotationVector" in index else 0
        item = phases[phase] if phase < len(phases) else None
        frame_ms = number(item, "ActualFrameDuration")
        duration = frame_ms / 1000 if frame_ms else _rotation_s(header, rotation if rotation else phase)
        if duration is None:
            return None, None, ""
        if phase != last:
            clock += (number(item, "PhaseDelay") or 0.0) / 1000
            last = phase
        starts.append(clock)
        durations.append(duration)
        clock += duration + (number(item, "PauseBetweenFrames") or 0.0) / 1000
    source = "PhaseInformationSequence" if phases else "RotationInformationSequence"
    return np.array(starts) - starts[0], np.array(durations), tag(source)


def _rotation_s(header: Dataset, rotation: int) -> float | None:
    """Duration of one rotation: views per detector times the time of one; the last known item serves for more."""
    rotations = items(header, "RotationInformationSequence")
    item = rotations[min(rotation, len(rotations) - 1)] if rotations else header
    views = integer(item, "NumberOfFramesInRotation")
    frame_ms = number(item, "ActualFrameDuration") or number(header, "ActualFrameDuration")
    return None if not views or not frame_ms else views * frame_ms / 1000
