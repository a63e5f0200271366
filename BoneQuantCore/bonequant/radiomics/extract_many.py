"""Features of many regions, by as many processes as wanted, with the same numbers whatever their count."""

from __future__ import annotations

import multiprocessing
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from types import ModuleType

import SimpleITK as sitk

from bonequant.errors import BoneQuantError
from bonequant.progress import Progress, no_progress
from bonequant.radiomics.extract import measure, read_region
from bonequant.radiomics.features import Features
from bonequant.radiomics.settings import AnySettings, RadiomicsSettings
from bonequant.volume.types import Volume

Case = tuple[Volume | sitk.Image, sitk.Image]


def extract_many(
    cases: Iterable[Case],
    settings: AnySettings | None = None,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> list[Features]:
    """:func:`~bonequant.radiomics.extract` of every (image, mask), in their order.

    Args:
        cases: may be a generator that reads files: with several workers only a few cases are held at a time.
        workers: processes; 1 works in this one. Each takes about a second to start.
        progress: called after every case; may raise Cancelled.

    Raises the error of the first case that fails, with its number (from 1) in front.
    """
    settings = RadiomicsSettings.of(settings)
    report = progress or no_progress
    total = len(cases) if isinstance(cases, list | tuple) else None
    results: list[Features] = []
    for features in _in_processes(cases, settings, workers) if workers > 1 else _in_turn(cases, settings):
        results.append(features)
        done = len(results)
        report(done / total if total else 0.0, f"{done} of {total} regions" if total else f"{done} regions")
    return results


def _in_turn(cases: Iterable[Case], settings: RadiomicsSettings) -> Iterator[Features]:
    for number, (image, mask) in enumerate(cases, start=1):
        with _numbered(number):
            yield measure(read_region(image, mask, settings), settings)


def _in_processes(cases: Iterable[Case], settings: RadiomicsSettings, workers: int) -> Iterator[Features]:
    """Regions are cut out here, so that whole images do not travel between processes."""
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _single_thread)
    waiting: deque[tuple[int, Future[Features]]] = deque()
    try:
        for number, (image, mask) in enumerate(cases, start=1):
            with _numbered(number):
                region = read_region(image, mask, settings)
            with _no_script():
                waiting.append((number, pool.submit(measure, region, settings)))
            if len(waiting) > 2 * workers:
                yield _result(*waiting.popleft())
        while waiting:
            yield _result(*waiting.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _result(number: int, future: Future[Features]) -> Features:
    with _numbered(number):
        return future.result()


def _single_thread() -> None:
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


@contextmanager
def _numbered(number: int) -> Iterator[None]:
    """Put the number of the case in front of its error."""
    try:
        yield
    except BoneQuantError as error:
        error.args = (f"Case {number}: {error}", *error.args[1:])
        raise


@contextmanager
def _no_script() -> Iterator[None]:
    """Workers need this library, not the caller's script: without this each of them would run it again.

    A new process imports the module that stands as ``__main__``, so a script without the usual guard could not be used.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script
