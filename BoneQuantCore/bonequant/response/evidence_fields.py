"""What a criterion wants to know, as a flat list of fields: for a form, or the heading of a table to fill in.

The names are those that :func:`bonequant.response.unflatten` nests again: ``before.vp``, ``visits.0.scan_date``. They
come from the criterion's own function and dataclasses, so a new criterion needs nothing here.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy.typing as npt

from bonequant.response.registry import function_of
from bonequant.settings import Settings

_LISTS = (tuple, list, frozenset, set, Sequence, Iterable)


@dataclass(frozen=True)
class EvidenceField:
    """``kind`` says how the value is written ("number", "yes or no", ...); ``required``: not known is no answer;
    ``help``: what the object that it belongs to says of its fields."""

    name: str
    kind: str
    required: bool
    help: str


def evidence_fields(criterion: str, entries: int = 2) -> tuple[EvidenceField, ...]:
    """The fields of a criterion, without its settings.

    Args:
        criterion: name, as in :func:`bonequant.response.criteria`.
        entries: how many of each list (visits, lesions) are asked for.

    Raises InputError where there is no such criterion.
    """
    function = function_of(criterion)
    hints = typing.get_type_hints(function)
    found: list[EvidenceField] = []
    for name, parameter in inspect.signature(function).parameters.items():
        due = parameter.default is inspect.Parameter.empty
        found += _fields(name, hints[name], due, entries, inspect.getdoc(function) or "")
    return tuple(found)


def _fields(name: str, hint: Any, required: bool, entries: int, help: str) -> Iterator[EvidenceField]:
    if hint == npt.ArrayLike:
        yield EvidenceField(name, "values parted by ; (number)", required, help)
        return
    options = _options(hint)
    required = required and type(None) not in typing.get_args(hint)
    kind = next((one for one in options if dataclasses.is_dataclass(one)), options[0])
    if isinstance(kind, type) and issubclass(kind, Settings):
        return
    if dataclasses.is_dataclass(kind):
        inner = typing.get_type_hints(kind)
        for one in dataclasses.fields(kind):
            due = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
            text = inspect.getdoc(kind) or ""
            yield from _fields(f"{name}.{one.name}", inner[one.name], required and due, entries, text)
        return
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if _is(origin, (dict, Mapping)):
        if _holds_groups(arguments[1]):
            for number in range(1, entries + 1):
                yield from _fields(f"{name}.item_{number}", arguments[1], required and number == 1, entries, help)
        else:
            yield EvidenceField(name, f"names and values, as T1=..; T2=.. ({_said(arguments[1])})", required, help)
    elif _is(origin, _LISTS) and _holds_groups(arguments[0]):
        for number in range(entries):
            yield from _fields(f"{name}.{number}", arguments[0], required and number == 0, entries, help)
    else:
        yield EvidenceField(name, _said(kind), required, help)


def _options(hint: Any) -> list[Any]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return [one for one in typing.get_args(hint) if one is not type(None)]
    return [hint]


def _holds_groups(hint: Any) -> bool:
    """Are values of this kind objects, or lists of them?"""
    for one in _options(hint):
        origin, arguments = typing.get_origin(one), typing.get_args(one)
        if dataclasses.is_dataclass(one) or (_is(origin, (*_LISTS, Mapping)) and _holds_groups(arguments[-1])):
            return True
    return False


def _said(hint: Any) -> str:
    """How a value of this kind is written."""
    kind = _options(hint)[0]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return "one of " + ", ".join(str(one) for one in arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return f"{len(arguments)} values parted by ; ({_said(arguments[0])})"
    if _is(origin, _LISTS):
        return f"values parted by ; ({_said(arguments[0])})"
    return {bool: "yes or no", int: "whole number", float: "number", date: "date, as 2026-01-31"}.get(kind, "text")


def _is(origin: Any, kinds: tuple[Any, ...]) -> bool:
    return isinstance(origin, type) and any(origin is kind or issubclass(origin, kind) for kind in kinds)
