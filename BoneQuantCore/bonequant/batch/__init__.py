"""Cohorts: any job over many patients, on this machine or a Dask cluster; an interrupted run continues.

manifest = read_manifest("patients.csv", "marrow").checked()
result = run_cohort(manifest, "results")
"""

from bonequant.batch.case import Case
from bonequant.batch.engine import CohortResult, run_cohort
from bonequant.batch.manifest import Manifest, ManifestError, read_manifest
from bonequant.batch.proposal import Proposal, propose, write_proposal
from bonequant.batch.settings import EngineSettings, SlurmSettings
from bonequant.batch.status import CohortStatus, cohort_status
from bonequant.batch.task import Outcome

__all__ = [
    "Case",
    "CohortResult",
    "CohortStatus",
    "EngineSettings",
    "Manifest",
    "ManifestError",
    "Outcome",
    "Proposal",
    "SlurmSettings",
    "cohort_status",
    "propose",
    "read_manifest",
    "run_cohort",
    "write_proposal",
]
