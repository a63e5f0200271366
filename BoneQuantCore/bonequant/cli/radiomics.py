"""``bonequant radiomics``: features of lesions on CT and SPECT or PET."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bonequant.cli.bar import progress_bar
from bonequant.cli.facts import parse_facts, parse_settings
from bonequant.errors import InputError, SettingsError
from bonequant.progress import part_of


def radiomics(
    out: Annotated[Path, typer.Option(help="Folder for the results; it must not exist yet.")],
    ct: Annotated[Path | None, typer.Option(help="CT: a file, or a folder of DICOM.")] = None,
    spect: Annotated[Path | None, typer.Option(help="SPECT or PET: a file, or a folder of DICOM.")] = None,
    mask: Annotated[list[Path] | None, typer.Option(help="Lesions: RTSTRUCT, SEG, .seg.nrrd, labels, folder.")] = None,
    mask_on: Annotated[str, typer.Option(help="The image on which they were drawn: auto, ct or spect.")] = "auto",
    find: Annotated[bool, typer.Option(help="Look for lesion candidates by uptake in bone.")] = False,
    lesions: Annotated[Path | None, typer.Option(help="CSV with columns lesion_id, mask, level, label.")] = None,
    adjusted: Annotated[
        Path | None, typer.Option(help="Masks drawn on the other image, by the same names, in place of the carried.")
    ] = None,
    second_reader: Annotated[Path | None, typer.Option(help="The same lesions, drawn by another reader.")] = None,
    second_time: Annotated[Path | None, typer.Option(help="The same lesions, drawn at another time.")] = None,
    transform: Annotated[Path | None, typer.Option(help="Alignment: points of the CT to those of the SPECT.")] = None,
    patient: Annotated[str, typer.Option(help="Pseudonym of the patient, for a cohort's table.")] = "",
    map_: Annotated[
        list[str] | None, typer.Option("--map", help="Feature to map voxel by voxel, as original_glcm_JointEntropy.")
    ] = None,
    spect_series: Annotated[str | None, typer.Option(help="Which series, where --spect holds several.")] = None,
    ct_series: Annotated[str | None, typer.Option(help="Which series, where --ct holds several.")] = None,
    fact: Annotated[list[str] | None, typer.Option(help="What the SPECT's file does not say, as name=value.")] = None,
    like: Annotated[
        Path | None, typer.Option(help="A model of `bonequant train`: measure with its settings, for predict.")
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="Settings, a JSON file.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="One setting, as name=value.")] = None,
    confirm_same_patient: Annotated[
        bool, typer.Option(help="The images show one patient although the files differ in ID or sex.")
    ] = False,
    identified: Annotated[bool, typer.Option(help="Print patient name and ID in the report.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a former result in --out.")] = False,
) -> None:
    """Radiomics features of lesions, with their stability, and a report. Research use only."""
    import dataclasses

    from bonequant.radiomics import load_model
    from bonequant.report import free_folder
    from bonequant.studies import lesion_radiomics as job

    chosen = parse_settings(job.LesionSettings, settings, set_ or [])
    if map_:
        chosen = dataclasses.replace(chosen, maps=tuple(map_))
    model = None
    if like is not None:
        model = load_model(like)
        asked, chosen = chosen, job.settings_like(model, chosen)
        if against := job.overruled(asked, chosen):
            raise SettingsError(f"--like {like}: leave unset what the model was trained with: {', '.join(against)}.")
    facts = parse_facts(fact or [])
    free_folder(out, overwrite=overwrite)
    if mask_on not in ("auto", "ct", "spect"):
        raise InputError(f"--mask-on {mask_on}: choose auto, ct or spect.")
    readings = {"second reader": second_reader, "second time": second_time}
    with progress_bar("Reading") as progress:
        inputs = job.read_inputs(
            spect,
            ct,
            mask or [],
            mask_on=mask_on,  # type: ignore[arg-type]
            adjusted=adjusted,
            readings={name: path for name, path in readings.items() if path is not None},
            lesions=lesions,
            transform=transform,
            spect_series=spect_series,
            ct_series=ct_series,
            facts=facts,
            patient=patient,
            find=find,
            same_patient_confirmed=confirm_same_patient,
            progress=part_of(progress, 0.0, 0.1),
        )
        if model is not None:
            job.check_images(model, inputs)
        result = job.run(inputs, chosen, part_of(progress, 0.1, 0.92))
        progress(0.92, "Writing the report")
        report = job.write(result, out, identified=identified, overwrite=overwrite)
    print(report)
