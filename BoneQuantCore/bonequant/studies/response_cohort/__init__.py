"""Do the measures and criteria tell who responded? A table of patients in, the evidence of a response study out.

result = run(read_inputs("patients.csv"))
write(result, "out/")

Source: T1 DCE-MRI response of spine metastases to radiotherapy (2023), its group comparison, ROC curve and cut-offs.
"""

from bonequant.studies.response_cohort.export import summary, write
from bonequant.studies.response_cohort.inputs import Case, CohortInputs
from bonequant.studies.response_cohort.job import run
from bonequant.studies.response_cohort.reading import read_inputs
from bonequant.studies.response_cohort.report import page
from bonequant.studies.response_cohort.result import CallEvidence, CohortResult, Comparison, MeasureEvidence
from bonequant.studies.response_cohort.settings import CohortSettings

__all__ = [
    "CallEvidence",
    "Case",
    "CohortInputs",
    "CohortResult",
    "CohortSettings",
    "Comparison",
    "MeasureEvidence",
    "page",
    "read_inputs",
    "run",
    "summary",
    "write",
]
