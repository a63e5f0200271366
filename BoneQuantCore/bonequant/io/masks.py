"""``load_masks``: regions from any usual file, each on the grid on which it was drawn.

RTSTRUCT has no grid of its own and is drawn on that of ``like``; DICOM SEG, .seg.nrrd, label images and folders of
masks (such as a TotalSegmentator result) keep theirs.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.io.dicom_header import reader
from bonequant.io.image_files import finite, read_image
from bonequant.io.mask_dicom_seg import read_dicom_seg
from bonequant.io.mask_rtstruct import read_rtstruct
from bonequant.io.mask_slicer_seg import read_slicer_seg
from bonequant.io.series import SeriesInfo, image_suffix, stem
from bonequant.io.sorting import scan
from bonequant.io.volumes import choose
from bonequant.volume import Volume, image_from_array
from bonequant.volume.geometry import Geometry

_MOST_LABELS = 1000


@reader
def load_masks(
    path: str | os.PathLike[str],
    like: Volume | sitk.Image | None = None,
    *,
    series: str | int | None = None,
    names: Collection[str] | None = None,
) -> dict[str, sitk.Image]:
    """Read regions as masks.

    Args:
        path: RTSTRUCT, DICOM SEG, .seg.nrrd, a label image, or a folder that holds one DICOM object or several mask
            files.
        like: the image that the masks belong to: the grid for RTSTRUCT, and a check that the regions overlap with it.
        series: which DICOM object, where a folder holds several.
        names: read these regions only (a whole-body result of 100 organs takes memory).

    Returns:
        Masks by name: uint8 0/1, or float32 0..1 where fractional. Names are the file's; ``label_<n>`` in a label
            image, the file's stem in a folder of masks. Empty masks of a folder are left out.

    Raises:
        InputError: nothing to read, empty masks, no overlap with ``like``, another frame of reference, NaN.
        AmbiguousInputError: a folder holds several DICOM objects.
        GeometryError: contours that do not run along the slices of ``like``; frames that form no grid.
    """
    source = Path(path)
    if not source.exists():
        raise InputError(f"{source} does not exist.")
    if source.is_file() and image_suffix(source):
        masks = _read_mask_file(source, names)
    else:
        found = scan(source)
        images = [info for info in found if info.files and image_suffix(info.files[0])]
        objects = [info for info in found if info.kind in ("structure set", "segmentation") and info not in images]
        if images and not objects and series is None:
            masks = _read_folder(images, source, names)
        else:
            info, _ = choose(found, series, source, ("structure set", "segmentation"), "mask")
            masks = _read_object(info, like, names)
    if names is not None and (absent := sorted(set(names) - set(masks))):
        raise InputError(f"{source} holds no region {', '.join(absent)}.")
    if not masks:
        raise InputError(f"{source} holds no region: every mask is empty.")
    for name, mask in masks.items():
        _check(name, mask, like, source)
    return masks


def _read_object(
    info: SeriesInfo, like: Volume | sitk.Image | None, names: Collection[str] | None
) -> dict[str, sitk.Image]:
    path = info.files[0]
    if image_suffix(path):
        return _read_mask_file(path, names)
    if info.kind == "segmentation":
        return read_dicom_seg(path, names)
    if like is None:
        raise InputError(f"{path} holds contours, which have no grid: give the image they were drawn on as like=.")
    if isinstance(like, Volume):
        return read_rtstruct(path, like.geometry, like.acquisition.frame_of_reference_uid, names)
    return read_rtstruct(path, Geometry.of(like), None, names)


def _read_mask_file(path: Path, names: Collection[str] | None) -> dict[str, sitk.Image]:
    if path.name.lower().endswith((".seg.nrrd", ".seg.nhdr")):
        return read_slicer_seg(path, names)
    image = read_image(path)
    array = finite(sitk.GetArrayViewFromImage(image), None, str(path))
    geometry = Geometry.of(image)
    if array.dtype.kind == "f" and not np.array_equal(array, np.rint(array)):
        return {stem(path): image_from_array(_fractional(array, path), geometry)}
    labels = np.unique(array)
    labels = labels[labels != 0]
    if labels.size > _MOST_LABELS or (labels.size and labels[0] < 0):
        raise InputError(
            f"{path} holds {labels.size} different values from {labels.min():g} to {labels.max():g}: an image, no mask."
        )
    wanted = {f"label_{int(label)}": label for label in labels}
    return {
        name: image_from_array(array == label, geometry)
        for name, label in wanted.items()
        if names is None or name in names
    }


def _read_folder(files: list[SeriesInfo], source: Path, names: Collection[str] | None) -> dict[str, sitk.Image]:
    """One mask per file, named by its stem; a single file, or a segmentation, gives the regions it holds."""
    masks: dict[str, sitk.Image] = {}
    for info in files:
        path = info.files[0]
        if len(files) == 1 or info.kind == "segmentation":
            masks |= _read_mask_file(path, names)
        elif names is None or stem(path) in names:
            parts = _read_mask_file(path, None)
            if len(parts) > 1:
                raise InputError(
                    f"{source} holds several mask files, and {path.name} has {len(parts)} labels where one mask is "
                    "due. Read that file alone."
                )
            if parts:
                masks[stem(path)] = next(iter(parts.values()))
    return masks


def _fractional(array: np.ndarray, path: Path) -> np.ndarray:
    low, high = float(array.min()), float(array.max())
    if low < -1e-6 or high > 1 + 1e-6:
        raise InputError(f"{path} holds values from {low:g} to {high:g}: an image, no mask (0..1) and no labels.")
    return np.clip(array, 0, 1).astype(np.float32)


def _check(name: str, mask: sitk.Image, like: Volume | sitk.Image | None, source: Path) -> None:
    """Refuse a mask that is empty or lies wholly beside the image it belongs to."""
    array = sitk.GetArrayViewFromImage(mask)
    if not array.any():
        raise InputError(f"{source}: the mask {name!r} is empty. Choose others with names=[...].")
    if like is None:
        return
    box = [
        np.flatnonzero(array.any(axis=tuple(other for other in range(3) if other != axis)))[[0, -1]]
        for axis in (2, 1, 0)
    ]
    ends = [(low - 0.5, high + 0.5) for low, high in box]
    corners = np.array([[x, y, z, 1.0] for x in ends[0] for y in ends[1] for z in ends[2]])
    geometry = like.geometry if isinstance(like, Volume) else Geometry.of(like)
    index = (corners @ (geometry.physical_to_index @ Geometry.of(mask).index_to_physical).T)[:, :3]
    beside = (index.max(axis=0) < -0.5) | (index.min(axis=0) > np.asarray(geometry.size) - 0.5)
    if beside.any():
        raise InputError(
            f"{source}: the mask {name!r} does not overlap with the image it is to be used on. Was it drawn on another "
            "patient or scan, or moved without its transform?"
        )
