"""One run of the test host: the scene, the main window, the modules; all of it put away at the end."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import slicer
import slicer.util
from PySide6.QtCore import QObject, QSettings, Qt, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QInputDialog,
    QMainWindow,
    QMessageBox,
    QScrollArea,
    QSplitter,
    QWidget,
)

from . import MODULES, ROOT
from .dicom_database import DicomDatabase
from .layouts import qMRMLLayoutManager
from .modules import qSlicerModuleManager
from .names import application_names
from .standing_in import stand_in

_PANEL_WIDTH = 480
_DIALOGS = {
    QDialog: ("exec", "exec_"),
    QMessageBox: ("information", "question", "warning", "critical", "about"),
    QFileDialog: ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory"),
    QInputDialog: ("getText", "getInt", "getDouble", "getItem", "getMultiLineText"),
}


@stand_in
class qSlicerApplication(QApplication):
    """``slicer.app``: one for the process, as Qt wants it; every session gives it a scene and a window."""

    startupCompleted = Signal()
    mrmlSceneChanged = Signal(object)

    def begin(self, testing: bool, main_window: bool) -> None:
        self._testing, self._main_window = testing, main_window
        self._application_logic = slicer.modules.applicationLogic()
        self._layout_manager = qMRMLLayoutManager(slicer.mrmlScene, self._application_logic)
        self._module_manager = qSlicerModuleManager()

    def end(self) -> None:
        self._layout_manager.end()

    def testingEnabled(self) -> bool:
        return self._testing

    @property
    def temporaryPath(self) -> str:
        return tempfile.gettempdir()

    def mrmlScene(self) -> Any:
        return slicer.mrmlScene

    def applicationLogic(self) -> Any:
        return self._application_logic

    def layoutManager(self) -> qMRMLLayoutManager | None:
        return self._layout_manager if self._main_window else None

    def moduleManager(self) -> qSlicerModuleManager:
        return self._module_manager

    def moduleLogic(self, name: str) -> Any:
        return self._application_logic.GetModuleLogic(name)

    def dicomDatabase(self) -> DicomDatabase:
        return slicer.dicomDatabase

    def settings(self) -> QSettings:
        return QSettings()

    def userSettings(self) -> QSettings:
        return QSettings()

    def setRenderPaused(self, paused: bool) -> None:
        self._layout_manager.setRenderPaused(paused)

    def pauseRender(self) -> None:
        self.setRenderPaused(True)

    def resumeRender(self) -> None:
        self.setRenderPaused(False)

    def translate(self, context: str, text: str) -> str:  # type: ignore[override]
        return text


class _ModuleSelector(QObject):
    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    @property
    def selectedModule(self) -> str:
        return self._session.opened

    def selectModule(self, name: str) -> None:
        self._session.open(name)


class _MainWindow(QMainWindow):
    def __init__(self, session: Session, views: QWidget, size: tuple[int, int]) -> None:
        super().__init__()
        self.objectName = "qSlicerMainWindow" if session.application.layoutManager() is not None else "noMainWindow"
        self.windowTitle = "Test host"
        self._selector = _ModuleSelector(session)
        self._panel = QScrollArea()
        self._panel.widgetResizable = True
        self._panel.setFrameShape(QScrollArea.Shape.NoFrame)
        self._panel.setFixedWidth(_PANEL_WIDTH)
        self._panel.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self._panel)
        splitter.addWidget(views)
        self.setCentralWidget(splitter)
        self.resize(*size)

    def moduleSelector(self) -> _ModuleSelector:
        return self._selector

    def show_panel(self, widget: QWidget) -> None:
        self._panel.takeWidget()
        self._panel.setWidget(widget)
        widget.setVisible(True)


class Session:
    """What ``host.application()`` gives.

    ``errors`` holds exceptions raised in slots (Slicer would print them and go on); those that a test has not taken
    with :meth:`take_errors` fail it at the end of the session.
    """

    def __init__(self, application: qSlicerApplication, size: tuple[int, int]) -> None:
        self.application = application
        self.errors: list[BaseException] = []
        self.opened = ""
        self.window = _MainWindow(self, application._layout_manager.viewport(), size)

    @property
    def scene(self) -> Any:
        return slicer.mrmlScene

    def open(self, name: str) -> Any:
        """Go to a module, as by the module selector: leave the one shown, enter this. Its Python panel."""
        around = self._module(name).widgetRepresentation()
        if around is None:
            raise LookupError(f"Module {name} has no panel.")
        self.leave()
        self.window.show_panel(around)
        self.opened = name
        around.enter()
        self.process()
        return around.self()

    def leave(self) -> None:
        """Leave the module that is shown, if any: its ``exit`` is called."""
        if self.opened:
            self._module(self.opened).widgetRepresentation().exit()
            self.opened = ""

    def close_scene(self) -> None:
        """File, Close Scene."""
        slicer.mrmlScene.Clear(0)
        self.process()

    def process(self, milliseconds: int = 0) -> None:
        """Let Qt work through its events; with a time, for that long (timers fire)."""
        from PySide6.QtTest import QTest

        if milliseconds:
            QTest.qWait(milliseconds)
        self.application.processEvents()

    def take_errors(self) -> list[BaseException]:
        """Exceptions raised in slots since the last call."""
        taken, self.errors = self.errors, []
        return taken

    def screenshot(self, path: str | Path, widget: QWidget | None = None) -> Path:
        """The whole window (panel and rendered views), or one widget of it, as PNG."""
        self.window.show()
        self.process()
        self.process()
        picture = (widget or self.window).grab()
        if not picture.save(str(path)):
            raise OSError(f"The screenshot could not be written to {path}.")
        return Path(path)

    def _module(self, name: str) -> Any:
        module = self.application.moduleManager().module(name)
        if module is None:
            raise LookupError(
                f"No module {name}; there are {', '.join(self.application.moduleManager().modulesNames())}."
            )
        return module


@contextlib.contextmanager
def application(
    *,
    modules: tuple[str, ...] = MODULES,
    root: Path = ROOT,
    testing: bool = True,
    main_window: bool = True,
    size: tuple[int, int] = (1400, 900),
) -> Iterator[Session]:
    """Start the host and put it away again.

    Args:
        modules: modules to load, in this order; each is ``<root>/<name>/<name>.py``.
        root: the checkout.
        testing: what ``slicer.app.testingEnabled()`` says. A dialog that is opened nevertheless is an error.
        main_window: without it ``slicer.app.layoutManager()`` and ``slicer.util.mainWindow()`` are None, as with
            ``Slicer --no-main-window``.
        size: of the main window, pixels.
    """
    with contextlib.ExitStack() as undo, tempfile.TemporaryDirectory() as settings:
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings)
        _install_names(undo)
        paths = [root / name / f"{name}.py" for name in modules]
        _put_back(undo, sys, "path", [*(str(path.parent) for path in paths), *sys.path])
        app = QApplication.instance() or qSlicerApplication([sys.argv[0]])
        app.setOrganizationName("BoneQuant")
        app.setApplicationName("TestHost")
        app.setStyle("Fusion")
        qInstallMessageHandler(_qt_message)
        undo.callback(qInstallMessageHandler, None)
        _put_back(undo, slicer, "app", app)
        _put_back(undo, slicer, "dicomDatabase", DicomDatabase())
        app.begin(testing, main_window)
        session = Session(app, size)
        _put_back(undo, sys, "excepthook", _recorder(session))
        for kind, names in _DIALOGS.items():
            for name in names:
                _put_back(undo, kind, name, _refused(kind.__name__, name))
        try:
            app.moduleManager().loadModules(paths)
            app.startupCompleted.emit()
            session.window.show()
            session.process()
            yield session
            session.leave()
        finally:
            _put_away(session)
    if session.errors:
        raise AssertionError(
            f"{len(session.errors)} errors were raised in slots and not looked at"
        ) from session.errors[0]


def _install_names(undo: contextlib.ExitStack) -> None:
    before = {name: sys.modules.get(name) for name in ("qt", "ctk")}
    modules, attributes = application_names()
    sys.modules.update({name: module for name, module in before.items() if module is not None})
    for name, module in modules.items():
        undo.callback(_restore_module, name, before.get(name, sys.modules.get(name)))
        sys.modules[name] = module
        if name.startswith("slicer."):
            _put_back(undo, slicer, name.removeprefix("slicer."), module)
    for name, value in attributes.items():
        undo.callback(vars(slicer).pop, name, None)
        setattr(slicer, name, value)
    for name in ("mrmlScene", "modules", "selfTests"):
        _put_back(undo, slicer, name, {} if name == "selfTests" else None)
    from bonequant import mrml

    mrml.embedded()


def _put_away(session: Session) -> None:
    app = session.application
    app.moduleManager().unloadModules()
    slicer.mrmlScene.Clear(1)
    app.end()
    session.window.close()
    session.window.deleteLater()
    app.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
    app.processEvents()


def _put_back(undo: contextlib.ExitStack, owner: Any, name: str, value: Any) -> None:
    """Set an attribute until the session ends."""
    if name in vars(owner):
        undo.callback(setattr, owner, name, vars(owner)[name])
    else:
        undo.callback(lambda: delattr(owner, name) if name in vars(owner) else None)
    setattr(owner, name, value)


def _restore_module(name: str, module: Any) -> None:
    if module is None:
        sys.modules.pop(name, None)
    else:
        sys.modules[name] = module


def _recorder(session: Session) -> Any:
    def record(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
        logging.getLogger("host").error("In a slot", exc_info=(kind, error, traceback))
        session.errors.append(error)

    return record


def _refused(kind: str, name: str) -> Any:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise RuntimeError(f"{kind}.{name} was called: no dialog is allowed when testing.")

    return staticmethod(refuse) if kind != "QDialog" else refuse


def _qt_message(kind: QtMsgType, context: Any, text: str) -> None:
    if "propagateSizeHints" not in text:  # the off-screen platform says so of every window
        logging.getLogger("host").warning("Qt: %s", text)
