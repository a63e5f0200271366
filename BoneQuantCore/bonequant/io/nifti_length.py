"""Is a NIfTI file as long as its header says? ITK fills the voxels of a file that breaks off with zeros, silently."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from bonequant.errors import InputError


def refuse_truncated(path: Path) -> None:
    """Raise InputError for a .nii or .nii.gz that ends before its last voxel."""
    zipped = path.name.lower().endswith(".gz")
    try:
        with gzip.open(path) if zipped else path.open("rb") as stream:
            due = _length(stream.read(544))
            if due is None:
                return
            if zipped and _length_in_trailer(path) == due % 2**32:
                return
            found = 0
            stream.seek(0)
            while found < due and (block := stream.read(1 << 22)):  # no further: a little file may unpack to terabytes
                found += len(block)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is truncated or damaged: {error}.") from error
    if found < due:
        raise InputError(f"{path} is truncated: {due} bytes are due, {found} are there.")


def _length(header: bytes) -> int | None:
    """Bytes up to the end of the voxels by a NIfTI-1 or NIfTI-2 header; None for a header that is neither."""
    for order in ("<", ">"):
        if len(header) >= 348 and struct.unpack_from(f"{order}i", header)[0] == 348:
            dimensions = struct.unpack_from(f"{order}8h", header, 40)
            bits, offset = (
                struct.unpack_from(f"{order}h", header, 72)[0],
                struct.unpack_from(f"{order}f", header, 108)[0],
            )
            break
        if len(header) >= 540 and struct.unpack_from(f"{order}i", header)[0] == 540:
            dimensions = struct.unpack_from(f"{order}8q", header, 16)
            bits, offset = (
                struct.unpack_from(f"{order}h", header, 14)[0],
                struct.unpack_from(f"{order}q", header, 168)[0],
            )
            break
    else:
        return None
    count = dimensions[0]
    if not 1 <= count <= 7 or min(dimensions[1 : count + 1]) < 1:
        return None
    return int(offset) + int(np.prod(dimensions[1 : count + 1], dtype=object)) * bits // 8


def _length_in_trailer(path: Path) -> int:
    """The uncompressed length modulo 2^32 that a gzip file ends with; chance in a file that breaks off."""
    with path.open("rb") as stream:
        stream.seek(-4, 2)
        return int(struct.unpack("<I", stream.read(4))[0])
