"""A full marrow job through the panel: does the interface go on answering? ``python -m benchmarks panel_latency``.

The panel of BoneMarrowPerfusion is driven on the test host (real scene, real slice views, PySide6 for Qt) with the
simulated patient: registration, skeleton, vertebrae, regions, table, maps. The window is hidden, since drawing is
Slicer's own work and the host draws in software. A timer that is due every 5 ms notes when
it fires: the longest time between two firings is the longest time for which the interface did not answer, reading of
the nodes before the work and writing of the results after it included. Then the job is started again and cancelled at
several moments: the time from the click on Cancel until the panel is free again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from bonequant.phantom import preset, simulate_patient

LONGEST_MS, CANCEL_MS = 300.0, 1000.0
_TICK_MS = 5
_CANCEL_AT = (0.05, 0.25, 0.45, 0.65, 0.85)  # of the job, by its progress bar


def main(argv: Sequence[str] | None = None) -> int:
    """Print both tables; 1 where a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks panel_latency", description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="demo", choices=("demo", "small"), help="the simulated patient")
    chosen = parser.parse_args(argv).preset

    from Testing import host

    if host.missing():
        print(f"Not measured: {host.missing()}", file=sys.stderr)
        return 0
    patient = simulate_patient(preset(chosen, seed=1))
    with host.application() as app:
        return _measure(app, patient, chosen)


def _measure(app: Any, patient: Any, name: str) -> int:
    from bonequant import mrml

    panel = app.open("BoneMarrowPerfusion")
    app.window.hide()
    panel.chosen.functionalVolume = mrml.to_node(patient.spect, "SPECT")
    panel.chosen.ctVolume = mrml.to_node(patient.ct, "CT")
    sizes = [" x ".join(str(n) for n in volume.geometry.size) for volume in (patient.ct, patient.spect)]
    print(f"Marrow job through the panel, {name} patient: CT {sizes[0]}, SPECT {sizes[1]}")
    gaps, working, duration_s = _gaps_ms(app, panel)
    regions = panel.chosen.regions.GetSegmentation().GetNumberOfSegments()
    print(f"  duration {duration_s:.1f} s, {regions} segments written")
    print("  time between two answers of the interface, ms:")
    first, last = working.index(True), len(working) - working[::-1].index(True)
    for phase, part in (("read", gaps[: first + 1]), ("work", gaps[first + 1 : last]), ("write", gaps[last:])):
        high = np.percentile(part, 99)
        print(f"    {phase:<5} median {np.median(part):>4.0f}, 99 % {high:>4.0f}, longest {max(part):>4.0f}")

    panel.ui.undoButton.click()
    print("  cancelled at    free again after, ms")
    spent = []
    for share in _CANCEL_AT:
        panel.chosen.regions = None
        spent.append(_cancel_ms(panel, share))
        print(f"  {100 * share:>10.0f} % {spent[-1]:>23.0f}")
    print(f"Promised: longest below {LONGEST_MS:.0f} ms, cancelled within {CANCEL_MS:.0f} ms.")
    return int(max(gaps) >= LONGEST_MS or max(spent) >= CANCEL_MS)


def _gaps_ms(app: Any, panel: Any) -> tuple[list[float], list[bool], float]:
    """Milliseconds between firings of a timer while the job runs, whether its thread did, and how long it took (s)."""
    import qt

    moments: list[float] = []
    working: list[bool] = []

    def note() -> None:
        moments.append(time.perf_counter())
        working.append(bool(panel.work.running))

    timer = qt.QTimer()
    timer.interval = _TICK_MS
    timer.connect("timeout()", note)
    app.process(50)
    moments.clear()
    working.clear()
    timer.start()
    start = time.perf_counter()
    panel.ui.measureButton.click()
    end = time.perf_counter()
    app.process(50)
    timer.stop()
    return (1000.0 * np.diff([start, *moments])).tolist(), working, end - start


def _cancel_ms(panel: Any, share: float) -> float:
    """Milliseconds from the click on Cancel, once the bar stands at ``share``, until the panel is free."""
    import qt

    pressed: list[float] = []

    def look() -> None:
        if not pressed and panel.work.running and panel.work.bar.value >= share * panel.work.bar.maximum:
            pressed.append(time.perf_counter())
            panel.work.button.click()

    timer = qt.QTimer()
    timer.interval = _TICK_MS
    timer.connect("timeout()", look)
    timer.start()
    panel.ui.measureButton.click()
    end = time.perf_counter()
    timer.stop()
    time.sleep(1.0)  # work that was left to itself ends at its next report; the next measurement starts after it
    return 1000.0 * (end - pressed[0])
