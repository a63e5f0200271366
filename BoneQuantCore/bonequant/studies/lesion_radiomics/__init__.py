"""Radiomics of lesions on CT and SPECT or PET (paper 3: SPECT/CT radiomics of bone metastases).

inputs = read_inputs("SPECT", "CT", ["lesions.seg.nrrd"])
result = run(inputs, LesionSettings(alignment="register"))
write(result, "results")
"""

from bonequant.studies.lesion_radiomics.export import summary, write
from bonequant.studies.lesion_radiomics.inputs import Lesion, LesionInputs
from bonequant.studies.lesion_radiomics.job import run
from bonequant.studies.lesion_radiomics.like_model import check_images, overruled, settings_like
from bonequant.studies.lesion_radiomics.more_maps import with_maps
from bonequant.studies.lesion_radiomics.readers import GRADE_NAMES, GRADES, agreement, grade_of_probability
from bonequant.studies.lesion_radiomics.reading import read_inputs
from bonequant.studies.lesion_radiomics.report import page
from bonequant.studies.lesion_radiomics.result import LesionResult, OnImage
from bonequant.studies.lesion_radiomics.settings import LesionSettings
from bonequant.studies.lesion_radiomics.table import long_rows, recipe, wide_rows

__all__ = [
    "GRADES",
    "GRADE_NAMES",
    "Lesion",
    "LesionInputs",
    "LesionResult",
    "LesionSettings",
    "OnImage",
    "agreement",
    "check_images",
    "grade_of_probability",
    "long_rows",
    "overruled",
    "page",
    "read_inputs",
    "recipe",
    "run",
    "settings_like",
    "summary",
    "wide_rows",
    "with_maps",
    "write",
]
