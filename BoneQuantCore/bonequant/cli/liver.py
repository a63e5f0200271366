"""``bonequant liver``: liver perfusion from dynamic CT, beside 99mTc-MAA SPECT."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bonequant.cli.bar import progress_bar
from bonequant.cli.facts import parse_facts, parse_settings
from bonequant.cli.frame_times import HELP, split_times
from bonequant.progress import part_of


def liver(
    ct: Annotated[Path, typer.Option(help="Dynamic CT: a folder of DICOM, or a 4-D NRRD or NIfTI.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; it must not exist yet.")],
    mask: Annotated[
        list[Path] | None,
        typer.Option(help="Regions portal_vein, spleen, liver, tumour_1 ... and aorta, in the space of the CT."),
    ] = None,
    second_reader: Annotated[
        list[Path] | None, typer.Option(help="The same regions drawn by a second reader, to compare.")
    ] = None,
    maa: Annotated[Path | None, typer.Option(help="99mTc-MAA SPECT to compare with.")] = None,
    maa_ct: Annotated[Path | None, typer.Option(help="The CT of the MAA SPECT, which carries it to --ct.")] = None,
    maa_mask: Annotated[
        list[Path] | None, typer.Option(help="Liver and lesions drawn on the MAA SPECT; nothing is registered then.")
    ] = None,
    maa_transform: Annotated[
        Path | None, typer.Option(help="Alignment by hand: points of --ct to points of --maa (.tfm, .h5, .txt).")
    ] = None,
    maa_table: Annotated[
        Path | None, typer.Option(help="CSV with columns lesion,ratio: tumour to normal, measured elsewhere.")
    ] = None,
    ct_series: Annotated[str | None, typer.Option(help="Which series, where --ct holds several.")] = None,
    maa_series: Annotated[str | None, typer.Option(help="Which series, where --maa holds several.")] = None,
    maa_ct_series: Annotated[str | None, typer.Option(help="Which series, where --maa-ct holds several.")] = None,
    times: Annotated[str | None, typer.Option(help=HELP)] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(help="What the file of --ct does not say, as name=value."),
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="Settings, a JSON file.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="One setting, as name=value.")] = None,
    confirm_same_patient: Annotated[
        bool, typer.Option(help="CT and SPECT show one patient although the files differ in ID or sex.")
    ] = False,
    identified: Annotated[bool, typer.Option(help="Print patient name and ID in the report.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a former result in --out.")] = False,
) -> None:
    """Measure liver perfusion from dynamic CT (ALP, PVP, TLP, HPI) and write a report. Research use only."""
    from bonequant.report import free_folder
    from bonequant.studies import liver_perfusion as job

    chosen = parse_settings(job.LiverSettings, settings, set_ or [])
    others, times_s = split_times(fact or [], times)
    facts = parse_facts(others)
    free_folder(out, overwrite=overwrite)
    with progress_bar("Reading") as progress:
        inputs = job.read_inputs(
            ct,
            mask or [],
            second_reader=second_reader or [],
            maa=maa,
            maa_ct=maa_ct,
            maa_masks=maa_mask or [],
            maa_transform=maa_transform,
            maa_table=maa_table,
            series=ct_series,
            maa_series=maa_series,
            maa_ct_series=maa_ct_series,
            times_s=times_s,
            facts=facts,
            same_patient_confirmed=confirm_same_patient,
            progress=part_of(progress, 0.0, 0.2),
        )
        result = job.run(inputs, chosen, part_of(progress, 0.2, 0.92))
        progress(0.92, "Writing the report")
        report = job.write(result, out, overwrite=overwrite, identified=identified)
    print(report)
