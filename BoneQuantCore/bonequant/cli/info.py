"""``bonequant info PATH``: what is this, and what is missing for quantification."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bonequant.cli.bar import progress_bar

_MOST = 12


def info(path: Annotated[Path, typer.Argument(help="A file, or a folder of DICOM.")]) -> None:
    """Say what lies at PATH, what is known about it, and what is missing before it can be quantified."""
    from rich.console import Console
    from rich.table import Table

    from bonequant.io import info as reports_of
    from bonequant.report.page import shown

    with progress_bar("Reading headers") as progress:
        reports = reports_of(path, progress)
    console = Console()
    for report in reports:
        console.print(report.what, style="bold", markup=False, highlight=False)
        table = Table.grid(padding=(0, 2))
        if report.geometry is not None:
            g = report.geometry
            table.add_row("grid", f"{g.size[0]} x {g.size[1]} x {g.size[2]} voxels of {shown(g.spacing)} mm")
        if report.times_s:
            table.add_row("frames", str(len(report.times_s)))
            table.add_row("frame times (s)", _times(report.times_s))
        if report.unit:
            table.add_row("unit", report.unit)
        for name, value in {**report.facts, **report.protocol}.items():
            if value not in (None, "", ()):
                table.add_row(name, shown(value))
        console.print(table, markup=False, highlight=False)
        for text in report.problems:
            console.print(f"cannot be read: {text}", style="red", markup=False, highlight=False)
        for text in report.warnings:
            console.print(f"note: {text}", style="yellow", markup=False, highlight=False)
        for text in report.missing:
            console.print(f"missing: {text}", style="yellow", markup=False, highlight=False)
        if report.geometry is not None and not report.missing and not report.problems:
            console.print("Nothing is missing.", style="green")
        console.print()


def _times(times_s: Sequence[float]) -> str:
    """All of few times; of many the first ones, and the last."""
    written = [f"{time:.6g}" for time in times_s]
    return ", ".join(written if len(written) <= _MOST else [*written[: _MOST - 2], "...", written[-1]])
