"""The jobs a cohort can run, one adapter file each; a new one is a file here and its name in ``NAMES``."""

from __future__ import annotations

import importlib

from bonequant.batch.jobs.job import Column, Doubt, Job, Measured
from bonequant.errors import InputError

__all__ = ["NAMES", "Column", "Doubt", "Job", "Measured", "job_named"]

NAMES = ("marrow", "liver", "radiomics", "dce", "response")


def job_named(name: str) -> Job:
    """The adapter of a job. Raises InputError for a name that is none."""
    if name not in NAMES:
        raise InputError(f"There is no job {name!r}; choose one of {', '.join(NAMES)}.")
    adapter: Job = importlib.import_module(f"bonequant.batch.jobs.{name}").JOB
    return adapter
