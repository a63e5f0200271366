"""A stored diagnostic model applied to new lesions: probability, what each feature adds, what speaks against it.

inputs = read_inputs("model_combined.json", ["patient_7"])  # results of the lesion radiomics job
write(run(inputs), "prediction")
"""

from bonequant.studies.diagnostic_prediction.export import summary, write
from bonequant.studies.diagnostic_prediction.inputs import NewLesion, PredictionInputs, read_inputs
from bonequant.studies.diagnostic_prediction.job import LesionPrediction, PredictionResult, run
from bonequant.studies.diagnostic_prediction.report import page

__all__ = [
    "LesionPrediction",
    "NewLesion",
    "PredictionInputs",
    "PredictionResult",
    "page",
    "read_inputs",
    "run",
    "summary",
    "write",
]
