"""Acquisition facts, unit and history of a volume as attributes of its node, so that they survive the scene file.

What identifies the patient (name, id, study and series UID) is left out unless asked for: scenes are shared.
"""

from __future__ import annotations

import dataclasses
import json
import typing
from datetime import datetime
from typing import Any

from bonequant.volume import Acquisition, DynamicSeries, Volume

IDENTIFIERS = ("patient_id", "patient_name", "study_uid", "series_uid")

_PREFIX = "BoneQuant."
_TYPES = typing.get_type_hints(Acquisition)


def set_facts(node: Any, data: Volume | DynamicSeries, *, identifiers: bool = False) -> None:
    """Write modality, unit, acquisition, hash and warnings of ``data`` as attributes of ``node``."""
    node.SetAttribute(_PREFIX + "Modality", data.modality)
    node.SetAttribute(_PREFIX + "Unit", data.unit)
    node.SetAttribute(_PREFIX + "Acquisition", acquisition_to_json(data.acquisition, identifiers=identifiers))
    node.SetAttribute(_PREFIX + "Sha256", data.sha256)
    node.SetAttribute(_PREFIX + "Warnings", json.dumps(data.warnings))


def facts_of(node: Any) -> dict[str, Any]:
    """modality, unit, acquisition, sha256 and warnings for a Volume or DynamicSeries; the defaults where unknown."""
    text = node.GetAttribute(_PREFIX + "Acquisition")
    return {
        "modality": node.GetAttribute(_PREFIX + "Modality") or _dicom_modality(node) or "OT",
        "unit": node.GetAttribute(_PREFIX + "Unit") or "",
        "acquisition": acquisition_from_json(text) if text else Acquisition(),
        "sha256": node.GetAttribute(_PREFIX + "Sha256") or "",
        "warnings": tuple(json.loads(node.GetAttribute(_PREFIX + "Warnings") or "[]")),
    }


def acquisition_to_json(acquisition: Acquisition, *, identifiers: bool = False) -> str:
    """Facts that are known, as JSON; date-times in ISO 8601."""
    left_out = () if identifiers else IDENTIFIERS
    values = {
        field.name: getattr(acquisition, field.name)
        for field in dataclasses.fields(acquisition)
        if field.name not in left_out and getattr(acquisition, field.name) not in (None, (), {})
    }
    return json.dumps(values, default=str)


def acquisition_from_json(text: str) -> Acquisition:
    """The inverse of :func:`acquisition_to_json`. Facts this version does not know are ignored."""
    values = {name: value for name, value in json.loads(text).items() if name in _TYPES}
    for name, value in values.items():
        if datetime in typing.get_args(_TYPES[name]):
            values[name] = datetime.fromisoformat(value)
        elif isinstance(value, list):
            values[name] = tuple(value)
    return Acquisition(**values)


def _dicom_modality(node: Any) -> str:
    """Modality that Slicer's DICOM import noted in the subject hierarchy, "" where there is none."""
    scene = node.GetScene()
    hierarchy = scene.GetSubjectHierarchyNode() if scene is not None else None
    if hierarchy is None:
        return ""
    item = hierarchy.GetItemByDataNode(node)
    return str(hierarchy.GetItemAttribute(item, "DICOM.Modality") or "") if item else ""
