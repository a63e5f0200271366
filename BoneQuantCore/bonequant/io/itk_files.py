"""Plain image files as ITK reads them, behind the checks that ITK lacks (see ``meta_header``, ``nrrd_header``,
``nifti_length``, ``nifti_non_finite``)."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.io.meta_header import refuse_damaged_meta
from bonequant.io.nifti_length import refuse_truncated
from bonequant.io.nifti_non_finite import restore_non_finite
from bonequant.io.nrrd_header import refuse_damaged_nrrd
from bonequant.io.series import image_suffix


def read_itk(path: Path, hint: str = "") -> sitk.Image:
    """The image of any dimension and kind. Raises InputError for damage; ``hint`` ends its message."""
    _check(path)
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(f"{path} cannot be read: is it truncated, or is its data file missing?{hint}") from error
    return restore_non_finite(path, image) if image_suffix(path) in (".nii", ".nii.gz") else image


def read_itk_header(path: Path) -> sitk.ImageFileReader:
    """Size, grid and fields without the voxels. Raises InputError for damage."""
    if image_suffix(path) not in (".nii", ".nii.gz"):
        _check(path)
    header = sitk.ImageFileReader()
    header.SetFileName(str(path))
    try:
        header.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(f"{path} cannot be read; is it damaged?") from error
    return header


def _check(path: Path) -> None:
    suffix = image_suffix(path)
    if suffix in (".nii", ".nii.gz"):
        refuse_truncated(path)
    elif suffix in (".nrrd", ".nhdr"):
        refuse_damaged_nrrd(path)
    elif suffix in (".mha", ".mhd"):
        refuse_damaged_meta(path)
