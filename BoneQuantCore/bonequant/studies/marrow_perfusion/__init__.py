"""Marrow perfusion from SPECT/CT (Nowicka 2025; the SPECT half of Reiner 2012).

inputs = read_inputs("SPECT/recon.dcm", "CT")
result = run(inputs, MarrowSettings(tracer="mdp"))
write(result, "results")
"""

from bonequant.studies.marrow_perfusion.export import summary, write
from bonequant.studies.marrow_perfusion.follow_up import FollowUp, compare
from bonequant.studies.marrow_perfusion.gold_standard import read_gold_standard
from bonequant.studies.marrow_perfusion.inputs import MarrowInputs
from bonequant.studies.marrow_perfusion.job import align, find, run, run_later
from bonequant.studies.marrow_perfusion.reading import read_date, read_inputs
from bonequant.studies.marrow_perfusion.regions import Regions
from bonequant.studies.marrow_perfusion.report import page
from bonequant.studies.marrow_perfusion.result import MarrowResult
from bonequant.studies.marrow_perfusion.settings import MaaSettings, MarrowSettings
from bonequant.studies.marrow_perfusion.truth import compare_with_truth

__all__ = [
    "FollowUp",
    "MaaSettings",
    "MarrowInputs",
    "MarrowResult",
    "MarrowSettings",
    "Regions",
    "align",
    "compare",
    "compare_with_truth",
    "find",
    "page",
    "read_date",
    "read_gold_standard",
    "read_inputs",
    "run",
    "run_later",
    "summary",
    "write",
]
