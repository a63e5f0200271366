"""Parameter maps of a dynamic series: ``fit_maps(series, aif, model)`` gives one Volume per parameter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import SimpleITK as sitk

from bonequant.errors import GeometryError, InputError
from bonequant.kinetics.blocks import fit_blocks
from bonequant.kinetics.fit import frames_that_count, make_problem, standard_errors, units_of
from bonequant.kinetics.settings import KineticsSettings
from bonequant.progress import Progress, no_progress, part_of
from bonequant.volume.geometry import Geometry
from bonequant.volume.types import Curve, DynamicSeries, Volume, image_from_array

_BLOCK = 8192


def fit_maps(
    series: DynamicSeries,
    aif: Curve | np.ndarray,
    model: str = "extended_tofts",
    mask: sitk.Image | np.ndarray | None = None,
    settings: KineticsSettings | None = None,
    progress: Progress | None = None,
    *,
    portal: Curve | np.ndarray | None = None,
) -> dict[str, Volume]:
    """Fit every voxel of the mask; one block is in memory at a time.

    Args:
        series: frames (T, Z, Y, X) of concentration (mM) or enhancement, not of raw signal.
        aif, model, settings, portal: as for :func:`bonequant.kinetics.fit`.
        mask: voxels to fit (non-zero), on the grid of the series; every voxel by default.
        progress: called after every block; may raise Cancelled.

    Returns:
        Parameter name to map in its unit, NaN outside the mask and where a curve is not finite; ``rss``, ``r2``, and
        ``at_bound`` (1 where a parameter sits on a bound, else 0); ``<name>_se``, standard errors, if the settings ask.
        How many voxels failed or sit on a bound is in each map's ``warnings``.

    Raises:
        InputError, GeometryError, SettingsError: as :func:`fit`, or the mask is empty or on another grid.
    """
    settings = KineticsSettings.of(settings)
    problem = make_problem(series.times_s, aif, model, settings, portal)
    voxels = _voxels(mask, series.geometry)
    frames = np.asarray(series.frames).reshape(len(series.times_s), -1)
    counted = frames_that_count(series.times_s, settings)
    if not isinstance(counted, slice):
        frames = frames[counted]

    def block(start: int, stop: int) -> np.ndarray:
        return np.take(frames, voxels[start:stop], axis=1).astype(np.float64)

    half = 0.5 if settings.standard_errors else 1.0
    found = fit_blocks(problem, len(voxels), block, part_of(progress, 0.0, half))
    warnings = list(series.warnings)
    if found.n_failed:
        warnings.append(
            f"{found.n_failed} of {len(voxels)} voxels have values that are not finite; their maps are NaN."
        )
    if found.at_bound.any():
        warnings.append(f"{int(found.at_bound.sum())} of {len(voxels)} voxels sit on a bound of a parameter.")
    for amplitude, names in problem.model.undefined.items():
        nothing = int(np.count_nonzero(found.values[amplitude] == 0.0))
        if nothing:
            said = f"{' and '.join(names)} cannot be told: NaN"
            warnings.append(f"{nothing} of {len(voxels)} voxels have {amplitude} 0, where {said}.")

    columns = {**found.values, "rss": found.rss, "r2": found.r2}
    units = {**units_of(problem.model, settings), "rss": f"({series.unit})^2" if series.unit else ""}
    if settings.standard_errors:
        errors = standard_errors(problem, found, part_of(progress, half, 1.0))
        columns.update({f"{name}_se": column for name, column in errors.items()})
        units.update({f"{name}_se": units[name] for name in errors})
    maps = {name: _map(series, name, units.get(name, ""), voxels, column, warnings) for name, column in columns.items()}
    bound = np.zeros(frames.shape[1], dtype=np.uint8)
    bound[voxels] = found.at_bound
    maps["at_bound"] = _volume(series, "at_bound", "", bound, warnings)
    return maps


def curve_maps(
    series: DynamicSeries,
    function: Callable[[np.ndarray], dict[str, np.ndarray]],
    units: dict[str, str],
    mask: sitk.Image | np.ndarray | None = None,
    progress: Progress | None = None,
) -> dict[str, Volume]:
    """Maps of what ``function`` makes of curves (N, T), such as ``descriptive`` or ``max_slope_liver``.

    Returns one Volume per result, NaN outside the mask; voxels that are not finite are counted in ``warnings``.
    """
    report = progress or no_progress
    voxels = _voxels(mask, series.geometry)
    frames = np.asarray(series.frames).reshape(len(series.times_s), -1)
    columns: dict[str, np.ndarray] = {name: np.full(len(voxels), np.nan) for name in units}
    failed = 0
    for start in range(0, len(voxels), _BLOCK):
        curves = np.take(frames, voxels[start : start + _BLOCK], axis=1).T.astype(np.float64)
        failed += int((~np.isfinite(curves).all(axis=1)).sum())
        for name, values in function(curves).items():
            columns[name][start : start + len(curves)] = values
        report(min((start + _BLOCK) / len(voxels), 1.0), f"{start + len(curves)} of {len(voxels)} curves")
    warnings = list(series.warnings)
    if failed:
        warnings.append(f"{failed} of {len(voxels)} voxels have values that are not finite; their maps are NaN.")
    return {name: _map(series, name, units[name], voxels, column, warnings) for name, column in columns.items()}


def _map(
    series: DynamicSeries, name: str, unit: str, voxels: np.ndarray, values: np.ndarray, warnings: list[str]
) -> Volume:
    """float32, NaN away from ``voxels``."""
    array = np.full(int(np.prod(series.geometry.shape)), np.nan, dtype=np.float32)
    array[voxels] = values
    return _volume(series, name, unit, array, warnings)


def _volume(series: DynamicSeries, name: str, unit: str, array: np.ndarray, warnings: list[str]) -> Volume:
    return Volume(
        image=image_from_array(array.reshape(series.geometry.shape), series.geometry),
        modality=series.modality,
        unit=unit,
        acquisition=series.acquisition,
        name=name,
        source=series.source,
        sha256=series.sha256,
        warnings=tuple(warnings),
    )


def _voxels(mask: sitk.Image | np.ndarray | None, geometry: Geometry) -> np.ndarray:
    """Flat indices of the voxels to fit."""
    if mask is None:
        return np.arange(int(np.prod(geometry.shape)))
    if isinstance(mask, sitk.Image):
        other = Geometry.of(mask)
        if other.size != geometry.size or np.abs(other.corners() - geometry.corners()).max() > 1e-3:
            raise GeometryError("The mask lies on another grid than the series; propagate it to the series first.")
        mask = sitk.GetArrayViewFromImage(mask)
    mask = np.asarray(mask)
    if mask.shape != geometry.shape:
        raise GeometryError(f"A mask of shape {mask.shape} does not fit a grid of {geometry.shape} (z, y, x).")
    voxels = np.flatnonzero(mask)
    if not len(voxels):
        raise InputError("The mask is empty; there is nothing to fit.")
    return voxels
