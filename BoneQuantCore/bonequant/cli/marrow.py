"""``bonequant marrow``: marrow perfusion from SPECT/CT."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from bonequant.cli.bar import progress_bar
from bonequant.cli.facts import parse_facts, parse_settings
from bonequant.errors import InputError
from bonequant.progress import part_of


def marrow(
    spect: Annotated[Path, typer.Option(help="SPECT (or PET): a file, or a folder of DICOM.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; it must not exist yet.")],
    ct: Annotated[Path | None, typer.Option(help="CT of the same session. Without it, give masks.")] = None,
    mask: Annotated[list[Path] | None, typer.Option(help="Regions: RTSTRUCT, SEG, .seg.nrrd, labels, folder.")] = None,
    mask_on: Annotated[str, typer.Option(help="The image on which masks were drawn: auto, ct or spect.")] = "auto",
    follow_up: Annotated[
        list[Path] | None, typer.Option(help="Folder with SPECT and CT of a later date; repeat in order of time.")
    ] = None,
    spect_series: Annotated[str | None, typer.Option(help="Which series, where --spect holds several.")] = None,
    ct_series: Annotated[str | None, typer.Option(help="Which series, where --ct holds several.")] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(help="What the file does not say, as name=value; for later dates follow_up_1.name=value."),
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="Settings, a JSON file.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="One setting, as name=value.")] = None,
    gold_standard: Annotated[
        Path | None, typer.Option(help="CSV with columns region,value to compare the regions' means with.")
    ] = None,
    confirm_same_patient: Annotated[
        bool, typer.Option(help="The images show one patient although the files differ in ID or sex.")
    ] = False,
    identified: Annotated[bool, typer.Option(help="Print patient name and ID in the report.")] = False,
    scene: Annotated[bool, typer.Option(help="Write scene.mrb too, for 3D Slicer.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a former result in --out.")] = False,
) -> None:
    """Measure bone marrow perfusion from SPECT/CT and write a report. Research use only."""
    from bonequant.report import free_folder
    from bonequant.studies import marrow_perfusion as job

    chosen = parse_settings(job.MarrowSettings, settings, set_ or [])
    dates = ["baseline", *(f"follow_up_{number}" for number in range(1, len(follow_up or []) + 1))]
    facts = _facts_by_date(fact or [], dates)
    standard = job.read_gold_standard(gold_standard) if gold_standard else None
    free_folder(out, overwrite=overwrite)
    if mask_on not in ("auto", "ct", "spect"):
        raise InputError(f"--mask-on {mask_on}: choose auto, ct or spect.")
    with progress_bar("Reading") as progress:
        steps = [part_of(progress, i / len(dates) * 0.9, (i + 1) / len(dates) * 0.9) for i in range(len(dates))]
        first = job.read_inputs(
            spect,
            ct,
            mask or [],
            mask_on=mask_on,  # type: ignore[arg-type]
            spect_series=spect_series,
            ct_series=ct_series,
            facts=facts["baseline"],
            same_patient_confirmed=confirm_same_patient,
            progress=part_of(steps[0], 0.0, 0.1),
        )
        result = job.run(first, chosen, part_of(steps[0], 0.1, 1.0), gold_standard=standard)
        later = []
        for name, folder, step in zip(dates[1:], follow_up or [], steps[1:], strict=True):
            inputs = job.read_date(folder, facts[name], name, confirm_same_patient, part_of(step, 0.0, 0.1))
            later.append(job.run_later(result, inputs, chosen, part_of(step, 0.1, 1.0)))
        comparison = job.compare([result, *later]) if later else None
        progress(0.92, "Writing the report")
        report = job.write(
            result,
            out,
            follow_up=comparison,
            later=later,
            identified=identified,
            scene=_scene_writer() if scene else None,
            overwrite=overwrite,
        )
    print(report)


def _scene_writer() -> Any:
    from bonequant.mrml import write_marrow_scene

    return write_marrow_scene


def _facts_by_date(given: Sequence[str], dates: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Facts of each date; a name without a date in front is the baseline's."""
    by_date: dict[str, list[str]] = {name: [] for name in dates}
    for item in given:
        date, dot, rest = item.partition(".")
        if dot and date.isidentifier() and "=" not in date:
            if date not in by_date:
                raise InputError(f"--fact {item}: there is no date {date}. Dates: {', '.join(dates)}.")
            by_date[date].append(rest)
        else:
            by_date["baseline"].append(item)
    return {name: parse_facts(items) for name, items in by_date.items()}
