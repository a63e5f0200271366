"""Perfusion and permeability from DCE-MRI or dynamic CT as a job of a cohort."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from bonequant.batch.case import Case
from bonequant.batch.jobs.job import Column, Doubt, Job, Measured
from bonequant.progress import Progress, part_of
from bonequant.settings import Settings


def _settings() -> type[Settings]:
    from bonequant.studies.dce_perfusion import DceSettings

    return DceSettings


def _measure(case: Case, out: Path, progress: Progress) -> Measured:
    from bonequant.studies import dce_perfusion as job

    aif = case.path("aif") or case.texts.get("aif_region") or "auto"
    inputs = job.read_inputs(
        case.paths["series"][0],
        case.paths.get("masks", ()),
        t1_series=case.paths.get("t1_series", ()),
        t1_map=case.path("t1_map"),
        b1_map=case.path("b1_map"),
        aif=aif,
        times_s=case.numbers("times_s"),
        which=case.texts.get("which"),
        facts=case.facts,
        name=case.visit or "baseline",
        progress=part_of(progress, 0.0, 0.2),
    )
    result = job.run(inputs, case.settings, part_of(progress, 0.2, 0.9))  # type: ignore[arg-type]
    job.write(result, out)
    fits = [region.r2 for region in result.regions.values() if region.of_mean_curve]
    covered = sum(region.n_voxels for region in result.regions.values())
    lost = sum(region.n_missing for region in result.regions.values())
    quality: dict[str, float | None] = {
        "input_quality": None if result.artery is None else result.artery.quality,
        "input_delay_s": result.delay.seconds,
        "worst_r2": float(np.min(fits)) if fits else None,
        "voxels_missing_percent": 100.0 * lost / covered if covered else None,
    }
    return Measured(result.rows, quality, result.warnings)


def _check(case: Case) -> Iterable[Doubt]:
    if case.path("aif") is not None and "aif_region" in case.texts:
        yield "aif_region", "the input is a curve (aif) or a region, not both"
    if "aif_region" in case.texts and case.path("masks") is None:
        yield "aif_region", "names a mask, but masks is empty"


JOB = Job(
    name="dce",
    title="DCE perfusion",
    columns=(
        Column(
            "series", "path", required=True, modalities=("MR",), series="which", dynamic=True, help="Dynamic MR, CT."
        ),
        Column("masks", "paths", help="Regions."),
        Column("t1_series", "paths", flip_angles=True, help="Volumes of several flip angles."),
        Column("t1_map", "path", help="T1 before contrast."),
        Column("b1_map", "path", help="Factor of the flip angle."),
        Column("aif", "path", help="Curve of the arterial input; without it the setting input decides."),
        Column("aif_region", help="Name of the mask that is the artery."),
        Column("times_s", "numbers", help="Frame times in place of the file's, parted by blanks."),
        Column("which", help="Which series, where the path holds several."),
    ),
    settings=_settings,
    measure=_measure,
    group="region",
    values={
        "ktrans_of_mean_curve": "Ktrans (1/min)",
        "ve_of_mean_curve": "ve",
        "vp_of_mean_curve": "vp",
        "volume_ml": "volume (mL)",
    },
    memory_gb=4.0,
    check=_check,
)
