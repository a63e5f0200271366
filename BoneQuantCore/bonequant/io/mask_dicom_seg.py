"""DICOM segmentations (BINARY, FRACTIONAL, LABELMAP) as masks on their own grid, one per segment.

The grid is the one of the frames (PS3.3 C.8.20): frames may be left out where a segment is empty, so the slices are
found from the positions and SpacingBetweenSlices, or the smallest distance that occurs. Segments may overlap.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset

from bonequant.errors import GeometryError, InputError
from bonequant.io.dicom_enhanced import frame_groups, frame_orientation, frame_position, sequence_item
from bonequant.io.dicom_header import integer, items, number, numbers, text
from bonequant.io.dicom_pixels import read_frames
from bonequant.io.dicom_stack import SAME_POSITION_MM, directions, make_geometry, pixel_spacing
from bonequant.volume import image_from_array
from bonequant.volume.geometry import Geometry

_OFF_PLANE = 0.1  # of a slice: how far a frame may lie off the even grid


def read_dicom_seg(path: Path, names: Collection[str] | None = None) -> dict[str, sitk.Image]:
    """Masks by segment label: uint8, or float32 0..1 where the object is fractional with values between.

    Raises InputError for an object without frames, GeometryError where its frames form no grid.
    """
    dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    kind = (text(dataset, "SegmentationType") or "").upper()
    groups = frame_groups(dataset)
    frames = read_frames(path)
    if len(groups) != len(frames) or not groups:
        raise InputError(f"{path}: {len(frames)} frames, but {len(groups)} descriptions of where they lie.")
    geometry, places = _grid(dataset, groups, str(path))
    labels = _labels(dataset)
    if kind == "LABELMAP":
        layers = {n: [(place, frame == n) for place, frame in zip(places, frames, strict=True)] for n in labels}
    else:
        layers = {n: [] for n in labels}
        for group, place, frame in zip(groups, places, frames, strict=True):
            layers.setdefault(_segment_of(group, labels, path), []).append((place, frame))
    full = float(integer(dataset, "MaximumFractionalValue") or 255) if kind == "FRACTIONAL" else 1.0
    masks = {}
    for segment, parts in sorted(layers.items()):
        name = labels.get(segment, f"segment_{segment}")
        if names is None or name in names:
            masks[name] = image_from_array(_fill(parts, geometry, full), geometry)
    return masks


def _fill(parts: list[tuple[int, np.ndarray]], geometry: Geometry, full: float) -> np.ndarray:
    mask = np.zeros(geometry.shape, np.float32 if full != 1.0 else np.uint8)
    for place, frame in parts:
        np.maximum(mask[place], frame / full, out=mask[place], casting="unsafe")
    if mask.dtype == np.float32 and np.all((mask == 0) | (mask == 1)):
        return mask.astype(np.uint8)
    return mask


def _segment_of(group: tuple[Dataset | None, ...], labels: dict[int, str], path: Path) -> int:
    """The segment that a frame shows. Raises InputError where the frame does not say and there are several."""
    segment = integer(sequence_item(group, "SegmentIdentificationSequence"), "ReferencedSegmentNumber")
    if segment is None and len(labels) != 1:
        raise InputError(
            f"{path}: a frame does not say its segment, Referenced Segment Number (0062,000B), and there are "
            f"{len(labels)}. Export the segmentation again."
        )
    return next(iter(labels)) if segment is None else segment


def _labels(dataset: Dataset) -> dict[int, str]:
    labels: dict[int, str] = {}
    for segment in items(dataset, "SegmentSequence"):
        segment_number = integer(segment, "SegmentNumber")
        if segment_number is None or segment_number == 0:  # 0 is the background of a label map
            continue
        plain = text(segment, "SegmentLabel") or f"segment_{segment_number}"
        labels[segment_number] = plain if plain not in labels.values() else f"{plain}_{segment_number}"
    return labels


def _grid(dataset: Dataset, groups: list[tuple[Dataset | None, ...]], label: str) -> tuple[Geometry, list[int]]:
    """The grid of all frames, and the slice of each."""
    measures = sequence_item(groups[0], "PixelMeasuresSequence")
    orientation = frame_orientation(groups[0])
    row, column, normal = directions(orientation, label)
    down, across = pixel_spacing(numbers(measures, "PixelSpacing"), label)
    found = [frame_position(group) for group in groups]
    if any(position is None for position in found):
        raise GeometryError(f"{label}: frames without Image Position (Patient) (0020,0032); slides are not supported.")
    if any(not np.allclose(frame_orientation(group) or (), orientation or (), atol=1e-3) for group in groups):
        raise GeometryError(f"{label}: its frames have different orientations and form no single grid.")
    positions = np.array(found, dtype=float)
    along = positions @ normal
    gaps = np.diff(np.sort(along))
    gaps = gaps[gaps > SAME_POSITION_MM]
    spacing = number(measures, "SpacingBetweenSlices") or (float(gaps.min()) if gaps.size else None)
    spacing = abs(spacing or number(measures, "SliceThickness") or 0.0)
    if spacing == 0:
        raise GeometryError(f"{label}: neither Spacing Between Slices (0018,0088) nor Slice Thickness (0018,0050).")
    steps = (along - along.min()) / spacing
    if np.abs(steps - np.round(steps)).max() > _OFF_PLANE and gaps.size:
        spacing = float(gaps.min())
        steps = (along - along.min()) / spacing
    if np.abs(steps - np.round(steps)).max() > _OFF_PLANE:
        raise GeometryError(f"{label}: its frames are unevenly spaced ({gaps.min():.4g} to {gaps.max():.4g} mm).")
    places = np.round(steps).astype(int)
    size = (integer(dataset, "Columns") or 0, integer(dataset, "Rows") or 0, int(places.max()) + 1)
    origin = positions[int(np.argmin(along))]
    return make_geometry(size, (across, down, spacing), origin, row, column, normal), places.tolist()
