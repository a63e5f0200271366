"""Liver perfusion from dynamic CT, beside 99mTc-MAA SPECT, as a job of a cohort."""

from __future__ import annotations

from pathlib import Path

from bonequant.batch.case import Case
from bonequant.batch.jobs.job import Column, Job, Measured
from bonequant.progress import Progress, part_of
from bonequant.settings import Settings


def _settings() -> type[Settings]:
    from bonequant.studies.liver_perfusion import LiverSettings

    return LiverSettings


def _measure(case: Case, out: Path, progress: Progress) -> Measured:
    from bonequant.studies import liver_perfusion as job

    inputs = job.read_inputs(
        case.paths["ct"][0],
        case.paths.get("masks", ()),
        second_reader=case.paths.get("second_reader", ()),
        maa=case.path("maa"),
        maa_ct=case.path("maa_ct"),
        maa_masks=case.paths.get("maa_masks", ()),
        maa_transform=case.path("maa_transform"),
        maa_table=case.path("maa_table"),
        series=case.texts.get("ct_series"),
        maa_series=case.texts.get("maa_series"),
        maa_ct_series=case.texts.get("maa_ct_series"),
        times_s=case.numbers("times_s"),
        facts=case.facts,
        same_patient_confirmed=case.flag("confirm_same_patient"),
        name=case.visit or "perfusion",
        progress=part_of(progress, 0.0, 0.2),
    )
    result = job.run(inputs, case.settings, part_of(progress, 0.2, 0.9))  # type: ignore[arg-type]
    job.write(result, out)
    quality: dict[str, float | None] = {
        "worst_r2": min((row["r2"] for row in result.rows), default=None),
        "largest_residual_hu": max((row["residual_sd_hu"] for row in result.rows), default=None),
        "fits_at_bound": float(sum(row["at_bound"] for row in result.rows)),
    }
    return Measured(result.rows, quality, result.warnings)


JOB = Job(
    name="liver",
    title="Liver perfusion",
    columns=(
        Column("ct", "path", required=True, modalities=("CT",), series="ct_series", dynamic=True, help="Dynamic CT."),
        Column("masks", "paths", help="Regions portal_vein, spleen, liver, tumour_1 ... and aorta."),
        Column("second_reader", "paths", help="The same regions by a second reader."),
        Column("maa", "path", modalities=("NM",), series="maa_series", help="99mTc-MAA SPECT."),
        Column("maa_ct", "path", help="Its CT."),
        Column("maa_masks", "paths", help="Liver and lesions drawn on the SPECT."),
        Column("maa_transform", "path", help="Alignment by hand, points of the CT to points of the SPECT."),
        Column("maa_table", "path", help="CSV with columns lesion and ratio, in place of the SPECT."),
        Column("ct_series", help="Which series, where the path holds several."),
        Column("maa_series", help="Which series, where the path holds several."),
        Column("maa_ct_series", help="Which series, where the path holds several."),
        Column("times_s", "numbers", help="Frame times in place of the file's, parted by blanks."),
        Column("confirm_same_patient", "flag", help="The files differ in ID or sex and show one patient."),
    ),
    settings=_settings,
    measure=_measure,
    group="region",
    values={
        "alp_max_slope": "ALP, maximum slope (mL/min/100 mL)",
        "pvp_max_slope": "PVP, maximum slope (mL/min/100 mL)",
        "hpi_max_slope": "HPI, maximum slope (%)",
        "volume_ml": "volume (mL)",
    },
    memory_gb=6.0,
)
