"""Marrow perfusion from SPECT/CT as a job of a cohort."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bonequant.batch.case import Case
from bonequant.batch.jobs.job import Column, Doubt, Job, Measured
from bonequant.progress import Progress, part_of
from bonequant.settings import Settings


def _settings() -> type[Settings]:
    from bonequant.studies.marrow_perfusion import MarrowSettings

    return MarrowSettings


def _measure(case: Case, out: Path, progress: Progress) -> Measured:
    from bonequant.studies import marrow_perfusion as job

    spect = case.paths["spect"][0]
    inputs = job.read_inputs(
        spect,
        case.path("ct"),
        case.paths.get("masks", ()),
        mask_on=case.texts.get("mask_on", "auto"),  # type: ignore[arg-type]  # the column's choices
        spect_series=case.texts.get("spect_series"),
        ct_series=case.texts.get("ct_series"),
        facts=case.facts,
        same_patient_confirmed=case.flag("confirm_same_patient"),
        name=case.visit or "baseline",
        progress=part_of(progress, 0.0, 0.1),
    )
    result = job.run(inputs, case.settings, part_of(progress, 0.1, 0.8))  # type: ignore[arg-type]
    job.write(result, out)
    alignment = result.alignment_facts
    quality: dict[str, Any] = {
        "bone_overlap": alignment.get("bone_overlap"),
        "registration_gain": alignment.get("gain"),
        "displacement_mm": alignment.get("displacement_mm"),
        "vertebrae_found": float(len(result.vertebrae)),
        "lesion_candidates": float(len(result.lesions)),
        "marrow_ml": result.uptake["marrow"].volume_ml if "marrow" in result.uptake else None,
        "implausible_vertebrae": float(sum(not judged.inside for judged in result.plausibility)),
    }
    return Measured(result.rows, quality, result.warnings)


def _check(case: Case) -> Iterable[Doubt]:
    if case.texts.get("mask_on") == "ct" and case.path("ct") is None:
        yield "mask_on", "the masks were drawn on a CT, but ct is empty"


JOB = Job(
    name="marrow",
    title="Bone marrow perfusion",
    columns=(
        Column("spect", "path", required=True, modalities=("NM", "PT"), series="spect_series", help="SPECT or PET."),
        Column("ct", "path", modalities=("CT",), series="ct_series", help="CT of the same session."),
        Column("masks", "paths", help="Drawn regions."),
        Column("mask_on", choices=("auto", "ct", "spect"), help="The image on which they were drawn."),
        Column("spect_series", help="Which series, where the path holds several."),
        Column("ct_series", help="Which series, where the path holds several."),
        Column("confirm_same_patient", "flag", help="The files differ in ID or sex and show one patient."),
    ),
    settings=_settings,
    measure=_measure,
    group="region",
    values={"mean": "mean uptake", "volume_ml": "volume (mL)"},
    memory_gb=3.0,
    check=_check,
)
