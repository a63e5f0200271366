"""``bonequant train``: tables of lesions' features and labels in, diagnostic models with their evidence out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from bonequant.cli.bar import progress_bar
from bonequant.cli.facts import parse_settings
from bonequant.errors import InputError
from bonequant.progress import Progress, part_of

# The demo shows all there is: stability, both modes, readers. What the user sets stands above it.
_DEMO = ("stable_only=true", "model.mode=both", "reader_positive_from=4")


def train(
    out: Annotated[Path, typer.Option(help="Folder for the results; must not exist.")],
    features: Annotated[
        list[Path] | None,
        typer.Argument(help="Results folders of `bonequant radiomics`, a folder of such folders, or a CSV."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="CSV: lesion_id, patient_id, label, centre, reader_<name>, and facts such as age and sex."),
    ] = None,
    mode: Annotated[str, typer.Option(help="honest, both, or paper (which is run beside honest).")] = "",
    demo: Annotated[bool, typer.Option("--demo", help="Simulate a cohort and train on it, beside the truth.")] = False,
    seed: Annotated[int, typer.Option(help="Number of the simulated cohort.")] = 1,
    settings: Annotated[Path | None, typer.Option(help="Settings, a JSON file.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="One setting, as name=value.")] = None,
    identified: Annotated[bool, typer.Option(help="Name patients and lesions by their ids, not by numbers.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a former result in --out.")] = False,
) -> None:
    """Train diagnostic models on lesions' features and judge them honestly. Research use only."""
    from bonequant.report import free_folder
    from bonequant.studies import diagnostic_model as job

    single = [*(_DEMO if demo else ()), *([f"model.mode={mode}"] if mode else []), *(set_ or [])]
    chosen = parse_settings(job.DiagnosticSettings, settings, single)
    if demo and (features or labels):
        raise InputError("--demo simulates its own features and labels: leave yours out, or leave --demo out.")
    if not demo and not features:
        raise InputError("No features were given: name results folders of `bonequant radiomics`, or try --demo.")
    free_folder(out, overwrite=overwrite)
    with progress_bar("Demo" if demo else "Reading") as progress:
        if demo:
            report = _demo(chosen, seed, out, overwrite=overwrite, identified=identified, progress=progress)
        else:
            inputs = job.read_inputs(features or [], labels, progress=part_of(progress, 0.0, 0.05))
            result = job.run(inputs, chosen, part_of(progress, 0.05, 0.95))
            progress(0.95, "Writing the report")
            report = job.write(result, out, overwrite=overwrite, identified=identified)
    print(report)


def _demo(chosen, seed: int, out: Path, *, overwrite: bool, identified: bool, progress: Progress) -> Path:  # type: ignore[no-untyped-def]
    from bonequant.phantom import LesionCohortSettings
    from bonequant.studies import diagnostic_model as job

    with tempfile.TemporaryDirectory(prefix="bonequant-demo-") as temporary:
        folder = Path(temporary) / "cohort"
        planted = LesionCohortSettings(lesions=160, patients=112, seed=seed)
        truth = job.simulate_cohort_files(folder, planted, part_of(progress, 0.0, 0.55))
        inputs = job.read_inputs(folder / "features", folder / "labels.csv", progress=part_of(progress, 0.55, 0.57))
        result = job.run(inputs, chosen, part_of(progress, 0.57, 0.95))
        progress(0.95, "Writing the report")
        return job.write(
            result, out, truth=truth, attachments={"cohort": folder}, overwrite=overwrite, identified=identified
        )
