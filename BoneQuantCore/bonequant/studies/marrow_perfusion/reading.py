"""From paths to the inputs of the job: the same reading for the command line, a script and a cohort."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import SimpleITK as sitk

from bonequant.errors import AmbiguousInputError, InputError
from bonequant.io import SeriesInfo, load, load_masks, referenced_series, scan
from bonequant.progress import Progress, part_of
from bonequant.roi import regions_of_totalsegmentator
from bonequant.studies.marrow_perfusion.inputs import MarrowInputs, facts_of
from bonequant.volume import Volume, same_grid

MaskSpace = Literal["auto", "ct", "spect"]


def read_inputs(
    spect: str | Path,
    ct: str | Path | None = None,
    masks: Sequence[str | Path] = (),
    *,
    mask_on: MaskSpace = "auto",
    spect_series: str | None = None,
    ct_series: str | None = None,
    facts: Mapping[str, Any] | None = None,
    same_patient_confirmed: bool = False,
    name: str = "baseline",
    progress: Progress | None = None,
) -> MarrowInputs:
    """Read one date.

    Args:
        spect: SPECT (or PET): file or folder.
        ct: its CT, or None where the masks are drawn on the SPECT.
        masks: RTSTRUCT, DICOM SEG, .seg.nrrd, label images, folders of masks, TotalSegmentator results.
        mask_on: on which image the masks were drawn; "auto" takes it from the file's references or its grid.
        facts: what the SPECT's file does not say: keywords of :func:`bonequant.io.load`.

    Raises:
        InputError: as :func:`bonequant.io.load` and :func:`bonequant.io.load_masks`; a region given twice.
        AmbiguousInputError: "auto" cannot tell where a mask belongs.
    """
    functional = load(spect, series=spect_series, progress=part_of(progress, 0.0, 0.3), **(facts or {}))
    anatomy = None if ct is None else load(ct, series=ct_series, progress=part_of(progress, 0.3, 0.8))
    found: dict[str, dict[str, sitk.Image]] = {"ct": {}, "spect": {}}
    for path in masks:
        space = _space_of(Path(path), functional, anatomy) if mask_on == "auto" else mask_on
        like = anatomy if space == "ct" else functional
        if like is None:
            raise InputError(f"{path}: drawn on a CT, but no CT was given.")
        read = regions_of_totalsegmentator(load_masks(path, like))
        twice = set(read) & (set(found["ct"]) | set(found["spect"]))
        if twice:
            raise InputError(f"{path}: {', '.join(sorted(twice))} was given by another mask already.")
        found[space].update(read)
    return MarrowInputs(
        functional=functional,
        ct=anatomy,
        masks_on_ct=found["ct"],
        masks_on_functional=found["spect"],
        same_patient_confirmed=same_patient_confirmed,
        name=name,
    )


def read_date(
    folder: str | Path,
    facts: Mapping[str, Any] | None = None,
    name: str = "follow_up_1",
    same_patient_confirmed: bool = False,
    progress: Progress | None = None,
) -> MarrowInputs:
    """Read a later date from one folder that holds its SPECT (or PET) and its CT. Errors as :func:`read_inputs`."""
    with facts_of(name):
        spect, ct = find_pair(folder)
        inputs = read_inputs(
            folder,
            folder,
            spect_series=spect.series_uid,
            ct_series=ct.series_uid,
            facts=facts,
            same_patient_confirmed=same_patient_confirmed,
            name=name,
            progress=progress,
        )
    return dataclasses.replace(inputs, lesion_suffix=f"_{name}")


def find_pair(folder: str | Path) -> tuple[SeriesInfo, SeriesInfo]:
    """The one SPECT (or PET) and the one CT in a folder of a date.

    Raises AmbiguousInputError where there is not exactly one of each, listing what is there.
    """
    series = scan(folder)
    functional = [info for info in series if info.modality in ("NM", "PT")]
    anatomy = [info for info in series if info.modality == "CT" and not info.localizer]
    if len(functional) != 1 or len(anatomy) != 1:
        listed = "; ".join(info.label for info in series) or "nothing that can be read"
        raise AmbiguousInputError(f"{folder} must hold one SPECT or PET and one CT. It holds: {listed}.")
    return functional[0], anatomy[0]


def _space_of(path: Path, functional: Volume, ct: Volume | None) -> Literal["ct", "spect"]:
    """On which of the two images a mask was drawn: by its references, else by its grid."""
    if ct is None:
        return "spect"
    series = referenced_series(path)
    if series and series == functional.acquisition.series_uid:
        return "spect"
    if series and series == ct.acquisition.series_uid:
        return "ct"
    if series is None:
        grid = next(iter(load_masks(path).values()))
        on_ct, on_spect = same_grid(grid, ct.image), same_grid(grid, functional.image)
        if on_ct != on_spect:
            return "ct" if on_ct else "spect"
    raise AmbiguousInputError(f"{path}: it does not say on which image it was drawn. Give --mask-on ct or spect.")
