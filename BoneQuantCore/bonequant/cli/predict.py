"""``bonequant predict``: a stored model applied to the lesions that ``bonequant radiomics`` measured."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bonequant.cli.bar import progress_bar
from bonequant.progress import part_of


def predict(
    model: Annotated[Path, typer.Argument(help="A model of `bonequant train`: model_<name>.json.")],
    features: Annotated[
        list[Path], typer.Argument(help="Results folders of `bonequant radiomics`, made with the model's settings.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results; must not exist.")],
    lesion: Annotated[list[str] | None, typer.Option(help="Only the lesion of this id; may be given again.")] = None,
    centre: Annotated[str, typer.Option(help="Where the lesions were imaged, for a model harmonised by centre.")] = "",
    identified: Annotated[bool, typer.Option(help="Name patients by their pseudonym, not by numbers.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a former result in --out.")] = False,
) -> None:
    """Apply a diagnostic model to lesions. Exit code 0: all judged; 1: some were refused, the table says why; 2: none
    could be judged, nothing is written. Research use only."""
    from bonequant.report import free_folder
    from bonequant.studies import diagnostic_prediction as job

    free_folder(out, overwrite=overwrite)
    with progress_bar("Reading") as progress:
        inputs = job.read_inputs(
            model, features, lesions=lesion or [], centre=centre, progress=part_of(progress, 0.0, 0.3)
        )
        result = job.run(inputs, progress=part_of(progress, 0.3, 0.5))
        progress(0.5, "Writing the report")
        report = job.write(result, out, overwrite=overwrite, identified=identified)
    print(report)
    if result.refused:
        names = ", ".join(item.lesion.id for item in result.refused)
        print(f"bonequant: {len(result.refused)} of {len(result.lesions)} lesions refused: {names}.", file=sys.stderr)
        raise typer.Exit(1)
