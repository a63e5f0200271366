"""The results folder that a panel writes, and its report in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer


def new_folder(parent: str | Path, name: str) -> Path:
    """A folder in ``parent`` that does not exist yet: ``name``, or ``name_2`` and so on."""
    parent = Path(parent)
    number, folder = 1, parent / name
    while folder.exists():
        number += 1
        folder = parent / f"{name}_{number}"
    return folder


def at_home(chosen: Any, parameter: str) -> Any:
    """The parameter node, with the user's home where no folder was chosen yet: a directory button then stands at the
    folder in which Slicer was started, and tells of no choice of that one."""
    if getattr(chosen, parameter) == Path():
        setattr(chosen, parameter, Path(qt.QDir.homePath()))
    return chosen


def open_report(path: str | Path) -> None:
    """Open a written report in the user's browser; not when testing, nor without a main window."""
    if not slicer.app.testingEnabled() and slicer.util.mainWindow() is not None:
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path)))
