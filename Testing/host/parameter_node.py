"""The stand-in for ``slicer.parameterNodeWrapper``: a typed class over a vtkMRMLScriptedModuleNode, bound to widgets.

Written after Slicer's documentation of the parameter node wrapper and the behaviour of its code: defaults are written
when the wrapper is made, a change of the node refreshes every bound widget, a change of a widget sets its parameter.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Any

import slicer
from vtkmodules.vtkCommonCore import vtkCommand

from .parameter_types import Default, Stored, split, stored_as
from .parameter_widgets import connector_for

PROPERTY = "SlicerParameterName"
_RESERVED = ("allParameters", "connectGui", "connectParametersToGui", "disconnectGui", "getValue", "setValue",
             "default", "dataType", "isCached", "StartModify", "EndModify", "AddObserver", "RemoveObserver",
             "Modified")  # fmt: skip


def parameterNodeWrapper(kind: type | None = None) -> Any:
    """Class decorator, with or without brackets."""
    return _wrap if kind is None else _wrap(kind)


def isParameterNodeWrapper(kind: Any) -> bool:
    return getattr(kind, "_is_parameter_node_wrapper", False)


class _Parameter:
    def __init__(self, name: str, annotated: Any, stored: Stored, default: Default) -> None:
        self.name, self.annotated, self.stored, self.default = name, annotated, stored, default

    def write(self, node: Any, value: Any) -> None:
        self.stored.check(value)
        with slicer.util.NodeModify(node):
            self.stored.write(node, self.name, value)

    def read(self, node: Any) -> Any:
        if not self.stored.is_in(node, self.name):
            self.write(node, self.default.value)
        return self.stored.read(node, self.name)


class _Wrapper:
    """What every wrapped class can do beside its own parameters."""

    _is_parameter_node_wrapper = True
    allParameters: dict[str, _Parameter]

    def __init__(self, parameterNode: Any, prefix: str | None = None) -> None:
        self.parameterNode = parameterNode
        self._connections: dict[int, tuple[dict[str, Any], int]] = {}
        self._updating = False
        for parameter in self.allParameters.values():
            if not parameter.stored.is_in(parameterNode, parameter.name):
                parameter.write(parameterNode, parameter.default.value)

    def getValue(self, name: str) -> Any:
        return self._parameter(name).read(self.parameterNode)

    def setValue(self, name: str, value: Any) -> None:
        self._parameter(name).write(self.parameterNode, value)

    def default(self, name: str) -> Default:
        return self._parameter(name).default

    def isCached(self, name: str) -> bool:
        return self._parameter(name).stored.cached

    @classmethod
    def dataType(cls, name: str) -> Any:
        return cls._parameter(name).annotated

    def connectGui(self, gui: Any) -> int:
        """Bind all widgets whose SlicerParameterName names a parameter; ``gui``: a widget or childWidgetVariables."""
        import qt

        found = gui.findChildren(qt.QWidget) if isinstance(gui, qt.QWidget) else list(vars(gui).values())
        widgets = {widget.property(PROPERTY): widget for widget in found if widget.property(PROPERTY)}
        return self.connectParametersToGui(widgets)

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        for name in mapping:
            self._parameter(name)
        connectors = {name: connector_for(widget, self.dataType(name)) for name, widget in mapping.items()}
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.on_changed(self._setter(name, connector))
        observer = self.AddObserver(vtkCommand.ModifiedEvent, lambda caller, event: self._refresh())
        tag = max(self._connections, default=-1) + 1
        self._connections[tag] = (connectors, observer)
        return tag

    def disconnectGui(self, tag: int) -> None:
        if tag in self._connections:
            connectors, observer = self._connections.pop(tag)
            for connector in connectors.values():
                connector.on_changed(None)
            self.RemoveObserver(observer)

    def StartModify(self) -> Any:
        return self.parameterNode.StartModify()

    def EndModify(self, wasModified: Any) -> Any:
        return self.parameterNode.EndModify(wasModified)

    def AddObserver(self, event: Any, callback: Callable[..., None], priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        self.parameterNode.Modified()

    @classmethod
    def _parameter(cls, name: str) -> _Parameter:
        if name not in cls.allParameters:
            raise ValueError(f"Cannot find a param with the given name: {name}; there are {list(cls.allParameters)}")
        return cls.allParameters[name]

    def _setter(self, name: str, connector: Any) -> Callable[[], None]:
        def changed() -> None:
            if not self._updating:
                with slicer.util.NodeModify(self):
                    self.setValue(name, connector.read())

        return changed

    def _refresh(self) -> None:
        if self._updating:
            return
        self._updating = True
        try:
            with slicer.util.NodeModify(self):
                for connectors, _ in list(self._connections.values()):
                    for name, connector in connectors.items():
                        connector.write(self.getValue(name))
        finally:
            self._updating = False


def _wrap(kind: type) -> type:
    for name in _RESERVED:
        if hasattr(kind, name):
            raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
    parameters = {}
    for name, annotated in typing.get_type_hints(kind, include_extras=True).items():
        stored = stored_as(annotated)
        given = [one for one in split(annotated)[1] if isinstance(one, Default)]
        if name in vars(kind):
            default = Default(vars(kind)[name])
        else:
            default = given[0] if given else Default(generator=stored.default)
        parameters[name] = _Parameter(name, annotated, stored, default)
    own = {name: value for name, value in vars(kind).items() if isinstance(value, (types.FunctionType, property))}
    content = {
        **own,
        **{name: _property(name) for name in parameters},
        "allParameters": parameters,
        "__doc__": kind.__doc__,
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__init__": _Wrapper.__init__,
    }
    return type(kind.__name__, (_Wrapper,), content)


def _property(name: str) -> property:
    return property(lambda self: self.getValue(name), lambda self, value: self.setValue(name, value))
