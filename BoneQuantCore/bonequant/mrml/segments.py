"""Masks <-> vtkMRMLSegmentationNode: one segment per mask, on the grid it was drawn on, never resampled.

Segments may overlap: each gets a labelmap of its own. Slicer crops labelmaps to their content and may let several
segments share one; on the way back each is put on the reference geometry again, where the two grids coincide.
"""

from __future__ import annotations

import colorsys
from collections.abc import Collection
from typing import Any

import numpy as np
import SimpleITK as sitk

from bonequant.errors import GeometryError, InputError
from bonequant.mrml.core import embedded, require_slicer
from bonequant.mrml.geometry import grid_of, image_to_world_ras, set_grid, to_vtk
from bonequant.mrml.volumes import numpy_array, vtk_image
from bonequant.volume import Geometry, image_from_array, same_grid

# Colours of the regions that have a customary one (Slicer's GenericAnatomyColors, 0..1); the others go round the wheel.
_COLOURS = {
    "bone": (0.95, 0.84, 0.57),
    "cortical": (1.0, 0.98, 0.86),
    "marrow": (0.87, 0.36, 0.30),
    "red_marrow": (0.75, 0.10, 0.12),
    "spine": (0.89, 0.85, 0.65),
    "pelvis": (0.80, 0.75, 0.50),
    "ribs": (0.99, 0.91, 0.62),
    "liver": (0.87, 0.51, 0.40),
    "spleen": (0.62, 0.42, 0.55),
    "lung": (0.77, 0.65, 0.80),
    "muscle": (0.75, 0.25, 0.20),
    "aorta": (0.88, 0.38, 0.30),
    "blood_pool": (0.80, 0.15, 0.25),
}
_GOLDEN_ANGLE = 0.618034  # successive hues stay far apart whatever their number
_OUTLINE_OPACITY, _FILL_OPACITY = 1.0, 0.25


def masks_to_node(masks: dict[str, sitk.Image], name: str = "", scene: Any = None) -> Any:
    """A new segmentation node with a segment for each mask, its geometry as reference geometry.

    Raises:
        InputError: no mask, or a fractional one (a segment is binary).
        GeometryError: the masks lie on different grids: make one node for each grid.
    """
    if not masks:
        raise InputError("There is no mask to make a segmentation of.")
    first_name, first = next(iter(masks.items()))
    for key, mask in masks.items():
        if not same_grid(first, mask):
            raise GeometryError(
                f"Masks '{first_name}' and '{key}' lie on different grids; a segmentation holds one grid. "
                "Make one node for each, so that no mask is resampled."
            )
    scene = scene if scene is not None else embedded()
    arrays = {key: _binary(key, mask) for key, mask in masks.items()}
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name or "Segmentation")
    set_reference_geometry(node, Geometry.of(first))
    for index, (key, array) in enumerate(arrays.items()):
        _add_segment(node, key, array, Geometry.of(first), colour_of(key, index))
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    if display is not None:
        display.SetAllSegmentsOpacity2DFill(_FILL_OPACITY)
        display.SetAllSegmentsOpacity2DOutline(_OUTLINE_OPACITY)
    return node


def masks_from_node(node: Any, names: Collection[str] | None = None) -> dict[str, sitk.Image]:
    """uint8 masks by segment name, in the node's *own* space; a parent transform is not applied.

    A segment is returned on the reference geometry where its voxels coincide with that grid's, enlarged by whole voxels
    where the segment sticks out; otherwise on the grid it is stored on. Surfaces and contours are converted to
    labelmaps by Slicer in a copy; the node stays as it is.

    Args:
        names: segments to return; all by default.

    Raises:
        InputError: two segments have one name, or a segment cannot be had as a labelmap.
    """
    segmentation = _with_labelmaps(node)
    slicer = require_slicer()
    reference = _reference_geometry(segmentation)
    masks: dict[str, sitk.Image] = {}
    for index in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(index)
        name = segment.GetName() or segmentation.GetNthSegmentID(index)
        if name in masks:
            raise InputError(f"Segmentation '{node.GetName()}' has two segments named '{name}': rename one of them.")
        if names is not None and name not in names:
            continue
        labelmap = segment.GetRepresentation(slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName())
        masks[name] = _mask(labelmap, segment.GetLabelValue(), reference, f"Segment '{name}'")
    return masks


def segment_colours(node: Any) -> dict[str, tuple[float, float, float]]:
    """Colour (red, green, blue; 0..1) by segment name."""
    segmentation = node.GetSegmentation()
    segments = [segmentation.GetNthSegment(index) for index in range(segmentation.GetNumberOfSegments())]
    return {segment.GetName(): tuple(segment.GetColor()) for segment in segments}


def colour_of(name: str, index: int) -> tuple[float, float, float]:
    """The customary colour of a region; for others the ``index``-th of colours that stay apart."""
    return _COLOURS.get(name) or _wheel(index)


def set_reference_geometry(node: Any, geometry: Geometry) -> None:
    """Make ``geometry`` the grid on which segments are drawn and exported."""
    slicer = require_slicer()
    grid = slicer.vtkOrientedImageData()
    grid.SetExtent(0, geometry.size[0] - 1, 0, geometry.size[1] - 1, 0, geometry.size[2] - 1)
    set_grid(grid, geometry)
    converter = slicer.vtkSegmentationConverter
    text = converter.SerializeImageGeometry(to_vtk(image_to_world_ras(geometry)), grid)
    node.GetSegmentation().SetConversionParameter(converter.GetReferenceImageGeometryParameterName(), text)


def is_binary(mask: sitk.Image) -> bool:
    """Does the mask hold nothing but 0 and 1, as a segment must?"""
    array = sitk.GetArrayViewFromImage(mask)
    return bool(np.array_equal(array != 0, array))


def _binary(name: str, mask: sitk.Image) -> np.ndarray:
    result = (sitk.GetArrayViewFromImage(mask) != 0).astype(np.uint8)
    if not is_binary(mask):
        raise InputError(f"Mask '{name}' holds other values than 0 and 1; a segment is binary. Threshold it first.")
    return result


def _add_segment(node: Any, name: str, array: np.ndarray, geometry: Geometry, colour: tuple[float, ...]) -> None:
    slicer = require_slicer()
    labelmap = slicer.vtkOrientedImageData()
    labelmap.DeepCopy(vtk_image(array))
    set_grid(labelmap, geometry)
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.SetColor(*colour)
    segment.SetLabelValue(1)
    segment.AddRepresentation(slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName(), labelmap)
    node.GetSegmentation().AddSegment(segment, name)


def _wheel(index: int) -> tuple[float, float, float]:
    return colorsys.hsv_to_rgb((0.12 + index * _GOLDEN_ANGLE) % 1.0, 0.65, 0.9)


def _with_labelmaps(node: Any) -> Any:
    """The node's segmentation, or a copy converted to binary labelmaps where it has none."""
    slicer = require_slicer()
    segmentation = node.GetSegmentation()
    binary = slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName()
    if segmentation.GetNumberOfSegments() == 0 or segmentation.ContainsRepresentation(binary):
        return segmentation
    copy = slicer.vtkSegmentation()
    copy.DeepCopy(segmentation)
    if not copy.CreateRepresentation(binary):
        raise InputError(
            f"Segmentation '{node.GetName()}' cannot be converted to binary labelmaps from "
            f"'{segmentation.GetSourceRepresentationName()}': set its reference geometry to the image it was drawn on."
        )
    return copy


def _reference_geometry(segmentation: Any) -> Geometry | None:
    slicer = require_slicer()
    converter = slicer.vtkSegmentationConverter
    text = segmentation.GetConversionParameter(converter.GetReferenceImageGeometryParameterName())
    if not text:
        return None
    grid = slicer.vtkOrientedImageData()
    if not converter.DeserializeImageGeometry(text, grid, False):
        return None
    return _moved(grid_of(grid, grid.GetDimensions()), _start(grid))


def _mask(labelmap: Any, label: int, reference: Geometry | None, what: str) -> sitk.Image:
    """One segment's voxels on the reference grid, enlarged where they stick out, or on the labelmap's own grid."""
    empty = labelmap is None or min(labelmap.GetDimensions()) < 1 or labelmap.GetPointData().GetScalars() is None
    if empty and reference is None:
        raise InputError(f"{what} is empty and its segmentation has no reference geometry: nothing tells its grid.")
    if empty:
        assert reference is not None
        return image_from_array(np.zeros(reference.shape, np.uint8), reference)
    own = _moved(grid_of(labelmap, labelmap.GetDimensions()), _start(labelmap))
    voxels = (numpy_array(labelmap) == label).astype(np.uint8)
    offset = _offset(own, reference) if reference is not None else None
    if reference is None or offset is None:
        return image_from_array(voxels, own)
    box = _box(voxels)
    if box is None:
        return image_from_array(np.zeros(reference.shape, np.uint8), reference)
    first, stop = box
    low = np.minimum(0, first + offset)
    high = np.maximum(reference.size, stop + offset)
    result = np.zeros(tuple(high - low)[::-1], np.uint8)
    result[_slices(first + offset - low, stop + offset - low)] = voxels[_slices(first, stop)]
    grid = _moved(reference, low)
    x, y, z = (high - low).tolist()
    return image_from_array(result, Geometry((x, y, z), grid.spacing, grid.origin, grid.direction))


def _box(voxels: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """First and one past the last index (x, y, z) of what is not zero; None where all is."""
    along = [np.flatnonzero(voxels.any(axis=axes)) for axes in ((0, 1), (0, 2), (1, 2))]
    if not len(along[0]):
        return None
    return np.array([index[0] for index in along]), np.array([index[-1] + 1 for index in along])


def _slices(first: np.ndarray, stop: np.ndarray) -> tuple[slice, ...]:
    """Array slices (z, y, x) of a box given as (x, y, z)."""
    return tuple(slice(a, b) for a, b in zip(first[::-1].tolist(), stop[::-1].tolist(), strict=True))


def _start(grid: Any) -> np.ndarray:
    return np.array(grid.GetExtent()[::2])


def _moved(geometry: Geometry, index: np.ndarray) -> Geometry:
    """The same grid with its first voxel at ``index`` (x, y, z)."""
    if not np.any(index):
        return geometry
    origin = geometry.index_to_physical @ np.append(index, 1.0)
    return Geometry(geometry.size, geometry.spacing, tuple(origin[:3].tolist()), geometry.direction)


def _offset(own: Geometry, reference: Geometry) -> np.ndarray | None:
    """Whole voxels from the reference grid's first voxel to ``own``'s, None where the two grids do not coincide."""
    index = (reference.physical_to_index @ np.append(own.origin, 1.0))[:3]
    offset = np.round(index).astype(int)
    moved = _moved(Geometry(own.size, reference.spacing, reference.origin, reference.direction), offset)
    return offset if np.abs(moved.corners() - own.corners()).max() < 1e-3 else None
