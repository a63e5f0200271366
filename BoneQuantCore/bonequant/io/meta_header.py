"""The header of a MetaImage, checked before ITK reads it: MetaIO writes beyond its buffers where a header is damaged,
and ITK never ends on a direction that is not finite.

Keys and their counts are those of the MetaIO documentation (NDims, DimSize, ElementSpacing, TransformMatrix ...).
"""

from __future__ import annotations

import math
from pathlib import Path

from bonequant.errors import InputError

_LONGEST_HEADER = 1 << 20
_LONGEST_KEY, _LONGEST_NUMBERS = 120, 2000
_LARGEST = 1e9  # mm, and any number of a header: beyond lies damage
_VECTORS = ("ElementSpacing", "ElementSize", "Offset", "Position", "Origin", "CenterOfRotation")
_MATRICES = ("TransformMatrix", "Rotation", "Orientation")
_BYTES = {
    "MET_CHAR": 1, "MET_UCHAR": 1, "MET_SHORT": 2, "MET_USHORT": 2, "MET_INT": 4, "MET_UINT": 4, "MET_LONG": 8,
    "MET_ULONG": 8, "MET_LONG_LONG": 8, "MET_ULONG_LONG": 8, "MET_FLOAT": 4, "MET_DOUBLE": 8,
}  # fmt: skip
_DEFLATE = 1032  # highest ratio of its compression


def refuse_damaged_meta(path: Path) -> None:
    """Raise InputError for a .mha or .mhd whose header contradicts itself, or asks for more than the file can hold."""
    try:
        with path.open("rb") as stream:
            fields, length = _fields(stream.read(_LONGEST_HEADER), path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    count = _whole(fields, "NDims", path)
    if not 2 <= count <= 4:
        raise _damaged(path, f"NDims is {count}")
    size = _numbers(fields, "DimSize", count, path)
    if any(n < 1 or n != int(n) for n in size):
        raise _damaged(path, f"DimSize is {fields['DimSize']}")
    for name in _VECTORS:
        if name in fields:
            _numbers(fields, name, count, path)
    for name in _MATRICES:
        if name in fields:
            _numbers(fields, name, count * count, path)
    if fields.get("ElementType") not in _BYTES:
        raise _damaged(path, f"ElementType is {fields.get('ElementType', 'missing')}")
    channels = _whole(fields, "ElementNumberOfChannels", path) if "ElementNumberOfChannels" in fields else 1
    if not 1 <= channels <= 10_000:
        raise _damaged(path, f"ElementNumberOfChannels is {channels}")
    if fields["ElementDataFile"].upper() == "LOCAL":
        due = math.prod(size) * channels * _BYTES[fields["ElementType"]]
        there = path.stat().st_size - length
        squeezed = fields.get("CompressedData", "False").lower() in ("true", "1")
        if due > there * (_DEFLATE if squeezed else 1) + 64:
            raise InputError(f"{path} is truncated: {due:.0f} bytes of voxels are due, {there} are there.")


def _fields(text: bytes, path: Path) -> tuple[dict[str, str], int]:
    """Keys and values up to ElementDataFile, with which a header ends, and the header's length in bytes."""
    fields: dict[str, str] = {}
    place = 0
    while place < len(text):
        end = text.find(b"\n", place)
        line = text[place : end if end >= 0 else len(text)].rstrip(b"\r")
        place = end + 1 if end >= 0 else len(text)
        if not line.strip():
            continue
        key, equals, value = line.partition(b"=")
        name = key.decode("latin-1").strip()
        if not equals or not name or len(name) > _LONGEST_KEY or not name.isascii() or not name.isprintable():
            raise _damaged(path, f"line {len(fields) + 1} is no name and value")
        if b"\0" in value:
            raise _damaged(path, f"{name} holds a zero byte")
        if name in fields:
            raise _damaged(path, f"{name} stands there twice")
        fields[name] = value.decode("latin-1").strip()
        if name == "ElementDataFile":
            return fields, place
    raise _damaged(path, "ElementDataFile is missing")


def _numbers(fields: dict[str, str], name: str, count: int, path: Path) -> list[float]:
    text = fields.get(name, "")
    try:
        values = [float(part) for part in text.split()] if len(text) <= _LONGEST_NUMBERS else []
    except ValueError:
        values = []
    if len(values) != count or not all(abs(value) <= _LARGEST for value in values):  # NaN is not below either
        raise _damaged(path, f"{name} is {text[:80]!r} where {count} numbers are due")
    return values


def _whole(fields: dict[str, str], name: str, path: Path) -> int:
    text = fields.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise _damaged(path, f"{name} is {text[:80]!r} where a whole number is due")
    return int(text)


def _damaged(path: Path, what: str) -> InputError:
    return InputError(f"{path} has a damaged header: {what}.")
