"""Response criteria: one pure function and one file each, and lesions matched over time."""

from bonequant.response.call import Call, Criterion
from bonequant.response.dce_vp import DceScan, DceVpSettings, Radiotherapy, dce_vp
from bonequant.response.registry import criteria, function_of

__all__ = ["Call", "Criterion", "DceScan", "DceVpSettings", "Radiotherapy", "criteria", "dce_vp", "function_of"]
