"""``load_dynamic``: one path, one DynamicSeries, whatever the format, with frame times that are explicit and checked.

series = bonequant.io.load_dynamic("DCE/", times_s=None)      # warnings say where the times came from
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from bonequant.errors import InputError
from bonequant.io.dicom_facts import acquisition_of
from bonequant.io.dicom_header import reader
from bonequant.io.dicom_stack import Stack, arrange, directions
from bonequant.io.dicom_values import choose_unit
from bonequant.io.dicom_volume import slice_values
from bonequant.io.dynamic_choice import choose_dynamic
from bonequant.io.dynamic_image_file import read_dynamic_file
from bonequant.io.dynamic_nm import nm_frames
from bonequant.io.dynamic_phases import split_phases
from bonequant.io.dynamic_planes import classic_planes, multi_frame_planes
from bonequant.io.dynamic_times import check_times, frame_times
from bonequant.io.overrides import Overrides
from bonequant.io.series import SeriesInfo
from bonequant.io.sorting import scan
from bonequant.progress import Progress, no_progress, part_of
from bonequant.provenance import hash_files
from bonequant.volume import DynamicSeries


@dataclass(frozen=True)
class FramePlan:
    """One stack per frame, all on one grid, with the times; pixels not yet read."""

    stacks: list[Stack]
    headers: list[Dataset]
    times_s: np.ndarray
    durations_s: np.ndarray | None
    protocol: dict[str, Any]
    warnings: tuple[str, ...]


@reader
def load_dynamic(
    path: str | os.PathLike[str],
    *,
    times_s: Sequence[float] | np.ndarray | None = None,
    series: str | int | Sequence[str | int] | None = None,
    progress: Progress | None = None,
    **overrides: Any,
) -> DynamicSeries:
    """Read frames over time: MR, CT, PET and NM in DICOM, 4-D NRRD (Slicer sequences), NIfTI and MetaImage.

    Args:
        path: a file, or a folder (searched with its subfolders) that holds one dynamic series in one or several series.
        times_s: frame times in seconds in place of the file's, one per frame in the order of time.
        series: which one, where a folder holds several: SeriesInstanceUID or its end, number, description, file name;
            a list of them joins several series into one.
        progress: called with the fraction read; may raise Cancelled.
        overrides: as for :func:`bonequant.io.load`.

    Returns:
        DynamicSeries, float32. ``times_s``: NM and PT the middle of each frame from the start of the first; MR and CT
        the first frame at 0. ``acquisition.protocol`` has, beside the keys of ``bonequant.io.dicom_protocol``,
        ``frame_times_from`` (the attribute), ``phases_told_by`` and, where the slices of a frame have times of their
        own, ``slice_time_offsets_s``. ``warnings`` name gaps, doubtful times and what was left aside.

    Raises:
        MissingFactError: nothing says the frame times (``fact`` is "times_s").
        AmbiguousInputError: several dynamic series would fit; the message lists them.
        GeometryError: slices missing in a frame (named), frames on different grids, impossible geometry.
        InputError: no dynamic series, repeated or decreasing times, a protocol that changes between frames, damage.
    """
    source = Path(path)
    chosen = Overrides.of(overrides)
    members, remark = choose_dynamic(scan(source, part_of(progress, 0.0, 0.15)), series, source)
    if members[0].kind == "image file":
        found = read_dynamic_file(members[0].files[0], chosen, times_s, part_of(progress, 0.15, 1.0))
        return found.replace(warnings=(*remark, *found.warnings))
    modality = chosen.modality or members[0].modality
    label = f"{source} ({members[0].label if len(members) == 1 else f'{len(members)} series'})"
    plan = plan_frames(members, modality, chosen, times_s, label, part_of(progress, 0.15, 0.3))
    maps = plan.stacks[0].slices[0][0].maps
    unit = choose_unit(maps, chosen.unit)
    acquisition, facts_remarks = acquisition_of(plan.headers, modality, dynamic=True)
    acquisition.protocol.update(plan.protocol)
    frames, pixel_remarks = _read_frames(plan.stacks, unit, part_of(progress, 0.3, 1.0))
    given = chosen.unit if chosen.unit is not None else unit
    if given != unit:
        pixel_remarks.append(f"the file says {unit or 'no unit'}; the unit {given} was given by the caller")
    return DynamicSeries(
        frames=frames,
        times_s=plan.times_s,
        geometry=plan.stacks[0].geometry,
        modality=modality,
        unit=given,
        acquisition=chosen.apply_facts(acquisition),
        durations_s=plan.durations_s,
        name=" ".join(filter(None, (modality, members[0].description))),
        source=str(source),
        sha256=hash_files([file for member in members for file in member.files]),
        warnings=(*remark, *plan.warnings, *facts_remarks, *pixel_remarks),
    )


def plan_frames(
    members: Sequence[SeriesInfo],
    modality: str,
    overrides: Overrides,
    given: Any,
    label: str,
    report: Progress = no_progress,
) -> FramePlan:
    """The stacks and times of a dynamic series, from headers alone. Raises as :func:`load_dynamic`."""
    if members[0].kind == "nuclear medicine":
        nm = nm_frames(members, overrides, given, label)
        protocol: dict[str, Any] = {"frame_times_from": nm.source}
        return FramePlan(nm.stacks, nm.headers, nm.times_s, nm.durations_s, protocol, nm.warnings)
    read = classic_planes if members[0].kind == "slices" else multi_frame_planes
    found = read(members, modality, overrides, label, report)
    orientation = overrides.image_orientation_patient or found.form.orientation
    phases, told_by = split_phases(found.planes, directions(orientation, label)[2], label)
    times = None if given is None else check_times(given, len(phases), label)
    timing = frame_times(found.planes, phases, modality, times, found.interval_s, label)
    ordered = [[found.planes[k].plane for k in phases[phase]] for phase in timing.order]
    first = arrange(ordered[0], found.form, overrides, label)
    # All phases were found on the positions of the first, slices along the normal: arranging one arranges them all.
    stacks = [first, *(Stack(first.geometry, tuple((plane,) for plane in planes)) for planes in ordered[1:])]
    protocol = {"frame_times_from": timing.source, "phases_told_by": told_by}
    if timing.slice_offsets_s:
        protocol["slice_time_offsets_s"] = timing.slice_offsets_s
    warnings = (*first.warnings, *found.warnings, *timing.warnings)
    return FramePlan(stacks, found.headers, timing.times_s, timing.durations_s, protocol, warnings)


def _read_frames(stacks: Sequence[Stack], unit: str, report: Progress) -> tuple[np.ndarray, list[str]]:
    """One float32 array (T, Z, Y, X), filled slice by slice."""
    geometry = stacks[0].geometry
    frames = np.empty((len(stacks), *geometry.shape), np.float32)
    slices = [planes for stack in stacks for planes in stack.slices]
    remarks: dict[str, None] = {}
    flat = frames.reshape(-1, *geometry.shape[1:])
    for place, values in enumerate(slice_values(slices, geometry.shape[1:], unit, remarks)):
        if place % geometry.size[2] == 0 or place % 16 == 0:
            frame = place // geometry.size[2] + 1
            report(place / len(slices), f"Reading frame {frame} of {len(stacks)}")
        flat[place] = values
    bad = sum(int(frame.size - np.count_nonzero(np.isfinite(frame))) for frame in frames)
    if bad:
        raise InputError(f"{bad} values of the series are NaN or infinite; the files are damaged. Export them again.")
    report(1.0, f"Read {len(stacks)} frames of {geometry.shape}")
    return frames, list(remarks)
