"""Which widget shows which type of parameter, and how: the connectors of ``slicer.parameterNodeWrapper``.

As in Slicer the class of the widget must fit exactly; a pair that Slicer has no connector for is a RuntimeError here
too (so is a combo box without Choice, or a slider without bounds).
"""

from __future__ import annotations

import enum
import logging
import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ctk
import qt
import slicer

from .parameter_types import Choice, Maximum, Minimum, WithinRange, node_classes, split


@dataclass
class Decimals:
    value: int


@dataclass
class SingleStep:
    value: float


class GuiConnector:
    """Reads and writes one widget, and tells when the user changed it."""

    signal = ""

    def __init__(self, widget: Any, annotated: Any) -> None:
        self.shown = widget
        self.kind, self.annotations = split(annotated)
        self._callback: Callable[[], None] | None = None
        self.prepare()

    def prepare(self) -> None:
        """Fit the widget to the type."""

    def on_changed(self, callback: Callable[[], None] | None) -> None:
        if self._callback is not None and self.signal:
            getattr(self.shown, self.signal).disconnect(self._changed)
        self._callback = callback
        if callback is not None and self.signal:
            getattr(self.shown, self.signal).connect(self._changed)

    def _changed(self, *_: Any) -> None:
        if self._callback is not None:
            self._callback()

    def read(self) -> Any:
        return getattr(self.shown, self.attribute)

    def write(self, value: Any) -> None:
        if getattr(self.shown, self.attribute) != value:
            setattr(self.shown, self.attribute, value)

    attribute = ""

    def annotation(self, kind: type) -> Any:
        return next((one for one in self.annotations if isinstance(one, kind)), None)


class CheckBox(GuiConnector):
    signal, attribute = "stateChanged", "checked"


class PushButton(GuiConnector):
    signal, attribute = "toggled", "checked"

    def prepare(self) -> None:
        if not self.shown.checkable:
            logging.warning("Making push button checkable for conversion to bool: %s", self.shown.objectName)
            self.shown.checkable = True


class Number(GuiConnector):
    signal, attribute = "valueChanged", "value"
    unbounded: tuple[float, float] = (float("-inf"), float("inf"))
    must_be_bounded: tuple[type, ...] = ()

    def prepare(self) -> None:
        decimals, step = self.annotation(Decimals), self.annotation(SingleStep)
        if self.kind is int and not isinstance(self.shown, (qt.QSlider, qt.QSpinBox)):
            self.shown.decimals = 0
        elif decimals is not None:
            self.shown.decimals = decimals.value
        if step is not None:
            self.shown.singleStep = step.value
        within, low, high = self.annotation(WithinRange), self.annotation(Minimum), self.annotation(Maximum)
        if type(self.shown) in self.must_be_bounded and within is None and (low is None or high is None):
            raise RuntimeError(f"Cannot have a connection to {type(self.shown).__name__} where the type is unbounded.")
        lowest, highest = (within.minimum, within.maximum) if within is not None else self.unbounded
        self.shown.minimum = low.minimum if low is not None else lowest
        self.shown.maximum = high.maximum if high is not None else highest

    def read(self) -> Any:
        return self.kind(self.shown.value)


class Whole(Number):
    unbounded = (-(2**31), 2**31 - 1)
    must_be_bounded = (qt.QSlider,)


class Real(Number):
    must_be_bounded = (ctk.ctkSliderWidget, slicer.qMRMLSliderWidget)


class Choices(GuiConnector):
    signal = "currentIndexChanged"

    def prepare(self) -> None:
        choice = self.annotation(Choice)
        if choice is None:
            raise RuntimeError("A combo box needs the Choice annotation.")
        self.options = [(str(one), one) for one in choice.choices]
        self._fill()

    def _fill(self) -> None:
        self.shown.clear()
        for label, _ in self.options:
            self.shown.addItem(label)

    def read(self) -> Any:
        return self.options[self.shown.currentIndex][1]

    def write(self, value: Any) -> None:
        for index, (_, option) in enumerate(self.options):
            if option == value:
                self.shown.currentIndex = index
                return
        raise ValueError(f"Unable to find value {value} in the choices of {self.shown.objectName}")


class EnumChoices(Choices):
    def prepare(self) -> None:
        label = getattr(self.kind, "label", lambda member: member.name)
        self.options = [(label(member), member) for member in self.kind]
        selected = self.shown.currentIndex
        self._fill()
        self.shown.currentIndex = selected


class Text(GuiConnector):
    signal, attribute = "textChanged", "text"


class Label(GuiConnector):
    attribute = "text"


class PlainText(GuiConnector):
    signal = "textChanged"

    def read(self) -> str:
        return self.shown.toPlainText()

    def write(self, value: str) -> None:
        self.shown.setPlainText(value)


class FilePath(GuiConnector):
    signal, attribute = "currentPathChanged", "currentPath"

    def read(self) -> Any:
        return self.kind(super().read())

    def write(self, value: Any) -> None:
        super().write(str(value))


class Directory(FilePath):
    signal, attribute = "directoryChanged", "directory"


class Node(GuiConnector):
    signal = "currentNodeChanged"

    def prepare(self) -> None:
        self.shown.nodeTypes = node_classes(self.kind)

    def read(self) -> Any:
        return self.shown.currentNode()

    def write(self, value: Any) -> None:
        self.shown.setCurrentNode(value)


def connector_for(widget: Any, annotated: Any) -> GuiConnector:
    """The connector of a widget and a type; RuntimeError where Slicer has none."""
    kind, _ = split(annotated)
    for connector, widgets, fits in _CONNECTORS:
        if type(widget) in widgets and fits(kind):
            return connector(widget, annotated)
    raise RuntimeError(f"Unable to create GUI connector from datatype '{annotated}' to widget type '{type(widget)}'.")


def _one_of(*kinds: type) -> Callable[[Any], bool]:
    return lambda kind: kind in kinds


def _is_path(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, pathlib.PurePath)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


_CONNECTORS: list[tuple[type[GuiConnector], tuple[type, ...], Callable[[Any], bool]]] = [
    (CheckBox, (qt.QCheckBox, ctk.ctkCheckBox), _one_of(bool)),
    (PushButton, (qt.QPushButton,), _one_of(bool)),
    (Whole, (qt.QSlider, qt.QSpinBox), _one_of(int)),
    (Real, (qt.QDoubleSpinBox, ctk.ctkSliderWidget, slicer.qMRMLSliderWidget, ctk.ctkDoubleSpinBox,
            slicer.qMRMLSpinBox), _one_of(float, int)),
    (Choices, (qt.QComboBox, ctk.ctkComboBox), _one_of(int, float, str, bool)),
    (EnumChoices, (qt.QComboBox, ctk.ctkComboBox), _is_enum),
    (Text, (qt.QLineEdit,), _one_of(str)),
    (Label, (qt.QLabel,), _one_of(str)),
    (PlainText, (qt.QTextEdit,), _one_of(str)),
    (FilePath, (ctk.ctkPathLineEdit,), _is_path),
    (Directory, (ctk.ctkDirectoryButton,), _is_path),
    (Node, (slicer.qMRMLNodeComboBox,), lambda kind: bool(node_classes(kind))),
]  # fmt: skip
