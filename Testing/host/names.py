"""The modules ``qt`` and ``ctk`` and the names that the application adds to ``slicer``, made once for the process."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import PySide6.QtCore
import PySide6.QtGui
import PySide6.QtTest
import PySide6.QtWidgets
import slicer

from . import pythonqt
from .standing_in import STAND_INS, module_of

_QT = (PySide6.QtCore, PySide6.QtGui, PySide6.QtWidgets, PySide6.QtTest)


def _qt() -> ModuleType:
    """All Qt classes in one module, as PythonQt has them."""
    module = ModuleType("qt")
    for part in _QT:
        vars(module).update({name: getattr(part, name) for name in dir(part) if not name.startswith("_")})
    from .ui_files import QUiLoader

    vars(module)["QUiLoader"] = QUiLoader
    return module


def _translate(context: str, text: str) -> str:
    return text


def _sample_data() -> ModuleType:
    """SampleData as far as registering goes; ``SampleDataLogic.registered`` lists what was."""

    class SampleDataLogic:
        registered: list[dict[str, Any]] = []  # noqa: RUF012 - one list for the class, as asked for

        @staticmethod
        def registerCustomSampleDataSource(
            category: str = "Custom", uris: Any = None, fileNames: Any = None, nodeNames: Any = None, **source: Any
        ) -> None:
            if uris is None:  # Slicer takes the length of it, even where a custom downloader needs none
                raise TypeError("object of type 'NoneType' has no len(): give uris, be it an empty text.")
            if not isinstance(uris, str) and not len(uris) == len(fileNames) == len(nodeNames):
                raise ValueError("All fields of sample data source must have the same length.")
            names = {"uris": uris, "fileNames": fileNames, "nodeNames": nodeNames}
            SampleDataLogic.registered.append({"category": category, **names, **source})

    module = ModuleType("SampleData")
    vars(module)["SampleDataLogic"] = SampleDataLogic
    return module


def application_names() -> tuple[dict[str, ModuleType], dict[str, Any]]:
    """Modules for ``sys.modules`` and attributes for ``slicer``. The same objects at every call."""
    if not _made:
        pythonqt.use_manners()
        from . import charts, ctk_widgets, modules, mrml_widgets, segment_editor, segment_widgets, views  # noqa: F401

        _made.update({"qt": _qt(), "ctk": module_of("ctk", "ctk"), "SampleData": _sample_data()})
        attributes = {name: kind for name, kind in STAND_INS.items() if not name.startswith("ctk")}
        missing = [(sys.modules, name, _made[name]) for name in ("qt", "ctk")]
        for table, name, module in missing:  # the stand-ins below import them
            table[name] = module
        vars(slicer).update(attributes)
        from . import parameter_node, parameter_types, parameter_widgets, scripted_module

        wrapper = ModuleType("slicer.parameterNodeWrapper")
        for part in (parameter_types, parameter_widgets, parameter_node):
            vars(wrapper).update({key: value for key, value in vars(part).items() if key in _WRAPPER})
        i18n = ModuleType("slicer.i18n")
        vars(i18n).update(tr=str, translate=_translate)
        _made.update({"slicer.parameterNodeWrapper": wrapper, "slicer.i18n": i18n,
                      "slicer.ScriptedLoadableModule": scripted_module})  # fmt: skip
        _attributes.update(attributes)
    return dict(_made), dict(_attributes)


_made: dict[str, ModuleType] = {}
_attributes: dict[str, Any] = {}
_WRAPPER = {"parameterNodeWrapper", "isParameterNodeWrapper", "Default", "Validator", "NotNone", "IsInstance",
            "WithinRange", "Minimum", "Maximum", "Choice", "Exclude", "Decimals", "SingleStep",
            "GuiConnector"}  # fmt: skip
