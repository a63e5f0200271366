"""Stand-ins for what holds a module in Slicer: its C++ side, the widget around its panel, and the module manager."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import slicer
from PySide6.QtCore import Property, QObject, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QVBoxLayout, QWidget
from shiboken6 import delete

from .mrml_widgets import HasScene
from .standing_in import stand_in, stored


@stand_in
class qSlicerScriptedLoadableModuleWidget(HasScene, QWidget):
    """The C++ widget that a module's Python widget gets as ``parent``."""

    mrmlSceneChanged = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        QVBoxLayout(self)
        self._panel, self._entered = None, False

    isEntered = Property(bool, lambda self: self._entered)
    moduleName = stored(str, "moduleName", "")

    def self(self) -> Any:
        return self._panel

    def enter(self) -> None:
        self._entered = True
        _call(self._panel, "enter")

    def exit(self) -> None:
        self._entered = False
        _call(self._panel, "exit")

    def _on_scene(self) -> None:
        self.mrmlSceneChanged.emit(self.mrmlScene())


@stand_in
class qSlicerScriptedLoadableModule(QObject):
    """The C++ side of a scripted module: what ``slicer.modules.<name>`` is."""

    title = stored(str, "title", "")
    categories = stored("QStringList", "categories", [])
    dependencies = stored("QStringList", "dependencies", [])
    contributors = stored("QStringList", "contributors", [])
    helpText = stored(str, "helpText", "")
    acknowledgementText = stored(str, "acknowledgementText", "")
    hidden = stored(bool, "hidden", False)
    icon = stored(QIcon, "icon", QIcon())
    associatedNodeTypes = stored("QStringList", "associatedNodeTypes", [])
    path = stored(str, "path", "")
    index = stored(int, "index", -1)
    widgetRepresentationCreationEnabled = stored(bool, "widgetRepresentationCreationEnabled", True)

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.objectName, self.path = path.stem, str(path)
        self._python, self._representation = None, None

    def self(self) -> Any:
        return self._python

    def load(self) -> None:
        """Import the file, as Slicer does, and make the module object."""
        name = self.objectName
        spec = importlib.util.spec_from_file_location(name, self.path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        self._python = getattr(module, name)(self)

    def logic(self) -> Any:
        return None

    def hasPanel(self) -> bool:
        return hasattr(sys.modules[self.objectName], f"{self.objectName}Widget")

    def widgetRepresentation(self) -> Any:
        if self._representation is None and self.hasPanel():
            self._representation = self.createNewWidgetRepresentation()
        return self._representation

    def createNewWidgetRepresentation(self) -> Any:
        around = qSlicerScriptedLoadableModuleWidget()
        around.moduleName = self.objectName
        around._panel = getattr(sys.modules[self.objectName], f"{self.objectName}Widget")(around)
        around._panel.setup()
        around.setMRMLScene(slicer.mrmlScene)
        return around


@stand_in
class qSlicerModuleManager(QObject):
    """Knows the modules; tells a panel when it is about to be unloaded."""

    moduleAboutToBeUnloaded = Signal(str)
    moduleLoaded = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._modules: dict[str, qSlicerScriptedLoadableModule] = {}

    def modulesNames(self) -> list[str]:
        return list(self._modules)

    def module(self, name: str) -> Any:
        return self._modules.get(name)

    def loadModules(self, paths: list[Path]) -> None:
        for path in paths:
            self._modules[path.stem] = module = qSlicerScriptedLoadableModule(path)
            module.load()
            setattr(slicer.modules, path.stem.lower(), module)
            self.moduleLoaded.emit(path.stem)

    def unloadModules(self) -> None:
        for name, module in list(self._modules.items()):
            self.moduleAboutToBeUnloaded.emit(name)
            if module._representation is not None:
                module._representation.setMRMLScene(None)
                delete(module._representation)
            sys.modules.pop(name, None)
            delattr(slicer.modules, name.lower())
            slicer.selfTests.pop(name, None)
            del self._modules[name]


def _call(panel: Any, method: str) -> None:
    if hasattr(panel, method):
        getattr(panel, method)()
