"""How a typed parameter is kept as text and references in a vtkMRMLScriptedModuleNode, in Slicer's own format.

Part of the stand-in for ``slicer.parameterNodeWrapper``: numbers, text, switches, paths, enumerations by name, nodes,
lists, tuples, dictionaries and unions of them, with the validators and defaults that go into ``Annotated``. A scene
saved here reads in Slicer and back.
"""

from __future__ import annotations

import collections.abc
import enum
import pathlib
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

import slicer


class Default:
    """``Annotated[float, Default(1.0)]``; ``generator`` is called for each new value."""

    def __init__(self, value: Any = None, *, generator: Callable[[], Any] | None = None) -> None:
        self._value, self._generator = value, generator

    @property
    def value(self) -> Any:
        return self._generator() if self._generator else self._value


class Validator:
    """Base of what may say no to a value."""

    def validate(self, value: Any) -> None:
        raise ValueError(f"{type(self).__name__} does not say what is valid.")


class NotNone(Validator):
    def validate(self, value: Any) -> None:
        if value is None:
            raise ValueError("Value must not be None")


class IsInstance(Validator):
    def __init__(self, classtype: Any) -> None:
        self.classtype = classtype

    def validate(self, value: Any) -> None:
        if value is not None and not isinstance(value, self.classtype):
            raise TypeError(f"Value must be a {self.classtype}, is {value!r}")


class WithinRange(Validator):
    def __init__(self, minimum: float, maximum: float) -> None:
        self.minimum, self.maximum = minimum, maximum

    def validate(self, value: Any) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within [{self.minimum}, {self.maximum}], is {value}")


class Minimum(Validator):
    def __init__(self, minimum: float) -> None:
        self.minimum = minimum

    def validate(self, value: Any) -> None:
        if value < self.minimum:
            raise ValueError(f"Value must not be below {self.minimum}, is {value}")


class Maximum(Validator):
    def __init__(self, maximum: float) -> None:
        self.maximum = maximum

    def validate(self, value: Any) -> None:
        if value > self.maximum:
            raise ValueError(f"Value must not be above {self.maximum}, is {value}")


class Choice(Validator):
    def __init__(self, choices: Any) -> None:
        self.choices = choices

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"Value must be one of {self.choices}, is {value!r}")


class Exclude(Validator):
    def __init__(self, excludedValues: Any) -> None:
        self.excludedValues = excludedValues

    def validate(self, value: Any) -> None:
        if value in self.excludedValues:
            raise ValueError(f"Value must be none of {self.excludedValues}, is {value!r}")


class Stored:
    """One type: reading, writing and removing a value under a name. Subclasses say how."""

    cached = True  # read from memory until the node is modified, as Slicer does

    def __init__(self, kind: Any = None) -> None:
        self.kind = kind
        self.validators: list[Validator] = []

    def default(self) -> Any:
        return self.kind()

    def check(self, value: Any) -> None:
        for validator in self.validators:
            validator.validate(value)

    def is_in(self, node: Any, name: str) -> bool:
        return bool(node.HasParameter(name))

    def write(self, node: Any, name: str, value: Any) -> None:
        node.SetParameter(name, str(value))

    def read(self, node: Any, name: str) -> Any:
        return self.kind(node.GetParameter(name))

    def remove(self, node: Any, name: str) -> None:
        node.UnsetParameter(name)


class StoredSwitch(Stored):
    def write(self, node: Any, name: str, value: Any) -> None:
        node.SetParameter(name, "True" if value else "False")

    def read(self, node: Any, name: str) -> bool:
        return bool(node.GetParameter(name) == "True")


class StoredEnum(Stored):
    def default(self) -> Any:
        return next(iter(self.kind))

    def write(self, node: Any, name: str, value: Any) -> None:
        node.SetParameter(name, value.name)

    def read(self, node: Any, name: str) -> Any:
        key = node.GetParameter(name)
        if key not in self.kind.__members__:
            raise ValueError(f"{key!r} in the parameter node is no name in {self.kind!r}")
        return self.kind[key]


class StoredNode(Stored):
    def default(self) -> None:
        return None

    def write(self, node: Any, name: str, value: Any) -> None:
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, node: Any, name: str) -> Any:
        return node.GetNodeReference(name)

    def remove(self, node: Any, name: str) -> None:
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)


class StoredNone(Stored):
    def default(self) -> None:
        return None

    def write(self, node: Any, name: str, value: Any) -> None:
        node.SetParameter(name, "True")

    def read(self, node: Any, name: str) -> None:
        return None


class StoredTuple(Stored):
    def __init__(self, elements: list[Stored]) -> None:
        super().__init__(tuple)
        self.elements = elements
        self.cached = all(element.cached for element in elements)

    def default(self) -> tuple[Any, ...]:
        return tuple(element.default() for element in self.elements)

    def is_in(self, node: Any, name: str) -> bool:
        return self.elements[0].is_in(node, f"{name}.0")

    def write(self, node: Any, name: str, value: Any) -> None:
        values = tuple(value)
        if len(values) != len(self.elements):
            raise ValueError(f"{len(self.elements)} values are due, not {len(values)}")
        for index, (element, one) in enumerate(zip(self.elements, values, strict=True)):
            element.check(one)
            element.write(node, f"{name}.{index}", one)

    def read(self, node: Any, name: str) -> tuple[Any, ...]:
        return tuple(element.read(node, f"{name}.{index}") for index, element in enumerate(self.elements))

    def remove(self, node: Any, name: str) -> None:
        for index, element in enumerate(self.elements):
            element.remove(node, f"{name}.{index}")


class StoredList(Stored):
    def __init__(self, element: Stored) -> None:
        super().__init__(list)
        self.element, self.cached = element, element.cached

    def is_in(self, node: Any, name: str) -> bool:
        return bool(node.HasParameter(f"{name}.len"))

    def write(self, node: Any, name: str, value: Any) -> None:
        values = list(value)
        for one in values:
            self.element.check(one)
        before = int(node.GetParameter(f"{name}.len")) if self.is_in(node, name) else 0
        for index, one in enumerate(values):
            self.element.write(node, f"{name}.{index}", one)
        node.SetParameter(f"{name}.len", str(len(values)))
        for index in range(len(values), before):
            self.element.remove(node, f"{name}.{index}")

    def read(self, node: Any, name: str) -> ObservedList:
        count = int(node.GetParameter(f"{name}.len")) if self.is_in(node, name) else 0
        return ObservedList(node, self, name, [self.element.read(node, f"{name}.{i}") for i in range(count)])

    def remove(self, node: Any, name: str) -> None:
        for index in range(int(node.GetParameter(f"{name}.len")) if self.is_in(node, name) else 0):
            self.element.remove(node, f"{name}.{index}")
        node.UnsetParameter(f"{name}.len")


class StoredDict(StoredList):
    def __init__(self, key: Stored, value: Stored) -> None:
        super().__init__(StoredTuple([key, value]))
        self.kind = dict

    def write(self, node: Any, name: str, value: Any) -> None:
        super().write(node, name, value.items())

    def read(self, node: Any, name: str) -> Any:
        return ObservedDict(node, self, name, dict(super().read(node, name)))


class StoredUnion(Stored):
    def __init__(self, choices: list[Stored]) -> None:
        super().__init__()
        self.choices, self.cached = choices, all(choice.cached for choice in choices)

    def default(self) -> Any:
        optional = len(self.choices) == 2 and isinstance(self.choices[1], StoredNone)
        return None if optional else self.choices[0].default()

    def is_in(self, node: Any, name: str) -> bool:
        return any(choice.is_in(node, f"{name}.{index}") for index, choice in enumerate(self.choices))

    def write(self, node: Any, name: str, value: Any) -> None:
        wanted = StoredNone if value is None else Stored
        for index, choice in enumerate(self.choices):
            if isinstance(choice, wanted) and _accepts(choice, value):
                self.remove(node, name)
                choice.write(node, f"{name}.{index}", value)
                return
        raise TypeError(f"None of the types of the union takes {value!r}")

    def read(self, node: Any, name: str) -> Any:
        for index, choice in enumerate(self.choices):
            if choice.is_in(node, f"{name}.{index}"):
                return choice.read(node, f"{name}.{index}")
        raise KeyError(name)

    def remove(self, node: Any, name: str) -> None:
        for index, choice in enumerate(self.choices):
            choice.remove(node, f"{name}.{index}")


class ObservedList(collections.abc.MutableSequence):
    """A list whose changes go into the parameter node."""

    def __init__(self, node: Any, stored: StoredList, name: str, values: list[Any]) -> None:
        self._node, self._stored, self._name, self._values = node, stored, name, values

    def _save(self) -> None:
        with slicer.util.NodeModify(self._node):
            self._stored.write(self._node, self._name, self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        return self._values[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._values[index] = value
        self._save()

    def __delitem__(self, index: Any) -> None:
        del self._values[index]
        self._save()

    def insert(self, index: int, value: Any) -> None:
        self._values.insert(index, value)
        self._save()

    def __eq__(self, other: object) -> bool:
        return self._values == (other._values if isinstance(other, ObservedList) else other)

    def __repr__(self) -> str:
        return f"ObservedList({self._values})"


class ObservedDict(collections.abc.MutableMapping):
    """A dictionary whose changes go into the parameter node."""

    def __init__(self, node: Any, stored: StoredDict, name: str, values: dict[Any, Any]) -> None:
        self._node, self._stored, self._name, self._values = node, stored, name, values

    def _save(self) -> None:
        with slicer.util.NodeModify(self._node):
            self._stored.write(self._node, self._name, self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __getitem__(self, key: Any) -> Any:
        return self._values[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._values[key] = value
        self._save()

    def __delitem__(self, key: Any) -> None:
        del self._values[key]
        self._save()

    def __repr__(self) -> str:
        return f"ObservedDict({self._values})"


def stored_as(annotated: Any) -> Stored:
    """How the type of a parameter is stored; raises TypeError for one that the host does not know."""
    kind, annotations = split(annotated)
    stored = _of_type(kind)
    stored.validators += [one for one in annotations if isinstance(one, Validator)]
    return stored


def split(annotated: Any) -> tuple[Any, list[Any]]:
    """A type and its annotations."""
    if typing.get_origin(annotated) is typing.Annotated:
        kind, *annotations = typing.get_args(annotated)
        return kind, annotations
    return annotated, []


def node_classes(annotated: Any) -> list[str]:
    """Class names of the nodes that a parameter may hold; empty where it holds no nodes."""
    kind, _ = split(annotated)
    members = typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else (kind,)
    kinds = [one for one in (split(member)[0] for member in members) if one is not type(None)]
    if not kinds or not all(isinstance(one, type) and issubclass(one, slicer.vtkMRMLNode) for one in kinds):
        return []
    return [one().GetClassName() for one in kinds]


def _of_type(kind: Any) -> Stored:
    origin, arguments = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return StoredUnion([stored_as(argument) for argument in arguments])
    if origin is list:
        return StoredList(stored_as(arguments[0]))
    if origin is tuple and arguments:
        return StoredTuple([stored_as(argument) for argument in arguments])
    if origin is dict and arguments:
        return StoredDict(stored_as(arguments[0]), stored_as(arguments[1]))
    if not isinstance(kind, type):
        raise TypeError(f"Unable to create serializer for type: {kind}")
    for family, way in _WAYS:
        if issubclass(kind, family):
            return _checked(way(kind), kind)
    raise TypeError(f"Unable to create serializer for type: {kind}")


def _checked(stored: Stored, kind: type) -> Stored:
    empty_allowed = isinstance(stored, (StoredNode, StoredNone))
    stored.validators = [*([] if empty_allowed else [NotNone()]), IsInstance((int, float) if kind is float else kind)]
    return stored


def _accepts(stored: Stored, value: Any) -> bool:
    try:
        stored.check(value)
    except (TypeError, ValueError):
        return False
    return True


_WAYS: list[tuple[type, type[Stored]]] = [
    (bool, StoredSwitch),
    (enum.Enum, StoredEnum),
    (int, Stored),
    (float, Stored),
    (str, Stored),
    (pathlib.PurePath, Stored),
    (slicer.vtkMRMLNode, StoredNode),
    (type(None), StoredNone),
]
