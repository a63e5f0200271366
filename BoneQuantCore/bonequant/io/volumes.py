"""``load``: one path, one Volume, whatever the format. The choice among several series is never made silently."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bonequant.errors import AmbiguousInputError, InputError
from bonequant.io.dicom_header import reader
from bonequant.io.dicom_volume import read_series
from bonequant.io.image_files import read_image_file
from bonequant.io.overrides import Overrides
from bonequant.io.series import SeriesInfo, image_suffix
from bonequant.io.sorting import scan
from bonequant.progress import Progress, part_of
from bonequant.volume import Volume

_IMAGES = ("slices", "multi-frame", "nuclear medicine", "image file")


@reader
def load(
    path: str | os.PathLike[str],
    *,
    series: str | int | None = None,
    progress: Progress | None = None,
    **overrides: Any,
) -> Volume:
    """Read one 3-D volume.

    Args:
        path: .nrrd .nhdr .nii .nii.gz .mha .mhd, a DICOM file, or a folder (searched with its subfolders).
        series: which one, where a folder holds several: SeriesInstanceUID or its end, number, description, file name.
        progress: called with the fraction read.
        overrides: see :class:`bonequant.io.Overrides` (``spacing_between_slices_mm``, ``gate``, ``unit`` ...) and any
            fact of :class:`bonequant.volume.Acquisition` (``patient_weight_kg``, ``injection_time`` ...).

    Returns:
        Volume in LPS mm, DICOM on a right-handed grid, plain images on their own. CT is in HU (int16 where whole), all
        else float32. ``acquisition`` holds what the file says, None where it says nothing; ``warnings`` what the reader
        noticed.

    Raises:
        AmbiguousInputError: several series, gates, windows or stacks would fit; the message lists them.
        GeometryError: missing, repeated, uneven or sheared slices, missing geometry, more than three dimensions.
        InputError: nothing to read, damage, planar images, projections, colour, NaN voxels, an unknown keyword.
    """
    source = Path(path)
    chosen = Overrides.of(overrides)
    found = scan(source, part_of(progress, 0.0, 0.2))
    info, remark = choose(found, series, source, _IMAGES, "image")
    if info.kind == "image file":
        volume = read_image_file(info.files[0], chosen)
    else:
        volume = read_series(info, chosen, str(source), part_of(progress, 0.2, 1.0))
    return dataclasses.replace(volume, warnings=(*remark, *volume.warnings)) if remark else volume


def choose(
    found: Sequence[SeriesInfo], wanted: str | int | None, source: Path, kinds: tuple[str, ...], what: str
) -> tuple[SeriesInfo, tuple[str, ...]]:
    """The one series of ``kinds``, and a remark on what was left aside. Raises InputError or AmbiguousInputError."""
    refuse_damaged(found, source)
    candidates = [series for series in found if series.kind in kinds]
    if wanted is not None:
        candidates = [series for series in candidates if series.matches(wanted)]
        if not candidates:
            raise InputError(f"{source} holds no {what} series {str(wanted)!r}. It holds: {listed(found)}.")
    if not candidates:
        refuse_nothing(found, source, what)
    remark: tuple[str, ...] = ()
    if len(candidates) > 1:
        volumes = [series for series in candidates if not series.localizer]
        if len(volumes) == 1:
            remark = (f"left aside: {'; '.join(s.label for s in candidates if s.localizer)}",)
            candidates = volumes
    if len(candidates) > 1:
        raise AmbiguousInputError(
            f"{source} holds {len(candidates)} {what} series; choose one with series= (UID or its end, number, "
            f"description or file name): {listed(candidates)}."
        )
    return candidates[0], remark


def refuse_damaged(found: Sequence[SeriesInfo], source: Path) -> None:
    """Raise InputError where a DICOM file broke off: its series would be incomplete without a word."""
    damaged = [series for series in found if series.kind == "damaged"]
    if damaged:
        names = ", ".join(series.files[0].name for series in damaged[:5])
        raise InputError(
            f"{source}: {len(damaged)} DICOM file{'s' * (len(damaged) > 1)} truncated or damaged ({names}"
            f"{' ...' if len(damaged) > 5 else ''}). Copy the data again, or take the damaged files away."
        )


def refuse_nothing(found: Sequence[SeriesInfo], source: Path, what: str) -> None:
    """Raise the InputError that says what is there instead of ``what``."""
    pictures = [series for series in found if series.kind == "picture"]
    if pictures:
        raise InputError(f"{source} holds only colour pictures (screenshots, reports), which cannot be measured.")
    if found:
        raise InputError(f"{source} holds no {what}; it holds: {listed(found)}.")
    if source.is_dir():
        empty = not any(source.iterdir())
        raise InputError(f"{source} is {'an empty folder' if empty else 'a folder without any DICOM or image file'}.")
    known = image_suffix(source)
    raise InputError(f"{source} is {'damaged' if known else 'neither DICOM nor NRRD, NIfTI or MetaImage'}.")


def listed(series: Sequence[SeriesInfo]) -> str:
    """The labels of up to 20 series, numbered."""
    shown = "; ".join(f"[{place}] {each.label}" for place, each in enumerate(series[:20], 1))
    return shown + (f"; and {len(series) - 20} more" if len(series) > 20 else "")
