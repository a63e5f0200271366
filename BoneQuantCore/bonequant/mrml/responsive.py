"""Long work that leaves the interface answering: ``run_responsive(work)``.

The work runs in a thread of its own and must not touch nodes: read them before, write them after. The calling thread
waits for it in short turns and handles the application's events between them. A plain thread would starve in the
application, whose main thread holds Python's lock while it idles in Qt; waiting *inside* Python gives the lock away.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from bonequant.errors import Cancelled
from bonequant.mrml.core import require_slicer
from bonequant.progress import Progress, no_progress

Result = TypeVar("Result")
_TURN_S = 0.02  # between two looks at the application's events
_PATIENCE_S = 0.5  # after a cancel; work that is between two reports is then left to end by itself at the next


def run_responsive(
    work: Callable[[Progress], Result],
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    handle_events: Callable[[], Any] | None = None,
) -> Result:
    """What ``work(progress)`` returns, with events handled meanwhile.

    Args:
        work: takes a progress callback; it touches no node and no widget.
        progress: called in this thread with what the work reports: for a progress bar.
        cancelled: asked about every 20 ms; once true, the work's next report of progress raises Cancelled there. The
            caller is free after half a second in any case.
        handle_events: ``slicer.app.processEvents`` by default.

    Raises:
        Cancelled: ``cancelled`` said so; nothing of the work will come any more.
        Exception: whatever the work raised, with its own traceback.
    """
    show = progress or no_progress
    pump = handle_events or require_slicer().app.processEvents
    reports: queue.SimpleQueue[tuple[float, str]] = queue.SimpleQueue()
    stop = threading.Event()
    results: list[Result] = []
    errors: list[BaseException] = []

    def report(fraction: float, message: str) -> None:
        if stop.is_set():
            raise Cancelled("Cancelled.")
        reports.put((fraction, message))

    def carry_out() -> None:
        try:
            results.append(work(report))
        except BaseException as error:  # handed over to the calling thread, whatever it is
            errors.append(error)

    thread = threading.Thread(target=carry_out, name="bonequant work", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_TURN_S)
            while not reports.empty():
                show(*reports.get())
            pump()
            if cancelled():
                stop.set()
                thread.join(_PATIENCE_S)
                raise Cancelled("Cancelled.")
    except BaseException:
        stop.set()  # nobody waits for the result any more
        raise
    if errors:
        raise errors[0]
    return results[0]
