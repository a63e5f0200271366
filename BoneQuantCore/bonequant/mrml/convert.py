"""The two doors: :func:`to_node` for every type that travels, :func:`from_node` for every node it can come back from.

``from_node`` returns an object in the node's own, native space. Where the node has a parent transform, ask
``transform_to_world(node)`` or ``transform_between(source, target)`` and hand that to the measurement: voxels and
segments are never resampled or hardened on the way.
"""

from __future__ import annotations

from typing import Any

import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.mrml.segments import masks_from_node, masks_to_node
from bonequant.mrml.sequences import series_from_node, series_to_node
from bonequant.mrml.tables import rows_from_node, rows_to_node
from bonequant.mrml.transforms import transform_from_node, transform_to_node
from bonequant.mrml.volumes import volume_from_node, volume_to_node
from bonequant.volume import DynamicSeries, Volume

Convertible = Volume | DynamicSeries | sitk.Image | sitk.Transform | dict[str, sitk.Image] | list[dict[str, Any]]


def to_node(obj: Convertible, name: str = "", scene: Any = None) -> Any:
    """A new node that holds a copy of ``obj``.

    =============================  ============================================================
    Volume, sitk.Image             vtkMRMLScalarVolumeNode (unit, quantity and facts with it)
    DynamicSeries                  vtkMRMLSequenceNode, indexed in seconds
    dict of name -> mask           vtkMRMLSegmentationNode, one segment per mask
    sitk.Transform                 transform node, as transform *from parent*: put the sampled image under it
    list of rows (dictionaries)    vtkMRMLTableNode
    =============================  ============================================================

    Args:
        obj: what to convert.
        name: the node's name; by default the object's own.
        scene: the scene to add it to; by default that of :func:`embedded`.

    Raises:
        InputError: the object is of another type, or cannot be held by a node.
    """
    if isinstance(obj, sitk.Image):
        obj = Volume(obj)
    if isinstance(obj, Volume):
        return volume_to_node(obj, name, scene)
    if isinstance(obj, DynamicSeries):
        return series_to_node(obj, name, scene)
    if isinstance(obj, sitk.Transform):
        return transform_to_node(obj, name, scene)
    if isinstance(obj, dict) and all(isinstance(mask, sitk.Image) for mask in obj.values()):
        return masks_to_node(obj, name, scene)
    if isinstance(obj, list) and all(isinstance(row, dict) for row in obj):
        return rows_to_node(obj, name, scene)
    raise InputError(
        f"{type(obj).__name__} cannot become a node: a Volume, DynamicSeries, dictionary of masks, transform or list "
        "of rows can."
    )


def from_node(node: Any) -> Any:
    """The library's object for a node, in the node's own space; a parent transform is not applied.

    Returns Volume, DynamicSeries, ``dict[str, sitk.Image]``, sitk.Transform or ``list[dict]``: see :func:`to_node`.

    Raises:
        InputError: there is no node, it is empty, or of a class that holds none of these.
    """
    if node is None:
        raise InputError("No node is selected.")
    if node.IsA("vtkMRMLVolumeNode"):
        return volume_from_node(node)
    if node.IsA("vtkMRMLSequenceNode"):
        return series_from_node(node)
    if node.IsA("vtkMRMLSegmentationNode"):
        return masks_from_node(node)
    if node.IsA("vtkMRMLTransformNode"):
        return transform_from_node(node)
    if node.IsA("vtkMRMLTableNode"):
        return rows_from_node(node)
    raise InputError(f"Node '{node.GetName()}' is a {node.GetClassName()}; that holds nothing BoneQuant works with.")
