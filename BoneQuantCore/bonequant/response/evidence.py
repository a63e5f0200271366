"""Evidence in and out of tables: the inputs of every criterion from plain values (JSON) or text (CSV cells), and back.

call = call_from("dce_vp", {"before": {"vp": 9.26, "vp_reference": 1.0}, "after": {"vp": 1.13, "vp_reference": 1.0}})
flat = unflatten({"before.vp": "9.26", "before.vp_reference": "1", "after.vp": "1.13", "after.vp_reference": "1"})

Names and types are those of the criterion's own function and dataclasses, so a new criterion needs nothing here. What
is left out, empty or null is "not known" where the criterion allows that, and leads to its ``NE``.
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import math
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy.typing as npt

from bonequant.errors import BoneQuantError, InputError, SettingsError
from bonequant.response.call import Call
from bonequant.response.registry import function_of
from bonequant.settings import Settings

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
EMPTY = "-"  # in a cell: looked for and none found, where an empty cell is "not known"
_LISTS = (tuple, list, frozenset, set, Sequence, Iterable)


def call_from(criterion: str, evidence: Mapping[str, Any], where: str = "") -> Call:
    """The call of ``criterion`` on ``evidence``: its function's arguments by name (``settings`` an object of names).

    Raises InputError that begins with ``where`` and names the field: one that is unknown, missing or of another kind;
    or what the criterion itself refuses.
    """
    function = function_of(criterion)
    hints = typing.get_type_hints(function)
    parameters = inspect.signature(function).parameters
    required = {name for name, one in parameters.items() if one.default is inspect.Parameter.empty}
    arguments = _fields(evidence, {name: hints[name] for name in parameters}, required, f"{criterion}: ", where)
    try:
        return function(**arguments)
    except BoneQuantError as error:
        raise type(error)(f"{_start(where)}{error}") from error


def evidence_from_dict(kind: type, values: Mapping[str, Any], where: str = "") -> Any:
    """An evidence dataclass (``DceScan``, ``Recist11Visit``, ...) from plain values. Raises as :func:`call_from`."""
    return _value(kind, values, kind.__name__, where)


def evidence_to_dict(evidence: Any) -> Any:
    """Plain values for JSON: dataclasses become objects, dates ISO text, sets sorted lists, NaN null."""
    if dataclasses.is_dataclass(evidence) and not isinstance(evidence, type):
        return {one.name: evidence_to_dict(getattr(evidence, one.name)) for one in dataclasses.fields(evidence)}
    if isinstance(evidence, Mapping):
        return {str(key): evidence_to_dict(value) for key, value in evidence.items()}
    if isinstance(evidence, (set, frozenset)):
        return sorted(evidence_to_dict(value) for value in evidence)
    if isinstance(evidence, (list, tuple)):
        return [evidence_to_dict(value) for value in evidence]
    if isinstance(evidence, date):
        return evidence.isoformat()
    return None if isinstance(evidence, float) and not math.isfinite(evidence) else evidence


def unflatten(cells: Mapping[str, Any]) -> dict[str, Any]:
    """``{"before.vp": "9", "visits.0.scan_date": ...}`` as nested objects; whole numbers as names make a list.

    Empty cells are left out. Raises InputError where a name is both a value and a group.
    """
    nested: dict[str, Any] = {}
    for name, cell in cells.items():
        if cell is None or cell == "":
            continue
        *groups, last = name.split(".")
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise InputError(f"The column {name} lies below {group}, which is a column of its own.")
        if isinstance(place.get(last), dict):
            raise InputError(f"The column {name} is a value, and others lie below it.")
        place[last] = cell
    return {name: _lists(value) for name, value in nested.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(part) for name, part in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def _fields(
    given: Mapping[str, Any], hints: Mapping[str, Any], required: set[str], prefix: str, where: str
) -> dict[str, Any]:
    """Values by name, each of its kind; what may be None and is left out although due becomes None."""
    if not isinstance(given, Mapping):
        raise _wrong(where, prefix.strip(": .") or "evidence", "an object of fields", given)
    unknown = [name for name in given if name not in hints]
    if unknown:
        near = difflib.get_close_matches(str(unknown[0]), list(hints), n=1)
        hint = f"; near: {near[0]}" if near else ""
        raise InputError(f"{_start(where)}{prefix}there is no field {unknown[0]}{hint}. Known: {', '.join(hints)}.")
    found = {name: _value(hints[name], value, f"{prefix}{name}", where) for name, value in given.items()}
    for name in [name for name in hints if name in required and name not in found]:
        if not _may_be_none(hints[name]):
            raise InputError(f"{_start(where)}{prefix}{name} is missing.")
        found[name] = None
    return found


def _value(hint: Any, given: Any, name: str, where: str) -> Any:
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if hint == npt.ArrayLike:
        return list(_value(tuple[float, ...], given, name, where))
    if origin in (typing.Union, types.UnionType):
        return _one_of(options, given, name, where)
    if origin in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        pairs = _pairs(given, name, where)
        return {key: _value(options[1], value, f"{name}.{key}", where) for key, value in pairs.items()}
    if isinstance(origin, type) and any(origin is kind or issubclass(origin, kind) for kind in _LISTS):
        return _several(origin, options, given, name, where)
    if isinstance(hint, type) and issubclass(hint, Settings):
        if not isinstance(given, Mapping):
            raise _wrong(where, name, "an object of settings", given)
        hints = typing.get_type_hints(hint)
        read = {
            key: _value(hints[key], value, f"{name}.{key}", where) if key in hints and isinstance(value, str) else value
            for key, value in given.items()
        }
        try:
            return hint.from_dict(read)
        except SettingsError as error:
            raise SettingsError(f"{_start(where)}{name}: {error}") from error
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _evidence(hint, given, name, where)
    return _single(hint, given, name, where)


def _one_of(options: Sequence[Any], given: Any, name: str, where: str) -> Any:
    if given is None or given == "":
        if type(None) in options:
            return None
        raise InputError(f"{_start(where)}{name} is missing.")
    # an object is a dataclass, and nothing else is: the right option gives the clearest message
    wanted = [one for one in options if one is not type(None)]
    chosen = [one for one in wanted if dataclasses.is_dataclass(one) == isinstance(given, Mapping)] or wanted
    problem: InputError | None = None
    for option in chosen:
        try:
            return _value(option, given, name, where)
        except InputError as error:
            problem = problem or error
    assert problem is not None
    raise problem


def _evidence(kind: Any, given: Any, name: str, where: str) -> Any:
    if not isinstance(given, Mapping):
        raise _wrong(where, name, f"an object of {kind.__name__}", given)
    entries = dataclasses.fields(kind)
    required = {
        one.name for one in entries if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
    }
    hints = typing.get_type_hints(kind)
    values = _fields(given, {one.name: hints[one.name] for one in entries}, required, f"{name}.", where)
    try:
        return kind(**values)
    except InputError as error:
        raise InputError(f"{_start(where)}{name}: {error}") from error


def _several(origin: type, options: Sequence[Any], given: Any, name: str, where: str) -> Any:
    if isinstance(given, str):
        given = [] if given.strip() == EMPTY else [part.strip() for part in given.split(";") if part.strip()]
    if not isinstance(given, (list, tuple, set, frozenset)):
        given = [given]
    kinds = list(options)
    if origin is tuple and kinds and kinds[-1] is not Ellipsis:
        if len(given) != len(kinds):
            raise _wrong(where, name, f"{len(kinds)} values", given)
    else:
        kinds = [options[0]] * len(given)
    values = [
        _value(kind, value, f"{name}.{place}", where)
        for place, (kind, value) in enumerate(zip(kinds, given, strict=True))
    ]
    return frozenset(values) if origin in (frozenset, set) else tuple(values)


def _pairs(given: Any, name: str, where: str) -> Mapping[str, Any]:
    """An object, or text such as ``T1=12; T2=8``."""
    if isinstance(given, Mapping):
        return given
    if isinstance(given, list) and all(isinstance(part, Mapping) or part is None for part in given):
        return {str(place): part for place, part in enumerate(given)}
    if isinstance(given, str):
        parts = [part.partition("=") for part in given.split(";") if part.strip()]
        if parts and all(equals for _, equals, _ in parts):
            return {key.strip(): value.strip() for key, _, value in parts}
    raise _wrong(where, name, "names and values, as T1=12; T2=8", given)


def _single(hint: Any, given: Any, name: str, where: str) -> Any:
    text = given.strip() if isinstance(given, str) else None
    if hint is str:
        if text is None:
            raise _wrong(where, name, "text", given)
        return text
    if hint is bool:
        if isinstance(given, bool):
            return given
        if text is not None and text.lower() in (*_TRUE, *_FALSE):
            return text.lower() in _TRUE
        raise _wrong(where, name, "yes or no", given)
    if hint is date:
        try:
            return date.fromisoformat(text or "")
        except ValueError:
            raise _wrong(where, name, "a date such as 2026-01-31", given) from None
    if hint in (int, float):
        try:
            number = float(given) if not isinstance(given, bool) else math.nan
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number) or (hint is int and number != int(number)):
            raise _wrong(where, name, "a whole number" if hint is int else "a number", given)
        return hint(number)
    raise InputError(f"{_start(where)}{name} cannot be given in a table.")


def _may_be_none(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def _wrong(where: str, name: str, due: str, given: Any) -> InputError:
    return InputError(f"{_start(where)}{name} should be {due}, it is {given!r}.")


def _start(where: str) -> str:
    return f"{where}: " if where else ""
