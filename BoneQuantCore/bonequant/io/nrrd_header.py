"""A check of NRRD headers before ITK reads them: its NrrdIO quotes a field that it does not understand in a buffer of
fixed size, and one of more than a thousand characters ends the process."""

from __future__ import annotations

from pathlib import Path

from bonequant.errors import InputError

_LONGEST_FIELD = 1000  # numbers of five axes take 400; free text stands in "content"
_MOST_BYTES = 64 << 20


def refuse_damaged_nrrd(path: Path) -> None:
    """Raises InputError for a header field longer than any sound one, or a file that cannot be read."""
    try:
        with path.open("rb") as stream:
            read = 0
            while read < _MOST_BYTES and (line := stream.readline(_MOST_BYTES)).strip():
                read += len(line)
                name, colon, value = line.partition(b":")
                if line.startswith(b"#") or value.startswith(b"=") or not colon or name.strip() == b"content":
                    continue
                if len(value) > _LONGEST_FIELD:
                    field = name.decode("latin-1")[:40]
                    raise InputError(f"{path} is damaged: its header field {field!r} has {len(value)} characters.")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
