"""Diagnostic models from tables of features: selected, fitted, judged honestly or as published, stored and applied."""

from bonequant.radiomics.model.combat import Combat, fit_combat
from bonequant.radiomics.model.evaluate import evaluate
from bonequant.radiomics.model.evidence import ModelComparison, OperatingPoint, Performance
from bonequant.radiomics.model.model_file import DiagnosticModel, ModelFeature, load_model
from bonequant.radiomics.model.predict import Contribution, Prediction, predict
from bonequant.radiomics.model.report import HonestEvidence, ModelEvidence, ModelReport, PaperEvidence
from bonequant.radiomics.model.settings import ModelSettings

__all__ = [
    "Combat",
    "Contribution",
    "DiagnosticModel",
    "HonestEvidence",
    "ModelComparison",
    "ModelEvidence",
    "ModelFeature",
    "ModelReport",
    "ModelSettings",
    "OperatingPoint",
    "PaperEvidence",
    "Performance",
    "Prediction",
    "evaluate",
    "fit_combat",
    "load_model",
    "predict",
]
