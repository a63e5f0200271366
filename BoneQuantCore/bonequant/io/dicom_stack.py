"""Planes of one series put in order along their normal: the grid they form, or a clear error why they form none.

Order comes from ImagePositionPatient alone, never from file names or instance numbers. The normal is row x column, so
the image is right-handed. A plane may lie off its place on the even grid by 0.1 mm, and by no more than a tenth of the
spacing: that is the rounding of scanners that write positions with one or two decimals, and is far below any voxel that
is measured here. A sideways drift of the whole stack of more than a quarter of a pixel is a tilted gantry.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bonequant.errors import GeometryError
from bonequant.io.dicom_header import tag
from bonequant.io.dicom_values import ValueMap
from bonequant.io.overrides import Overrides
from bonequant.volume.geometry import Geometry

POSITION_TOLERANCE_MM = 0.1
SAME_POSITION_MM = 0.01


@dataclass(frozen=True)
class Plane:
    """One frame of one file: where it lies and how its stored values become values."""

    path: Path
    frame: int
    position: tuple[float, ...] | None
    maps: tuple[ValueMap, ...]
    instance: int | None = None


@dataclass(frozen=True)
class Stack:
    """A grid, and for each of its slices the planes (one, or the gates to be summed) that fill it."""

    geometry: Geometry
    slices: tuple[tuple[Plane, ...], ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlaneForm:
    """What all planes of a stack share. None where the file does not say."""

    rows: int
    columns: int
    orientation: tuple[float, ...] | None
    pixel_spacing_mm: tuple[float, ...] | None  # between rows, between columns: DICOM's order
    slice_thickness_mm: float | None
    spacing_between_slices_mm: float | None


def arrange(planes: Sequence[Plane], form: PlaneForm, overrides: Overrides, label: str) -> Stack:
    """Order the planes and check that they form a regular, unsheared grid.

    Raises GeometryError, naming positions and the keyword that helps, where they do not.
    """
    warnings: list[str] = []
    row, column, normal = directions(overrides.image_orientation_patient or form.orientation, label)
    down, across = pixel_spacing(overrides.pixel_spacing_mm or form.pixel_spacing_mm, label)
    planes, positions = _positions(planes, normal, overrides, label, warnings)
    along = positions @ normal
    order = np.argsort(along, kind="stable")
    planes, positions, along = [planes[i] for i in order], positions[order], along[order]
    _refuse_duplicates(along, label)
    spacing = _spacing(along, form, overrides, label, warnings)
    _refuse_shear(positions, normal, min(down, across), label)
    geometry = make_geometry(
        (form.columns, form.rows, len(planes)), (across, down, spacing), positions[0], row, column, normal
    )
    return Stack(geometry, tuple((plane,) for plane in planes), tuple(warnings))


def directions(orientation: Sequence[float] | None, label: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors along a row, along a column and their cross product. Raises GeometryError for impossible ones."""
    if orientation is None:
        raise GeometryError(
            f"{label}: {tag('ImageOrientationPatient')} is absent; give image_orientation_patient=(six cosines)."
        )
    row, column = np.asarray(orientation[:3], float), np.asarray(orientation[3:], float)
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if min(lengths) < 0.9 or max(lengths) > 1.1 or abs(row @ column) > 1e-2:
        raise GeometryError(
            f"{label}: {tag('ImageOrientationPatient')} {tuple(orientation)} is not two perpendicular unit vectors; "
            "give image_orientation_patient=(six cosines)."
        )
    row = row / lengths[0]
    normal = np.cross(row, column)
    normal /= np.linalg.norm(normal)
    return row, np.cross(normal, row), normal


def pixel_spacing(spacing: Sequence[float] | None, label: str) -> tuple[float, float]:
    """(between rows, between columns) in mm. Raises GeometryError where absent or not positive."""
    if spacing is None:
        raise GeometryError(f"{label}: {tag('PixelSpacing')} is absent; give pixel_spacing_mm=(rows, columns).")
    if len(spacing) != 2 or min(spacing) <= 0:
        raise GeometryError(
            f"{label}: {tag('PixelSpacing')} is {tuple(spacing)}, two positive numbers are due; "
            "give pixel_spacing_mm=(rows, columns)."
        )
    return float(spacing[0]), float(spacing[1])


def make_geometry(
    size: tuple[int, int, int],
    spacing: tuple[float, float, float],
    origin: Sequence[float] | np.ndarray,
    row: np.ndarray,
    column: np.ndarray,
    normal: np.ndarray,
) -> Geometry:
    """Geometry whose axes x, y, z run along the row, the column and the normal."""
    direction = np.column_stack([row, column, normal])
    return Geometry(
        size,
        (float(spacing[0]), float(spacing[1]), float(spacing[2])),
        (float(origin[0]), float(origin[1]), float(origin[2])),
        tuple(float(cosine) for cosine in direction.ravel()),
    )


def count_phases(along: Sequence[float] | np.ndarray) -> tuple[int, int]:
    """(number of distinct positions, how often each occurs); the second is 0 where they occur unequally often."""
    ordered = np.sort(np.asarray(along, dtype=float))
    if ordered.size == 0:
        return 0, 0
    starts = np.concatenate([[True], np.diff(ordered) > SAME_POSITION_MM])
    counts = np.diff(np.append(np.flatnonzero(starts), ordered.size))
    return int(counts.size), int(counts[0]) if np.all(counts == counts[0]) else 0


def _positions(
    planes: Sequence[Plane], normal: np.ndarray, overrides: Overrides, label: str, warnings: list[str]
) -> tuple[list[Plane], np.ndarray]:
    lacking = sum(plane.position is None for plane in planes)
    if not lacking and overrides.image_position_patient is None:
        return list(planes), np.array([plane.position for plane in planes], dtype=float)
    if not lacking:  # the whole stack is moved so that its first slice lies where the caller says
        positions = np.array([plane.position for plane in planes], dtype=float)
        first = positions[np.argmin(positions @ normal)]
        return list(planes), positions + (np.asarray(overrides.image_position_patient, float) - first)
    origin, spacing = overrides.image_position_patient, overrides.spacing_between_slices_mm
    if origin is None or (spacing is None and len(planes) > 1):
        raise GeometryError(
            f"{label}: {lacking} of {len(planes)} slices have no {tag('ImagePositionPatient')}; give "
            "image_position_patient=(x, y, z) of the first slice and spacing_between_slices_mm."
        )
    numbers = [plane.instance for plane in planes]
    if len(planes) > 1 and (None in numbers or len(set(numbers)) < len(numbers)):
        raise GeometryError(
            f"{label}: the slices have neither {tag('ImagePositionPatient')} nor distinct {tag('InstanceNumber')}: "
            "their order is unknown. Export the series again."
        )
    ordered = sorted(planes, key=lambda plane: plane.instance or 0)
    steps = np.arange(len(ordered))[:, None] * (spacing or 0.0) * normal
    warnings.append("slice positions were given by the caller; the order is that of the instance numbers")
    return ordered, np.asarray(origin, float) + steps


def _refuse_duplicates(along: np.ndarray, label: str) -> None:
    distinct, phases = count_phases(along)
    if distinct == along.size:
        return
    if phases > 1:
        raise GeometryError(
            f"{label} looks dynamic: {phases} phases x {distinct} slices, where one 3-D volume is due. "
            "Read it with load_dynamic(), or keep one phase in a folder of its own."
        )
    starts = np.concatenate([[True], np.diff(along) > SAME_POSITION_MM])
    repeated = np.unique(np.round(along[~starts], 2))
    raise GeometryError(
        f"{label}: {along.size} slices lie at {distinct} positions; duplicated: {_listed(repeated)} mm along the "
        "normal. Is it a dynamic series with missing slices, or two series in one? Remove the duplicates."
    )


def _spacing(along: np.ndarray, form: PlaneForm, overrides: Overrides, label: str, warnings: list[str]) -> float:
    given = overrides.spacing_between_slices_mm
    if given is not None and given == 0:
        raise GeometryError(f"{label}: spacing_between_slices_mm is 0.")
    if along.size == 1:
        spacing = given or form.spacing_between_slices_mm or form.slice_thickness_mm
        if not spacing:
            raise GeometryError(
                f"{label} is one slice without {tag('SliceThickness')}; give spacing_between_slices_mm."
            )
        warnings.append("one slice only")
        return abs(float(spacing))
    gaps = np.diff(along)
    spacing = float(along[-1] - along[0]) / (along.size - 1)
    tolerance = min(POSITION_TOLERANCE_MM, spacing / 10)
    off = np.abs(along - (along[0] + spacing * np.arange(along.size)))
    if given is not None:
        if abs(abs(given) - spacing) > tolerance or off.max() > tolerance:
            warnings.append(
                f"slices were placed every {abs(given):g} mm as the caller said; their positions say {spacing:.4g} mm "
                f"with gaps of {gaps.min():.4g} to {gaps.max():.4g} mm"
            )
        return abs(float(given))
    if off.max() <= tolerance:
        return spacing
    usual = float(np.median(gaps))
    wide = gaps > 1.5 * usual
    remedy = "Find the missing files, or give spacing_between_slices_mm to accept even spacing."
    if wide.any():
        lost = [
            along[i] + usual * step for i in np.flatnonzero(wide) for step in range(1, max(2, round(gaps[i] / usual)))
        ]
        if np.abs(gaps / usual - np.round(gaps / usual)).max() < 0.1:
            raise GeometryError(
                f"{label}: {len(lost)} slices are missing, at {_listed(lost)} mm along the normal "
                f"(spacing {usual:.4g} mm). {remedy}"
            )
    uneven = np.flatnonzero(np.abs(gaps - usual) > tolerance)
    where = [f"{along[i]:.2f} to {along[i + 1]:.2f}" for i in uneven[:6]]
    raise GeometryError(
        f"{label}: slices are unevenly spaced, gaps of {gaps.min():.4g} to {gaps.max():.4g} mm where {usual:.4g} mm is "
        f"usual: {', '.join(where)}{' ...' if uneven.size > 6 else ''} mm along the normal. {remedy}"
    )


def _refuse_shear(positions: np.ndarray, normal: np.ndarray, pixel_mm: float, label: str) -> None:
    if len(positions) < 2:
        return
    steps = positions - positions[0]
    sideways = steps - np.outer(steps @ normal, normal)
    drift = np.linalg.norm(sideways, axis=1)
    worst = int(np.argmax(drift))
    if drift[worst] > pixel_mm / 4:
        angle = math.degrees(math.atan2(drift[worst], abs(steps[worst] @ normal)))
        raise GeometryError(
            f"{label} is sheared: slices drift {drift[worst]:.2f} mm sideways, as with a gantry tilt of {angle:.1f} "
            "degrees. Resample it to a regular grid first (in Slicer: the acquisition transform, then harden)."
        )


def _listed(values: Sequence[float] | np.ndarray) -> str:
    shown = ", ".join(f"{entry:.2f}" for entry in list(values)[:8])
    return shown + (" ..." if len(values) > 8 else "")
