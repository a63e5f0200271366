"""RTSTRUCT contours as binary masks on a given grid, voxel centre by voxel centre.

A contour stands for the slab of half a contour distance to either side of its plane (the distance that the object
says, else that of its planes); a voxel belongs to the region where its centre lies in the slab and inside the contours
of that plane. Contours of one plane are combined by even-odd (XOR), which gives holes, keyholes and CLOSEDPLANAR_XOR
their meaning; a contour that is stored twice counts once. Points and open contours enclose nothing and are passed over.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset

from bonequant.errors import GeometryError, InputError
from bonequant.io.dicom_header import integer, item, items, number, numbers, text
from bonequant.io.polygon import fill
from bonequant.volume import image_from_array
from bonequant.volume.geometry import Geometry

_ENCLOSING = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_SAME_PLANE = 0.02  # of a slice: contours closer than this lie in one plane
_SAME_DISTANCE = 0.1  # of a distance: by how much distances of planes may differ and be one
_NEIGHBOURS = 3.0  # slices
_OFF_SLICE = 0.25  # of a slice: a contour may run this far out of the plane of the grid's slices


@dataclass(frozen=True)
class Contour:
    """A closed planar contour in continuous indices of the grid: xy (N, 2), z of its plane."""

    xy: np.ndarray
    z: float


def read_rtstruct(
    path: Path,
    geometry: Geometry,
    frame_of_reference_uid: str | None = None,
    names: Collection[str] | None = None,
) -> dict[str, sitk.Image]:
    """Masks by ROI name on ``geometry``.

    Raises InputError where the structures belong to another frame of reference, hold no closed contour, or lie off the
    grid; GeometryError where contours do not run along the slices of the grid.
    """
    dataset = pydicom.dcmread(path, force=True)
    regions = _regions(dataset, path)
    if names is not None:
        regions = {name: region for name, region in regions.items() if name in names}
    if not regions:
        raise InputError(f"{path} holds no structure{'s of these names' if names is not None else ''} to draw.")
    to_index = geometry.physical_to_index
    drawn = {name: _contours(roi, to_index, name, path) for name, (roi, _) in regions.items()}
    drawn = {name: contours for name, contours in drawn.items() if contours}
    if not drawn:
        raise InputError(f"{path}: none of its {len(regions)} structures holds a closed contour.")
    _check_frame(regions, drawn, frame_of_reference_uid, path)
    distances = {
        name: _said_distance(regions[name][0], geometry) or _plane_distance(contours)
        for name, contours in drawn.items()
    }
    usual = min((d for d in distances.values() if d is not None), default=1.0)
    masks, outside = {}, []
    for name, contours in drawn.items():
        mask = _rasterise(contours, distances[name] or usual, geometry.shape)
        if not mask.any():
            outside.append(name)
        masks[name] = image_from_array(mask, geometry)
    if outside:
        raise InputError(
            f"{path}: {', '.join(outside)} covers no voxel of the image it is to be drawn on: it lies outside, or is "
            "smaller than a voxel. Give the image on which it was drawn as like=, or choose others with names=[...]."
        )
    return masks


def _regions(dataset: Dataset, path: Path) -> dict[str, tuple[Dataset, str | None]]:
    """ROI contour item and frame of reference by name; equal names are numbered."""
    described = {integer(roi, "ROINumber"): roi for roi in items(dataset, "StructureSetROISequence")}
    if not described and "ROIContourSequence" not in dataset:
        raise InputError(f"{path} is truncated or holds no structures.")
    regions: dict[str, tuple[Dataset, str | None]] = {}
    for contour in items(dataset, "ROIContourSequence"):
        roi_number = integer(contour, "ReferencedROINumber")
        roi = described.get(roi_number)
        plain = text(roi, "ROIName") or f"roi_{roi_number}"
        name, count = plain, 1
        while name in regions:
            count += 1
            name = f"{plain}_{count}"
        regions[name] = (contour, text(roi, "ReferencedFrameOfReferenceUID"))
    return regions


def _check_frame(
    regions: dict[str, tuple[Dataset, str | None]], drawn: Collection[str], expected: str | None, path: Path
) -> None:
    other = [name for name in drawn if expected and regions[name][1] and regions[name][1] != expected]
    if other:
        raise InputError(
            f"{path}: {', '.join(other)} was drawn in another frame of reference "
            f"(...{str(regions[other[0]][1])[-8:]}) than the image's (...{str(expected)[-8:]}). "
            "Give the image on which it was drawn as like=; if both truly share their "
            "coordinates, pass the image alone, like=volume.image."
        )


def _contours(roi: Dataset, to_index: np.ndarray, name: str, path: Path) -> list[Contour]:
    found: list[Contour] = []
    seen: set[bytes] = set()
    for contour in items(roi, "ContourSequence"):
        kind = text(contour, "ContourGeometricType")
        if kind not in _ENCLOSING:
            continue
        data = numbers(contour, "ContourData")
        if data is None or len(data) < 9:
            continue
        if len(data) % 3:
            raise InputError(f"{path}: a contour of {name} has {len(data)} coordinates, no multiple of 3.")
        points = np.asarray(data).reshape(-1, 3)
        if kind == "CLOSED_PLANAR" and points.tobytes() in seen:
            continue
        seen.add(points.tobytes())
        index = points @ to_index[:3, :3].T + to_index[:3, 3]
        if np.ptp(index[:, 2]) > _OFF_SLICE:
            raise GeometryError(
                f"{path}: contours of {name} do not run along the slices of this image (they span "
                f"{np.ptp(index[:, 2]):.2f} slices). Give the image on which they were drawn as like=, then carry the "
                "mask over with bonequant.roi.propagate."
            )
        found.append(Contour(index[:, :2], float(index[:, 2].mean())))
    return found


def _said_distance(roi: Dataset, geometry: Geometry) -> float | None:
    """Distance in slices that Source Pixel Planes Characteristics (3006,004A) gives, None where it is absent."""
    spacing = number(item(roi, "SourcePixelPlanesCharacteristicsSequence"), "SpacingBetweenSlices")
    return abs(spacing) / geometry.spacing[2] if spacing else None


def _plane_distance(contours: list[Contour]) -> float | None:
    """Distance of the planes on which a region was drawn, in slices: the smallest that occurs twice.

    One that occurs once counts up to 3 slices; beyond, two planes are two lesions of one slice each rather than one
    lesion drawn on every tenth. None where that leaves no distance.
    """
    gaps = np.sort(np.diff(np.unique([contour.z for contour in contours])))
    gaps = gaps[gaps > _SAME_PLANE]
    for gap in gaps:
        if np.count_nonzero(np.abs(gaps - gap) < _SAME_DISTANCE * gap) > 1:
            return float(gap)
    return float(gaps[0]) if gaps.size and gaps[0] <= _NEIGHBOURS else None


def _rasterise(contours: list[Contour], distance: float, shape: tuple[int, int, int]) -> np.ndarray:
    """Slice k takes the contours of the nearest plane if it lies within half a plane distance, else stays empty."""
    mask = np.zeros(shape, dtype=bool)
    heights = np.array([contour.z for contour in contours])
    half = distance / 2
    low = max(int(np.floor(heights.min() - half)), 0)
    high = min(int(np.ceil(heights.max() + half)) + 1, shape[0])
    for k in range(low, high):
        nearest = heights[np.argmin(np.abs(heights - k))]
        # Half-open, with room for rounding, so that a slice midway between two planes is filled once.
        if not -half - 1e-3 <= nearest - k < half - 1e-3:
            continue
        mask[k] = fill((c.xy for c in contours if abs(c.z - nearest) < _SAME_PLANE), shape[1:])
    return mask
