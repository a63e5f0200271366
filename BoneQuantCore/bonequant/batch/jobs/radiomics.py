"""Radiomics of lesions as a job of a cohort: the table is the one on which a model is trained."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bonequant.batch.case import Case
from bonequant.batch.jobs.job import Column, Doubt, Job, Measured
from bonequant.progress import Progress, part_of
from bonequant.settings import Settings


def _settings() -> type[Settings]:
    from bonequant.studies.lesion_radiomics import LesionSettings

    return LesionSettings


def _measure(case: Case, out: Path, progress: Progress) -> Measured:
    from bonequant.studies import lesion_radiomics as job

    readings = {"second reader": case.path("second_reader"), "second time": case.path("second_time")}
    inputs = job.read_inputs(
        case.path("spect"),
        case.path("ct"),
        case.paths.get("masks", ()),
        mask_on=case.texts.get("mask_on", "auto"),  # type: ignore[arg-type]  # the column's choices
        adjusted=case.path("adjusted"),
        readings={name: path for name, path in readings.items() if path is not None},
        lesions=case.path("lesions"),
        transform=case.path("transform"),
        spect_series=case.texts.get("spect_series"),
        ct_series=case.texts.get("ct_series"),
        facts=case.facts,
        patient=case.patient,
        find=case.flag("find"),
        same_patient_confirmed=case.flag("confirm_same_patient"),
        progress=part_of(progress, 0.0, 0.1),
    )
    result = job.run(inputs, case.settings, part_of(progress, 0.1, 0.9))  # type: ignore[arg-type]
    job.write(result, out)
    rows: list[dict[str, Any]] = []
    missing = total = 0
    for lesion, wide in zip(result.lesions, job.wide_rows(result), strict=True):
        row: dict[str, Any] = {**wide, "group": str(wide.get("label") or "all lesions")}
        for space, on in result.on_images[lesion.id].items():
            missing, total = missing + len(on.features.missing), total + len(on.features)
            if on.measured is not None:
                row |= {f"{space}_mean": on.measured.mean, f"{space}_volume_ml": on.measured.volume_ml}
        rows.append(row)
    quality: dict[str, float | None] = {
        "lesions": float(len(rows)),
        "features_missing_percent": 100.0 * missing / total if total else None,
        "bone_overlap": result.alignment_facts.get("bone_overlap"),
        "displacement_mm": result.alignment_facts.get("displacement_mm"),
    }
    return Measured(rows, quality, result.warnings)


def _check(case: Case) -> Iterable[Doubt]:
    if case.path("spect") is None and case.path("ct") is None:
        yield "spect", "is empty, and so is ct: one of them is due"
    if case.path("masks") is None and not case.flag("find"):
        yield "masks", "is empty: give the lesions, or find = yes to look for candidates"
    drawn_on = case.texts.get("mask_on")
    if drawn_on in ("ct", "spect") and case.path(drawn_on) is None:
        yield "mask_on", f"the masks were drawn on the {drawn_on.upper()}, but {drawn_on} is empty"


JOB = Job(
    name="radiomics",
    title="Radiomics of lesions",
    columns=(
        Column("spect", "path", modalities=("NM", "PT"), series="spect_series", help="SPECT or PET."),
        Column("ct", "path", modalities=("CT",), series="ct_series", help="CT of the same session."),
        Column("masks", "paths", help="The lesions."),
        Column("mask_on", choices=("auto", "ct", "spect"), help="The image on which they were drawn."),
        Column("adjusted", "path", help="Masks drawn on the other image, by the same names."),
        Column("second_reader", "path", help="The same lesions by another reader."),
        Column("second_time", "path", help="The same lesions at another time."),
        Column("lesions", "path", help="CSV with columns lesion_id, mask, level, label."),
        Column("transform", "path", help="Alignment, points of the CT to points of the SPECT."),
        Column("spect_series", help="Which series, where the path holds several."),
        Column("ct_series", help="Which series, where the path holds several."),
        Column("find", "flag", help="Look for lesion candidates by uptake in bone."),
        Column("confirm_same_patient", "flag", help="The files differ in ID or sex and show one patient."),
    ),
    settings=_settings,
    measure=_measure,
    group="group",
    values={
        "functional_mean": "mean uptake",
        "ct_mean": "mean CT number (HU)",
        "functional_volume_ml": "volume (mL)",
    },
    memory_gb=3.0,
    check=_check,
)
