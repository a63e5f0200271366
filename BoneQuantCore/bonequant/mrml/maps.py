"""Parameter maps as volume nodes: coded quantity and unit, and the colours and window of that quantity.

Codes are those of the DICOM exports (:mod:`bonequant.io.export.codes`), so that a map means the same in the scene and
in a parametric map file; a volume that has a coded unit of its own keeps that. Quantities with a natural range are
shown in it; others from 0 to their 99th percentile, unless the caller gives a window, as two dates side by side need.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bonequant.errors import InputError
from bonequant.io.export.codes import quantity as codes_of
from bonequant.mrml.core import require_slicer
from bonequant.mrml.volumes import volume_to_node
from bonequant.volume import Volume

QUANTITY = "BoneQuant.Quantity"  # attribute: the quantity's name in the library
_IRON, _HEAT = "vtkMRMLColorTableNodeIron", "vtkMRMLPETProceduralColorNodePET-Heat"
_GREY, _INVERTED = "vtkMRMLColorTableNodeGrey", "vtkMRMLColorTableNodeInvertedGrey"

# Colour node by quantity; all others are shown in iron.
_COLOURS = {"suv": _INVERTED, "suv_lbm": _INVERTED, "activity": _INVERTED, "hu": _GREY, "adc": _GREY, "hpi": _HEAT}
_WINDOWS = {"ve": (0.0, 1.0), "vp": (0.0, 0.3), "hpi": (0.0, 100.0)}  # natural ranges, in the quantity's unit


def map_to_node(
    volume: Volume, quantity: str, name: str = "", scene: Any = None, *, window: tuple[float, float] | None = None
) -> Any:
    """A new volume node for a map of ``quantity`` ("ktrans", "ve", "vp", "kep", "alp", "hpi", "suv", ...).

    Args:
        volume: the map; NaN where there is no value.
        quantity: its name in results and in :func:`bonequant.io.export.codes.quantity`.
        name: of the node; by default the volume's own name, else the quantity.
        scene: by default that of :func:`bonequant.mrml.embedded`.
        window: (low, high) of the colours, in the map's unit.

    Raises:
        InputError: the quantity has no codes, or the window is empty.
    """
    if window is not None and not window[0] < window[1]:
        raise InputError(f"The window of the map '{quantity}' is {window}: its high end must lie above its low one.")
    codes = codes_of(quantity)
    node = volume_to_node(volume, name or volume.name or quantity, scene)
    node.SetVoxelValueQuantity(_entry(codes.concept))
    if node.GetVoxelValueUnits() is None:
        node.SetVoxelValueUnits(_entry(codes.unit))
    node.SetAttribute(QUANTITY, quantity)
    low, high = window or _WINDOWS.get(quantity) or _range(volume.array)
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(_COLOURS.get(quantity, _IRON))
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(low, high)
    return node


def _range(values: np.ndarray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    high = float(np.percentile(finite, 99.0)) if finite.size else 1.0
    return 0.0, high if high > 0.0 else 1.0


def _entry(concept: tuple[str, str, str]) -> Any:
    entry = require_slicer().vtkCodedEntry()
    entry.SetValueSchemeMeaning(*concept)
    return entry
