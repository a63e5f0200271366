"""``--fact name=value`` and ``--set name=value``: typed values from the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from bonequant.errors import InputError, SettingsError
from bonequant.io.typed_text import fact_from_text
from bonequant.settings import Settings, put_text

AnySettings = TypeVar("AnySettings", bound=Settings)


def parse_facts(given: Sequence[str]) -> dict[str, Any]:
    """``["patient_weight_kg=70", "injection_time=2026-01-31T08:30"]`` as keywords of :func:`bonequant.io.load`.

    Raises InputError for a name that is no fact, or a value of the wrong kind.
    """
    facts: dict[str, Any] = {}
    for item in given:
        name, text = _split(item, "--fact")
        facts[name] = fact_from_text(name, text, f"--fact {item}")
    return facts


def parse_settings(kind: type[AnySettings], file: Path | None, given: Sequence[str]) -> AnySettings:
    """Settings from a JSON file, with single values replaced by ``--set a.b=value`` (value in JSON, or plain text)."""
    return kind.from_dict(settings_values(file, given))


def settings_values(file: Path | None, given: Sequence[str]) -> dict[str, Any]:
    """The plain values of :func:`parse_settings`, before they are checked against a job."""
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"{file} is not a readable settings file: {error}.") from error
        if not isinstance(values, dict):
            raise SettingsError(f"{file} must hold one JSON object of settings.")
    for item in given:
        name, text = _split(item, "--set")
        put_text(values, name, text, f"--set {item}")
    return values


def _split(item: str, option: str) -> tuple[str, str]:
    name, equals, text = item.partition("=")
    if not equals or not name or not text:
        raise InputError(f"{option} {item}: write it as name=value.")
    return name.strip(), text.strip()
