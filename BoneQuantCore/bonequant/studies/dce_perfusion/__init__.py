"""Perfusion and permeability from DCE-MRI and dynamic CT (paper 4: T1 DCE-MRI of spine metastases, 2023).

inputs = read_inputs("DCE", ["lesion.seg.nrrd"], t1_series=["T1"])
result = run(inputs, DceSettings(model="extended_tofts"))
result.regions["lesion"].of_mean_curve["vp"], result.maps["ktrans"]
write(result, "results")
"""

from bonequant.studies.dce_perfusion.export import summary, write
from bonequant.studies.dce_perfusion.inputs import DceInputs
from bonequant.studies.dce_perfusion.job import arterial_input, known_facts, run
from bonequant.studies.dce_perfusion.reading import input_setting, read_inputs
from bonequant.studies.dce_perfusion.regions import RegionFit
from bonequant.studies.dce_perfusion.report import page
from bonequant.studies.dce_perfusion.result import DceResult
from bonequant.studies.dce_perfusion.settings import DceSettings, SignalSettings

__all__ = [
    "DceInputs",
    "DceResult",
    "DceSettings",
    "RegionFit",
    "SignalSettings",
    "arterial_input",
    "input_setting",
    "known_facts",
    "page",
    "read_inputs",
    "run",
    "summary",
    "write",
]
