"""The DICOM series that an export refers to: its grid, the file and frame of every slice, and who the patient is.

Classic slices, enhanced multi-frame objects, NM reconstructions (one file of many frames) and one phase of a dynamic
series all become the same list of planes, in the order of the grid, found by the readers that read the pixels.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from bonequant.errors import GeometryError, InputError, MissingFactError
from bonequant.io.dicom_header import integer, read_header, reader, text
from bonequant.io.dicom_stack import Stack
from bonequant.io.dicom_volume import plan_series
from bonequant.io.dynamic import plan_frames
from bonequant.io.overrides import Overrides
from bonequant.io.series import SeriesInfo
from bonequant.io.sorting import scan, scan_files
from bonequant.io.volumes import choose
from bonequant.volume.geometry import Geometry

_IMAGES = ("slices", "multi-frame", "nuclear medicine")


@dataclass(frozen=True, eq=False)
class SourcePlane:
    """One slice: the header of its file, and its number (from 1) where the file holds several frames."""

    header: Dataset
    frame: int | None


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """A series of images as exports need it.

    Attributes:
        geometry: the grid, LPS mm.
        planes: one per slice of the grid, the first slice first.
        frame_of_reference_uid: the series' own; made from the series UID where the series has none.
        label: one line for messages, without patient identifiers.
    """

    geometry: Geometry
    planes: tuple[SourcePlane, ...]
    frame_of_reference_uid: str
    label: str

    @property
    def header(self) -> Dataset:
        return self.planes[0].header

    @property
    def study_uid(self) -> str:
        return str(self.header.StudyInstanceUID)

    @property
    def series_uid(self) -> str:
        return str(self.header.SeriesInstanceUID)


@reader
def source_series(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    series: str | int | None = None,
    phase: int = 0,
    times_s: Sequence[float] | None = None,
    **overrides: Any,
) -> SourceSeries:
    """The series that masks or maps were made on.

    Args:
        path: its folder, its file, or the list of its files (in any order).
        series: which one, where there are several: SeriesInstanceUID or its end, number, description, file name.
        phase: which phase (from 0, in order of time) of a dynamic series the objects shall refer to.
        times_s: as for ``load_dynamic``, where a dynamic NM file does not say its times.
        overrides: as for :func:`bonequant.io.load`: geometry that the files lack, ``gate``, ``window``, ``stack``.

    Raises:
        InputError: images that are no DICOM (the message says how to write them as a derived series), damage, files
            without the identifiers that a reference needs, a phase that is not there.
        AmbiguousInputError, GeometryError: as ``load`` and ``load_dynamic`` raise them.
    """
    if isinstance(path, (str, os.PathLike)):
        where, found = Path(path), scan(path)
    else:
        files = [Path(part) for part in path]
        if not files:
            raise InputError("No source files were given.")
        where, found = files[0].parent, scan_files(files)
    if any(info.kind == "image file" for info in found) and not any(info.kind in _IMAGES for info in found):
        raise InputError(
            f"{where} is no DICOM series, and DICOM objects refer to one. Write the image as a derived series with "
            "bonequant.io.export.write_derived_series(volume, folder) and give that folder as the source."
        )
    info, _ = choose(found, series, where, _IMAGES, "image")
    chosen = Overrides.of(overrides)
    stack = _stack(info, phase, times_s, chosen, str(where))
    headers: dict[Path, Dataset] = {}
    planes = []
    for plane in (planes_of_slice[0] for planes_of_slice in stack.slices):
        if plane.path not in headers:
            headers[plane.path] = _checked(plane.path)
        header = headers[plane.path]
        planes.append(SourcePlane(header, plane.frame + 1 if "NumberOfFrames" in header else None))
    own = text(planes[0].header, "FrameOfReferenceUID")
    return SourceSeries(stack.geometry, tuple(planes), own or _made_frame(planes[0].header), info.label)


def _stack(info: SeriesInfo, phase: int, times_s: Any, overrides: Overrides, label: str) -> Stack:
    if info.kind == "slices" and info.n_phases == 1:
        stacks = [plan_series(info, overrides, label).stack]
    else:
        stacks = _static_or_dynamic(info, times_s, overrides, label)
    if not 0 <= phase < len(stacks):
        raise InputError(f"{label} has {len(stacks)} phases, 0 to {len(stacks) - 1}; phase {phase} was asked for.")
    return stacks[phase]


def _static_or_dynamic(info: SeriesInfo, times_s: Any, overrides: Overrides, label: str) -> list[Stack]:
    """The stacks of an object that may hold one volume or several over time."""
    try:
        return [plan_series(info, overrides, label).stack]
    except GeometryError as not_static:
        try:
            return plan_frames([info], overrides.modality or info.modality, overrides, times_s, label).stacks
        except MissingFactError:
            raise
        except InputError:
            raise not_static from None


def _checked(path: Path) -> Dataset:
    header = read_header(path)
    if header is None:
        raise InputError(f"{path} is truncated or damaged.")
    for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        if text(header, keyword) is None:
            raise InputError(f"{path} has no {keyword}: no DICOM object can refer to it. Export the series again.")
    if integer(header, "Rows") is None:
        raise InputError(f"{path} is truncated or damaged.")
    return header


def _made_frame(header: Dataset) -> str:
    """A frame of reference for a series without one (NM often): always the same, so that all exports share it."""
    from pydicom.uid import generate_uid

    return str(generate_uid(entropy_srcs=[str(header.SeriesInstanceUID), "frame of reference"]))
