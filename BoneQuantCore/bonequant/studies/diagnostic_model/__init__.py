"""Diagnostic models of bone lesions, trained from radiomics features and judged (paper 3: SPECT/CT radiomics).

inputs = read_inputs(["patient_1", "patient_2"], "labels.csv")  # results of the lesion radiomics job
result = run(inputs, DiagnosticSettings(stable_only=True))
write(result, "model")
"""

from bonequant.studies.diagnostic_model.export import summary, write
from bonequant.studies.diagnostic_model.inputs import Lesion, TrainingInputs
from bonequant.studies.diagnostic_model.job import run
from bonequant.studies.diagnostic_model.reading import read_inputs
from bonequant.studies.diagnostic_model.report import page
from bonequant.studies.diagnostic_model.result import DiagnosticResult
from bonequant.studies.diagnostic_model.settings import DiagnosticSettings
from bonequant.studies.diagnostic_model.simulated import simulate_cohort_files
from bonequant.studies.diagnostic_model.truth import PlantedTruth

__all__ = [
    "DiagnosticResult",
    "DiagnosticSettings",
    "Lesion",
    "PlantedTruth",
    "TrainingInputs",
    "page",
    "read_inputs",
    "run",
    "simulate_cohort_files",
    "summary",
    "write",
]
