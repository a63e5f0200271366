"""Frame times from the command line: ``--times 0,3,6``, ``--times times.txt``, or ``--fact times_s=0,3,6``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bonequant.errors import InputError

HELP = "Frame times in seconds, parted by commas, or a text file of them; in place of the file's."


def split_times(given: Sequence[str], times: str | None = None) -> tuple[list[str], list[float] | None]:
    """The facts ``given`` without ``times_s``, and the times in seconds of ``times`` or of that fact, or None.

    Raises InputError for a text that is neither numbers nor a text file of them.
    """
    rest = [item for item in given if not _is_times(item)]
    asked = [(f"--fact {item}", item.partition("=")[2]) for item in given if _is_times(item)]
    asked += [(f"--times {times}", times)] if times is not None else []
    if not asked:
        return rest, None
    said, text = asked[-1]
    try:
        written = Path(text.strip()).read_text(encoding="utf-8-sig") if _is_file(text.strip()) else text
        return rest, [float(part) for part in re.split(r"[,;\s]+", written.strip()) if part]
    except (OSError, ValueError) as error:  # UnicodeDecodeError is a ValueError
        raise InputError(
            f"{said[:120]}: give the frame times in seconds, as 0,3,6, or a text file of them ({error})."
        ) from error


def _is_times(item: str) -> bool:
    return item.partition("=")[0].strip() == "times_s"


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # a long list of numbers is no name of a file
        return False
