"""Acquisition facts, unit and history of a volume as attributes of its node, so that they survive the scene file.

What identifies the patient (name, id, study and series UID) is left out unless asked for: scenes are shared.
"""

from __future__ import annotations

import json
from typing import Any

from bonequant.volume import Acquisition, DynamicSeries, Volume, acquisition_from_json, acquisition_to_json

_PREFIX = "BoneQuant."


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
        "acquisition": acquisition_from_json(text, f"Node '{node.GetName()}'") if text else Acquisition(),
        "sha256": node.GetAttribute(_PREFIX + "Sha256") or "",
        "warnings": tuple(json.loads(node.GetAttribute(_PREFIX + "Warnings") or "[]")),
    }


def _dicom_modality(node: Any) -> str:
    """Modality that Slicer's DICOM import noted in the subject hierarchy, "" where there is none."""
    scene = node.GetScene()
    hierarchy = scene.GetSubjectHierarchyNode() if scene is not None else None
    if hierarchy is None:
        return ""
    item = hierarchy.GetItemByDataNode(node)
    return str(hierarchy.GetItemAttribute(item, "DICOM.Modality") or "") if item else ""
