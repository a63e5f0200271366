"""A progress bar on standard error for long jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bonequant.progress import Progress


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """Yield the callback that a job takes. Where there is no terminal, a line is printed every tenth of the way."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        tenths = -1

        def say(fraction: float, message: str) -> None:
            nonlocal tenths
            if int(10 * fraction) > tenths:
                tenths = int(10 * fraction)
                console.print(f"{10 * tenths:3d} % {message}", markup=False, highlight=False)

        yield say
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda fraction, message: bar.update(task, completed=fraction, description=message)
