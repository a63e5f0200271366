"""Radiomics of lesions: MaZda's 279 features, the IBSI features with pyradiomics, and how stable each of them is.

settings = RadiomicsSettings(families=("mazda", "ibsi"))
features = extract(ct, lesion, settings)
features["S(1,0)AngScMom"], features["original_glcm_Contrast"], features.missing
"""

from bonequant.radiomics.describe import FeatureInfo, describe_feature, feature_table
from bonequant.radiomics.extract import extract, feature_names
from bonequant.radiomics.extract_many import extract_many
from bonequant.radiomics.features import Features
from bonequant.radiomics.ibsi.configurations import ibsi_configuration, pyradiomics_defaults
from bonequant.radiomics.maps import feature_maps
from bonequant.radiomics.model import (
    DiagnosticModel,
    ModelReport,
    ModelSettings,
    Prediction,
    evaluate,
    load_model,
    predict,
)
from bonequant.radiomics.perturb import perturb
from bonequant.radiomics.section import Section, copy_region, copy_section, largest_section, section_at
from bonequant.radiomics.settings import IbsiSettings, MazdaSettings, RadiomicsSettings, StabilitySettings
from bonequant.radiomics.stability import feature_stability, perturbed_stability, redrawn, stable_features

__all__ = [
    "DiagnosticModel",
    "FeatureInfo",
    "Features",
    "IbsiSettings",
    "MazdaSettings",
    "ModelReport",
    "ModelSettings",
    "Prediction",
    "RadiomicsSettings",
    "Section",
    "StabilitySettings",
    "copy_region",
    "copy_section",
    "describe_feature",
    "evaluate",
    "extract",
    "extract_many",
    "feature_maps",
    "feature_names",
    "feature_stability",
    "feature_table",
    "ibsi_configuration",
    "largest_section",
    "load_model",
    "perturb",
    "perturbed_stability",
    "predict",
    "pyradiomics_defaults",
    "redrawn",
    "section_at",
    "stable_features",
]
