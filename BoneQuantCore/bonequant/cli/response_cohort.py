"""``bonequant response-cohort``: a table of patients in, the evidence for measures and criteria of response out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bonequant.cli.bar import progress_bar
from bonequant.cli.facts import parse_settings
from bonequant.progress import part_of


def response_cohort(
    table: Annotated[
        Path,
        typer.Argument(
            help="CSV: id, outcome, then <measure>_before and _after or _change_percent, <criterion>_call, "
            "<measure>@<day>, followed_days, failed_day."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results; must not exist.")],
    settings: Annotated[Path | None, typer.Option(help="Settings, a JSON file.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="One setting, as name=value.")] = None,
    identified: Annotated[bool, typer.Option(help="Name the cases by their ids, not by their numbers.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a former result in --out.")] = False,
) -> None:
    """Judge measures and criteria of response on a cohort and write a report. Research use only."""
    from bonequant.report import free_folder
    from bonequant.studies import response_cohort as job

    chosen = parse_settings(job.CohortSettings, settings, set_ or [])
    free_folder(out, overwrite=overwrite)
    with progress_bar("Reading") as progress:
        inputs = job.read_inputs(table, progress=part_of(progress, 0.0, 0.05))
        result = job.run(inputs, chosen, part_of(progress, 0.05, 0.9))
        progress(0.92, "Writing the report")
        report = job.write(result, out, identified=identified, overwrite=overwrite)
    print(report)
