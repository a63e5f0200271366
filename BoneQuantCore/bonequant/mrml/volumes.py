"""Volume <-> vtkMRMLScalarVolumeNode: the same voxels on the same grid, with unit, modality and acquisition facts."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import InputError
from bonequant.mrml.core import embedded
from bonequant.mrml.facts import facts_of, is_unit_typed, set_facts
from bonequant.mrml.geometry import grid_of, set_grid
from bonequant.mrml.units import set_unit, unit_of
from bonequant.volume import Geometry, Volume, image_from_array

# Colour table and fixed (window, level) by unit; without a fixed window the node gets 0..99.9th percentile.
_CT_WINDOW = (450.0, 100.0)
_UPTAKE_COLOURS = "vtkMRMLColorTableNodeInvertedGrey"


def volume_to_node(volume: Volume, name: str = "", scene: Any = None, *, identifiers: bool = False) -> Any:
    """A new vtkMRMLScalarVolumeNode in ``scene`` (by default :func:`embedded`'s) with a copy of the voxels."""
    scene = scene if scene is not None else embedded()
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name or volume.name or volume.modality)
    fill_node(node, volume, identifiers=identifiers)
    node.CreateDefaultDisplayNodes()
    _set_display(node, volume)
    return node


def fill_node(node: Any, volume: Volume, *, identifiers: bool = False) -> None:
    """Put voxels, grid, unit and facts of ``volume`` into an existing volume node."""
    node.SetAndObserveImageData(vtk_image(volume.array))
    set_grid(node, volume.geometry)
    set_unit(node, volume.unit)
    set_facts(node, volume, identifiers=identifiers)


def volume_from_node(node: Any) -> Volume:
    """The node's voxels on the node's *own* grid; a parent transform is not applied (see transform_to_world).

    Facts come from BoneQuant's attributes, or the DICOM files that Slicer loaded the node from; the unit from the coded
    entry before those. What the user typed goes before all. None is guessed: without them they are "OT" and "".

    Raises:
        InputError: the node holds no voxels, or several values per voxel.
    """
    array, grid = voxels_of(node)
    facts = facts_of(node)
    if not is_unit_typed(node):
        facts["unit"] = unit_of(node) or facts["unit"]
    image = image_from_array(array, grid)
    return Volume(image=image, name=node.GetName() or "", source=f"node '{node.GetName() or node.GetID()}'", **facts)


def voxels_of(node: Any) -> tuple[np.ndarray, Geometry]:
    """The node's voxels (z, y, x), sharing its memory, and its own grid. Raises as :func:`volume_from_node`."""
    data = node.GetImageData()
    if data is None or data.GetPointData().GetScalars() is None:
        raise InputError(f"Volume node '{node.GetName()}' holds no voxels: load its data first.")
    if data.GetNumberOfScalarComponents() != 1:
        raise InputError(
            f"Volume node '{node.GetName()}' has {data.GetNumberOfScalarComponents()} values per voxel where one is "
            "due: extract one component, or load the dynamic series as a sequence."
        )
    return numpy_array(data), grid_of(node, data.GetDimensions())


def vtk_image(array: np.ndarray) -> Any:
    """vtkImageData with a copy of ``array`` (z, y, x); its own origin and spacing stay 0 and 1, as MRML has it."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData

    data = vtkImageData()
    data.SetDimensions(*array.shape[::-1])
    scalars = numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=True)
    scalars.SetName("ImageScalars")
    data.GetPointData().SetScalars(scalars)
    return data


def numpy_array(data: Any) -> np.ndarray:
    """Voxels of a vtkImageData as an array (z, y, x) that shares its memory."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    return vtk_to_numpy(data.GetPointData().GetScalars()).reshape(data.GetDimensions()[::-1])


def _set_display(node: Any, volume: Volume) -> None:
    display = node.GetDisplayNode()
    if display is None:
        return
    uptake = volume.modality in ("PT", "NM") or volume.unit.startswith(("SUV", "Bq"))
    display.SetAndObserveColorNodeID(_UPTAKE_COLOURS if uptake else "vtkMRMLColorTableNodeGrey")
    if volume.unit == "HU":
        window, level = _CT_WINDOW
    else:
        values = volume.array[np.isfinite(volume.array)] if volume.image.GetPixelID() > sitk.sitkInt64 else volume.array
        high = float(np.percentile(values, 99.9)) if values.size else 1.0
        low = 0.0 if uptake or not values.size else float(values.min())
        window, level = max(high - low, 1e-6), (high + low) / 2.0
    display.AutoWindowLevelOff()
    display.SetWindowLevel(window, level)
