"""``bonequant dce``: perfusion and permeability from DCE-MRI or dynamic CT."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bonequant.cli.bar import progress_bar
from bonequant.cli.facts import parse_facts, parse_settings
from bonequant.cli.frame_times import HELP, split_times
from bonequant.progress import part_of


def dce(
    series: Annotated[Path, typer.Option(help="Dynamic MR or CT: a file (.seq.nrrd, NIfTI), or a folder of DICOM.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; it must not exist yet.")],
    mask: Annotated[list[Path] | None, typer.Option(help="Regions: RTSTRUCT, SEG, .seg.nrrd, labels, folder.")] = None,
    t1_series: Annotated[
        list[Path] | None, typer.Option(help="Volumes of several flip angles: files, or a folder of series.")
    ] = None,
    t1_map: Annotated[Path | None, typer.Option(help="T1 before contrast, s or ms.")] = None,
    b1_map: Annotated[Path | None, typer.Option(help="Factor of the flip angle.")] = None,
    aif: Annotated[
        str,
        typer.Option(help="auto; population:parker (georgiou, weinmann); a CSV of seconds and mM; a mask's name."),
    ] = "auto",
    times: Annotated[str | None, typer.Option(help=HELP)] = None,
    which: Annotated[str | None, typer.Option(help="Which series, where --series holds several dynamic ones.")] = None,
    fact: Annotated[list[str] | None, typer.Option(help="What the file does not say, as name=value.")] = None,
    settings: Annotated[Path | None, typer.Option(help="Settings, a JSON file.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="One setting, as name=value.")] = None,
    identified: Annotated[bool, typer.Option(help="Print patient name and ID in the report.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a former result in --out.")] = False,
) -> None:
    """Measure perfusion and permeability from DCE-MRI or dynamic CT and write a report. Research use only."""
    from bonequant.report import free_folder
    from bonequant.studies import dce_perfusion as job

    asked = job.input_setting(aif)
    given = [*(set_ or []), *([f"input={asked}"] if asked not in (None, "automatic") else [])]
    chosen = parse_settings(job.DceSettings, settings, given)
    others, times_s = split_times(fact or [], times)
    facts = parse_facts(others)
    free_folder(out, overwrite=overwrite)
    with progress_bar("Reading") as progress:
        inputs = job.read_inputs(
            series,
            mask or [],
            t1_series=t1_series or [],
            t1_map=t1_map,
            b1_map=b1_map,
            aif=aif,
            times_s=times_s,
            which=which,
            facts=facts,
            progress=part_of(progress, 0.0, 0.3),
        )
        result = job.run(inputs, chosen, part_of(progress, 0.3, 0.9))
        progress(0.92, "Writing the report")
        report = job.write(result, out, overwrite=overwrite, identified=identified)
    print(report)
