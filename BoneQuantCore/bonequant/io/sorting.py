"""Sorting a folder of mixed files into series.

A file is DICOM by its content, whatever its name; DICOMDIR and foreign files are passed over. One SeriesInstanceUID may
hold several things: slices are split by size, orientation and pixel spacing, localizers are set apart, and image
type, echo time, flip angle or b-value split a series whose positions repeat. What still repeats is a series with
several phases. Multi-frame objects stand alone, one per file.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from bonequant.errors import InputError
from bonequant.io.dicom_header import integer, item, number, numbers, read_header, reader, text
from bonequant.io.dicom_kind import is_colour, is_localizer, kind_of, modality_of
from bonequant.io.dicom_stack import count_phases
from bonequant.io.series import SeriesInfo, image_suffix, stem
from bonequant.progress import Progress, no_progress

_NEEDED = """
    SOPClassUID SOPInstanceUID SeriesInstanceUID StudyInstanceUID PatientID FrameOfReferenceUID Modality
    SeriesDescription SeriesNumber InstanceNumber ImageType NumberOfFrames Rows Columns SamplesPerPixel BitsAllocated
    PhotometricInterpretation PixelSpacing ImagePositionPatient ImageOrientationPatient EchoTime FlipAngle
    DiffusionBValue DetectorInformationSequence RadiopharmaceuticalInformationSequence EnergyWindowRangeSequence
    CollimatorType EnergyWindowInformationSequence SliceVector StructureSetLabel ContentLabel SpecificCharacterSet
"""
_TAGS = _NEEDED.split()


@dataclass(frozen=True)
class _File:
    """What sorting needs of one DICOM file."""

    path: Path
    info: SeriesInfo
    along: float | None
    orientation: tuple[float, ...]
    spacing: tuple[float, ...]
    instance: int | None
    position: tuple[float, ...]
    image_type: str
    echo_time: float | None
    flip_angle: float | None
    b_value: float | None


@reader
def scan(path: str | os.PathLike[str], progress: Progress | None = None) -> list[SeriesInfo]:
    """All series below a folder (or in one file), in order of study, series number and description.

    Raises InputError where the path does not exist.
    """
    root = Path(path)
    if not root.exists():
        raise InputError(f"{root} does not exist.")
    return scan_files(list(_walk(root)) if root.is_dir() else [root], progress)


def scan_files(paths: Sequence[Path], progress: Progress | None = None) -> list[SeriesInfo]:
    """As :func:`scan`, for a list of files."""
    report = progress or no_progress
    found: list[SeriesInfo] = []
    files: list[_File] = []
    for count, each in enumerate(paths):
        if count % 32 == 0:
            report(count / len(paths), f"Reading headers, {count} of {len(paths)} files")
        if image_suffix(each):
            found.append(_image_file(each))
            continue
        header = read_header(each, _TAGS)
        if header is None:
            continue
        entry = _describe(each, header)
        if entry.info.kind == "slices":
            files.append(entry)
        elif each.name.upper() != "DICOMDIR":
            found.append(entry.info)
    found += _sort_slices(files)
    report(1.0, f"{len(found)} series")
    return sorted(found, key=lambda s: (s.study_uid, s.number or 0, s.description, s.part, str(s.files[0])))


def plane_position(header: Dataset) -> tuple[float, ...] | None:
    """ImagePositionPatient, from the detector's item where a single-frame NM keeps it there."""
    return numbers(header, "ImagePositionPatient", 3) or numbers(
        item(header, "DetectorInformationSequence"), "ImagePositionPatient", 3
    )


def plane_orientation(header: Dataset) -> tuple[float, ...] | None:
    return numbers(header, "ImageOrientationPatient", 6) or numbers(
        item(header, "DetectorInformationSequence"), "ImageOrientationPatient", 6
    )


def _walk(root: Path) -> Iterable[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder) / name for name in sorted(names) if not name.startswith("."))


def _image_file(path: Path) -> SeriesInfo:
    segmentation = path.name.lower().endswith((".seg.nrrd", ".seg.nhdr"))
    kind = "segmentation" if segmentation else "image file"
    return SeriesInfo(kind, "", stem(path), None, "", "", "", "", "", "", 0, 1, 0, 0, False, (path,))


def _describe(path: Path, header: Dataset) -> _File:
    try:
        return _describe_sound(path, header)
    except InputError:
        damaged = _image_file(path)
        return _File(path, replace(damaged, kind="damaged"), None, (), (), None, (), "", None, None, None)


def _describe_sound(path: Path, header: Dataset) -> _File:
    kind = kind_of(header)
    image = kind in ("slice", "multi-frame", "nuclear medicine")
    if image and is_colour(header):
        kind = "picture"
    position, orientation = plane_position(header), plane_orientation(header) or ()
    along = None
    if position and len(orientation) == 6:
        along = float(np.dot(position, np.cross(orientation[:3], orientation[3:])))
    elif kind == "slice" and "BitsAllocated" not in header:
        kind = "damaged"
    description = (
        text(header, "SeriesDescription") or text(header, "StructureSetLabel") or text(header, "ContentLabel") or ""
    )
    info = SeriesInfo(
        kind="slices" if kind == "slice" else kind,
        modality=modality_of(header) if image and kind != "picture" else text(header, "Modality") or "",
        description=description,
        number=integer(header, "SeriesNumber"),
        series_uid=text(header, "SeriesInstanceUID") or "",
        study_uid=text(header, "StudyInstanceUID") or "",
        patient_id=text(header, "PatientID") or "",
        frame_of_reference_uid=text(header, "FrameOfReferenceUID") or "",
        instance_uid=text(header, "SOPInstanceUID") or "",
        part="",
        n_slices=integer(header, "NumberOfFrames") or 1,
        n_phases=1,
        rows=integer(header, "Rows") or 0,
        columns=integer(header, "Columns") or 0,
        localizer=is_localizer(header),
        files=(path,),
    )
    return _File(
        path=path,
        info=info,
        along=along,
        orientation=orientation,
        spacing=numbers(header, "PixelSpacing") or (),
        instance=integer(header, "InstanceNumber"),
        position=position or (),
        image_type=text(header, "ImageType") or "",
        echo_time=number(header, "EchoTime"),
        flip_angle=number(header, "FlipAngle"),
        b_value=number(header, "DiffusionBValue"),
    )


def _sort_slices(files: list[_File]) -> list[SeriesInfo]:
    groups: list[list[_File]] = []
    by_key: dict[tuple[object, ...], list[list[_File]]] = {}
    for entry in files:
        info = entry.info
        key = (_series_key(info), info.modality, info.rows, info.columns, info.localizer)
        alike = by_key.setdefault(key, [])
        for group in alike:
            if _same(group[0].orientation, entry.orientation) and _same(group[0].spacing, entry.spacing):
                group.append(entry)
                break
        else:
            alike.append([entry])
            groups.append(alike[-1])
    parts = Counter(_series_key(group[0].info) for group in groups)
    result = []
    for group in groups:
        several = parts[_series_key(group[0].info)] > 1
        shape = f"{group[0].info.columns}x{group[0].info.rows} {_plane_name(group[0])}" if several else ""
        distinct = _distinct(group)
        copies = len(group) - len(distinct)
        result += [_summary(part, ", ".join(filter(None, (shape, name))), copies) for part, name in _split(distinct)]
    return result


def _series_key(info: SeriesInfo) -> tuple[object, ...]:
    """Some de-identified files have lost their SeriesInstanceUID: study, number and description stand in for it."""
    return (info.series_uid,) if info.series_uid else (info.study_uid, info.number, info.description)


def _same(first: tuple[float, ...], second: tuple[float, ...]) -> bool:
    return len(first) == len(second) and bool(np.allclose(first, second, rtol=0, atol=1e-3))


def _distinct(group: list[_File]) -> list[_File]:
    """Copies of the same instance (same UID, position and number) count once."""
    seen: dict[tuple[object, ...], _File] = {}
    for entry in group:
        seen.setdefault((entry.info.instance_uid or str(entry.path), entry.position, entry.instance), entry)
    return list(seen.values())


def _split(group: list[_File]) -> list[tuple[list[_File], str]]:
    """Part a series whose positions repeat by what is no time: only where each part then covers every position."""
    keys: list[tuple[str, Callable[[_File], object]]] = [
        ("image type", lambda entry: entry.image_type),
        ("TE", lambda entry: entry.echo_time),
        ("FA", lambda entry: entry.flip_angle),
        ("b", lambda entry: entry.b_value),
    ]
    parts = [(group, "")]
    for name, key in keys:
        parts = [
            (smaller, ", ".join(filter(None, (label, added))))
            for part, label in parts
            for smaller, added in _split_by(part, name, key)
        ]
    return parts


def _split_by(part: list[_File], name: str, key: Callable[[_File], object]) -> list[tuple[list[_File], str]]:
    kinds = sorted({key(entry) for entry in part}, key=str)
    distinct, phases = _count(part)
    if phases == 1 or len(kinds) == 1:
        return [(part, "")]
    smaller = [[entry for entry in part if key(entry) == kind] for kind in kinds]
    if any(_count(entries)[0] != distinct for entries in smaller):
        return [(part, "")]
    return [(entries, f"{name} {kind}") for entries, kind in zip(smaller, kinds, strict=True)]


def _count(entries: list[_File]) -> tuple[int, int]:
    along = [entry.along for entry in entries if entry.along is not None]
    return count_phases(along) if len(along) == len(entries) else (len(entries), 1)


def _summary(entries: list[_File], part: str, copies: int) -> SeriesInfo:
    distinct, phases = _count(entries)
    files = tuple(sorted(entry.path for entry in entries))
    return replace(entries[0].info, part=part, n_slices=distinct, n_phases=phases, files=files, n_copies=copies)


def _plane_name(entry: _File) -> str:
    if len(entry.orientation) != 6:
        return "without orientation"
    normal = np.abs(np.cross(entry.orientation[:3], entry.orientation[3:]))
    plane = ("sagittal", "coronal", "axial")[int(np.argmax(normal))]
    return f"localizer {plane}" if entry.info.localizer else plane
