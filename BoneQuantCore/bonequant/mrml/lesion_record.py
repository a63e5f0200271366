"""A measured lesion radiomics result as a text node: every feature in full, what it was made by, its other nodes.

Tables for the eye are made from it, also after the scene was saved and opened again: Slicer's table files keep six
digits, and a model must not be given rounded features. The nodes of the result are kept under it by role.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from bonequant.errors import InputError
from bonequant.mrml.core import embedded
from bonequant.mrml.kept import keep, kept_node

if TYPE_CHECKING:
    from bonequant.studies.lesion_radiomics import LesionResult

_FORMAT = "bonequant lesion radiomics"
_MEASURED = ("Lesions", "Ct", "Functional")  # roles of the nodes that were measured
_DERIVED = ("BoneQuant.Map.", "BoneQuant.Predictions", "BoneQuant.Contributions")  # roles of what was made of features


def record_of(result: LesionResult) -> dict[str, Any]:
    """What the node holds, as plain data."""
    from bonequant.report.tables import jsonable
    from bonequant.studies.lesion_radiomics.table import column, columns_of, measured_rows, recipe

    made = recipe(result)
    lesions = {
        lesion.id: {
            "features": columns_of(result.on_images[lesion.id]),
            "missing": {
                column(on.image, feature): reason
                for on in result.on_images[lesion.id].values()
                for feature, reason in on.features.missing.items()
            },
        }
        for lesion in result.lesions
    }
    content: dict[str, Any] = jsonable(
        {
            "format": _FORMAT,
            "recipes": made["recipes"],
            "settings_hash": made["settings_hash"],
            "columns": made["columns"],
            "stable": made["stable"],
            "measured": measured_rows(result),
            "lesions": lesions,
            "warnings": list(result.warnings),
        }
    )
    return content


def record_to_node(content: dict[str, Any], name: str, node: Any = None, scene: Any = None) -> Any:
    """The text node of a record; ``node`` is filled again where it is given."""
    if node is None:
        node = (scene if scene is not None else embedded()).AddNewNodeByClass("vtkMRMLTextNode", name)
    node.SetText(json.dumps(content, ensure_ascii=False))
    return node


def bind_record(record: Any, lesions: Any, ct: Any, functional: Any) -> None:
    """Note on a record's node what was measured: the segmentation and the volumes."""
    for role, node in zip(_MEASURED, (lesions, ct, functional), strict=True):
        keep(record, role, node)


def is_of(record: Any, lesions: Any) -> bool:
    """Was the record measured on this segmentation?"""
    return lesions is not None and kept_node(record, _MEASURED[0]) is lesions


def measured_images(record: Any) -> tuple[Any, Any]:
    """The volume nodes that were measured: CT, functional; None where there was none, or it is gone."""
    return kept_node(record, _MEASURED[1]), kept_node(record, _MEASURED[2])


def forget_former(record: Any) -> None:
    """Take out of the scene what was made of a record's former features: maps, predictions, contributions."""
    scene = record.GetScene()
    roles = [str(record.GetNthNodeReferenceRole(index)) for index in range(record.GetNumberOfNodeReferenceRoles())]
    for role in [role for role in roles if role.startswith(_DERIVED)]:
        node = record.GetNodeReference(role)
        if node is None:
            continue
        series = node.GetNumberOfPlotSeriesNodes() if node.IsA("vtkMRMLPlotChartNode") else 0
        for gone in [*(node.GetNthPlotSeriesNode(index) for index in range(series)), node]:
            scene.RemoveNode(gone)


def record_from_node(node: Any) -> dict[str, Any]:
    """The content of a record's node; features that are missing are NaN.

    Raises InputError for no node or another text.
    """
    if node is None:
        raise InputError("Nothing has been measured yet: measure the lesions first.")
    try:
        content = json.loads(node.GetText() or "")
    except ValueError as error:
        raise InputError(f"Text node '{node.GetName()}' is no lesion radiomics result: measure again.") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise InputError(f"Text node '{node.GetName()}' is no lesion radiomics result: measure again.")
    for lesion in content["lesions"].values():
        lesion["features"] = {name: math.nan if value is None else value for name, value in lesion["features"].items()}
    return content
