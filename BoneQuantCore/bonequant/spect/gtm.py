"""Geometric transfer matrix: partial volume correction of region means (Rousset et al., J Nucl Med 1998;39:904).

measured_i = sum_j Omega_ij true_j, Omega_ij = mean over region i of PSF (x) mask_j; true = Omega^-1 measured.

Both sides are taken where the masks live: Omega by blurring the masks on their own, finer grid, and the measured means
by sampling the image once, with cubic B-splines, at the centres of the masks' voxels. Measured on spheres of 13 to
37 mm, 10 mm FWHM, SPECT voxels 4.42 mm, ratio 10:1, without noise: masks of 1 x 1 x 2 mm come back within 0.3 +- 1.1 %
(13 mm) and 0.2 +- 0.1 % (22 mm) of the truth; binary masks on the SPECT's own grid within 3 +- 2.5 %: there the ragged
edge decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from bonequant.errors import GeometryError, InputError
from bonequant.progress import Progress, part_of
from bonequant.spect.psf import blur, blur_of_mask
from bonequant.volume import Geometry, Volume, same_grid, sample_at

BACKGROUND = "background"
_MARGIN = 5.0  # sigma around a mask; beyond it less than 1e-6 of it arrives
_SHELL = 0.01  # of a region's highest share: for a large region this is one FWHM from its surface
_CHUNK = 1 << 19  # points sampled at once, so that memory stays bounded for a liver or a skeleton
_ILL_CONDITIONED = 20.0  # above it 1 % of noise becomes some 20 % in the result
_OVERLAP = 0.01  # share of the smaller region


@dataclass(frozen=True, eq=False)
class GtmResult:
    """Region means before and after correction, in the image's unit.

    Attributes:
        measured, corrected: by region; "background" among them where it was asked for.
        matrix: Omega (n, n), rows and columns in the order of ``measured``; row i is where region i's mean comes from.
        condition_number: of Omega; noise is amplified by up to this.
    """

    measured: dict[str, float]
    corrected: dict[str, float]
    matrix: np.ndarray
    condition_number: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Region:
    """One mask inside its box, and its blurred self inside the box widened by the margin."""

    weights: np.ndarray
    box: tuple[slice, ...]
    spread: np.ndarray
    wide: tuple[slice, ...]


def gtm(
    volume: Volume,
    masks: Mapping[str, sitk.Image],
    fwhm_mm: float | Sequence[float],
    *,
    transform: sitk.Transform | None = None,
    background: bool = True,
    voxel_in_fwhm: bool = False,
    progress: Progress | None = None,
) -> GtmResult:
    """Correct the mean of each region for spill-out and spill-in.

    Args:
        volume: the functional image, any unit.
        masks: regions that do not overlap, binary or fractional (0..1), all on one grid; best that of the CT.
        fwhm_mm: PSF along the image's axes (x, y, z), or one number.
        transform: mask space to image space, as ``register(volume, ct).transform``.
        background: add what surrounds the regions as one more region, measured in a shell around them and taken as
            uniform as far as the PSF reaches. Give own masks for surroundings that differ, and False where nothing is.
        voxel_in_fwhm: True where the FWHM was measured on the reconstructed image, its voxel size thereby included.

    Raises InputError for an empty, overlapping or uncovered region and for voxels that are not finite, GeometryError
    for masks on different grids.
    """
    _refuse_non_finite(volume)
    if not masks:
        raise InputError("GTM needs one region at least.")
    if background and BACKGROUND in masks:
        raise InputError(f"A region is called {BACKGROUND!r} already: say background=False, or rename it.")
    report = part_of(progress, 0.0, 1.0)
    names = list(masks)
    first = masks[names[0]]
    for name in names[1:]:
        if not same_grid(masks[name], first):
            raise GeometryError(f"The masks {names[0]!r} and {name!r} lie on different grids; GTM needs one for all.")
    grid = Geometry.of(first)
    regions = []
    for number, name in enumerate(names):
        report(0.5 * number / len(names), f"Blurring {name}")
        regions.append(_region(name, masks[name], grid, volume, fwhm_mm, voxel_in_fwhm, transform))
    _refuse_overlap(names, regions)

    n = len(regions)
    omega = np.zeros((n + background, n + background))
    measured = np.full(n + background, np.nan)
    warnings: list[str] = []
    for i, (name, region) in enumerate(zip(names, regions, strict=True)):
        report(0.5 + 0.4 * i / n, f"Measuring {name}")
        omega[i, :n] = [_share(region, other) for other in regions]
        measured[i], seen = _mean(volume, region.weights, region.box, grid, transform)
        if seen == 0:
            raise InputError(
                f"Region {name!r} lies outside the image {volume.source or volume.name}; is the transform right?"
            )
        if seen < 1 - 1e-6:
            warnings.append(f"{100 * (1 - seen):.1f} % of region {name!r} lie outside the image.")
    if background:
        report(0.9, "Measuring the background")
        measured[n], omega[n, :n] = _shells(volume, regions, grid, transform)
        omega[:, n] = 1.0 - omega[:, :n].sum(axis=1)
        names = [*names, BACKGROUND]
    condition = float(np.linalg.cond(omega))
    if not np.isfinite(condition) or condition > 1e12:
        raise InputError("The regions cannot be told apart at this resolution; join some of them.")
    if condition > _ILL_CONDITIONED:
        warnings.append(f"The regions are hard to tell apart at this resolution (condition number {condition:.0f}).")
    corrected = np.linalg.solve(omega, measured)
    report(1.0, "Partial volume corrected")
    return GtmResult(
        measured=dict(zip(names, measured.tolist(), strict=True)),
        corrected=dict(zip(names, corrected.tolist(), strict=True)),
        matrix=omega,
        condition_number=condition,
        warnings=tuple(warnings),
    )


def _refuse_non_finite(volume: Volume) -> None:
    """One NaN would spread through the spline and be taken for a place outside the image."""
    bad = int(np.size(volume.array) - np.isfinite(volume.array).sum())
    if bad:
        label = volume.source or volume.name or "The image"
        raise InputError(
            f"{label} has {bad} voxels that are NaN or infinite; mend it, or read it with replace_nan given."
        )


def is_fractional(mask: sitk.Image) -> bool:
    """Does the mask hold anything between 0 and 1? Raises InputError for values outside 0..1."""
    array = sitk.GetArrayViewFromImage(mask)
    low, high = array.min(), array.max()
    if low < 0 or high > 1:
        raise InputError(f"A mask holds values from {low:g} to {high:g}; 0 to 1 are due.")
    return bool(np.any((array > 0) & (array < 1)))


def _region(
    name: str,
    mask: sitk.Image,
    grid: Geometry,
    volume: Volume,
    fwhm_mm: float | Sequence[float],
    voxel_in_fwhm: bool,
    transform: sitk.Transform | None,
) -> _Region:
    array = sitk.GetArrayViewFromImage(mask)
    extent = [np.flatnonzero(array.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if not all(len(one) for one in extent):
        raise InputError(f"Region {name!r} is empty.")
    box = tuple(slice(int(one[0]), int(one[-1]) + 1) for one in extent)
    sigma = blur_of_mask(
        fwhm_mm,
        volume.geometry,
        grid,
        fractional=is_fractional(mask),
        voxel_in_fwhm=voxel_in_fwhm,
        transform=transform,
    )
    margin = np.ceil(_MARGIN * sigma).astype(int)
    wide = tuple(
        slice(max(part.start - m, 0), min(part.stop + m, length))
        for part, m, length in zip(box, margin.tolist(), grid.shape, strict=True)
    )
    return _Region(np.array(array[box], dtype=np.float32), box, blur(array[wide], sigma.tolist()), wide)


def _common(first: tuple[slice, ...], second: tuple[slice, ...]) -> tuple[slice, ...] | None:
    """The part of the grid that two boxes share."""
    shared = tuple(slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(first, second, strict=True))
    return shared if all(part.start < part.stop for part in shared) else None


def _within(box: tuple[slice, ...], part: tuple[slice, ...]) -> tuple[slice, ...]:
    """``part`` of the grid, counted from the start of ``box``."""
    return tuple(slice(p.start - b.start, p.stop - b.start) for b, p in zip(box, part, strict=True))


def _share(region: _Region, other: _Region) -> float:
    """Omega: mean over ``region`` of the blurred ``other``."""
    shared = _common(region.box, other.wide)
    if shared is None:
        return 0.0
    weights = region.weights[_within(region.box, shared)]
    spread = other.spread[_within(other.wide, shared)]
    return float(np.sum(weights * spread, dtype=np.float64) / region.weights.sum(dtype=np.float64))


def _refuse_overlap(names: list[str], regions: list[_Region]) -> None:
    for i, first in enumerate(regions):
        for j, second in enumerate(regions[:i]):
            shared = _common(first.box, second.box)
            if shared is None:
                continue
            both = first.weights[_within(first.box, shared)] + second.weights[_within(second.box, shared)]
            overlap = float(np.clip(both - 1.0, 0.0, None).sum(dtype=np.float64))
            if overlap > _OVERLAP * min(first.weights.sum(), second.weights.sum()):
                raise InputError(f"Regions {names[j]!r} and {names[i]!r} overlap; GTM needs each voxel in one region.")


def _mean(
    volume: Volume,
    weights: np.ndarray,
    box: tuple[slice, ...],
    grid: Geometry,
    transform: sitk.Transform | None,
) -> tuple[float, float]:
    """Weighted mean of the image over a box of the masks' grid, and the share of the weight that the image covers."""
    index = np.flatnonzero(weights)
    total = covered = weight_sum = 0.0
    for start in range(0, len(index), _CHUNK):
        chunk = index[start : start + _CHUNK]
        voxel = np.stack(np.unravel_index(chunk, weights.shape), axis=1) + [part.start for part in box]
        matrix = grid.index_to_physical
        points = voxel[:, ::-1] @ matrix[:3, :3].T + matrix[:3, 3]
        values = sample_at(volume.image, points, transform)
        weight = weights.reshape(-1)[chunk].astype(np.float64)
        inside = np.isfinite(values)
        weight_sum += weight.sum()
        covered += weight[inside].sum()
        total += (weight * values)[inside].sum()
    return (total / covered if covered else np.nan), (covered / weight_sum if weight_sum else 0.0)


def _shells(
    volume: Volume, regions: list[_Region], grid: Geometry, transform: sitk.Transform | None
) -> tuple[float, np.ndarray]:
    """Mean of the image around the regions, and the share that each region has in it.

    A shell is what lies outside every region and sees more than 1 % of the most that any place sees of its region.
    """
    total = weight_sum = 0.0
    shares = np.zeros(len(regions))
    for region in regions:
        shell = np.where(region.spread > _SHELL * region.spread.max(), np.float32(1.0), np.float32(0.0))
        for other in regions:
            if (shared := _common(region.wide, other.box)) is not None:
                shell[_within(region.wide, shared)] -= other.weights[_within(other.box, shared)]
        np.clip(shell, 0.0, None, out=shell)
        size = float(shell.sum(dtype=np.float64))
        mean, covered = _mean(volume, shell, region.wide, grid, transform)
        if size * covered == 0:
            continue
        ring = _Region(shell, region.wide, region.spread, region.wide)
        total += mean * size
        weight_sum += size
        shares += size * np.array([_share(ring, other) for other in regions])
    if weight_sum == 0:
        raise InputError("Nothing of the image surrounds the regions; say background=False.")
    return total / weight_sum, shares / weight_sum
