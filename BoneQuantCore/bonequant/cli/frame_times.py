"""Frame times from the command line: ``--fact times_s=0,3,6`` or ``--fact times_s=times.txt``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bonequant.errors import InputError


def split_times(given: Sequence[str]) -> tuple[list[str], list[float] | None]:
    """The facts without ``times_s``, and the times in seconds that it holds, or None.

    A value is numbers between commas or blanks, or a text file of them. Raises InputError for anything else.
    """
    rest = [item for item in given if item.partition("=")[0].strip() != "times_s"]
    texts = [item.partition("=")[2].strip() for item in given if item.partition("=")[0].strip() == "times_s"]
    if not texts:
        return rest, None
    text = texts[-1]
    try:
        if Path(text).is_file():
            text = Path(text).read_text(encoding="utf-8-sig")
        return rest, [float(part) for part in text.replace(",", " ").replace(";", " ").split()]
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(
            f"--fact times_s={texts[-1]}: give the frame times in seconds, as 0,3,6, or a text file of them."
        ) from error
