"""PythonQt's manners on PySide6: properties are attributes, and signals are connected by their signature.

Slicer's Python sees Qt through PythonQt. What differs from PySide6 is laid over every QObject class here, by Qt's
meta-object alone and not widget by widget:

- ``button.enabled = False`` and ``edit.text`` read and write Qt properties; dynamic properties count too;
- what a Python class defines comes before a property, a property before a method of the same name;
- an attribute that is no property cannot be set on a C++ object: a misspelt property is an AttributeError;
- ``button.connect("clicked(bool)", slot)``: the slot gets no more arguments than it takes, and is kept alive;
- ``name`` stands for ``objectName``.

Stricter than PythonQt in one thing: a signature that the object does not have raises, where PythonQt prints and
returns False, so that a test sees it. The manners stay on for the rest of the process.
"""

from __future__ import annotations

import ctypes
import inspect
import re
import sys
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import QMetaMethod, QObject

_META, _READ, _WRITE = QObject.metaObject, QObject.property, QObject.setProperty
_DYNAMIC, _GET = QObject.dynamicPropertyNames, QObject.__getattribute__
_CONNECT = QObject.connect
_POINTER = re.compile(r"\b(?:vtk|qMRML|qSlicer|ctk)\w+\s*\*")  # such arguments travel as Python objects here
_being_read: set[tuple[int, str]] = set()  # Qt asks Python for overridden virtuals of the same name while it reads
_on = False


def use_manners() -> None:
    """Lay PythonQt's manners over all QObject classes of PySide6. Safe to call again."""
    global _on
    if _on:
        return
    _on = True
    if sys.version_info < (3, 12):
        _keep_true_and_false()
    QObject.__getattribute__ = _getattribute
    for module in (QtCore, QtGui, QtWidgets):
        for kind in [getattr(module, name) for name in dir(module)]:
            if isinstance(kind, type) and issubclass(kind, QObject):
                kind.__setattr__ = _setattr


def _keep_true_and_false() -> None:
    """Make True and False immortal, as Python is from 3.12 on: PySide's emit returns True without owning it."""
    for constant in (True, False):
        ctypes.c_ssize_t.from_address(id(constant)).value += 1 << 40


def connect(sender: QObject, signature: str, *target: Any) -> bool:
    """``connect(sender, "clicked(bool)", callable)`` or ``(sender, signal, receiver, "slot()")``."""
    if isinstance(signature, QObject):  # PySide's own QTimer.singleShot comes along here
        return bool(_CONNECT(signature, *target))
    signal = find_signal(sender, signature)
    slot = getattr(target[0], target[1].partition("(")[0]) if len(target) > 1 else target[0]
    receive = _with_few_arguments(slot)
    _connections(sender).append((signal, slot, receive))
    return bool(_CONNECT(sender, QtCore.SIGNAL(signal), receive))


def disconnect(sender: QObject, signature: str, slot: Callable[..., Any] | None = None) -> bool:
    """Undo :func:`connect`; without ``slot`` for all slots that were connected to the signal by signature."""
    signal = find_signal(sender, signature)
    kept, gone = [], []
    for entry in _connections(sender):
        matches = entry[0] == signal and (slot is None or (entry[1] == slot and not gone))
        (gone if matches else kept).append(entry)
    _connections(sender)[:] = kept
    for _, _, receive in gone:
        QObject.disconnect(sender, QtCore.SIGNAL(signal), receive)
    return bool(gone)


def find_signal(sender: QObject, signature: str) -> str:
    """The normalised signature of a signal that ``sender`` has; raises AttributeError where it has none."""
    meta = _META(sender)
    asked = bytes(QtCore.QMetaObject.normalizedSignature(_POINTER.sub("PyObject", signature))).decode()
    if meta.indexOfSignal(asked) >= 0:
        return asked
    methods = [meta.method(index) for index in range(meta.methodCount())]
    signals = sorted(
        bytes(method.methodSignature()).decode()
        for method in methods
        if method.methodType() == QMetaMethod.MethodType.Signal
    )
    raise AttributeError(f"{meta.className()} has no signal {signature}; it has {', '.join(signals)}.")


def _getattribute(self: QObject, name: str) -> Any:
    if name[0] == "_" or _defined_in_python(type(self), name) or (key := (id(self), name)) in _being_read:
        return _GET(self, name)
    if name in _METHODS:
        return _METHODS[name].__get__(self)
    if _META(self).indexOfProperty(name) < 0:
        return _of_a_method(self, name)
    _being_read.add(key)
    try:
        return _READ(self, name)
    finally:
        _being_read.discard(key)


def _of_a_method(self: QObject, name: str) -> Any:
    try:
        return _GET(self, name)
    except AttributeError:
        if name == "name":
            return _READ(self, "objectName")
        if name in [bytes(known).decode() for known in _DYNAMIC(self)]:
            return _READ(self, name)
        child = next((child for child in _GET(self, "children")() if _READ(child, "objectName") == name), None)
        if child is None:
            raise
        return child


def _setattr(self: QObject, name: str, value: Any) -> None:
    meta = _META(self)
    index = meta.indexOfProperty("objectName" if name == "name" else name)
    descriptor = next((vars(kind)[name] for kind in type(self).__mro__ if name in vars(kind)), None)
    if isinstance(descriptor, property):
        descriptor.__set__(self, value)
    elif index >= 0:
        _write(self, meta.property(index), value)
    elif name in [bytes(known).decode() for known in _DYNAMIC(self)]:
        _WRITE(self, name, value)
    elif isinstance(value, QObject) and _READ(value, "objectName") == name:
        pass  # PySide's loader of .ui files names every widget on the root; PythonQt finds children by name
    elif name[0] != "_" and is_cpp(type(self)) and not isinstance(value, QtCore.SignalInstance):  # PySide keeps those
        raise AttributeError(
            f"{meta.className()} has no property {name}, and new attributes cannot be made on C++ objects."
        )
    else:
        _GET(self, "__dict__")[name] = value


def _write(self: QObject, found: QtCore.QMetaProperty, value: Any) -> None:
    if not found.isWritable():
        raise AttributeError(f"Property {found.name()} of {_META(self).className()} is not writable.")
    if not _WRITE(self, found.name(), value):
        raise ValueError(
            f"Property {found.name()} of {_META(self).className()}, a {found.typeName()}, does not accept {value!r}."
        )


def is_cpp(kind: type) -> bool:
    """Is ``kind`` a C++ class in Slicer: one of Qt's, or a stand-in for one of CTK's or Slicer's?"""
    return _of_qt(kind) or "stands_in" in vars(kind)


def _of_qt(kind: type) -> bool:
    return kind is object or kind.__module__.startswith(("PySide6", "Shiboken", "shiboken6"))


def _defined_in_python(kind: type, name: str) -> bool:
    return any(name in vars(base) for base in kind.__mro__ if not _of_qt(base))


def _connections(sender: QObject) -> list[tuple[str, Any, Any]]:
    return _GET(sender, "__dict__").setdefault("_connections", [])


def _with_few_arguments(slot: Callable[..., Any]) -> Callable[..., Any]:
    """``slot``, given at most the arguments it takes; for others than functions and methods, all of them."""
    function = inspect.unwrap(slot.__func__) if inspect.ismethod(slot) else slot
    most = None
    if inspect.isfunction(function) and not function.__code__.co_flags & inspect.CO_VARARGS:
        most = function.__code__.co_argcount - inspect.ismethod(slot)

    def receive(*arguments: Any) -> None:
        slot(*arguments[:most])

    return receive


def _delete(self: QObject) -> None:
    from shiboken6 import delete

    delete(self)


_METHODS: dict[str, Callable[..., Any]] = {
    "connect": connect,
    "disconnect": disconnect,
    "className": lambda self: _META(self).className(),
    "delete": _delete,
}
