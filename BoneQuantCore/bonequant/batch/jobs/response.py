"""Treatment response from two dates or more as a job of a cohort."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from bonequant.batch.case import Case
from bonequant.batch.jobs.job import Column, Doubt, Job, Measured
from bonequant.progress import Progress, part_of
from bonequant.settings import Settings

if TYPE_CHECKING:
    from bonequant.response import Radiotherapy


def _settings() -> type[Settings]:
    from bonequant.studies.treatment_response import ResponseSettings

    return ResponseSettings


def _measure(case: Case, out: Path, progress: Progress) -> Measured:
    from bonequant.response import read_evidence
    from bonequant.studies import treatment_response as job

    paths = [case.paths["before"][0], *case.paths["after"]]
    names = ["before", *(f"after_{k}" if len(paths) > 2 else "after" for k in range(1, len(paths)))]
    dates = [
        job.read_date(
            path,
            name,
            case.paths.get("masks", ()) if k == 0 else (),
            facts=case.facts,
            progress=part_of(progress, 0.3 * k / len(paths), 0.3 * (k + 1) / len(paths)),
        )
        for k, (path, name) in enumerate(zip(paths, names, strict=True))
    ]
    links = case.path("links")
    inputs = job.ResponseInputs(
        dates=dates,
        radiotherapy=_radiotherapy(case),
        reference_in_field=_truth(case, "reference_in_field"),
        fracture=_truth(case, "fracture"),
        evidence=[row for path in case.paths.get("evidence", ()) for row in read_evidence(path)],
        links={} if links is None else job.read_links(links),
        same_patient_confirmed=case.flag("confirm_same_patient"),
    )
    result = job.run(inputs, case.settings, part_of(progress, 0.3, 0.9))  # type: ignore[arg-type]
    job.write(result, out)
    quality: dict[str, float | None] = {"lesions": float(len(result.lesions)), "dates": float(len(dates))}
    return Measured(result.rows, quality, result.warnings)


def _check(case: Case) -> Iterable[Doubt]:
    for column in ("before", "after"):
        if any(path.suffix.lower() == ".json" for path in case.paths.get(column, ())):
            yield column, "takes dates as folders: a JSON of paths would hide which files a result is of"
    for column, (read, due) in _TYPED.items():
        try:
            read(case.texts.get(column))
        except ValueError:
            yield column, f"{due} is due, it is {case.texts[column]!r}"


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _dose(text: str | None) -> float | None:
    dose = None if text is None else float(text)
    if dose is not None and not 0 < dose < math.inf:
        raise ValueError
    return dose


def _count(text: str | None) -> int | None:
    count = None if text is None else int(text)
    if count is not None and count < 1:
        raise ValueError
    return count


_TYPED: dict[str, tuple[Callable[[str | None], object], str]] = {
    "radiotherapy_end": (_day, "a date as 2026-01-31"),
    "dose_gy": (_dose, "a number above zero"),
    "fractions": (_count, "a whole number above zero"),
}


def _radiotherapy(case: Case) -> Radiotherapy | None:
    """As typed in the manifest and checked with it; None where nothing is."""
    from bonequant.response import Radiotherapy

    end, dose, fractions = (case.texts.get(name) for name in _TYPED)
    if end is dose is fractions is None:
        return None
    return Radiotherapy(_day(end), _dose(dose), _count(fractions))


def _truth(case: Case, column: str) -> bool | None:
    return case.flag(column) if column in case.texts else None


JOB = Job(
    name="response",
    title="Treatment response",
    columns=(
        Column(
            "before",
            "path",
            required=True,
            modalities=("MR",),
            dynamic=True,
            help="The first date: a DCE series, or a folder of parts by role.",
        ),
        Column(
            "after",
            "paths",
            required=True,
            modalities=("MR",),
            dynamic=True,
            help="Later dates, likewise, in order of time.",
        ),
        Column("masks", "paths", help="Lesions drawn at the first date; carried to the others."),
        Column("radiotherapy_end", help="Last day of radiotherapy, as 2026-01-31."),
        Column("dose_gy", help="Its total dose."),
        Column("fractions", help="Its number of fractions."),
        Column("reference_in_field", "flag", help="Was the healthy vertebra irradiated?"),
        Column("fracture", "flag", help="Of the lesion's vertebra, or of the reference."),
        Column("evidence", "paths", help="What other criteria judge: JSON or CSV."),
        Column("links", "path", help="Lesions that are one: CSV with interval, before, after."),
        Column("confirm_same_patient", "flag", help="The files differ in ID or sex and show one patient."),
    ),
    settings=_settings,
    measure=_measure,
    group="date",
    values={
        "vp_change_percent": "change of normalised Vp (%)",
        "ktrans_normalised_change_percent": "change of normalised Ktrans (%)",
        "volume_ml": "volume (mL)",
    },
    memory_gb=6.0,
    compares_dates=True,
    check=_check,
)
