"""Sizes of a lesion in millimetres on sections: longest diameter, the longest perpendicular to it, their product.

The two diameters are those of the WHO's bidimensional measure (Miller et al., Cancer 1981;47:207): the longest distance
between two points of the outline on a section, and the longest chord at right angles to it. Sections may lie in any
direction: the slices as they were acquired, or axial, sagittal and coronal ones cut through the mask, whatever its grid
(oblique, anisotropic).

The outline of a fractional mask is its level of one half, interpolated linearly between voxel centres. Between the
slices of a binary mask its signed distance is interpolated instead (shape-based interpolation: Raya and Udupa, IEEE
Trans Med Imaging 1990;9:32): the corners of the stairs would lengthen a diameter across 5 mm slices by most of a slice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist, squareform

from bonequant.errors import InputError
from bonequant.volume import Geometry, coordinates_in

Plane = Literal["axial", "sagittal", "coronal", "acquired"]
PLANES: tuple[Plane, ...] = ("axial", "sagittal", "coronal", "acquired")
# In-plane axes and normal of a section, LPS.
_AXES = {"axial": (0, 1, 2), "sagittal": (1, 2, 0), "coronal": (0, 2, 1)}
_FINEST_MM = 0.25
_CHORDS = 256


@dataclass(frozen=True)
class Bidimensional:
    """The section on which the product is largest.

    Attributes:
        longest_mm: longest diameter of the outline.
        perpendicular_mm: longest chord at right angles to it.
        ends_mm: the four end points, LPS mm: two of the longest, two of the perpendicular diameter.
        position_mm: of the section along its normal, LPS mm.
        plane: "axial", "sagittal", "coronal" or "acquired".
    """

    longest_mm: float
    perpendicular_mm: float
    ends_mm: tuple[tuple[float, float, float], ...]
    position_mm: float
    plane: str

    @property
    def product_mm2(self) -> float:
        return self.longest_mm * self.perpendicular_mm

    @property
    def diameters_mm(self) -> tuple[float, float]:
        return (self.longest_mm, self.perpendicular_mm)


def bidimensional(mask: sitk.Image, plane: Plane = "axial", name: str = "") -> Bidimensional:
    """The two diameters on the section where their product is largest; parts that do not touch are measured alone.

    Args:
        mask: binary or fractional 0..1.
        plane: "acquired" for the slices of the mask's own grid, else sections at right angles to a patient axis, half
            the smallest voxel edge apart.
        name: of the lesion, for messages.

    Raises InputError for an empty mask or an unknown plane.
    """
    if plane not in PLANES:
        raise InputError(f"There are no {plane!r} sections; choose one of {', '.join(PLANES)}.")
    voxels, grid = _cropped(mask, name)
    frame = _Frame.of(grid, plane)
    best: Bidimensional | None = None
    for position in frame.positions:
        for longest, across in _of_section(frame.section(voxels, grid, position), frame.step):
            found = _measured(longest, across, frame, position, plane)
            if best is None or found.product_mm2 > best.product_mm2:
                best = found
    if best is None:  # thinner than any section between voxel centres
        raise InputError(f"Lesion {name!r} is too small to be measured on {plane} sections: no section reaches half.")
    return best


def extents(mask: sitk.Image, name: str = "") -> tuple[float, float, float]:
    """Three perpendicular dimensions in mm: longest axial diameter, its perpendicular, and height from head to feet.

    For a soft-tissue part outside the bone, drawn from the line of the normal cortex. Raises InputError when empty.
    """
    axial = bidimensional(mask, "axial", name)
    voxels, grid = _cropped(mask, name)
    frame = _Frame.of(grid, "axial")
    seen = [z for z in frame.positions if frame.section(voxels, grid, z).max() >= 0.5]
    return (axial.longest_mm, axial.perpendicular_mm, float(max(seen) - min(seen) + frame.apart))


@dataclass(frozen=True, eq=False)
class _Frame:
    """In-plane axes (2, 3), normal (3,), in-plane coordinates of the pixels ``step`` mm apart, and the positions of the
    sections along the normal, ``apart`` mm from each other."""

    axes: np.ndarray
    normal: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    positions: np.ndarray
    step: float
    apart: float

    @classmethod
    def of(cls, grid: Geometry, plane: Plane) -> _Frame:
        if plane == "acquired":
            directions = np.reshape(grid.direction, (3, 3)).T
            axes, normal = directions[:2], directions[2]
        else:
            across, down, along = _AXES[plane]
            axes, normal = np.eye(3)[[across, down]], np.eye(3)[along]
        reach = grid.corners() @ np.vstack([axes, normal]).T
        low, high = reach.min(axis=0), reach.max(axis=0)
        finest = min(grid.spacing[:2]) if plane == "acquired" else min(grid.spacing)
        step = max(finest / 2.0, _FINEST_MM)
        columns, rows = (np.arange(low[k], high[k] + step, step) for k in (0, 1))
        if plane == "acquired":
            first = float(np.dot(grid.origin, normal))
            apart = grid.spacing[2]
            positions = first + apart * np.arange(grid.size[2])
        else:
            apart = step
            positions = np.arange(low[2] + apart / 2.0, high[2], apart)
        return cls(axes, normal, rows, columns, positions, step, apart)

    def section(self, voxels: np.ndarray, grid: Geometry, position: float) -> np.ndarray:
        """The mask's fraction (rows, columns) on one section."""
        u, v = np.meshgrid(self.columns, self.rows)
        points = self.at(u.ravel(), v.ravel(), position)
        index = coordinates_in(grid, points)
        values = ndimage.map_coordinates(voxels, index.T[::-1], order=1, mode="constant", cval=0.0)
        return values.reshape(u.shape)

    def at(self, u: np.ndarray, v: np.ndarray, position: float) -> np.ndarray:
        """LPS points (N, 3) of in-plane coordinates."""
        return u[:, None] * self.axes[0] + v[:, None] * self.axes[1] + position * self.normal


def _cropped(mask: sitk.Image, name: str) -> tuple[np.ndarray, Geometry]:
    """The mask's voxels in their box with one empty layer around, float32 (z, y, x), and that box's grid."""
    array = sitk.GetArrayViewFromImage(mask)
    grid = Geometry.of(mask)
    filled = [np.flatnonzero(array.any(axis=other)) for other in ((1, 2), (0, 2), (0, 1))]
    if not len(filled[0]):
        raise InputError(f"Lesion {name!r} is empty: it has no size. Draw it, or leave it out.")
    box = tuple(slice(int(f[0]), int(f[-1]) + 1) for f in filled)
    voxels = np.pad(array[box].astype(np.float32), 1)
    if np.isin(voxels, (0.0, 1.0)).all():
        voxels = _shape(voxels > 0.5, grid.spacing[::-1])
    corner = np.array([box[2].start - 1, box[1].start - 1, box[0].start - 1, 1.0])
    origin = (grid.index_to_physical @ corner)[:3]
    size = voxels.shape[::-1]
    return voxels, Geometry((size[0], size[1], size[2]), grid.spacing, tuple(origin.tolist()), grid.direction)


def _shape(inside: np.ndarray, spacing_mm: tuple[float, ...]) -> np.ndarray:
    """One half on the outline, midway between voxel centres in and out of it, rising inwards with the distance."""
    depth = ndimage.distance_transform_edt(inside, spacing_mm)
    height = ndimage.distance_transform_edt(~inside, spacing_mm)
    reach = max(float(depth.max()), float(height.max()))
    return (0.5 + 0.5 * (depth - height) / reach).astype(np.float32)


Ends = tuple[np.ndarray, np.ndarray]  # two points (2,), in pixels (column, row)


def _of_section(section: np.ndarray, step: float) -> list[tuple[Ends, Ends]]:
    """Longest diameter and perpendicular of every connected part, as end points in pixels."""
    inside = section >= 0.5
    labels, count = ndimage.label(inside, np.ones((3, 3)))
    found = []
    for number in range(1, count + 1):
        near = ndimage.binary_dilation(labels == number, np.ones((3, 3)))
        found.append(_diameters(_outline(np.where(near, section, 0.0))))
    return found


def _outline(section: np.ndarray) -> np.ndarray:
    """Points (N, 2), column and row, where the level of one half crosses the lines between pixels."""
    points = []
    for axis in (0, 1):
        one = section[:-1] if axis == 0 else section[:, :-1]
        two = section[1:] if axis == 0 else section[:, 1:]
        rows, columns = np.nonzero((one >= 0.5) != (two >= 0.5))
        a, b = one[rows, columns], two[rows, columns]
        share = (0.5 - a) / (b - a)
        points.append(np.stack([columns, rows + share] if axis == 0 else [columns + share, rows], axis=1))
    return np.concatenate(points)


def _diameters(points: np.ndarray) -> tuple[Ends, Ends]:
    try:
        hull = points[ConvexHull(points).vertices]
    except QhullError:  # all on one line
        hull = points
    apart = squareform(pdist(hull))
    first, second = (int(i) for i in np.unravel_index(apart.argmax(), apart.shape))
    one, two = hull[first], hull[second]
    along = (two - one) / max(float(np.linalg.norm(two - one)), 1e-12)
    across = np.array([-along[1], along[0]])
    return (one, two), _widest_chord(points, one, along, across)


def _widest_chord(points: np.ndarray, origin: np.ndarray, along: np.ndarray, across: np.ndarray) -> Ends:
    """The longest chord at right angles to the longest diameter: outline above and below, compared place by place."""
    x, y = (points - origin) @ along, (points - origin) @ across
    bins = max(4, min(_CHORDS, int(np.ptp(x))))
    edges = np.linspace(x.min(), x.max(), bins + 1)
    place = np.clip(np.digitize(x, edges) - 1, 0, bins - 1)
    top, bottom = np.full(bins, -np.inf), np.full(bins, np.inf)
    np.maximum.at(top, place, y)
    np.minimum.at(bottom, place, y)
    k = int(np.where(np.isfinite(top), top - bottom, -np.inf).argmax())
    middle = origin + along * (edges[k] + edges[k + 1]) / 2.0
    return (middle + across * bottom[k], middle + across * top[k])


def _measured(longest: Ends, across: Ends, frame: _Frame, position: float, plane: str) -> Bidimensional:
    ends = np.array([*longest, *across])
    u, v = frame.columns[0] + frame.step * ends[:, 0], frame.rows[0] + frame.step * ends[:, 1]
    lengths = [frame.step * float(np.linalg.norm(b - a)) for a, b in (longest, across)]
    points = tuple((float(x), float(y), float(z)) for x, y, z in frame.at(u, v, position))
    return Bidimensional(lengths[0], lengths[1], points, float(position), plane)
