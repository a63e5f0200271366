"""Settings of a job: one frozen dataclass that the panel, the command line, the manifest and the report share.

Declare a field with :func:`setting`, which holds its default, unit, range and one line of help::

    @dataclass(frozen=True)
    class SkeletonSettings(Settings):
        bone_seed_hu: float = setting(300.0, unit="HU", low=0, high=2000, help="A voxel above this starts a bone.")

Values are validated on construction; JSON goes both ways; an unknown name is an error, never ignored.
"""

from __future__ import annotations

import dataclasses
import json
import math
import numbers
import types
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bonequant.errors import SettingsError

if TYPE_CHECKING:
    from typing_extensions import Self


def setting(
    default: Any,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    help: str = "",
) -> Any:
    """A dataclass field with its unit, inclusive range or choices, and help. ``default`` may be a Settings type."""
    metadata = {"unit": unit, "low": low, "high": high, "choices": choices, "help": help}
    if isinstance(default, type) and issubclass(default, Settings):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """Base of every job's settings. Subclasses are frozen dataclasses whose fields come from :func:`setting`."""

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):
            value = _coerce(f"{type(self).__name__}.{field.name}", getattr(self, field.name), hints[field.name])
            object.__setattr__(self, field.name, value)
            _check(f"{type(self).__name__}.{field.name}", value, field.metadata)

    def to_dict(self) -> dict[str, Any]:
        """Plain, JSON-ready values, nested settings included."""
        return {
            field.name: value.to_dict() if isinstance(value, Settings) else _plain(value)
            for field in dataclasses.fields(self)
            for value in [getattr(self, field.name)]
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build from plain values; names left out keep their default.

        Raises SettingsError for an unknown name, a wrong type or a value out of range.
        """
        if not isinstance(values, dict):
            raise SettingsError(f"{cls.__name__} must be an object of names and values, not {values!r}.")
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise SettingsError(f"{cls.__name__} has no setting {', '.join(unknown)}. Known: {', '.join(known)}.")
        return cls(**values)

    @classmethod
    def of(cls, value: Self | dict[str, Any] | None) -> Self:
        """Settings as a caller may give them: an object of this class, plain values, or None for the defaults.

        Raises SettingsError for anything else, and as :meth:`from_dict`.
        """
        if value is None or isinstance(value, dict):
            return cls.from_dict(value or {})
        if not isinstance(value, cls):
            raise SettingsError(f"settings must be {cls.__name__}, or a dictionary of its names, not {value!r}.")
        return value

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SettingsError(f"The settings are not valid JSON: {error}.") from error
        return cls.from_dict(values)


def describe(settings: type[Settings] | Settings) -> list[dict[str, Any]]:
    """One row per setting: name, default or value, unit, low, high, choices, help. For panels, help and reports."""
    instance = settings() if isinstance(settings, type) else settings
    rows: list[dict[str, Any]] = []
    for field in dataclasses.fields(instance):
        value = getattr(instance, field.name)
        if isinstance(value, Settings):
            rows += [{**row, "name": f"{field.name}.{row['name']}"} for row in describe(value)]
        else:
            rows.append({"name": field.name, "value": value, **field.metadata})
    return rows


def put_text(values: dict[str, Any], name: str, text: str, where: str) -> None:
    """Put one setting into plain ``values``: a dotted name, and its value in JSON or as plain text.

    Raises SettingsError, beginning with ``where``, where the dotted name leads through a single value.
    """
    *groups, last = name.split(".")
    for group in groups:
        values = values.setdefault(group, {})
        if not isinstance(values, dict):
            raise SettingsError(f"{where}: {group} is a single value, not a group of settings.")
    try:
        values[last] = json.loads(text)
    except (ValueError, RecursionError):
        values[last] = text


def _coerce(name: str, value: Any, hint: Any) -> Any:
    """Return ``value`` as the hinted type where that loses nothing; raise SettingsError otherwise."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        problems = []
        for option in arguments:
            if option is not type(None):
                try:
                    return _coerce(name, value, option)
                except SettingsError as error:
                    problems.append(error)
        raise problems[0]
    if origin is tuple and isinstance(value, (list, tuple)):
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_coerce(name, item, arguments[0]) for item in value)
        if len(arguments) == len(value):
            return tuple(_coerce(name, item, option) for item, option in zip(value, arguments, strict=True))
    if origin is dict and isinstance(value, dict):
        return {key: _coerce(f"{name}.{key}", item, arguments[1]) for key, item in value.items()}
    if isinstance(hint, type) and origin is None:
        if issubclass(hint, Settings) and isinstance(value, dict):
            return hint.from_dict(value)
        if hint in (int, float) and isinstance(value, bool):
            raise SettingsError(f"{name} must be {hint.__name__}, not {value!r}.")
        if hint is float and isinstance(value, numbers.Real):
            return float(value)
        if hint is int and isinstance(value, numbers.Integral):
            return int(value)
        if isinstance(value, hint):
            return value
    if hint is Any:
        return value
    expected = hint.__name__ if isinstance(hint, type) else str(hint)
    raise SettingsError(f"{name} must be {expected}, not {value!r}.")


def _check(name: str, value: Any, metadata: typing.Mapping[str, Any]) -> None:
    unit = f" {metadata['unit']}" if metadata.get("unit") else ""
    if metadata.get("choices") and value is not None and value not in metadata["choices"]:
        raise SettingsError(f"{name} is {value!r}; choose one of {', '.join(map(str, metadata['choices']))}.")
    for number in value if isinstance(value, tuple) else (value,):
        if not isinstance(number, (int, float)) or isinstance(number, bool):
            continue
        low, high = metadata.get("low"), metadata.get("high")
        outside = (low is not None and number < low) or (high is not None and number > high)
        if not math.isfinite(number) or outside:  # JSON knows neither NaN nor infinity
            ends = " to ".join("any number" if limit is None else str(limit) for limit in (low, high))
            raise SettingsError(f"{name} is {number}{unit}; the range is {ends}{unit}.")


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
