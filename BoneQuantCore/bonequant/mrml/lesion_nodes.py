"""Results of the lesion radiomics job as nodes: record, tables, largest sections on each image, feature maps.

Nodes made by a former result with the same record are filled again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.mrml.feature_codes import code_map
from bonequant.mrml.hierarchy import place
from bonequant.mrml.kept import keep, kept_node, kept_table
from bonequant.mrml.lesion_record import (
    bind_record,
    forget_former,
    is_of,
    record_from_node,
    record_of,
    record_to_node,
)
from bonequant.mrml.patches import add_patch
from bonequant.mrml.segments import set_reference_geometry
from bonequant.mrml.volumes import fill_node, volume_to_node
from bonequant.roi.carry import Patch
from bonequant.studies.lesion_radiomics.result import image_name
from bonequant.volume import Geometry

if TYPE_CHECKING:
    from bonequant.studies.lesion_radiomics import LesionResult

_MAP_COLOURS = "vtkMRMLColorTableNodeIron"
_MEASURED_UNITS = {"volume_ml": "mL", "section_area_mm2": "mm2"}
_MEASURED = ("lesion_id", "level", "image", "roi", "volume_ml", "mean", "sd", "max", "peak", "unit", "section_slice",
             "section_pixels", "section_area_mm2", "features", "missing", "problem")  # fmt: skip


def lesion_result_to_nodes(result: LesionResult, volumes: Mapping[str, Any], name: str, record: Any = None) -> Any:
    """Write a result into the scene.

    Args:
        volumes: the volume nodes that were measured, by "ct" and "functional".
        name: of the record, and of the folder in the subject hierarchy.
        record: the record of a former result, whose nodes are filled again.

    Returns:
        The record: a text node, which everything else belongs to.
    """
    there = [node for node in volumes.values() if node is not None]
    record = record_to_node(record_of(result), name, record, there[0].GetScene())
    content = record_from_node(record)
    rows = [{key: row[key] for key in _MEASURED} for row in content["measured"]]
    made = [record, kept_table(record, "Measured", f"{name}: lesions", rows, _MEASURED_UNITS)]
    for space, image in result.images.items():
        sections = {
            lesion: section.mask
            for lesion, on in result.on_images.items()
            if (section := on[space].region.section) is not None
        }
        made.append(_sections(record, image_name(space, image), sections, volumes[space], image.geometry))
    made += maps_to_nodes(result, volumes, record)
    place([node for node in made if node is not None], name)
    return record


def measured_to_nodes(result: LesionResult, lesions: Any, ct: Any, functional: Any, record: Any = None) -> Any:
    """Write a measurement of a segmentation into the scene; the record, which knows what was measured.

    A former record of the same segmentation is filled again, and what was made of its features goes; one of other
    lesions stays as it is.
    """
    former = record if record is not None and is_of(record, lesions) else None
    if former is not None:
        forget_former(former)
    volumes = {"ct": ct, "functional": functional}
    record = lesion_result_to_nodes(result, volumes, f"{lesions.GetName()} radiomics", former)
    bind_record(record, lesions, ct, functional)
    return record


def show_lesion(record: Any, lesion: str, contains: str = "") -> Any:
    """The table of one lesion's features, one row each, the images side by side; filled again for another lesion.

    Args:
        contains: part of a feature's name or of its class; upper and lower case are the same.

    Raises InputError for a lesion that was not measured, or where no feature has ``contains``.
    """
    content = record_from_node(record)
    part = contains.lower()
    rows = [row for row in feature_rows(content, lesion) if part in f"{row['feature']} {row['class']}".lower()]
    if not rows:
        raise InputError(f"No feature of {lesion} has {contains!r} in its name or class.")
    table = kept_table(record, "Selected", f"{record.GetName()}: features of {lesion}", rows)
    table.SetName(f"{record.GetName()}: features of {lesion}")
    place([table], record.GetName())
    return table


def feature_rows(content: Mapping[str, Any], lesion: str) -> list[dict[str, Any]]:
    """A record's features of one lesion: a row per feature with its value on each image, unit, class, IBSI identifier.

    Raises InputError for a lesion that is not in the record.
    """
    if lesion not in content["lesions"]:
        known = ", ".join(content["lesions"])
        raise InputError(f"Lesion {lesion!r} was not measured; measured were: {known}. Measure again.")
    found, facts = content["lesions"][lesion], content["columns"]
    images = list(content["recipes"])
    rows: dict[str, dict[str, Any]] = {}
    for key, value in found["features"].items():
        image, _, feature = key.partition(":")
        row = rows.setdefault(feature, {"feature": feature, **dict.fromkeys(images, math.nan), "unit": []})
        row[image] = value
        row["unit"].append(facts[key]["unit"])
        row |= {"class": f"{facts[key]['family']} {facts[key]['class']}", "ibsi_id": facts[key]["ibsi_id"]}
        row["missing_because"] = row.get("missing_because") or found["missing"].get(key, "")
    for row in rows.values():
        row["unit"] = " | ".join(dict.fromkeys(unit for unit in row["unit"] if unit))
    return list(rows.values())


def maps_to_nodes(result: LesionResult, volumes: Mapping[str, Any], record: Any) -> list[Any]:
    """The result's feature maps as volumes, NaN outside the lesions, in iron from the 2nd to the 98th percentile."""
    spaces = {image_name(space, image): space for space, image in result.images.items()}
    made = []
    for key, volume in result.maps.items():
        inside = volume.array[np.isfinite(volume.array)]
        if not inside.size:
            continue
        node = kept_node(record, f"Map.{key}")
        if node is None:
            node = keep(record, f"Map.{key}", volume_to_node(volume, key, record.GetScene()))
        else:
            fill_node(node, volume)
        image, _, feature = key.partition(" ")
        code_map(node, feature, result.images[spaces[image]].unit)
        low, high = (float(value) for value in np.percentile(inside, (2, 98)))
        display = node.GetDisplayNode()
        display.SetAndObserveColorNodeID(_MAP_COLOURS)
        display.SetWindowLevelMinMax(low, max(high, low + 1e-6))
        display.SetThreshold(float(inside.min()), float(inside.max()))  # NaN lies outside: the image shows there
        display.ApplyThresholdOn()
        display.InterpolateOff()  # what lies between a value and NaN is NaN: the lesion would lose its rim
        if (measured := volumes[spaces[image]]) is not None:  # None: taken out of the scene meanwhile
            node.SetAndObserveTransformNodeID(measured.GetTransformNodeID())
        made.append(node)
    if made:
        place(made, record.GetName(), "Feature maps")
    return made


def map_nodes(record: Any, feature: str) -> dict[str, Any]:
    """The map nodes of a feature by image name."""
    images = record_from_node(record)["recipes"]
    found = {image: kept_node(record, f"Map.{image} {feature}") for image in images}
    return {image: node for image, node in found.items() if node is not None}


def section_nodes(record: Any) -> dict[str, Any]:
    """The segmentations of the largest sections, by image name."""
    found = {image: kept_node(record, f"Sections.{image}") for image in record_from_node(record)["recipes"]}
    return {image: node for image, node in found.items() if node is not None}


def map_features(record: Any) -> list[str]:
    """The features of which a record has maps; none without a record."""
    count = record.GetNumberOfNodeReferenceRoles() if record is not None else 0
    roles = [str(record.GetNthNodeReferenceRole(index)) for index in range(count)]
    prefix = "BoneQuant.Map."
    keys = [role.removeprefix(prefix) for role in roles if role.startswith(prefix) and record.GetNodeReference(role)]
    return list(dict.fromkeys(key.partition(" ")[2] for key in keys))


def section_centre(record: Any, image: str, lesion: str) -> tuple[float, float, float] | None:
    """Centre (RAS mm, world) of a lesion's largest section on an image; None where it has none."""
    node = kept_node(record, f"Sections.{image}")
    if node is None or node.GetSegmentation().GetSegment(lesion) is None:
        return None
    x, y, z = node.GetSegmentCenterRAS(lesion)
    return (x, y, z)


def _sections(record: Any, image: str, masks: Mapping[str, sitk.Image], like: Any, geometry: Geometry) -> Any:
    role = f"Sections.{image}"
    node = kept_node(record, role)
    if node is None:
        name = f"{record.GetName()}: sections on {image}"
        node = keep(record, role, record.GetScene().AddNewNodeByClass("vtkMRMLSegmentationNode", name))
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetOpacity2DFill(0.0)
    set_reference_geometry(node, geometry)
    node.SetReferenceImageGeometryParameterFromVolumeNode(like)
    node.SetAndObserveTransformNodeID(like.GetTransformNodeID())
    node.GetSegmentation().RemoveAllSegments()
    for lesion, mask in masks.items():
        voxels = sitk.GetArrayViewFromImage(mask) > 0
        patch = Patch(Geometry.of(mask), np.zeros(3, dtype=int), voxels).trimmed()
        add_patch(node, lesion, patch, (1.0, 1.0, 1.0))
    return node
