"""The NEMA IEC body phantom: six hot spheres around a cold lung insert in a warm body, with exact recovery.

Length 214 mm; upper half-disc of radius 150, lower corners of radius 80; spheres of 10 to 37 mm every 60 degrees on a
circle of radius 57.27 mm, whose centre, 35 mm above that of the half-disc, is the origin here and the axis of the lung
insert (radius 25). LPS mm, anterior up, walls without thickness.

The SPECT of a sphere is not rasterised: under a Gaussian it has the closed form of :func:`blurred_sphere`, and the
mean over a voxel is its integral by 4-point Gauss-Legendre quadrature. As voxels are means by default, spheres recover
as under the *effective* FWHM (``NemaScan.fwhm_mm``), sqrt(FWHM^2 + 8 ln 2 h^2 / 12); with ``voxel="point"`` they
recover as under FWHM itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy.special import erf, ndtr

from bonequant.phantom.ct import FWHM_PER_SIGMA, centered_grid
from bonequant.settings import Settings, setting
from bonequant.volume import Geometry, Volume, image_from_array

DIAMETERS_MM = (10.0, 13.0, 17.0, 22.0, 28.0, 37.0)
RING_MM = 57.27
LUNG_RADIUS_MM = 25.0
_ARC_RADIUS, _CORNER_RADIUS, _ARC_Y = 150.0, 80.0, 35.0
_ENDS_Z = (-144.0, 70.0)  # the spheres lie 70 mm below the lid


@dataclass(frozen=True)
class NemaSettings(Settings):
    """The scan of the phantom."""

    sphere_bq_per_ml: float = setting(40_000.0, unit="Bq/mL", low=0)
    background_bq_per_ml: float = setting(5_000.0, unit="Bq/mL", low=0)
    fwhm_mm: float = setting(10.0, unit="mm", low=1, high=30, help="Gaussian point spread function.")
    voxel: str = setting("mean", choices=("mean", "point"), help="A voxel is the mean over its box, or a sample.")
    spacing_mm: tuple[float, float, float] = setting((4.42, 4.42, 4.42), unit="mm", low=1, high=12)
    matrix: tuple[int, int, int] = setting((128, 128, 64), low=8, high=512, help="Voxels x, y, z.")
    center_mm: tuple[float, float, float] = setting((0.0, 0.0, -37.0), unit="mm", help="Centre of the field, LPS.")
    total_counts: float | None = setting(None, low=1, help="Poisson noise of so many counts in all; none: noise-free.")
    seed: int = setting(1, low=0)

    @property
    def geometry(self) -> Geometry:
        field = tuple(n * h for n, h in zip(self.matrix, self.spacing_mm, strict=True))
        return centered_grid(self.spacing_mm, (field[0], field[1], field[2]), self.center_mm)


@dataclass(frozen=True, eq=False)
class NemaScan:
    """The SPECT (Bq/mL) and what is true of it. ``fwhm_mm`` is the effective one, as seen on the grid."""

    spect: Volume
    fwhm_mm: float
    settings: NemaSettings


def sphere_centers() -> dict[str, tuple[float, float, float]]:
    """Centres of the spheres in LPS mm, keys "sphere_10" to "sphere_37", smallest first."""
    angles = np.radians(60.0 * np.arange(6))
    return {
        f"sphere_{diameter:g}": (float(RING_MM * np.cos(angle)), float(-RING_MM * np.sin(angle)), 0.0)
        for diameter, angle in zip(DIAMETERS_MM, angles, strict=True)
    }


def sphere_diameters() -> dict[str, float]:
    """Inner diameters in mm by the same names."""
    return {f"sphere_{diameter:g}": diameter for diameter in DIAMETERS_MM}


def blurred_sphere(r_mm: np.ndarray, radius_mm: float, sigma_mm: float) -> np.ndarray:
    """A unit sphere convolved with a 3-D Gaussian, at the distances ``r_mm`` from its centre.

    1/2 [erf((R+r)/sqrt2 s) + erf((R-r)/sqrt2 s)] - s/(r sqrt(2 pi)) [exp(-(R-r)^2/2s^2) - exp(-(R+r)^2/2s^2)].
    """
    r = np.maximum(np.asarray(r_mm, dtype=float), 1e-4 * sigma_mm)
    a, b = (radius_mm + r) / sigma_mm, (radius_mm - r) / sigma_mm
    edges = 0.5 * (erf(a / np.sqrt(2)) + erf(b / np.sqrt(2)))
    return edges - sigma_mm / (r * np.sqrt(2 * np.pi)) * (np.exp(-0.5 * b**2) - np.exp(-0.5 * a**2))


def sphere_points(name: str, count: int = 4000) -> np.ndarray:
    """``count`` points (N, 3) spread evenly through a sphere: a low-discrepancy (R2) sequence, equal volume per point.

    Points of a lattice would do worse: the shells they leave out near the surface cost 1 % of the mean.
    """
    i = np.arange(count) + 0.5
    radius = sphere_diameters()[name] / 2 * np.cbrt((0.5698402909980532 * i) % 1.0)
    height, angle = 2.0 * i / count - 1.0, 2.0 * np.pi * ((0.7548776662466927 * i) % 1.0)
    flat = np.sqrt(1.0 - height**2)
    unit = np.column_stack([flat * np.cos(angle), flat * np.sin(angle), height])
    return np.asarray(sphere_centers()[name]) + radius[:, None] * unit


def simulate_nema(settings: NemaSettings | None = None) -> NemaScan:
    """The SPECT of the phantom in Bq/mL, noise-free unless ``total_counts`` is set."""
    s = NemaSettings.of(settings)
    grid = s.geometry
    mean = s.voxel == "mean"
    sigma = s.fwhm_mm / FWHM_PER_SIGMA
    image = s.background_bq_per_ml * _blurred_body(grid, sigma, mean)
    for name, center in sphere_centers().items():
        radius = sphere_diameters()[name] / 2
        box, blob = _sphere_on(grid, center, radius, sigma, mean)
        image[box] += (s.sphere_bq_per_ml - s.background_bq_per_ml) * blob
    if s.total_counts is not None:
        scale = s.total_counts / image.sum()
        image = np.random.default_rng([s.seed, 31]).poisson(np.maximum(image, 0.0) * scale) / scale
    volume = Volume(image_from_array(image.astype(np.float32), grid), modality="NM", unit="Bq/mL", name="NEMA IEC body")
    box_variance = float(np.mean(np.square(s.spacing_mm))) / 12.0 if mean else 0.0
    return NemaScan(volume, float(FWHM_PER_SIGMA * np.sqrt(sigma**2 + box_variance)), s)


def nema_ct(
    spacing_mm: tuple[float, float, float] = (0.9765625, 0.9765625, 3.0),
) -> tuple[Volume, dict[str, sitk.Image]]:
    """A noise-free CT of the phantom (water 0 HU, insert -700 HU) and the true masks of its parts on the CT's grid.

    Masks: "body", "lung_insert" and the six spheres; binary by voxel centre.
    """
    grid = centered_grid(spacing_mm, (330.0, 260.0, 240.0), (0.0, 0.0, -37.0))
    x, y, z = (o + h * np.arange(n) for o, h, n in zip(grid.origin, grid.spacing, grid.size, strict=True))
    section = _inside_section(x[None, :], y[:, None])
    insert = np.hypot(x[None, :], y[:, None]) <= LUNG_RADIUS_MM
    long = (z >= _ENDS_Z[0]) & (z <= _ENDS_Z[1])
    masks = {"body": long[:, None, None] & section, "lung_insert": long[:, None, None] & insert}
    hu = np.where(masks["body"], 0.0, -1000.0)
    hu[masks["lung_insert"]] = -700.0
    for name, (cx, cy, cz) in sphere_centers().items():
        distance2 = (x[None, None, :] - cx) ** 2 + (y[None, :, None] - cy) ** 2 + (z[:, None, None] - cz) ** 2
        masks[name] = distance2 <= (sphere_diameters()[name] / 2) ** 2
    ct = Volume(image_from_array(hu.astype(np.int16), grid), modality="CT", unit="HU", name="NEMA IEC body")
    return ct, {name: image_from_array(mask, grid) for name, mask in masks.items()}


def _inside_section(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Is (x, y) inside the body's cross-section? y grows to the back; the arc's centre lies at y = +35."""
    v = y - _ARC_Y
    upper = (v <= 0) & (x**2 + v**2 <= _ARC_RADIUS**2)
    flat = _ARC_RADIUS - _CORNER_RADIUS
    beyond = np.maximum(np.abs(x) - flat, 0.0)
    return upper | ((v >= 0) & (beyond**2 + v**2 <= _CORNER_RADIUS**2))


def _blurred_body(grid: Geometry, sigma: float, mean: bool) -> np.ndarray:
    """Body without the insert, unit activity, blurred: a 2-D section on a 0.5 mm raster times a closed form in z."""
    step = 0.5
    x = np.arange(-160.0, 160.0, step) + step / 2
    y = np.arange(-125.0, 125.0, step) + step / 2
    sub = (np.arange(4) + 0.5) / 4 - 0.5
    section = np.zeros((len(y), len(x)))
    for du in sub * step:
        for dv in sub * step:
            u, v = x[None, :] + du, y[:, None] + dv
            section += _inside_section(u, v) & (np.hypot(u, v) > LUNG_RADIUS_MM)
    section /= len(sub) ** 2
    rows, columns = (
        _response(_centers(grid, axis), grid.spacing[axis], raster, step, sigma, mean)
        for axis, raster in ((1, y), (0, x))
    )
    low, high = _ENDS_Z
    z, h = _centers(grid, 2), grid.spacing[2]
    if mean:
        profile = sum(
            sign * (_integral((z + half - end) / sigma) - _integral((z - half - end) / sigma))
            for sign, end, half in ((1, low, h / 2), (-1, high, h / 2))
        ) * (sigma / h)
    else:
        profile = ndtr((z - low) / sigma) - ndtr((z - high) / sigma)
    return np.asarray(profile)[:, None, None] * (rows @ section @ columns.T)[None]


def _sphere_on(
    grid: Geometry, center: tuple[float, float, float], radius: float, sigma: float, mean: bool
) -> tuple[tuple[slice, ...], np.ndarray]:
    """Box of voxels (z, y, x) that the blurred unit sphere reaches, and its values there."""
    nodes, weights = np.polynomial.legendre.leggauss(4) if mean else (np.zeros(1), np.full(1, 2.0))
    reach = radius + 7.0 * sigma
    box, squares = [], []
    for axis in range(3):
        at = _centers(grid, axis)
        keep = np.flatnonzero(np.abs(at - center[axis]) <= reach + grid.spacing[axis])
        box.append(slice(int(keep[0]), int(keep[-1]) + 1))
        squares.append((at[keep][:, None] + nodes * grid.spacing[axis] / 2 - center[axis]) ** 2)
    total = np.zeros([len(square) for square in squares[::-1]])
    for i, wi in enumerate(weights / 2):
        for j, wj in enumerate(weights / 2):
            for k, wk in enumerate(weights / 2):
                r2 = squares[2][:, None, None, k] + squares[1][None, :, None, j] + squares[0][None, None, :, i]
                total += wi * wj * wk * blurred_sphere(np.sqrt(r2), radius, sigma)
    return tuple(box[::-1]), total


def _response(at: np.ndarray, width: float, raster: np.ndarray, step: float, sigma: float, mean: bool) -> np.ndarray:
    """(target, raster) weights of Gaussian blur and, for ``mean``, of the average over the target voxel."""
    t = at[:, None] - raster[None, :]
    if mean:
        return (ndtr((t + width / 2) / sigma) - ndtr((t - width / 2) / sigma)) * step / width
    return np.exp(-0.5 * (t / sigma) ** 2) * step / (sigma * np.sqrt(2 * np.pi))


def _integral(t: np.ndarray) -> np.ndarray:
    """Antiderivative of the normal distribution function."""
    return t * ndtr(t) + np.exp(-0.5 * t**2) / np.sqrt(2 * np.pi)


def _centers(grid: Geometry, axis: int) -> np.ndarray:
    return grid.origin[axis] + grid.spacing[axis] * np.arange(grid.size[axis])
