"""NaN and infinity in NIfTI files. ITK's reader makes zeros of them without a word; here they are put back."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import IO

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError

_FLOATS = {16: "f4", 64: "f8"}  # NIfTI codes of the kinds that can hold NaN
_BLOCK = 1 << 20  # voxels at once


def restore_non_finite(path: Path, image: sitk.Image) -> sitk.Image:
    """``image`` with the file's own NaN and infinities in place; ``image`` itself where there are none.

    Raises InputError where there are some and the image has several values per voxel.
    """
    with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as stream:
        kind, offset = _layout(stream.read(544))
        if kind is None:
            return image
        stream.seek(offset)
        found = _non_finite(stream, np.dtype(kind), image.GetNumberOfPixels() * image.GetNumberOfComponentsPerPixel())
    index = np.concatenate([where for where, _ in found]) if found else np.zeros(0, int)
    if not len(index):
        return image
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(f"{path} holds {len(index)} values that are NaN or infinite; mend the file.")
    array = sitk.GetArrayFromImage(image)
    array.reshape(-1)[index] = np.concatenate([values for _, values in found])
    restored = sitk.GetImageFromArray(array, isVector=False)
    restored.CopyInformation(image)
    for key in image.GetMetaDataKeys():
        restored.SetMetaData(key, image.GetMetaData(key))
    return restored


def _layout(header: bytes) -> tuple[str | None, int]:
    """The numpy kind of floating voxels (None for others) and where they begin, of a NIfTI-1 or NIfTI-2 header."""
    for order in ("<", ">"):
        if len(header) >= 348 and struct.unpack_from(f"{order}i", header)[0] == 348:
            code, offset = (
                struct.unpack_from(f"{order}h", header, 70)[0],
                struct.unpack_from(f"{order}f", header, 108)[0],
            )
        elif len(header) >= 540 and struct.unpack_from(f"{order}i", header)[0] == 540:
            code, offset = (
                struct.unpack_from(f"{order}h", header, 12)[0],
                struct.unpack_from(f"{order}q", header, 168)[0],
            )
        else:
            continue
        return (order + _FLOATS[code] if code in _FLOATS else None), int(offset)
    return None, 0


def _non_finite(stream: IO[bytes] | gzip.GzipFile, kind: np.dtype, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(flat indices, values) of each block that holds any."""
    found = []
    for start in range(0, count, _BLOCK):
        block = np.frombuffer(stream.read(min(_BLOCK, count - start) * kind.itemsize), kind)
        bad = np.flatnonzero(~np.isfinite(block))
        if len(bad):
            found.append((start + bad, block[bad]))
    return found
