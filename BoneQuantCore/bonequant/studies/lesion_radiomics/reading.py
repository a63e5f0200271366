"""From paths to the inputs of the job: images, masks drawn on one of them, adjusted and redrawn masks, the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import SimpleITK as sitk

from bonequant.errors import AmbiguousInputError, InputError
from bonequant.io import load, load_masks, referenced_series
from bonequant.progress import Progress, part_of
from bonequant.registration import load_transform
from bonequant.studies.lesion_radiomics.inputs import Lesion, LesionInputs, Space
from bonequant.studies.lesion_radiomics.lesion_list import everything, read_lesion_list
from bonequant.volume import Volume, same_grid

MaskSpace = Literal["auto", "ct", "spect"]
READINGS = ("second reader", "second time")


def read_inputs(
    spect: str | Path | None = None,
    ct: str | Path | None = None,
    masks: Sequence[str | Path] = (),
    *,
    mask_on: MaskSpace = "auto",
    adjusted: str | Path | None = None,
    readings: Mapping[str, str | Path] | None = None,
    lesions: str | Path | None = None,
    transform: str | Path | None = None,
    spect_series: str | None = None,
    ct_series: str | None = None,
    facts: Mapping[str, Any] | None = None,
    patient: str = "",
    find: bool = False,
    same_patient_confirmed: bool = False,
    progress: Progress | None = None,
) -> LesionInputs:
    """Read one patient.

    Args:
        spect: SPECT or PET, or None.
        ct: CT, or None.
        masks: the lesions: RTSTRUCT, DICOM SEG, .seg.nrrd, label images, folders of masks.
        mask_on: on which image they were drawn; "auto" takes it from the file's references or its grid.
        adjusted: masks drawn on the other image, by the same names; they replace the carried ones.
        readings: "second reader" or "second time" to masks drawn on the same image as the first, by the same names.
        lesions: CSV with ids, levels and labels (see ``lesion_list``).
        transform: a transform file, points of the CT to points of the functional image.
        facts: what the SPECT's file does not say (without SPECT, the CT's): keywords of :func:`bonequant.io.load`.

    Raises:
        InputError: as :func:`bonequant.io.load` and :func:`bonequant.io.load_masks`; names that do not match.
        AmbiguousInputError: "auto" cannot tell where a mask belongs.
    """
    given = dict(facts or {})
    images: dict[Space, Volume | None] = {"ct": None, "functional": None}
    if spect is not None:
        images["functional"] = load(spect, series=spect_series, progress=part_of(progress, 0.0, 0.4), **given)
    if ct is not None:
        own = given if spect is None else {}
        images["ct"] = load(ct, series=ct_series, progress=part_of(progress, 0.4, 0.8), **own)
    if not masks and not find:
        raise InputError("There is no lesion: give --mask, or --find to look for candidates.")

    found: dict[str, tuple[sitk.Image, Space]] = {}
    for path in masks:
        space = _space_of(Path(path), images, mask_on)
        read = load_masks(path, images[space])
        if twice := sorted(set(read) & set(found)):
            raise InputError(f"{path}: {', '.join(twice)} was given by another mask already.")
        found |= {name: (mask, space) for name, mask in read.items()}
    listed = read_lesion_list(lesions) if lesions is not None and masks else everything(found)
    if absent := [one.mask for one in listed if one.mask not in found]:
        raise InputError(f"{lesions} lists {', '.join(absent)}; the masks hold {', '.join(found)}.")

    ids = {one.mask: one.lesion_id for one in listed}
    spaces = {found[one.mask][1] for one in listed}
    again = {name: _matched(path, images[_one(spaces, name)], ids, name) for name, path in (readings or {}).items()}
    corrected: dict[str, sitk.Image] = {}
    if adjusted is not None:
        other: Space = "functional" if _one(spaces, "adjusted masks") == "ct" else "ct"
        if images[other] is None:
            raise InputError(f"{adjusted}: adjusted masks belong to the other image, which was not given.")
        corrected = _matched(adjusted, images[other], ids, "adjusted masks")
    left_out = sorted(set(found) - set(ids))
    return LesionInputs(
        lesions=tuple(
            Lesion(one.lesion_id, *found[one.mask], one.level, one.label, corrected.get(one.lesion_id))
            for one in listed
        ),
        ct=images["ct"],
        functional=images["functional"],
        transform=None if transform is None else load_transform(transform),
        readings=again,
        patient=patient,
        find=find,
        same_patient_confirmed=same_patient_confirmed,
        warnings=(f"Not in the list of lesions, left out: {', '.join(left_out)}.",) if left_out else (),
    )


def _matched(path: str | Path, like: Volume | None, ids: Mapping[str, str], what: str) -> dict[str, sitk.Image]:
    """Masks of a second file by lesion id. A single mask for a single lesion needs no matching name."""
    read = load_masks(path, like)
    if len(read) == 1 and len(ids) == 1:
        return {next(iter(ids.values())): next(iter(read.values()))}
    if unknown := sorted(set(read) - set(ids)):
        due = f"{len(ids)} of that name are due: {', '.join(ids)}" if len(ids) > 1 else f"one is due, {next(iter(ids))}"
        raise InputError(f"{path} ({what}) holds {', '.join(unknown)}, which is no lesion of the first masks; {due}.")
    return {ids[name]: mask for name, mask in read.items()}


def _one(spaces: set[Space], what: str) -> Space:
    if len(spaces) != 1:
        raise InputError(f"The lesions were drawn on both images; {what} need all of them to be drawn on one.")
    return next(iter(spaces))


def _space_of(path: Path, images: Mapping[Space, Volume | None], mask_on: MaskSpace) -> Space:
    """On which image a mask was drawn: as said, or the only one there is, or by its references, or by its grid."""
    if mask_on != "auto":
        said: Space = "ct" if mask_on == "ct" else "functional"
        if images[said] is None:
            raise InputError(f"{path}: drawn on {mask_on}, as --mask-on says, but that image was not given.")
        return said
    there: dict[Space, Volume] = {space: image for space, image in images.items() if image is not None}
    if len(there) == 1:
        return next(iter(there))
    if not there:
        raise InputError("There is no image: give --ct, --spect, or both.")
    series = referenced_series(path)
    fits = [space for space, image in there.items() if series and series == image.acquisition.series_uid]
    if series is None:
        grid = next(iter(load_masks(path).values()))
        fits = [space for space, image in there.items() if same_grid(grid, image.image)]
    if len(fits) != 1:
        raise AmbiguousInputError(f"{path}: it does not say on which image it was drawn. Give --mask-on ct or spect.")
    return fits[0]
