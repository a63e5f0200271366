"""``bonequant dynamic-spect``: time-activity curves and tracer kinetics from dynamic SPECT."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bonequant.cli.bar import progress_bar
from bonequant.cli.facts import parse_facts, parse_settings
from bonequant.cli.frame_times import HELP, split_times
from bonequant.progress import part_of


def dynamic_spect(
    spect: Annotated[Path, typer.Option(help="Dynamic SPECT: an NM file, a folder of frames, a .seq.nrrd.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; it must not exist yet.")],
    mask: Annotated[list[Path] | None, typer.Option(help="Regions, the blood pool among them.")] = None,
    blood: Annotated[
        Path | None, typer.Option(help="Blood curve: text file of seconds since the injection and Bq/mL.")
    ] = None,
    transform: Annotated[
        Path | None, typer.Option(help="Points of the masks' space (a CT) to points of the SPECT (.tfm, .h5, .txt).")
    ] = None,
    series: Annotated[str | None, typer.Option(help="Which series, where --spect holds several.")] = None,
    times: Annotated[str | None, typer.Option(help=HELP)] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(help="What the file does not say, as name=value."),
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="Settings, a JSON file.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="One setting, as name=value.")] = None,
    identified: Annotated[bool, typer.Option(help="Print patient name and ID in the report.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a former result in --out.")] = False,
) -> None:
    """Time-activity curves, K1/k2, Patlak, washout of a dynamic SPECT, and a report. Research use only."""
    from bonequant.report import free_folder
    from bonequant.studies import dynamic_spect as job

    chosen = parse_settings(job.DynamicSpectSettings, settings, set_ or [])
    others, times_s = split_times(fact or [], times)
    facts = parse_facts(others)
    free_folder(out, overwrite=overwrite)
    with progress_bar("Reading") as progress:
        inputs = job.read_inputs(
            spect,
            mask or [],
            blood=blood,
            transform=transform,
            series=series,
            times_s=times_s,
            facts=facts,
            progress=part_of(progress, 0.0, 0.4),
        )
        result = job.run(inputs, chosen, part_of(progress, 0.4, 0.92))
        progress(0.92, "Writing the report")
        report = job.write(result, out, overwrite=overwrite, identified=identified)
    print(report)
