"""Long work in a panel: a progress bar with Cancel, an interface that goes on answering, errors the user can read.

    self.work = WorkBar(self.layout, busy=self.onBusy)
    with errors_shown(_("The regions could not be measured.")):
        result = self.work.run(lambda progress: job.run(inputs, settings, progress))

Read nodes before, write nodes after: what is given to ``run`` happens in another thread.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

_STEPS = 1000


@contextlib.contextmanager
def errors_shown(what: str) -> Iterator[None]:
    """Slicer's error display around a user's action; a cancelled one is no error.

    ``what`` names what could not be done; the error's own text, with node and way out, follows it.
    """
    from bonequant.errors import BoneQuantError, Cancelled

    from BoneQuantPanels.wording import in_the_panel

    with slicer.util.tryWithErrorDisplay(what):
        try:
            yield
        except Cancelled:
            slicer.util.showStatusMessage(_("Cancelled: nothing was changed."), 5000)
        except BoneQuantError as error:
            error.args = (in_the_panel(str(error)), *error.args[1:])
            raise


def run_in_dialog(work: Callable[[Callable[[float, str], None]], Any]) -> Any:
    """Work that is started where no panel shows a bar: a dialog with Cancel; none when testing or without a window."""
    from bonequant.mrml import run_responsive

    window = slicer.util.mainWindow()
    if window is None or slicer.app.testingEnabled():
        return work(lambda fraction, message: None)
    modal = qt.Qt.WindowModal  # or the button that started it could be pressed again
    dialog = slicer.util.createProgressDialog(
        parent=window, maximum=_STEPS, windowTitle=_("Working"), windowModality=modal
    )

    def show(fraction: float, message: str) -> None:
        dialog.labelText = message
        dialog.value = min(round(_STEPS * fraction), _STEPS - 1)  # at its maximum it would close itself

    try:
        return run_responsive(work, progress=show, cancelled=lambda: dialog.wasCanceled)
    finally:
        dialog.close()


def pause() -> None:
    """Between nodes that are written: the interface paints itself, and what is pressed waits until all are there."""
    slicer.app.processEvents(qt.QEventLoop.ExcludeUserInputEvents)


class WorkBar:
    """A bar, hidden while nothing runs, that is put at the end of ``layout``.

    ``busy(True)`` is called when work begins and ``busy(False)`` when it has ended, for the panel to disable itself:
    events are handled meanwhile, so that every button could be pressed again.
    """

    def __init__(self, layout: Any, busy: Callable[[bool], None]) -> None:
        self.widget = qt.QWidget()
        self.widget.objectName = "workBar"
        self.message, self.bar = qt.QLabel(), qt.QProgressBar()
        self.button = qt.QPushButton(_("Cancel"))
        self.button.objectName = "cancelButton"
        self.button.toolTip = _("Stop the work; nothing is changed")
        self.bar.maximum = _STEPS
        rows, row = qt.QVBoxLayout(self.widget), qt.QHBoxLayout()
        rows.setContentsMargins(0, 4, 0, 4)
        rows.addWidget(self.message)
        rows.addLayout(row)
        row.addWidget(self.bar)
        row.addWidget(self.button)
        layout.addWidget(self.widget)
        self.widget.visible = False
        self.button.connect("clicked(bool)", self.cancel)
        self._busy, self.running, self._cancelled = busy, False, False

    def run(self, work: Callable[[Callable[[float, str], None]], Any]) -> Any:
        """What ``work(progress)`` returns, or its error. Raises Cancelled after the button, and where work is running.

        The scene being closed, or the module being unloaded, should call :meth:`cancel`.
        """
        from bonequant.errors import BoneQuantError
        from bonequant.mrml import run_responsive

        if self.running:
            raise BoneQuantError(_("Other work is running: wait for it, or cancel it first."))
        self.running, self._cancelled = True, False
        self._show(0.0, "")
        self.button.enabled = True
        self.widget.visible = True
        self._busy(True)
        try:
            return run_responsive(work, progress=self._show, cancelled=lambda: self._cancelled)
        finally:
            self.running = False
            self.widget.visible = False
            self._busy(False)

    def cancel(self) -> None:
        """Ask the running work to stop; the call of ``run`` ends within half a second."""
        self._cancelled = True
        self.button.enabled = False

    def _show(self, fraction: float, message: str) -> None:
        self.bar.value = round(_STEPS * fraction)
        self.message.text = message
