"""Morphology: pyradiomics' mesh features and the IBSI ones it lacks, with the spatial ones (Moran, Geary).

Source: IBSI reference manual, section 3.1. The mesh is pyradiomics' (marching cubes at one half). The oriented minimum
bounding box and the minimum volume enclosing ellipsoid are left out: no reference value exists to verify them by.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import fft

from bonequant.radiomics.ibsi.prepare import Prepared, tight_box
from bonequant.radiomics.ibsi.texture import pyradiomics, quiet

_AXES = ("MajorAxisLength", "MinorAxisLength", "LeastAxisLength", "Elongation", "Flatness")


def shape(prepared: Prepared) -> dict[str, float]:
    """pyradiomics' 14 shape features by its names, in mm."""
    mask = prepared.morphological[tight_box(prepared)]
    return {**_mesh(mask, prepared.spacing_mm), **_principal_axes(mask, prepared.spacing_mm)}


def morphology(prepared: Prepared, mesh: dict[str, float]) -> dict[str, float]:
    """IBSI's further 14 features; ``mesh`` is the result of :func:`shape`."""
    box = tight_box(prepared)
    mask, kept = prepared.morphological[box], prepared.intensity[box]
    image, spacing = prepared.image[box], prepared.spacing_mm
    volume, area = mesh["MeshVolume"], mesh["SurfaceArea"]
    sides = np.array(mask.shape) * spacing
    sides_area = 2.0 * float(sides[0] * sides[1] + sides[1] * sides[2] + sides[0] * sides[2])
    hull_volume, hull_area = _convex_hull(mask, spacing)
    moran, geary = _autocorrelation(image, kept, spacing)
    semi_axes = np.array([mesh[f"{name}AxisLength"] for name in ("Major", "Minor", "Least")]) / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        ellipsoid_volume, ellipsoid_area = _ellipsoid(semi_axes)
        return {
            "Compactness1": volume / (np.pi**0.5 * area**1.5),
            "Compactness2": 36.0 * np.pi * volume**2 / area**3,
            "SphericalDisproportion": area / (36.0 * np.pi * volume**2) ** (1.0 / 3.0),
            "Asphericity": (area**3 / (36.0 * np.pi * volume**2)) ** (1.0 / 3.0) - 1.0,
            "CentreOfMassShift": _centre_shift(image, mask, kept, spacing),
            "VolumeDensityAABB": volume / float(sides.prod()),
            "AreaDensityAABB": area / sides_area,
            "VolumeDensityAEE": float(volume / ellipsoid_volume),
            "AreaDensityAEE": float(area / ellipsoid_area),
            "VolumeDensityConvexHull": volume / hull_volume,
            "AreaDensityConvexHull": area / hull_area,
            "IntegratedIntensity": float(image[kept].mean()) * volume,
            "MoranI": moran,
            "GearyC": geary,
        }


def _mesh(mask: np.ndarray, spacing_mm: np.ndarray) -> dict[str, float]:
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(spacing_mm[::-1].tolist())
    with quiet():
        values = pyradiomics("shape").RadiomicsShape(image, image).execute()
    return {name: float(np.real(value)) for name, value in values.items()}


def _principal_axes(mask: np.ndarray, spacing_mm: np.ndarray) -> dict[str, float]:
    """Axes of the voxel centres' distribution. Covariance over N - 1, as the reference has it; pyradiomics has N."""
    places = np.argwhere(mask) * spacing_mm
    if len(places) < 2:
        return dict.fromkeys(_AXES, np.nan)
    least, minor, major = np.sqrt(np.clip(np.linalg.eigvalsh(np.cov(places.T)), 0.0, None))
    return {
        "MajorAxisLength": float(4.0 * major),
        "MinorAxisLength": float(4.0 * minor),
        "LeastAxisLength": float(4.0 * least),
        "Elongation": float(minor / major),
        "Flatness": float(least / major),
    }


def _centre_shift(image: np.ndarray, mask: np.ndarray, kept: np.ndarray, spacing_mm: np.ndarray) -> float:
    """Distance of the centre of the morphological mask from that of the intensities."""
    weights = image[kept]
    if weights.sum() == 0:
        return float("nan")
    weighted = (np.argwhere(kept) * weights[:, None]).sum(axis=0) / weights.sum()
    return float(np.linalg.norm((np.argwhere(mask).mean(axis=0) - weighted) * spacing_mm))


def _convex_hull(mask: np.ndarray, spacing_mm: np.ndarray) -> tuple[float, float]:
    """Volume and area of the hull of the mesh, whose vertices lie halfway between a voxel within and one without."""
    from scipy.spatial import ConvexHull

    padded = np.pad(mask, 1)
    points = []
    for axis in range(3):
        crossing = np.diff(padded.astype(np.int8), axis=axis) != 0
        points.append(np.argwhere(crossing) + 0.5 * np.eye(3)[axis])
    hull = ConvexHull(np.concatenate(points) * spacing_mm)
    return float(hull.volume), float(hull.area)


def _ellipsoid(semi_axes: np.ndarray) -> tuple[np.float64, np.float64]:
    """Volume and area of an ellipsoid by the manual's series of 20 Legendre polynomials.

    The manual's area is not the true one (it is 4 % low on the digital phantom), but the reference values use it.
    With t = alpha beta and s = (alpha^2 + beta^2)/2, t^n P_n(s/t) comes by recursion, so that t = 0 needs no care.
    """
    a, b, c = (np.float64(axis) for axis in semi_axes)
    alpha2, beta2 = 1.0 - (b / a) ** 2, 1.0 - (c / a) ** 2
    s, t2 = (alpha2 + beta2) / 2.0, alpha2 * beta2
    series, term, before = np.float64(0.0), np.float64(1.0), np.float64(0.0)
    for n in range(21):
        series += term / (1.0 - 4.0 * n**2)
        term, before = ((2 * n + 1) * s * term - n * t2 * before) / (n + 1), term
    return 4.0 / 3.0 * np.pi * a * b * c, 4.0 * np.pi * a * b * series


def _autocorrelation(image: np.ndarray, mask: np.ndarray, spacing_mm: np.ndarray) -> tuple[float, float]:
    """Moran's I and Geary's C with weights 1/distance over all pairs, as convolutions by FFT."""
    count = int(mask.sum())
    centred = np.where(mask, image - image[mask].mean(), 0.0)
    square = float((centred**2).sum())
    if count < 2 or image[mask].min() == image[mask].max():
        return float("nan"), float("nan")
    shape = [fft.next_fast_len(2 * n - 1, real=True) for n in mask.shape]
    offsets = [np.minimum(np.arange(m), m - np.arange(m)) * s for m, s in zip(shape, spacing_mm, strict=True)]
    distance = np.sqrt(sum(grid**2 for grid in np.meshgrid(*offsets, indexing="ij", sparse=True)))
    distance[0, 0, 0] = np.inf
    kernel = fft.rfftn(1.0 / distance)

    def weighted(array: np.ndarray) -> np.ndarray:
        full = fft.irfftn(fft.rfftn(array, shape) * kernel, shape)
        return full[tuple(slice(n) for n in mask.shape)]

    reach = weighted(mask.astype(np.float64))
    total = float(reach[mask].sum())
    product = float((weighted(centred) * centred).sum())
    squares = 2.0 * float((centred**2 * reach).sum()) - 2.0 * product
    return count / total * product / square, (count - 1) / (2.0 * total) * squares / square
