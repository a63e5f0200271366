"""What each way of bringing a CT mask and a SPECT together loses of a hot sphere: ``python -m benchmarks propagation``.

Spheres blurred by a Gaussian have a closed form, so the SPECT is exact and the true mean within the sphere is known.
Four ways are measured on the same images at random positions and turns between the two grids:

- nearest label: the mask resampled to the SPECT grid with nearest neighbour (what Slicer's SegmentStatistics does);
- fractions: the mask carried to the SPECT grid as covered fractions, which weight the voxels;
- linear: the SPECT interpolated linearly at the mask's voxel centres;
- B-spline: ``bonequant.roi.measure``, which samples with cubic B-splines at the mask's voxel centres.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import SimpleITK as sitk
from bonequant.phantom.nema import blurred_sphere
from bonequant.roi import measure, propagate
from bonequant.spect import rc_mean
from bonequant.volume import Geometry, Volume, image_from_array, sample_at

SPECT_MM = (4.42, 4.42, 4.42)
CT_MM = (0.98, 0.98, 3.0)
DIAMETERS_MM = (10, 13, 17, 22, 28, 37)
FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))


def nearest_label(volume: Volume, mask: sitk.Image, transform: sitk.Transform) -> float:
    carried = sitk.Resample(mask, volume.image, transform.GetInverse(), sitk.sitkNearestNeighbor)
    inside = sitk.GetArrayViewFromImage(carried) > 0
    return float(volume.array[inside].mean()) if inside.any() else float("nan")


def covered_fractions(volume: Volume, mask: sitk.Image, transform: sitk.Transform) -> float:
    return float(np.average(volume.array, weights=sitk.GetArrayFromImage(propagate(mask, volume, transform))))


def linear(volume: Volume, mask: sitk.Image, transform: sitk.Transform) -> float:
    points = centres(Geometry.of(mask))[sitk.GetArrayViewFromImage(mask) > 0]
    return float(sample_at(volume.image, points, transform, "linear").mean())


def b_spline(volume: Volume, mask: sitk.Image, transform: sitk.Transform) -> float:
    return measure(volume, mask, transform).mean


WAYS: dict[str, Callable[[Volume, sitk.Image, sitk.Transform], float]] = {
    "nearest label": nearest_label,
    "fractions": covered_fractions,
    "linear": linear,
    "B-spline": b_spline,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table: error of the mean, % of the true mean, mean and SD over the positions."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks propagation", description=__doc__.splitlines()[0])
    parser.add_argument("--positions", type=int, default=20)
    parser.add_argument("--fwhm", type=float, default=10.0, help="of the SPECT, mm")
    parser.add_argument("--turn", type=float, default=0.0, help="largest angle between the grids, degrees")
    arguments = parser.parse_args(argv)

    print(
        f"Error of the mean in a sphere, % (mean +- SD of {arguments.positions} positions); FWHM {arguments.fwhm} mm, "
        f"SPECT {SPECT_MM[0]} mm, CT {CT_MM[0]} x {CT_MM[1]} x {CT_MM[2]} mm, turned up to {arguments.turn} degrees"
    )
    print(f"{'sphere mm':>9} " + " ".join(f"{name:>16}" for name in WAYS))
    spent = dict.fromkeys(WAYS, 0.0)
    for diameter in DIAMETERS_MM:
        errors: dict[str, list[float]] = {name: [] for name in WAYS}
        for volume, mask, transform in cases(diameter, arguments.fwhm, arguments.positions, arguments.turn):
            truth = rc_mean(diameter, arguments.fwhm)
            for name, way in WAYS.items():
                start = time.perf_counter()
                errors[name].append(100.0 * (way(volume, mask, transform) / truth - 1.0))
                spent[name] += time.perf_counter() - start
        cells = (f"{f'{np.nanmean(e):.1f} +- {np.nanstd(e):.1f}':>16}" for e in errors.values())
        print(f"{diameter:>9} " + " ".join(cells))
    count = len(DIAMETERS_MM) * arguments.positions
    print(f"{'ms each':>9} " + " ".join(f"{1000 * seconds / count:>16.1f}" for seconds in spent.values()))
    return 0


def cases(
    diameter: float, fwhm: float, positions: int, turn_deg: float
) -> Iterator[tuple[Volume, sitk.Image, sitk.Transform]]:
    """(SPECT, mask on the CT, transform from CT to SPECT) for spheres at random positions; fixed seed."""
    random = np.random.default_rng(0)
    ct, spect = grid_around((60, 60, 26), CT_MM), grid_around((26, 26, 26), SPECT_MM)
    for _ in range(positions):
        centre = random.uniform(-5.0, 5.0, 3)
        transform = sitk.Euler3DTransform()
        transform.SetRotation(*np.deg2rad(random.uniform(-turn_deg, turn_deg, 3)).tolist())
        distance = np.linalg.norm(centres(spect) - np.array(transform.TransformPoint(centre.tolist())), axis=-1)
        values = blurred_sphere(distance, diameter / 2.0, fwhm / FWHM_PER_SIGMA)
        mask = np.linalg.norm(centres(ct) - centre, axis=-1) <= diameter / 2.0
        yield Volume(image=image_from_array(values, spect), modality="NM"), image_from_array(mask, ct), transform


def grid_around(size: tuple[int, int, int], spacing: tuple[float, float, float]) -> Geometry:
    """A grid whose centre is the origin."""
    x, y, z = (-(n - 1) / 2.0 * step for n, step in zip(size, spacing, strict=True))
    return Geometry(size, spacing, (x, y, z), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))


def centres(grid: Geometry) -> np.ndarray:
    """Voxel centres, LPS mm, (Z, Y, X, 3)."""
    z, y, x = np.indices(grid.shape)
    return (np.stack([x, y, z, np.ones_like(x)], axis=-1) @ grid.index_to_physical.T)[..., :3]
