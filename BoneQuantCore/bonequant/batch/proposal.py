"""Propose a manifest from a tree of DICOM: who is who, when, and which series belong together.

Patients are told apart by PatientID and numbered in its order (P001, P002 ...); visits are the dates of their studies.
For each of the job's roles (SPECT, CT ...) the series of that modality, date and frame of reference is proposed; beside
a DCE the volumes of two or more flip angles. What is not clear is left empty and remarked: the proposal is to be read
before it is run. A job that compares dates gets one row per patient. Neither names nor IDs are written, but paths may
hold them: keep the manifest where the data are.
"""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bonequant.batch.jobs import Column, Job, job_named
from bonequant.errors import InputError
from bonequant.io import SeriesInfo, scan
from bonequant.io.dicom_header import number, read_header, text
from bonequant.io.files import written_whole
from bonequant.progress import Progress
from bonequant.spreadsheet import not_a_formula

_DATES = ("AcquisitionDate", "SeriesDate", "StudyDate", "ContentDate", "AcquisitionDateTime")


@dataclass(frozen=True)
class Proposal:
    """``rows`` of the manifest, the number of ``patients``, and ``remarks`` on what was not clear."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    patients: int
    remarks: tuple[str, ...]


def propose(folder: str | Path, job: str, progress: Progress | None = None) -> Proposal:
    """Read the headers below ``folder`` and propose rows. Raises InputError where nothing fits the job."""
    root, adapter = Path(folder).absolute(), job_named(job)
    every = scan(root, progress)
    series = [info for info in every if info.modality in _modalities(adapter) and not info.localizer]
    by_patient: dict[str, dict[str, list[SeriesInfo]]] = defaultdict(lambda: defaultdict(list))
    remarks: list[str] = []
    for info in series:
        if info.kind in ("slices", "multi-frame", "nuclear medicine"):
            by_patient[info.patient_id][_date(info)].append(info)
    if "" in by_patient and len(by_patient) > 1:
        remarks.append("some files have no PatientID: they are proposed as one patient")
    rows: list[dict[str, str]] = []
    for place, (_, visits) in enumerate(sorted(by_patient.items()), 1):
        name = f"P{place:0{max(3, len(str(len(by_patient))))}d}"
        if adapter.compares_dates:
            rows += _course(name, visits, adapter, every, remarks)
            continue
        for date, found in sorted(visits.items()):
            rows += _visit(name, date, found, adapter, every, remarks)
    if not rows:
        wanted = " or ".join(sorted(_modalities(adapter)))
        why = "".join(f" {remark}." for remark in remarks[:3])
        raise InputError(f"{root} holds no {wanted} series that the job could take.{why}")
    columns = (
        "patient",
        *(() if adapter.compares_dates else ("visit",)),
        *(
            column.name
            for column in adapter.columns
            if column.modalities or column.flip_angles or _chooses(column, adapter)
        ),
    )
    return Proposal(columns, tuple(rows), len(by_patient), tuple(remarks))


def write_proposal(proposal: Proposal, path: str | Path, *, overwrite: bool = False) -> None:
    """Write a CSV that :func:`bonequant.batch.read_manifest` takes. Raises InputError for a file that is there."""
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError(f"{path} already exists: give another name with --out, or --overwrite.")
    with written_whole(path, ".csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(proposal.columns)
        writer.writerows([not_a_formula(row.get(column, "")) for column in proposal.columns] for row in proposal.rows)


def _visit(
    name: str, date: str, found: Sequence[SeriesInfo], job: Job, every: Sequence[SeriesInfo], remarks: list[str]
) -> list[dict[str, str]]:
    """One row for each series of the first role; the other roles by the same frame of reference, else the only one."""
    first, *others = [column for column in job.columns if column.modalities]
    mains = [info for info in found if _fits(info, first)]
    rows = []
    for place, main in enumerate(mains, 1):
        visit = date if len(mains) == 1 else f"{date}-{place}"
        row = {"patient": name, "visit": visit, **_cells(first, main)}
        for column in others:
            fitting = [info for info in found if _fits(info, column)]
            paired = [info for info in fitting if info.frame_of_reference_uid == main.frame_of_reference_uid]
            chosen = paired if main.frame_of_reference_uid and paired else fitting
            if len(chosen) == 1:
                row |= _cells(column, chosen[0])
            else:
                many = "; ".join(info.label for info in chosen) or "none"
                remarks.append(f"{name} {visit}: {column.name} left empty, of this date there is: {many}")
        for column in job.columns:
            if column.flip_angles:
                row |= _flip_angles(column, main, found, every, f"{name} {visit}", remarks)
        if len(mains) > 1:
            remarks.append(f"{name} {visit}: one of {len(mains)} series of that date: {main.label}")
        rows.append(row)
    if not mains:
        remarks.append(f"{name} {date}: no {' or '.join(first.modalities)}, left out")
    return rows


def _course(
    name: str, visits: Mapping[str, Sequence[SeriesInfo]], job: Job, every: Sequence[SeriesInfo], remarks: list[str]
) -> list[dict[str, str]]:
    """One row for a patient: the series of the first date, and those of the later ones."""
    first, later = (column for column in job.columns if column.modalities)
    paths = []
    for date, found in sorted(visits.items()):
        fitting = [info for info in found if _fits(info, first)]
        if date == "undated" or len(fitting) != 1:
            many = "; ".join(info.label for info in fitting) or "no dynamic series"
            remarks.append(f"{name} {date}: left out, one dated dynamic series is due, there is: {many}")
            continue
        path = _cells(first, fitting[0])[first.name]
        if _hold_others([path], fitting, every):
            remarks.append(f"{name} {date}: left out, other series lie in the same folder; give each its own: {path}")
            continue
        paths.append(path)
    if len(paths) < 2:
        remarks.append(f"{name}: left out, two dates or more are compared")
        return []
    return [{"patient": name, first.name: paths[0], later.name: ";".join(paths[1:])}]


def _flip_angles(
    column: Column,
    main: SeriesInfo,
    found: Sequence[SeriesInfo],
    every: Sequence[SeriesInfo],
    where: str,
    remarks: list[str],
) -> dict[str, str]:
    """Paths of the volumes of two or more flip angles in the frame of reference of ``main``, else in its study."""
    volumes = [(info, *_angle_and_tr(info)) for info in found if _is_mr_volume(info)]
    frame, study = main.frame_of_reference_uid, main.study_uid
    for paired in (
        [one for one in volumes if frame and one[0].frame_of_reference_uid == frame],
        [one for one in volumes if study and one[0].study_uid == study],
    ):
        # Anatomical volumes have a flip angle, too: those of a T1 mapping share grid and repetition time.
        alike: dict[tuple[object, ...], list[tuple[float, SeriesInfo]]] = defaultdict(list)
        for info, angle, tr_ms in paired:
            if angle is not None:
                alike[info.rows, info.columns, info.n_slices, tr_ms].append((angle, info))
        sets = [group for group in alike.values() if len({angle for angle, _ in group}) > 1]
        if sets:
            break
    else:
        remarks.append(f"{where}: {column.name} left empty, of this date there are no volumes of two flip angles")
        return {}
    if len(sets) > 1:
        many = "; ".join(info.label for group in sets for _, info in group)
        remarks.append(f"{where}: {column.name} left empty, several sets of flip angles: {many}")
        return {}
    chosen = [info for _, info in sorted(sets[0], key=lambda one: one[0])]
    paths = list(dict.fromkeys(_cells(column, info)[column.name] for info in chosen))
    if _hold_others(paths, chosen, every):
        remarks.append(f"{where}: {column.name} left empty, other series lie in the same folder: {'; '.join(paths)}")
        return {}
    return {column.name: ";".join(paths)}


def _hold_others(paths: Sequence[str], chosen: Sequence[SeriesInfo], every: Sequence[SeriesInfo]) -> bool:
    """Do series other than the chosen ones lie in these folders? A column without one for the UID cannot tell."""
    own = {file for info in chosen for file in info.files}
    return any(file.is_relative_to(path) for path in paths for info in every for file in info.files if file not in own)


def _is_mr_volume(info: SeriesInfo) -> bool:
    return info.modality == "MR" and info.kind == "slices" and info.n_phases == 1


def _angle_and_tr(info: SeriesInfo) -> tuple[float | None, float | None]:
    """Flip angle in degrees and repetition time in ms, None where the file has none."""
    header = read_header(info.files[0], ("FlipAngle", "RepetitionTime"))
    return number(header, "FlipAngle"), number(header, "RepetitionTime")


def _fits(info: SeriesInfo, column: Column) -> bool:
    """Of the column's modality, and dynamic where the column is."""
    return info.modality in column.modalities and (not column.dynamic or info.n_phases != 1 or info.kind != "slices")


def _cells(column: Column, info: SeriesInfo) -> dict[str, str]:
    """Path of a series, and its UID where the path holds others too."""
    if len(info.files) == 1:
        return {column.name: str(info.files[0])}
    folder = os.path.commonpath([file.parent for file in info.files])
    return {column.name: folder, column.series: info.series_uid} if column.series else {column.name: folder}


def _chooses(column: Column, job: Job) -> bool:
    return any(column.name == other.series for other in job.columns if other.modalities)


def _modalities(job: Job) -> set[str]:
    return {modality for column in job.columns for modality in column.modalities}


def _date(info: SeriesInfo) -> str:
    """YYYYMMDD, "undated" where the file has none."""
    header = read_header(info.files[0], _DATES)
    for keyword in _DATES:
        value = (text(header, keyword) or "")[:8]
        if len(value) == 8 and value.isdecimal():
            return value
    return "undated"
