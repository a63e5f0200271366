"""From stored pixel values to values with a unit: rescale slope and intercept, or a real world value mapping.

A file may offer several ways: the Modality LUT (0028,1052-1053), and any number of items of
RealWorldValueMappingSequence (0040,9096) in different units. The rule: the unit asked for by the caller; else the
best of Bq/mL and HU, SUV, counts, any other, none; at equal rank the real world mapping goes before the rescale, as
the standard has it (PS3.3 C.7.6.16.2.11). Items of one unit for different ranges of stored values are applied range
by range.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from pydicom.dataset import Dataset

from bonequant.errors import InputError
from bonequant.io.dicom_header import item, items, number, numbers, text

_UNITS = {  # UCUM codes and usual spellings, lower case, without spaces -> (unit, factor)
    "bq/ml": ("Bq/mL", 1.0),
    "bqml": ("Bq/mL", 1.0),
    "bq/cm3": ("Bq/mL", 1.0),
    "bq/cc": ("Bq/mL", 1.0),
    "kbq/ml": ("Bq/mL", 1e3),
    "kbq/cm3": ("Bq/mL", 1e3),
    "mbq/ml": ("Bq/mL", 1e6),
    "[hnsf'u]": ("HU", 1.0),
    "hu": ("HU", 1.0),
    "{counts}": ("counts", 1.0),
    "counts": ("counts", 1.0),
    "cnts": ("counts", 1.0),
    "{propcounts}": ("counts", 1.0),
    "{counts}/s": ("cps", 1.0),
    "cps": ("cps", 1.0),
    "cm2ml": ("SUVbsa", 1.0),
    "/min": ("1/min", 1.0),
    "{ratio}": ("", 1.0),
    "1": ("", 1.0),
    "none": ("", 1.0),
    "us": ("", 1.0),
    "{nounits}": ("", 1.0),
    "nounits": ("", 1.0),
}
_SUV_TYPES = {"BW": "SUVbw", "LBM": "SUVlbm", "LBMJANMA": "SUVlbm", "LBMJAMES128": "SUVlbm", "BSA": "SUVbsa"}
_RANK = {"Bq/mL": 4, "HU": 4, "SUVbw": 3, "SUVlbm": 3, "SUVbsa": 3, "counts": 2, "": 0}


@dataclass(frozen=True)
class ValueMap:
    """value = slope * stored + intercept in ``unit`` for stored values ``first..last``; or a table from ``first``."""

    unit: str
    slope: float = 1.0
    intercept: float = 0.0
    first: float = -np.inf
    last: float = np.inf
    real_world: bool = False
    table: tuple[float, ...] | None = None


def value_maps(header: Dataset, modality: str, groups: tuple[Dataset | None, ...] = ()) -> tuple[ValueMap, ...]:
    """Every mapping offered by the header, or by a frame's functional groups (its own, then the shared ones)."""
    found = [item(group, "PixelValueTransformationSequence") for group in groups]
    rescale = next((one for one in found if one is not None), header)
    slope, intercept = number(rescale, "RescaleSlope"), number(rescale, "RescaleIntercept")
    if slope == 0:
        raise InputError("Rescale Slope (0028,1053) is 0: the values are lost. Export the series again.")
    unit, factor = _rescaled_unit(header, rescale, modality)
    slope, intercept = 1.0 if slope is None else slope, 0.0 if intercept is None else intercept
    maps = [ValueMap(unit, slope * factor, intercept * factor)]
    for holder in (*groups, header):
        mappings = items(holder, "RealWorldValueMappingSequence")
        if mappings:
            return (*maps, *map(_real_world, mappings))
    return tuple(maps)


def choose_unit(maps: tuple[ValueMap, ...], wanted: str | None = None) -> str:
    """The unit that the rule of this file picks; ``wanted`` where the file offers it."""
    offered = {one.unit for one in maps}
    if wanted is not None and wanted in offered:
        return wanted
    return max(maps, key=lambda one: (_RANK.get(one.unit, 1), one.real_world)).unit


def apply_maps(stored: np.ndarray, maps: tuple[ValueMap, ...], unit: str) -> tuple[np.ndarray, str | None]:
    """``stored`` in ``unit`` (float64, or integers where nothing changes them), and a warning if there is reason."""
    chosen = [one for one in maps if one.unit == unit]
    real_world = [one for one in chosen if one.real_world]
    chosen = real_world or chosen[:1]
    if not chosen:
        raise InputError(
            f"Some frames of the series have no mapping to {unit or 'plain numbers'}; choose another unit."
        )
    if len(chosen) == 1 and chosen[0].table is None:
        only = chosen[0]
        outside = bool(only.first > -np.inf) and bool((stored.min() < only.first) or (stored.max() > only.last))
        warning = f"values outside the mapped range {only.first:g}..{only.last:g} were mapped by the same line"
        if only.slope == 1 and float(only.intercept).is_integer() and np.issubdtype(stored.dtype, np.integer):
            plain = stored if only.intercept == 0 else stored.astype(np.int32) + int(only.intercept)
            return plain, warning if outside else None
        return stored * np.float64(only.slope) + only.intercept, warning if outside else None
    result = np.full(stored.shape, np.nan)
    for one in chosen:
        inside = (stored >= one.first) & (stored <= one.last) & np.isnan(result)
        if one.table is None:
            result[inside] = stored[inside] * np.float64(one.slope) + one.intercept
        else:
            result[inside] = np.asarray(one.table)[(stored[inside] - int(one.first)).astype(np.int64)]
    unmapped = int(np.isnan(result).sum())
    if unmapped:
        raise InputError(f"{unmapped} pixels lie outside the ranges of Real World Value Mapping Sequence (0040,9096).")
    return result, None


def unit_of(written: str | None) -> tuple[str, float]:
    """(unit, factor) of a UCUM code or a usual spelling; SUV codes by their annotation; unknown text as it is."""
    if not written:
        return "", 1.0
    plain = written.replace(" ", "").lower()
    if "suv" in plain:
        for name in ("bsa", "lbm"):
            if name in plain:
                return f"SUV{name}", 1.0
        return ("SUVbw", 1.0) if "bw" in plain or plain in ("suv", "{suv}g/ml", "g/ml{suv}") else (written, 1.0)
    return _UNITS.get(plain, (written, 1.0))


def _rescaled_unit(header: Dataset, rescale: Dataset | None, modality: str) -> tuple[str, float]:
    units = text(header, "Units")
    if units:
        if units.upper() == "GML":  # PS3.3 C.8.9.1.1.3: without SUV Type it is body weight
            suv_type = (text(header, "SUVType") or "BW").upper()
            return _SUV_TYPES.get(suv_type, f"SUV {suv_type}"), 1.0
        return unit_of(units)
    if modality == "CT":  # PS3.3 C.8.2.1: Hounsfield units unless another type is given
        return unit_of(text(rescale, "RescaleType") or "HU")
    if modality == "NM":
        return "counts", 1.0
    return "", 1.0


def _real_world(mapping: Dataset) -> ValueMap:
    code = item(mapping, "MeasurementUnitsCodeSequence")
    unit, factor = unit_of(text(code, "CodeValue"))
    if unit == text(code, "CodeValue") and text(code, "CodeMeaning"):
        known = unit_of(text(code, "CodeMeaning"))
        unit, factor = known if known[0] in _RANK else (unit, factor)
    first = number(mapping, "RealWorldValueFirstValueMapped")
    last = number(mapping, "RealWorldValueLastValueMapped")
    if first is None:
        first = number(mapping, "DoubleFloatRealWorldValueFirstValueMapped")
        last = number(mapping, "DoubleFloatRealWorldValueLastValueMapped")
    whole = ValueMap(
        unit, first=-np.inf if first is None else first, last=np.inf if last is None else last, real_world=True
    )
    table = numbers(mapping, "RealWorldValueLUTData")
    if table is not None:
        if first is None:
            raise InputError("A Real World Value LUT (0040,9212) has no first value mapped (0040,9216).")
        end = first + len(table) - 1
        return replace(whole, table=tuple(entry * factor for entry in table), last=min(whole.last, end))
    slope, intercept = number(mapping, "RealWorldValueSlope"), number(mapping, "RealWorldValueIntercept")
    if slope is None:
        raise InputError("An item of Real World Value Mapping Sequence (0040,9096) has neither slope nor table.")
    return replace(whole, slope=slope * factor, intercept=(intercept or 0.0) * factor)
