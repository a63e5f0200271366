"""A host for tests: enough of an application to construct and drive module panels where Slicer is not installed.

Test equipment, never installed with the extension. What Slicer's core on PyPI has is real here (scene, nodes, logics,
``slicer.util``, views rendered by Slicer's displayable managers); what only the application has (Qt widgets, PythonQt,
scripted modules, the parameter node wrapper) is a stand-in written after Slicer's documentation. See README.md::

    from Testing import host

    with host.application() as app:
        panel = app.open("BoneMarrowPerfusion")
        panel.ui.measureButton.click()
        app.screenshot("panel.png")
"""

from __future__ import annotations

import importlib.util
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("BoneQuantCore", "BoneMarrowPerfusion", "SPECTCTRadiomics", "DCEResponse")


def missing() -> str:
    """What this machine lacks to run the host, with the way to get it; "" where nothing is."""
    names = {"slicer": "slicer-core", "PySide6": "PySide6-Essentials"}
    lacking = [package for name, package in names.items() if importlib.util.find_spec(name) is None]
    return f"TEST HOST MISSING {' and '.join(lacking)}: pip install 'bonequant[dev,slicer]'" if lacking else ""


def application(**options: Any) -> AbstractContextManager[Any]:
    """An application with an empty scene and the modules loaded; see :class:`Testing.host.session.Session`."""
    from .session import application as start

    return start(**options)
