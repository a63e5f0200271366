"""``qt.QUiLoader`` of the host: a .ui file as it is, with the stand-ins for its custom widgets.

The connections of the file are made here, from Python, because stand-ins carry MRML objects as Python objects; one
that names a missing sender, signal or slot is an error. A widget class without a stand-in is an error too.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject
from PySide6.QtUiTools import QUiLoader as _QUiLoader
from PySide6.QtWidgets import QWidget

from . import pythonqt
from .standing_in import STAND_INS


class QUiLoader(_QUiLoader):
    def createWidget(self, class_name: str, parent: QWidget | None = None, name: str = "") -> QWidget:
        if class_name in STAND_INS:
            widget = STAND_INS[class_name](parent)
            widget.objectName = name
            return widget
        if class_name.startswith(("ctk", "qMRML", "qSlicer")):
            raise LookupError(f"The test host has no stand-in for {class_name}: add one to Testing/host.")
        return super().createWidget(class_name, parent, name)

    def load(self, device: QIODevice, parent: QWidget | None = None) -> QWidget:
        root = ElementTree.fromstring(bytes(device.readAll().data()))
        unknown = sorted(
            {widget.get("class", "") for widget in root.iter("widget")}
            - set(STAND_INS)
            - set(self.availableWidgets())
            - {"Line"}
        )
        if unknown:
            raise LookupError(f"The test host has no stand-in for {', '.join(unknown)}: add one to Testing/host.")
        connections = root.find("connections")
        wanted = list(connections) if connections is not None else []
        if connections is not None:
            root.remove(connections)
        buffer = QBuffer()
        buffer.setData(QByteArray(ElementTree.tostring(root)))
        buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        widget = super().load(buffer, parent)
        for connection in wanted:
            _connect(widget, {part.tag: part.text or "" for part in connection})
        return widget


def _connect(root: QWidget, parts: dict[str, str]) -> None:
    sender, receiver = (_named(root, parts[part]) for part in ("sender", "receiver"))
    pythonqt.connect(sender, parts["signal"], receiver, parts["slot"])


def _named(root: QWidget, name: str) -> Any:
    found = root if root.objectName == name else root.findChild(QObject, name)
    if found is None:
        raise LookupError(f"A connection of the .ui file names {name}, which is no widget in it.")
    return found
