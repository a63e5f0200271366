"""Plane sections of volumes in patient space: axial, coronal, sagittal, whatever the orientation of the grids.

A plane is a grid of points in LPS mm; every volume is sampled on these points, so two modalities and a mask drawn on a
third grid meet without any volume being resampled whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import SimpleITK as sitk

from bonequant.volume import Geometry, Volume, sample_at

Orientation = Literal["axial", "coronal", "sagittal"]
ORIENTATIONS: tuple[Orientation, ...] = ("axial", "coronal", "sagittal")
# Columns and rows of the picture in LPS: seen from the feet, from the front, from the left.
_AXES: dict[str, tuple[int, int, int]] = {"axial": (0, 1, 2), "coronal": (0, 2, 1), "sagittal": (1, 2, 0)}


@dataclass(frozen=True)
class Plane:
    """A rectangle of points (rows, columns, 3) in LPS mm, ``extent_mm`` = (left, right, bottom, top) for plotting."""

    orientation: Orientation
    position_mm: float
    points: np.ndarray
    extent_mm: tuple[float, float, float, float]

    @property
    def labels(self) -> tuple[str, str, str, str]:
        """Letters at the left, right, bottom and top edge of the picture."""
        return {"axial": ("R", "L", "P", "A"), "coronal": ("R", "L", "F", "H"), "sagittal": ("A", "P", "F", "H")}[
            self.orientation
        ]

    def cropped(self, wanted: np.ndarray, margin_mm: float) -> Plane:
        """The smallest rectangle that holds the points marked in ``wanted`` (rows, columns), with a margin."""
        if not wanted.any():
            return self
        left, right, bottom, top = self.extent_mm
        rows, columns = wanted.shape
        step_x, step_y = (right - left) / columns, (top - bottom) / rows
        margin = round(margin_mm / abs(step_x))
        inside = []
        for axis, count in ((1, rows), (0, columns)):
            marked = np.flatnonzero(wanted.any(axis=axis))
            inside.append(slice(max(marked[0] - margin, 0), min(marked[-1] + margin + 1, count)))
        row, column = inside
        extent = (
            left + column.start * step_x,
            left + column.stop * step_x,
            top - row.stop * step_y,
            top - row.start * step_y,
        )
        return Plane(self.orientation, self.position_mm, self.points[row, column], extent)


def plane_through(
    geometry: Geometry, centre_mm: tuple[float, float, float], orientation: Orientation, step_mm: float = 1.5
) -> Plane:
    """The section of the box of ``geometry`` through ``centre_mm``, sampled every ``step_mm``."""
    column_axis, row_axis, normal = _AXES[orientation]
    corners = geometry.corners()
    low, high = corners.min(axis=0), corners.max(axis=0)
    columns = np.arange(low[column_axis] + step_mm / 2, high[column_axis], step_mm)
    rows = np.arange(low[row_axis] + step_mm / 2, high[row_axis], step_mm)
    if row_axis == 2:
        rows = rows[::-1]  # head at the top
    points = np.empty((len(rows), len(columns), 3))
    points[..., column_axis] = columns[None, :]
    points[..., row_axis] = rows[:, None]
    points[..., normal] = centre_mm[normal]
    extent = (low[column_axis], high[column_axis], low[row_axis], high[row_axis])
    if row_axis == 1:
        extent = (extent[0], extent[1], extent[3], extent[2])  # anterior (small y) at the top
    return Plane(orientation, float(centre_mm[normal]), points, tuple(float(edge) for edge in extent))  # type: ignore[arg-type]


def section(image: Volume | sitk.Image, plane: Plane, transform: sitk.Transform | None = None) -> np.ndarray:
    """Values (rows, columns) on the plane, linear interpolation, NaN outside; ``transform``: plane to image points."""
    source = image.image if isinstance(image, Volume) else image
    values = sample_at(source, plane.points.reshape(-1, 3), transform, "linear")
    return values.reshape(plane.points.shape[:2])


def centre_of(mask: sitk.Image) -> tuple[float, float, float]:
    """Centre of mass of a mask in LPS mm; the centre of the grid where the mask is empty."""
    array = sitk.GetArrayViewFromImage(mask)
    filled = np.argwhere(array > 0)
    index = filled.mean(axis=0) if len(filled) else (np.array(array.shape) - 1) / 2
    x, y, z = mask.TransformContinuousIndexToPhysicalPoint([float(value) for value in index[::-1]])
    return (x, y, z)
