"""Which series of a folder form the dynamic one: a series with several phases, or several series with one phase each.

Series of one phase belong together when they share study, frame of reference, grid and everything of the protocol that
changes the signal, and their descriptions differ in digits only ("Ph1/Ax LAVA", "Ph2/Ax LAVA").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from bonequant.errors import AmbiguousInputError, InputError
from bonequant.io.dicom_enhanced import frame_groups, frame_position
from bonequant.io.dicom_header import number, numbers, read_header, text
from bonequant.io.dynamic_nm import time_frames
from bonequant.io.itk_files import read_itk_header
from bonequant.io.series import SeriesInfo
from bonequant.io.sorting import plane_orientation
from bonequant.io.volumes import listed, refuse_damaged, refuse_nothing

KINDS = ("slices", "multi-frame", "nuclear medicine", "image file")
_SIGNAL = ("FlipAngle", "RepetitionTime", "EchoTime", "InversionTime", "KVP")


def choose_dynamic(
    found: Sequence[SeriesInfo], wanted: str | int | Sequence[str | int] | None, source: Path
) -> tuple[list[SeriesInfo], tuple[str, ...]]:
    """The series (of one kind) that form the dynamic one, and a remark on what was left aside.

    ``wanted`` names one series, or several that are to be joined. Raises InputError and AmbiguousInputError.
    """
    refuse_damaged(found, source)
    candidates = [series for series in found if series.kind in KINDS and not series.localizer]
    if wanted is not None:
        return _named(candidates, wanted, found, source), ()
    if not candidates:
        refuse_nothing(found, source, "dynamic series")
    sets: list[list[SeriesInfo]] = []
    singles: dict[tuple[Any, ...], list[SeriesInfo]] = {}
    for series in candidates:
        header = None if series.kind == "image file" else read_header(series.files[0])
        if _phases(series, header) != 1:
            sets.append([series])
        elif header is not None:
            singles.setdefault(_alike(series, header), []).append(series)
    if not sets:
        sets = [members for members in singles.values() if len(members) > 1]
    if not sets:
        raise InputError(
            f"{source} holds no dynamic series, only: {listed(found)}. To join series into one, name them with "
            "series=[...]."
        )
    if len(sets) > 1:
        options = "; ".join(
            members[0].label if len(members) == 1 else f"{len(members)} series like {members[0].label}"
            for members in sets[:12]
        )
        raise AmbiguousInputError(
            f"{source} holds {len(sets)} dynamic series; choose one with series= (UID or its end, number, description, "
            f"part or file name; or a list to join): {options}."
        )
    others = [series for series in found if series not in sets[0]]
    return sets[0], (f"left aside: {listed(others)}",) if others else ()


def _named(
    candidates: Sequence[SeriesInfo],
    wanted: str | int | Sequence[str | int],
    found: Sequence[SeriesInfo],
    source: Path,
) -> list[SeriesInfo]:
    names = [wanted] if isinstance(wanted, (str, int)) else list(wanted)
    members: list[SeriesInfo] = []
    for name in names:
        matching = [series for series in candidates if series.matches(name)]
        if not matching:
            raise InputError(f"{source} holds no image series {str(name)!r}. It holds: {listed(found)}.")
        members += [series for series in matching if series not in members]
    if len({(series.kind, series.modality) for series in members}) > 1:
        raise AmbiguousInputError(f"{source}: {wanted!r} names series of several kinds: {listed(members)}.")
    if len(members) > 1 and members[0].kind == "image file":
        raise AmbiguousInputError(f"{source}: {wanted!r} names several image files: {listed(members)}.")
    return members


def _phases(series: SeriesInfo, header: Dataset | None) -> int:
    """How many phases; 0 where positions repeat unequally, 1 for a volume."""
    if series.kind == "slices":
        return series.n_phases
    if series.kind == "image file":
        return _frames_of_file(series.files[0])
    if header is None:
        return 1
    if series.kind == "nuclear medicine":
        return time_frames(header)
    positions = [frame_position(group) for group in frame_groups(header)]
    distinct = len({tuple(np.round(position, 2)) for position in positions if position is not None})
    return len(positions) // distinct if distinct and len(positions) % distinct == 0 else 0 if distinct else 1


def _frames_of_file(path: Path) -> int:
    try:
        reader = read_itk_header(path)
    except InputError:
        return 1
    size = reader.GetSize()
    return int(size[3]) if len(size) > 3 else reader.GetNumberOfComponents()


def _alike(series: SeriesInfo, header: Dataset) -> tuple[Any, ...]:
    signal = tuple(number(header, keyword) for keyword in _SIGNAL)
    name = re.sub(r"[\d\W_]+", "", series.description.casefold())
    orientation = tuple(np.round(plane_orientation(header) or (), 3))
    spacing = tuple(np.round(numbers(header, "PixelSpacing") or (), 4))
    shape = (series.kind, series.modality, series.rows, series.columns, series.n_slices)
    kinds = (text(header, "ImageType"), text(header, "ConvolutionKernel"), name, series.part)
    return (series.study_uid, series.frame_of_reference_uid, *shape, orientation, spacing, *signal, *kinds)
