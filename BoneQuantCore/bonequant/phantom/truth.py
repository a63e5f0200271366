"""What is true of a simulated patient: volume, HU and activity of every region inside the CT's field.

Volumes are counted on 1 mm cubes (0.2 % for a lesion of 10 mL, less for more); as every part is homogeneous, the means
of a region follow from the volumes of its parts alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.phantom.ct import centered_grid
from bonequant.phantom.raster import paint
from bonequant.phantom.spect import concentrations
from bonequant.phantom.torso import Torso
from bonequant.phantom.tracers import Tracer
from bonequant.volume import Geometry
from bonequant.volume.geometry import matrix_of


@dataclass(frozen=True)
class RegionTruth:
    """One region: volume inside the field (mL), mean HU, mean activity at scan start (Bq/mL), mean SUV (g/mL)."""

    volume_ml: float
    mean_hu: float
    mean_bq_per_ml: float
    mean_suv: float


def part_volumes_ml(
    torso: Torso, field: Geometry, to_torso: sitk.Transform | None = None, step_mm: float = 1.0
) -> np.ndarray:
    """Volume (mL) of each part of the torso, index 0 for air, within the outer faces of ``field``.

    ``to_torso`` takes points of the field to the torso, in whose own axes the cubes lie, however the patient is turned.
    """
    pose = matrix_of(to_torso)
    corners = np.column_stack([field.corners(), np.ones(8)]) @ pose[:3].T
    low, high = corners.min(axis=0), corners.max(axis=0)
    count = np.maximum(1, np.round((high - low) / step_mm))
    step = (high - low) / count
    grid = centered_grid(tuple(step.tolist()), tuple((high - low).tolist()), tuple((0.5 * (low + high)).tolist()))
    total = np.zeros(len(torso.parts) + 1)
    to_field = field.physical_to_index @ np.linalg.inv(pose) @ grid.index_to_physical
    for z, _, labels in paint(torso.parts, [], [], grid, np.eye(4), torso.settings.scale):
        inside = _inside(field, to_field, grid.size, z)
        total += np.bincount(labels[np.broadcast_to(inside, labels.shape)], minlength=len(total))
    return total * grid.voxel_volume_ml


def _inside(field: Geometry, to_field: np.ndarray, size: tuple[int, int, int], z: slice) -> np.ndarray:
    """Which voxels of a slab lie in the field? Broadcasts to (z, y, x)."""
    i, j, k = np.arange(size[0]), np.arange(size[1])[:, None], np.arange(z.start, z.stop)[:, None, None]
    inside = np.ones((1, 1, 1), dtype=bool)
    for (a, b, c, d), count in zip(to_field[:3], field.size, strict=True):
        index = (a * i + b * j + d) + c * k if max(abs(a), abs(b)) > 1e-12 else c * k + d
        inside = inside & (index >= -0.5) & (index < count - 0.5)
    return inside


def body_truth(
    torso: Torso, tracer: Tracer, weight_kg: float, field: Geometry, to_torso: sitk.Transform | None = None
) -> dict[str, RegionTruth]:
    """Truth of the vertebral bodies (no arches) that lie whole inside ``field``, counted on 1 mm cubes."""
    from_torso = np.linalg.inv(matrix_of(to_torso))
    scale = torso.settings.scale
    corners = field.corners()
    found = {}
    for name, solid in torso.bodies.items():
        edges = np.stack(solid.bounds()) * scale
        box = np.array([[*corner, 1.0] for corner in itertools.product(*edges.T)]) @ from_torso.T
        low, high = np.floor(box[:, :3].min(axis=0)), np.ceil(box[:, :3].max(axis=0))
        if np.any(low < corners.min(axis=0)) or np.any(high > corners.max(axis=0)):
            continue
        grid = centered_grid((1.0, 1.0, 1.0), tuple((high - low).tolist()), tuple((0.5 * (low + high)).tolist()))
        to_phantom = np.diag([1 / scale, 1 / scale, 1 / scale, 1.0]) @ matrix_of(to_torso) @ grid.index_to_physical
        z, y, x = np.indices(grid.shape)
        points = np.stack([x, y, z, np.ones_like(x)], axis=-1) @ to_phantom.T
        inside = solid.distance(points[..., 0], points[..., 1], points[..., 2]) <= 0
        counts = np.bincount(torso.labels(grid, to_torso)[inside], minlength=len(torso.parts) + 1)
        found[name] = _truth_of(torso, tracer, weight_kg, counts * grid.voxel_volume_ml, range(1, len(counts)))
    return found


def region_truth(torso: Torso, tracer: Tracer, weight_kg: float, volumes_ml: np.ndarray) -> dict[str, RegionTruth]:
    """Truth of every region that lies at least partly in the field."""
    found = {}
    for name, numbers in torso.regions.items():
        if volumes_ml[list(numbers)].sum() > 0:
            found[name] = _truth_of(torso, tracer, weight_kg, volumes_ml, numbers)
    return found


def _truth_of(
    torso: Torso, tracer: Tracer, weight_kg: float, volumes_ml: np.ndarray, numbers: Iterable[int]
) -> RegionTruth:
    """Truth of a region made of the parts ``numbers``, whose volumes inside it are ``volumes_ml``."""
    index = list(numbers)
    volume = volumes_ml[index]
    quantities = (torso.hu(), concentrations(torso, tracer, weight_kg), torso.suv(tracer))
    means = [float((volume * np.array([np.nan, *values])[index]).sum() / volume.sum()) for values in quantities]
    return RegionTruth(float(volume.sum()), *means)
