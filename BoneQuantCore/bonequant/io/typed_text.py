"""Facts written as text, on a command line or in a table's cell, as keywords of :func:`bonequant.io.load`."""

from __future__ import annotations

import dataclasses
import typing
from datetime import datetime
from typing import Any

from bonequant.errors import InputError
from bonequant.io.overrides import Overrides
from bonequant.volume import Acquisition

_NOT_TYPED = {"typed", "protocol", "facts"}


def fact_names() -> list[str]:
    """Every name that :func:`fact_from_text` knows."""
    fields = (*dataclasses.fields(Acquisition), *dataclasses.fields(Overrides))
    return sorted({field.name for field in fields} - _NOT_TYPED)


def fact_from_text(name: str, text: str, where: str) -> Any:
    """``text`` as the kind that the fact ``name`` has; several numbers or words are parted by commas.

    Raises InputError, beginning with ``where``, for a name that is no fact or a text of the wrong kind.
    """
    known = fact_names()
    if name not in known:
        raise InputError(f"{where}: there is no fact {name!r}. Known: {', '.join(known)}.")
    hint = {**typing.get_type_hints(Acquisition), **typing.get_type_hints(Overrides)}[name]
    options = [option for option in typing.get_args(hint) if option is not type(None)] or [hint]
    if typing.get_origin(hint) is tuple:
        options = [hint]
    for option in options:
        try:
            if typing.get_origin(option) is tuple:
                kind = typing.get_args(option)[0]
                return tuple(kind(part.strip()) for part in text.split(","))
            return datetime.fromisoformat(text) if option is datetime else option(text)
        except (TypeError, ValueError):
            continue
    wanted = "a date-time such as 2026-01-31T08:30:00" if datetime in options else f"of type {hint}"
    raise InputError(f"{where}: {name} must be {wanted}.")
