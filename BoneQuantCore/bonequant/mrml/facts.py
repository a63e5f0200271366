"""Acquisition facts, unit and history of a volume as attributes of its node, so that they survive the scene file.

What identifies the patient (name, id, study and series UID) is left out unless asked for: scenes are shared. A node
that Slicer loaded from its DICOM database has none of these attributes: its facts are read from the headers.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from datetime import datetime
from typing import Any

from bonequant.io.overrides import Overrides
from bonequant.io.series_facts import read_facts
from bonequant.io.typed_text import fact_from_text
from bonequant.mrml.core import require_slicer
from bonequant.volume import Acquisition, DynamicSeries, Volume, acquisition_from_json, acquisition_to_json

_PREFIX = "BoneQuant."
_TYPED = _PREFIX + "Typed"  # what the user typed, apart from what was found: it can be taken back


def set_facts(node: Any, data: Volume | DynamicSeries, *, identifiers: bool = False) -> None:
    """Write modality, unit, acquisition, hash and warnings of ``data`` as attributes of ``node``."""
    node.SetAttribute(_PREFIX + "Modality", data.modality)
    node.SetAttribute(_PREFIX + "Unit", data.unit)
    node.SetAttribute(_PREFIX + "Acquisition", acquisition_to_json(data.acquisition, identifiers=identifiers))
    node.SetAttribute(_PREFIX + "Sha256", data.sha256)
    node.SetAttribute(_PREFIX + "Warnings", json.dumps(data.warnings))


def facts_of(node: Any) -> dict[str, Any]:
    """modality, unit, acquisition, sha256 and warnings for a Volume or DynamicSeries; the defaults where unknown."""
    return with_typed(_own_facts(node), node)


def with_typed(facts: dict[str, Any], node: Any) -> dict[str, Any]:
    """``facts`` with what the user typed at ``node`` in place of what was found: at a sequence, for all its frames."""
    typed = _typed(node)
    facts = facts | {name: typed.pop(name) for name in ("modality", "unit") if name in typed}
    if typed:
        facts["acquisition"] = facts["acquisition"].with_typed(**typed)
    return facts


def known_facts(node: Any) -> dict[str, tuple[Any, str]]:
    """Every fact that is known of a volume or sequence node, as (value, "typed" or "file") by its name.

    The names are those of :class:`bonequant.volume.Acquisition`, and "modality" and "unit".
    """
    from bonequant.mrml.units import unit_of

    facts, typed = facts_of(node), _typed(node)
    coded = unit_of(node) if node.IsA("vtkMRMLVolumeNode") and "unit" not in typed else ""
    known = {entry.name: getattr(facts["acquisition"], entry.name) for entry in dataclasses.fields(Acquisition)}
    known |= {"modality": facts["modality"] if facts["modality"] != "OT" else "", "unit": coded or facts["unit"]}
    by_hand = {*facts["acquisition"].typed, *typed}
    return {
        name: (value, "typed" if name in by_hand else "file")
        for name, value in known.items()
        if value not in (None, "", (), {}) and name != "typed"
    }


def type_fact(node: Any, name: str, text: str, *, scale: float = 1.0) -> None:
    """Put what the user typed in place of what the node's files say; an empty ``text`` takes it back.

    Args:
        name: as in :func:`known_facts`.
        text: numbers, text or a date-time, as on the command line.
        scale: units of the fact in one unit of the number typed (1e6 for MBq typed, Bq kept).

    Raises InputError for a name that is no fact or a text that cannot be its value.
    """
    typed = _typed(node)
    typed.pop(name, None)
    if text.strip():
        value = fact_from_text(name, text.strip(), f"Node '{node.GetName()}'")
        if scale != 1.0:
            value = value * scale
        if name in ("modality", "unit"):
            value = getattr(Overrides.of({name: value}), name)
        else:
            Acquisition().with_typed(**{name: value})
        typed[name] = value.isoformat() if isinstance(value, datetime) else value
    node.SetAttribute(_TYPED, json.dumps(typed) if typed else None)


def is_unit_typed(node: Any) -> bool:
    """Did the user type the unit? Then it goes before the node's coded entry."""
    return "unit" in _typed(node)


def _typed(node: Any) -> dict[str, Any]:
    text = node.GetAttribute(_TYPED)
    return dict(json.loads(text)) if text else {}


def _own_facts(node: Any) -> dict[str, Any]:
    """BoneQuant's attributes; where there are none, what the DICOM files say from which Slicer loaded the node."""
    text = node.GetAttribute(_PREFIX + "Acquisition")
    if not text and (files := dicom_files(node)):
        return {**_facts_of_files(files), "sha256": ""}
    return {
        "modality": node.GetAttribute(_PREFIX + "Modality") or _dicom_modality(node) or "OT",
        "unit": node.GetAttribute(_PREFIX + "Unit") or "",
        "acquisition": acquisition_from_json(text, f"Node '{node.GetName()}'") if text else Acquisition(),
        "sha256": node.GetAttribute(_PREFIX + "Sha256") or "",
        "warnings": tuple(json.loads(node.GetAttribute(_PREFIX + "Warnings") or "[]")),
    }


def dicom_files(node: Any) -> tuple[str, ...]:
    """The files of the instances that a node was loaded from, as far as Slicer's DICOM database has them."""
    instances = (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(require_slicer(), "dicomDatabase", None)
    if not instances or database is None or not database.isOpen:
        return ()
    return tuple(path for path in map(database.fileForInstance, instances) if path)


@functools.lru_cache(maxsize=16)
def _facts_of_files(files: tuple[str, ...]) -> dict[str, Any]:
    return read_facts(files[0], files[1:])


def _dicom_modality(node: Any) -> str:
    """Modality that Slicer's DICOM import noted in the subject hierarchy, "" where there is none."""
    scene = node.GetScene()
    hierarchy = scene.GetSubjectHierarchyNode() if scene is not None else None
    if hierarchy is None:
        return ""
    item = hierarchy.GetItemByDataNode(node)
    return str(hierarchy.GetItemAttribute(item, "DICOM.Modality") or "") if item else ""
