"""Stand-ins for the CTK widgets used in panels: their properties, signals and enough of their looks."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, QDir, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionButton,
    QTextBrowser,
    QToolButton,
    QWidget,
)

from .standing_in import stand_in, stored

_HEADER = 24  # pixels
_STEPS = 10_000  # of a slider's track


@stand_in
class ctkCollapsibleButton(QWidget):
    contentsCollapsed = Signal(bool)
    toggled = Signal(bool)
    clicked = Signal(bool)

    def __init__(self, *arguments: Any) -> None:
        text = arguments[0] if arguments and isinstance(arguments[0], str) else ""
        super().__init__(*[one for one in arguments if not isinstance(one, str)])
        self._text = text
        self.setContentsMargins(0, _HEADER, 0, 0)

    text = stored(str, "text", "", "update")
    flat = stored(bool, "flat", False)
    checkable = stored(bool, "checkable", True)
    contentsLineWidth = stored(int, "contentsLineWidth", 1)
    collapsed = stored(bool, "collapsed", False, "_fold")

    @Property(bool)
    def checked(self) -> bool:
        return not self.collapsed

    @checked.setter
    def checked(self, value: bool) -> None:
        self.collapsed = not value

    def _fold(self) -> None:
        for child in self.children():
            if isinstance(child, QWidget):
                child.setVisible(not self.collapsed)
        self.maximumHeight = _HEADER if self.collapsed else 16777215
        self.contentsCollapsed.emit(self.collapsed)
        self.toggled.emit(not self.collapsed)

    def childEvent(self, event: Any) -> None:
        if event.added() and isinstance(event.child(), QWidget) and self.collapsed:
            event.child().setVisible(False)

    def mousePressEvent(self, event: Any) -> None:
        if event.position().y() < _HEADER:
            self.collapsed = not self.collapsed
            self.clicked.emit(self.checked)

    def paintEvent(self, event: Any) -> None:
        painter, option = QPainter(self), QStyleOptionButton()
        option.initFrom(self)
        option.rect.setHeight(_HEADER - 2)
        self.style().drawControl(QStyle.ControlElement.CE_PushButtonBevel, option, painter, self)
        painter.setPen(self.palette.color(QPalette.ColorRole.ButtonText))
        arrow = "\u25b8" if self.collapsed else "\u25be"
        painter.drawText(option.rect.adjusted(8, 0, -8, 0), Qt.AlignmentFlag.AlignVCenter, f"{arrow}  {self.text}")


@stand_in
class ctkCollapsibleGroupBox(QGroupBox):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.checkable = True
        self.connect("toggled(bool)", self._fold)

    @Property(bool)
    def collapsed(self) -> bool:
        return not self.checked

    @collapsed.setter
    def collapsed(self, value: bool) -> None:
        self.checked = not value

    def _fold(self, shown: bool) -> None:
        for child in self.children():
            if isinstance(child, QWidget):
                child.setVisible(shown)

    def childEvent(self, event: Any) -> None:
        if event.added() and isinstance(event.child(), QWidget) and self.collapsed:
            event.child().setVisible(False)


@stand_in
class ctkDoubleSpinBox(QDoubleSpinBox):
    pass


@stand_in
class ctkDoubleSlider(QSlider):
    pass


@stand_in
class ctkSliderWidget(QWidget):
    """Slider and spin box with one floating-point value."""

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._slider, self._box = QSlider(Qt.Orientation.Horizontal), QDoubleSpinBox()
        self._slider.maximum = _STEPS
        self._box.maximum = 100.0
        self._box.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._box)
        self._box.valueChanged.connect(self._on_value)
        self._slider.sliderMoved.connect(self._on_slider)

    def _of_box(kind: type, name: str) -> Property:
        def set_(self: Any, value: Any) -> None:
            setattr(self._box, name, value)
            self._place()

        return Property(kind, lambda self: getattr(self._box, name), set_)

    value = _of_box(float, "value")
    minimum = _of_box(float, "minimum")
    maximum = _of_box(float, "maximum")
    singleStep = _of_box(float, "singleStep")
    decimals = _of_box(int, "decimals")
    prefix = _of_box(str, "prefix")
    suffix = _of_box(str, "suffix")
    pageStep = stored(float, "pageStep", 10.0)
    tracking = stored(bool, "tracking", True)
    spinBoxVisible = stored(bool, "spinBoxVisible", True, "_show_box")

    def setValue(self, value: float) -> None:
        self.value = value

    def setMinimum(self, value: float) -> None:
        self.minimum = value

    def setMaximum(self, value: float) -> None:
        self.maximum = value

    def setRange(self, low: float, high: float) -> None:
        self.minimum, self.maximum = low, high

    def slider(self) -> QSlider:
        return self._slider

    def spinBox(self) -> QDoubleSpinBox:
        return self._box

    def _show_box(self) -> None:
        self._box.visible = self.spinBoxVisible

    def _place(self) -> None:
        low, high = self._box.minimum, self._box.maximum
        if high > low and high - low < float("inf"):
            self._slider.value = round(_STEPS * (self._box.value - low) / (high - low))

    def _on_value(self, value: float) -> None:
        self._place()
        self.valueChanged.emit(value)

    def _on_slider(self, step: int) -> None:
        low, high = self._box.minimum, self._box.maximum
        self._box.value = low + (high - low) * step / _STEPS
        self.valueIsChanging.emit(self._box.value)


@stand_in
class ctkRangeWidget(QWidget):
    """Two values in a range."""

    valuesChanged = Signal(float, float)
    minimumValueChanged = Signal(float)
    maximumValueChanged = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._low, self._high = QDoubleSpinBox(), QDoubleSpinBox()
        for box in (self._low, self._high):
            layout.addWidget(box, 1)
            box.valueChanged.connect(lambda _: self.valuesChanged.emit(self._low.value, self._high.value))

    minimum = Property(float, lambda self: self._low.minimum, lambda self, value: self.setRange(value, self.maximum))
    maximum = Property(float, lambda self: self._high.maximum, lambda self, value: self.setRange(self.minimum, value))
    minimumValue = Property(float, lambda self: self._low.value, lambda self, value: setattr(self._low, "value", value))
    maximumValue = Property(
        float, lambda self: self._high.value, lambda self, value: setattr(self._high, "value", value)
    )
    decimals = stored(int, "decimals", 2)
    singleStep = stored(float, "singleStep", 1.0)

    def setRange(self, low: float, high: float) -> None:
        for box in (self._low, self._high):
            box.minimum, box.maximum = low, high

    def setValues(self, low: float, high: float) -> None:
        self.minimumValue, self.maximumValue = low, high


@stand_in
class ctkComboBox(QComboBox):
    pass


@stand_in
class ctkCheckBox(QCheckBox):
    pass


@stand_in
class ctkPushButton(QPushButton):
    pass


@stand_in
class ctkCheckablePushButton(ctkPushButton):
    checkBoxControlsButton = stored(bool, "checkBoxControlsButton", True)
    checkBoxControlsButtonToggleState = stored(bool, "checkBoxControlsButtonToggleState", True)


@stand_in
class ctkMenuButton(QPushButton):
    pass


@stand_in
class ctkExpandableWidget(QWidget):
    pass


@stand_in
class ctkFittedTextBrowser(QTextBrowser):
    collapsible = stored(bool, "collapsible", False)


@stand_in
class ctkSearchBox(QLineEdit):
    pass


@stand_in
class ctkMessageBox(QMessageBox):
    dontShowAgainSettingsKey = stored(str, "dontShowAgainSettingsKey", "")


@stand_in
class ctkPathLineEdit(QLineEdit):
    currentPathChanged = Signal(str)
    filters = stored(int, "filters", 0)
    nameFilters = stored("QStringList", "nameFilters", [])
    settingKey = stored(str, "settingKey", "")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.textChanged.connect(self.currentPathChanged)

    currentPath = Property(str, lambda self: self.text, lambda self, value: setattr(self, "text", value))

    def addCurrentPathToHistory(self) -> None:
        """Only the application has a history."""


@stand_in
class ctkDirectoryButton(QPushButton):
    directoryChanged = Signal(str)
    directorySelected = Signal(str)
    directory = stored(str, "directory", ".", "_tell")  # QDir's own default: where the program was started

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._told = self.directory
        self.text = QDir(self._told).absolutePath()

    def _tell(self) -> None:
        """The same folder by another name, as "." and its absolute path, is no change."""
        if QDir(self.directory).absolutePath() == QDir(self._told).absolutePath():
            self.directory = self._told
            return
        self._told = self.directory
        self.text = QDir(self._told).absolutePath()
        self.directoryChanged.emit(self._told)


@stand_in
class ctkColorPickerButton(QToolButton):
    colorChanged = Signal(QColor)
    displayColorName = stored(bool, "displayColorName", True)
    color = stored(QColor, "color", QColor(0, 0, 0), "_tell")

    def _tell(self) -> None:
        self.styleSheet = f"background: {self.color.name()}"
        self.colorChanged.emit(self.color)
