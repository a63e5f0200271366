"""SimpleITK transforms <-> transform nodes, and how nodes lie to each other through their parent transforms.

The library, ITK and Slicer's transform files agree: a transform takes points of the space one is in (the fixed image,
the mask) to points of the image that is sampled. In MRML that is the transform *from parent* of the sampled (moving)
image. So the node of ``register(spect, ct).transform`` goes on the SPECT, which then lies on the CT, with its voxels
untouched. To carry a segmentation the other way, onto an unmoved SPECT, put the segmentation under the same node after
``node.Inverse()``.

Nothing is ever hardened: every node keeps its native grid; :func:`transform_between` says where one lies in another.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.mrml.core import embedded, require_slicer
from bonequant.mrml.geometry import flip_matrix, from_vtk, to_vtk
from bonequant.volume import is_linear
from bonequant.volume.geometry import matrix_of


def transform_to_node(transform: sitk.Transform, name: str = "", scene: Any = None) -> Any:
    """A new transform node whose transform *from parent* is ``transform``: put the sampled image under it.

    Linear transforms, composites of them included, become one matrix; B-spline, displacement and mixed ones go through
    Slicer's own reader of ITK transforms.

    Raises:
        InputError: Slicer cannot represent the transform.
    """
    scene = scene if scene is not None else embedded()
    name = name or "Transform"
    if is_linear(transform):
        node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
        node.SetMatrixTransformFromParent(to_vtk(flip_matrix(matrix_of(transform))))
        return node
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode", name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "transform.h5"
        sitk.WriteTransform(transform, str(path))
        if not _storage(path).ReadData(node):
            scene.RemoveNode(node)
            raise InputError(f"Slicer cannot hold a transform of type {transform.GetName()} as a node.")
    return node


def transform_from_node(node: Any) -> sitk.Transform:
    """The node's own transform *from parent*, in LPS: the inverse of :func:`transform_to_node`.

    Raises:
        InputError: the transform from parent is the inverse of a non-linear one, which ITK cannot hold.
    """
    return _to_sitk(node.GetTransformFromParent(), f"Transform node '{node.GetName()}'")


def transform_to_world(node: Any) -> sitk.Transform:
    """From points of the node's own space (its voxels, segments, points) to world, in LPS; identity without a parent.

    Raises:
        InputError: it is the inverse of a non-linear transform; ask :func:`transform_between` for the other direction.
    """
    return transform_between(node, None)


def transform_between(source: Any, target: Any) -> sitk.Transform:
    """From points of ``source``'s own space to points of ``target``'s own space, in LPS; None stands for world.

    With a segmentation node and a volume node it is what ``roi.measure(volume, mask, transform)`` takes.

    Raises:
        InputError: the way leads through the inverse of a non-linear transform.
    """
    from vtkmodules.vtkCommonTransforms import vtkGeneralTransform

    slicer = require_slicer()
    parents = [node.GetParentTransformNode() if node is not None else None for node in (source, target)]
    general = vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(parents[0], parents[1], general)
    names = [f"'{node.GetName()}'" if node is not None else "world" for node in (source, target)]
    return _to_sitk(general, f"The transform from {names[0]} to {names[1]}")


def _to_sitk(transform: Any, what: str) -> sitk.Transform:
    """A VTK transform of RAS points as a SimpleITK transform of LPS points."""
    from vtkmodules.vtkCommonCore import vtkCollection

    slicer = require_slicer()
    parts = vtkCollection()
    slicer.vtkMRMLTransformNode.FlattenGeneralTransform(parts, transform)
    steps: list[Any] = [parts.GetItemAsObject(index) for index in range(parts.GetNumberOfItems())]
    if all(hasattr(step, "GetMatrix") for step in steps):
        matrix = np.eye(4)
        for step in steps:
            step.Update()
            matrix = from_vtk(step.GetMatrix()) @ matrix
        return _affine(flip_matrix(matrix))
    holder = slicer.vtkMRMLTransformNode()
    holder.SetAndObserveTransformFromParent(transform)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "transform.h5"
        written = _storage(path).WriteData(holder)
        try:
            if not written:
                raise RuntimeError("not written")
            return sitk.ReadTransform(str(path)).Downcast()
        except RuntimeError as error:
            raise InputError(
                f"{what} holds the inverse of a non-linear transform, which ITK cannot represent. Ask for the other "
                "direction, or convert it to a displacement field in Slicer's Transforms module."
            ) from error


def _affine(matrix: np.ndarray) -> sitk.AffineTransform:
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    transform.SetTranslation(matrix[:3, 3].tolist())
    return transform


def _storage(path: Path) -> Any:
    storage = require_slicer().vtkMRMLTransformStorageNode()
    storage.SetFileName(str(path))
    return storage
