"""What a feature's map shows, as MRML's coded entries for the quantity and the unit of its voxels.

IBSI's permanent identifiers are codes of DICOM (scheme "IBSI", PS3.16, table 8-1). What UCUM has no unit for
it writes in braces.
"""

from __future__ import annotations

from typing import Any

from bonequant.io.export.codes import OWN
from bonequant.mrml.core import require_slicer
from bonequant.mrml.units import set_unit
from bonequant.radiomics import describe_feature
from bonequant.radiomics.units import feature_unit

_LONGEST = 16  # characters of a code value


def code_map(node: Any, feature: str, image_unit: str) -> None:
    """Write quantity and unit of ``feature``, of an image in ``image_unit``, on its map's volume node."""
    info, unit = describe_feature(feature), feature_unit(feature, image_unit)
    set_unit(node, unit)
    if node.GetVoxelValueUnits() is None:
        code, meaning = (f"{{{unit}}}", unit) if unit else ("1", "no units")
        node.SetVoxelValueUnits(_entry(code, "UCUM", meaning))
    own = f"{info.feature_class}_{feature.rpartition('_')[2]}"[:_LONGEST]
    code, scheme = (info.ibsi_id, "IBSI") if info.ibsi_id else (own, OWN)
    node.SetVoxelValueQuantity(_entry(code, scheme, feature.replace("_", " ")))


def _entry(*code: str) -> Any:
    entry = require_slicer().vtkCodedEntry()
    entry.SetValueSchemeMeaning(*code)
    return entry
