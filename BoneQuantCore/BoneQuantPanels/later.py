"""A call after a while, in the thread of the interface."""

from __future__ import annotations

from collections.abc import Callable

import qt


def call_later(seconds: float, call: Callable[[], None]) -> None:
    """Call once. The timer ends with the call; those of Slicer's ``QTimer.singleShot`` stay until Slicer is closed,
    and with them everything that the call holds."""
    timer = qt.QTimer()
    timer.setSingleShot(True)

    def due() -> None:
        timer.deleteLater()
        call()

    timer.connect("timeout()", due)
    timer.start(int(1000 * seconds))
