"""``bonequant demo``: the marrow job on a simulated patient whose truth is known."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from bonequant.cli.bar import progress_bar
from bonequant.progress import part_of


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("bonequant-demo"),
    seed: Annotated[int, typer.Option(help="Number of the simulated patient.")] = 1,
    overwrite: Annotated[bool, typer.Option(help="Replace a former result in --out.")] = False,
) -> None:
    """Simulate a patient, write CT and SPECT as DICOM, measure them, and show the results beside the truth."""
    from bonequant.phantom import preset, simulate_patient, write_patient
    from bonequant.report import free_folder
    from bonequant.studies import marrow_perfusion as job

    free_folder(out, overwrite=overwrite)
    with tempfile.TemporaryDirectory(prefix="bonequant-demo-") as temporary, progress_bar("Demo") as progress:
        folder = Path(temporary) / "patient"
        patient = simulate_patient(preset("demo", seed=seed), part_of(progress, 0.0, 0.25))
        progress(0.25, "Writing DICOM")
        write_patient(patient, folder)
        del patient  # from here on only what a scanner would give is known
        truth = json.loads((folder / "truth.json").read_text())
        # DICOM has no attribute for the camera's calibration: every user types it, and so does the demo.
        facts = {"calibration_factor_cps_per_mbq": truth["calibration_factor_cps_per_mbq"]}
        inputs = job.read_inputs(folder / "SPECT", folder / "CT", facts=facts, progress=part_of(progress, 0.3, 0.35))
        fwhm_mm = float(np.mean(truth["effective_fwhm_mm"]))  # a user measures it on a phantom
        settings = job.MarrowSettings(tracer="mdp", partial_volume="gtm", psf_fwhm_mm=fwhm_mm)
        result = job.run(inputs, settings, part_of(progress, 0.35, 0.9))
        rows = job.compare_with_truth(result, truth)
        progress(0.92, "Writing the report")
        report = job.write(result, out, truth=rows, attachments={"patient": folder}, overwrite=overwrite)
    print(report)
