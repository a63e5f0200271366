"""What all stand-ins for CTK's and Slicer's C++ widgets share: the mark, stored properties, the list by name."""

from __future__ import annotations

from types import ModuleType
from typing import Any, TypeVar

from PySide6.QtCore import Property

Kind = TypeVar("Kind", bound=type)
STAND_INS: dict[str, type] = {}


def stand_in(kind: Kind) -> Kind:
    """Class decorator: ``kind`` is a C++ class in Slicer, so Python may not add attributes to its objects."""
    kind.stands_in = True  # type: ignore[attr-defined]
    STAND_INS[kind.__name__] = kind
    return kind


def stored(kind: type | str, name: str, default: Any, then: str = "") -> Property:
    """A Qt property that remembers what it was set to; ``then`` names a method to call after a change."""
    key = f"_{name}"

    def get(self: Any) -> Any:
        return self.__dict__.get(key, default)

    def set_(self: Any, value: Any) -> None:
        changed = get(self) != value
        self.__dict__[key] = value
        if changed and then:
            getattr(self, then)()

    return Property(kind, get, set_)


def module_of(name: str, prefix: str) -> ModuleType:
    """A module with the stand-ins whose names start with ``prefix``; others are missing with a word why."""
    module = ModuleType(name)
    vars(module).update({key: kind for key, kind in STAND_INS.items() if key.startswith(prefix)})

    def missing(attribute: str) -> Any:
        raise AttributeError(f"The test host has no stand-in for {name}.{attribute}: add one to Testing/host.")

    module.__getattr__ = missing  # type: ignore[method-assign]
    return module
