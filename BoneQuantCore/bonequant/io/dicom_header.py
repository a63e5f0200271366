"""Reading a DICOM header tolerantly: files without suffix, bad values, private odds and ends.

Values come out as plain Python types, or None where the file does not hold them; a value that cannot be understood
is an InputError that names the tag. Only pydicom is used, and pixel data are never read here.
"""

from __future__ import annotations

import functools
import os
import struct
import warnings
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pydicom
from pydicom.datadict import dictionary_description, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from bonequant.errors import BoneQuantError, InputError

_Function = TypeVar("_Function", bound=Callable[..., Any])

# What parsers raise on damaged input. Memory errors come from absurd sizes in damaged headers.
_PARSE_ERRORS = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def reader(function: _Function) -> _Function:
    """Mark a public reader of a path: pydicom's chatter is silenced and damage ends in an InputError."""

    @functools.wraps(function)
    def read(path: str | os.PathLike[str], *arguments: Any, **keywords: Any) -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"pydicom(\..*)?")
            try:
                return function(path, *arguments, **keywords)
            except BoneQuantError:
                raise
            except _PARSE_ERRORS as error:
                detail = " ".join(str(error).split())[:300] or type(error).__name__
                raise InputError(f"{path} cannot be read: {detail}. Is the file damaged or incomplete?") from error

    return read  # type: ignore[return-value]


def read_header(path: Path, tags: Sequence[str] | None = None) -> Dataset | None:
    """The data set without pixels, None for a file that is no DICOM.

    A file that starts as DICOM but breaks off gives what was read before the break. ``tags`` limits the keywords read.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(132)
            # Old exports have no preamble and start with group 0008 (little endian).
            bare = start[:2] == b"\x08\x00" and start[128:132] != b"DICM"
            if start[128:132] != b"DICM" and not bare:
                return None
            stream.seek(0)
            header = pydicom.dcmread(
                stream, stop_before_pixels=True, force=bare, specific_tags=list(tags) if tags else None
            )
    except InvalidDicomError:
        return None
    except _PARSE_ERRORS:
        return Dataset()
    return None if bare and "SOPClassUID" not in header else header


def tag(keyword: str) -> str:
    """``Spacing Between Slices (0018,0088)``: how messages name an attribute."""
    number = tag_for_keyword(keyword)
    if number is None:
        return keyword
    return f"{dictionary_description(number)} ({number >> 16:04X},{number & 0xFFFF:04X})"


def value(dataset: Dataset | None, keyword: str) -> Any:
    """The raw value, None where absent or empty. Raises InputError for one that cannot be understood."""
    if dataset is None or keyword not in dataset:
        return None
    try:
        found = dataset.get(keyword)
    except _PARSE_ERRORS as error:
        raise InputError(f"{tag(keyword)} holds a value that cannot be understood: {error}.") from error
    if found is None or (hasattr(found, "__len__") and len(found) == 0):
        return None
    return found


def text(dataset: Dataset | None, keyword: str) -> str | None:
    """Text of an attribute; several values are joined by a backslash, as DICOM writes them."""
    found = value(dataset, keyword)
    if found is None:
        return None
    if isinstance(found, (list, tuple, pydicom.multival.MultiValue)):
        found = "\\".join(str(part) for part in found)
    return str(found).strip("\0 ") or None


def texts(dataset: Dataset | None, keyword: str) -> tuple[str, ...]:
    """All values of a multi-valued text attribute."""
    joined = text(dataset, keyword)
    return tuple(part.strip() for part in joined.split("\\")) if joined else ()


def numbers(dataset: Dataset | None, keyword: str, count: int | None = None) -> tuple[float, ...] | None:
    """All values as float. Raises InputError where there are not ``count`` of them or one is no finite number."""
    found = value(dataset, keyword)
    if found is None:
        return None
    parts = found if isinstance(found, (list, tuple, pydicom.multival.MultiValue)) else [found]
    try:
        result = tuple(float(part) for part in parts)
    except (TypeError, ValueError) as error:
        raise InputError(f"{tag(keyword)} should hold numbers, it holds {found!r}.") from error
    if any(number != number or number in (float("inf"), float("-inf")) for number in result):
        raise InputError(f"{tag(keyword)} holds {found!r}, which is not finite.")
    if count is not None and len(result) != count:
        raise InputError(f"{tag(keyword)} should hold {count} numbers, it holds {found!r}.")
    return result


def number(dataset: Dataset | None, keyword: str) -> float | None:
    """The first value as float, None where absent."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def integer(dataset: Dataset | None, keyword: str) -> int | None:
    """The first value as int, None where absent."""
    found = number(dataset, keyword)
    return None if found is None else int(found)


def items(dataset: Dataset | None, keyword: str) -> list[Dataset]:
    """The items of a sequence, [] where absent."""
    found = value(dataset, keyword)
    return list(found) if isinstance(found, pydicom.sequence.Sequence) else []


def item(dataset: Dataset | None, *keywords: str) -> Dataset | None:
    """The first item of a sequence, or of a sequence in that item, and so on; None where any is absent."""
    for keyword in keywords:
        found = items(dataset, keyword)
        if not found:
            return None
        dataset = found[0]
    return dataset
