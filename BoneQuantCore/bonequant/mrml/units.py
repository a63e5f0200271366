"""Units of the library as MRML's coded entries for quantity and unit of the voxels, and back.

Codes: UCUM and DCM as in DICOM PS3.16, CID 84 (units of real world values) and CID 7180 (quantities). The SUV codes
of older files, with the annotation in front ("{SUVbw}g/ml"), are read as well.
"""

from __future__ import annotations

from typing import Any

from bonequant.mrml.core import require_slicer

Code = tuple[str, str, str]  # value, scheme, meaning

_ATTENUATION: Code = ("112031", "DCM", "Attenuation Coefficient")
_SUV: Code = ("126400", "DCM", "Standardized Uptake Value")

# Library unit: quantity (where DICOM has a code for it), unit.
_CODES: dict[str, tuple[Code | None, Code]] = {
    "HU": (_ATTENUATION, ("[hnsf'U]", "UCUM", "Hounsfield unit")),
    "Bq/mL": (None, ("Bq/ml", "UCUM", "Becquerels/milliliter")),
    "counts": (None, ("{counts}", "UCUM", "Counts")),
    "g/mL": (_SUV, ("g/ml", "UCUM", "gram/milliliter")),
    "SUVbw": (_SUV, ("g/ml{SUVbw}", "UCUM", "Standardized Uptake Value body weight")),
    # DICOM's lean-body-mass codes each name a formula, which the unit alone does not tell: the unit stays general.
    "SUVlbm": (_SUV, ("g/ml{SUVlbm}", "UCUM", "Standardized Uptake Value lean body mass")),
    "SUVbsa": (_SUV, ("cm2/ml{SUVbsa}", "UCUM", "Standardized Uptake Value body surface area")),
    "1/min": (None, ("/min", "UCUM", "per minute")),
    "%": (None, ("%", "UCUM", "percent")),
    "mL/min/100 mL": (None, ("ml/min/(100.ml)", "UCUM", "mL/min/100 mL")),
    "mm2/s": (None, ("mm2/s", "UCUM", "square millimeter per second")),
    "mM": (None, ("mmol/l", "UCUM", "millimole per liter")),
    "s": (None, ("s", "UCUM", "second")),
}


def set_unit(node: Any, unit: str) -> None:
    """Write the coded quantity and unit of ``unit`` on a volume node; a unit without a code leaves none there."""
    quantity, code = _CODES.get(unit, (None, None))
    node.SetVoxelValueQuantity(_entry(quantity))
    node.SetVoxelValueUnits(_entry(code))


def unit_of(node: Any) -> str:
    """The library's unit for the coded unit of a volume node; "" where there is none or it is not one of ours."""
    entry = node.GetVoxelValueUnits()
    value = (entry.GetCodeValue() or "") if entry is not None else ""
    compact = value.lower()
    for annotation in ("SUVbw", "SUVlbm", "SUVbsa"):
        if "{" + annotation.lower() in compact:
            return annotation
    return next((unit for unit, (_, code) in _CODES.items() if code[0].lower() == compact), "")


def _entry(code: Code | None) -> Any:
    if code is None:
        return None
    entry = require_slicer().vtkCodedEntry()
    entry.SetValueSchemeMeaning(*code)
    return entry
