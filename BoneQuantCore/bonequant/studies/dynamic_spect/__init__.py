"""Dynamic SPECT: time-activity curves of regions and their tracer kinetics (Nowicka 2025).

inputs = read_inputs("NM/dynamic.dcm", ["regions.seg.nrrd"])
result = run(inputs, DynamicSpectSettings(early_s=(0, 300), late_s=(900, 1200)))
write(result, "results")
"""

from bonequant.studies.dynamic_spect.export import summary, write
from bonequant.studies.dynamic_spect.inputs import DynamicSpectInputs
from bonequant.studies.dynamic_spect.job import run
from bonequant.studies.dynamic_spect.reading import read_inputs
from bonequant.studies.dynamic_spect.report import page
from bonequant.studies.dynamic_spect.result import DynamicSpectResult
from bonequant.studies.dynamic_spect.settings import DynamicSpectSettings

__all__ = [
    "DynamicSpectInputs",
    "DynamicSpectResult",
    "DynamicSpectSettings",
    "page",
    "read_inputs",
    "run",
    "summary",
    "write",
]
