"""Transforms as they are made, joined, kept and read back. All take points to points, LPS millimetres.

``sitk.CompositeTransform`` applies its last member first; ``chain`` takes them in the order in which points pass.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError

SUFFIXES = (".tfm", ".h5", ".txt")


def from_matrix(matrix: np.ndarray) -> sitk.AffineTransform:
    """The transform of a 4x4 matrix that takes LPS points (x, y, z, 1) to LPS points.

    Raises InputError where the matrix is not 4x4, not finite, not invertible, or its last row is not 0 0 0 1.
    """
    values = np.asarray(matrix, dtype=np.float64)
    if values.shape != (4, 4) or not np.isfinite(values).all():
        raise InputError(f"A transform matrix must be 4x4 and finite; this one is {values.shape}.")
    if not np.allclose(values[3], (0.0, 0.0, 0.0, 1.0)) or abs(np.linalg.det(values[:3, :3])) < 1e-9:
        raise InputError("The matrix is no point transform: its last row must be 0 0 0 1 and it must be invertible.")
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(values[:3, :3].ravel().tolist())
    transform.SetTranslation(values[:3, 3].tolist())
    return transform


def chain(*transforms: sitk.Transform) -> sitk.Transform:
    """One transform that sends points through ``transforms`` in the order given.

    A SPECT carried by its own CT: ``chain(diagnostic_to_ct, ct_to_spect)``.
    """
    return sitk.CompositeTransform(list(transforms[::-1]))


def save_transform(transform: sitk.Transform, path: str | Path) -> Path:
    """Write as .tfm, .txt (text, exact) or .h5; Slicer opens all three. Raises InputError for another suffix."""
    path = _checked(path)
    try:
        sitk.WriteTransform(transform, str(path))
    except RuntimeError as error:
        raise InputError(f"{path.name} cannot be written: does its folder exist, and may it be written to?") from error
    return path


def load_transform(path: str | Path) -> sitk.Transform:
    """Read a transform written here, by SimpleITK, ITK or Slicer. Raises InputError where that fails."""
    path = _checked(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist.")
    try:
        return sitk.ReadTransform(str(path)).Downcast()
    except (RuntimeError, UnicodeDecodeError) as error:  # ITK's message quotes the file's bytes
        raise InputError(f"{path} is not a transform that ITK can read.") from error


def _checked(path: str | Path) -> Path:
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path.name}: a transform file ends in {', '.join(SUFFIXES)}.")
    return path
