"""A progress bar on standard error for long jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bonequant.progress import Progress


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """Yield the callback that a job takes. Where there is no terminal, only the steps' names are printed."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        last = ""

        def say(fraction: float, message: str) -> None:
            nonlocal last
            if message != last:
                last = message
                console.print(f"[{fraction:4.0%}] {message}", markup=False, highlight=False)

        yield say
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda fraction, message: bar.update(task, completed=fraction, description=message)
