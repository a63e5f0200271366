"""Radiomics of lesions: MaZda's 279 features, the IBSI features with pyradiomics, and how stable each of them is.

settings = RadiomicsSettings(families=("mazda", "ibsi"))
features = extract(ct, lesion, settings)
features["S(1,0)AngScMom"], features["original_glcm_Contrast"], features.missing
"""

from bonequant.radiomics.describe import FeatureInfo, describe_feature
from bonequant.radiomics.extract import extract, feature_names
from bonequant.radiomics.features import Features
from bonequant.radiomics.ibsi.configurations import ibsi_configuration, pyradiomics_defaults
from bonequant.radiomics.section import Section, copy_region, copy_section, largest_section, section_at
from bonequant.radiomics.settings import IbsiSettings, MazdaSettings, RadiomicsSettings

__all__ = [
    "FeatureInfo",
    "Features",
    "IbsiSettings",
    "MazdaSettings",
    "RadiomicsSettings",
    "Section",
    "copy_region",
    "copy_section",
    "describe_feature",
    "extract",
    "feature_names",
    "ibsi_configuration",
    "largest_section",
    "pyradiomics_defaults",
    "section_at",
]
