"""``--fact name=value`` and ``--set name=value``: typed values from the command line."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from bonequant.errors import InputError, SettingsError
from bonequant.io import Overrides
from bonequant.settings import Settings
from bonequant.volume import Acquisition

AnySettings = TypeVar("AnySettings", bound=Settings)


def parse_facts(given: Sequence[str]) -> dict[str, Any]:
    """``["patient_weight_kg=70", "injection_time=2026-01-31T08:30"]`` as keywords of :func:`bonequant.io.load`.

    Raises InputError for a name that is no fact, or a value of the wrong kind.
    """
    hints = {**typing.get_type_hints(Acquisition), **typing.get_type_hints(Overrides)}
    names = {f.name for f in (*dataclasses.fields(Acquisition), *dataclasses.fields(Overrides))}
    names -= {"typed", "protocol", "facts"}
    facts: dict[str, Any] = {}
    for item in given:
        name, text = _split(item, "--fact")
        if name not in names:
            raise InputError(f"--fact {item}: there is no fact {name!r}. Known: {', '.join(sorted(names))}.")
        facts[name] = _value(item, name, text, hints[name])
    return facts


def parse_settings(kind: type[AnySettings], file: Path | None, given: Sequence[str]) -> AnySettings:
    """Settings from a JSON file, with single values replaced by ``--set a.b=value`` (value in JSON, or plain text)."""
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise InputError(f"{file} is not a readable settings file: {error}.") from error
        if not isinstance(values, dict):
            raise SettingsError(f"{file} must hold one JSON object of settings.")
    for item in given:
        name, text = _split(item, "--set")
        target = values
        *groups, last = name.split(".")
        for group in groups:
            target = target.setdefault(group, {})
            if not isinstance(target, dict):
                raise SettingsError(f"--set {item}: {group} is a single value, not a group of settings.")
        try:
            target[last] = json.loads(text)
        except json.JSONDecodeError:
            target[last] = text
    return kind.from_dict(values)


def _value(item: str, name: str, text: str, hint: Any) -> Any:
    """``text`` as the first kind of the hint that takes it."""
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
    raise InputError(f"--fact {item}: {name} must be {wanted}.")


def _split(item: str, option: str) -> tuple[str, str]:
    name, equals, text = item.partition("=")
    if not equals or not name or not text:
        raise InputError(f"{option} {item}: write it as name=value.")
    return name.strip(), text.strip()
