"""Liver perfusion from dynamic CT beside 99mTc-MAA SPECT (Reiner 2012).

inputs = read_inputs("CT", ["regions.seg.nrrd"])
result = run(inputs, LiverSettings(mask_frame=1))
write(result, "results")
"""

from bonequant.studies.liver_perfusion.export import summary, write
from bonequant.studies.liver_perfusion.inputs import LiverInputs, MaaInputs
from bonequant.studies.liver_perfusion.job import run
from bonequant.studies.liver_perfusion.maa import MaaComparison, compare_with_maa, read_maa_table
from bonequant.studies.liver_perfusion.readers import ReaderComparison, compare_readers
from bonequant.studies.liver_perfusion.reading import read_inputs
from bonequant.studies.liver_perfusion.report import page
from bonequant.studies.liver_perfusion.result import LiverResult
from bonequant.studies.liver_perfusion.settings import LiverSettings

__all__ = [
    "LiverInputs",
    "LiverResult",
    "LiverSettings",
    "MaaComparison",
    "MaaInputs",
    "ReaderComparison",
    "compare_readers",
    "compare_with_maa",
    "page",
    "read_inputs",
    "read_maa_table",
    "run",
    "summary",
    "write",
]
