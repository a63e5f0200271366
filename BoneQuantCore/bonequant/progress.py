"""Progress callbacks: ``progress(fraction, message)``, which may raise :class:`~bonequant.errors.Cancelled`."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]


def no_progress(fraction: float, message: str) -> None:
    """Report to nobody: the default of every job."""


def part_of(progress: Progress | None, start: float, stop: float) -> Progress:
    """Return a callback whose 0..1 is the range ``start..stop`` of ``progress``."""
    if progress is None:
        return no_progress

    def report(fraction: float, message: str) -> None:
        progress(start + (stop - start) * min(max(fraction, 0.0), 1.0), message)

    return report
