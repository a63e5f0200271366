"""Long work beside an interface: events are handled, results and errors come back, a cancel stops it."""

from __future__ import annotations

import itertools
import threading
import time

import pytest
from bonequant.errors import Cancelled, InputError
from bonequant.mrml import run_responsive


def test_events_are_handled_while_the_work_runs():
    turns, shown = [], []

    def work(progress):
        for step in range(5):
            progress(step / 5, f"step {step}")
            time.sleep(0.05)
        return threading.current_thread() is threading.main_thread()

    in_main = run_responsive(
        work, progress=lambda fraction, message: shown.append(message), handle_events=lambda: turns.append(time.time())
    )
    assert in_main is False
    assert shown == [f"step {i}" for i in range(5)]
    assert len(turns) >= 5 and max(b - a for a, b in itertools.pairwise(turns)) < 0.3


def test_a_cancel_stops_the_work_within_a_report():
    reached = []

    def work(progress):
        for step in range(1000):
            progress(step / 1000, "working")
            reached.append(step)
            time.sleep(0.01)

    start = time.perf_counter()
    with pytest.raises(Cancelled):
        run_responsive(work, cancelled=lambda: len(reached) > 5, handle_events=lambda: None)
    assert time.perf_counter() - start < 1.0
    assert len(reached) < 100


def test_a_cancel_frees_the_caller_though_the_work_reports_seldom():
    start = time.perf_counter()
    with pytest.raises(Cancelled):
        run_responsive(lambda progress: time.sleep(3.0), cancelled=lambda: True, handle_events=lambda: None)
    assert time.perf_counter() - start < 1.0


def test_an_error_of_the_work_comes_back_as_it_was():
    def work(progress):
        raise InputError("CT.nrrd: no voxels.")

    with pytest.raises(InputError, match=r"CT\.nrrd") as caught:
        run_responsive(work, handle_events=lambda: None)
    assert any(entry.name == "work" for entry in caught.traceback)


def test_an_error_in_the_interface_stops_the_work_too():
    ended = threading.Event()

    def work(progress):
        try:
            while True:
                progress(0.0, "working")
                time.sleep(0.01)
        finally:
            ended.set()

    def broken():
        raise RuntimeError("window is gone")

    with pytest.raises(RuntimeError, match="window"):
        run_responsive(work, handle_events=broken)
    assert ended.wait(2.0)
