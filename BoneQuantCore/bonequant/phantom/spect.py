"""SPECT of an activity distribution: blur, area average to the grid, Poisson counts, post filter, calibration.

The distribution is rasterised at about 1.5 mm, and one matrix per axis does the blur and the area average together, in
closed form: the output voxel's mean of a Gaussian at the source voxel's centre. The little that the raster itself blurs
(edges half a voxel wide, variance h^2/48) is taken off the Gaussian, so that the total is the point spread function
that was asked for. What is seen on the output grid is wider by the output voxel, FWHM_eff^2 = FWHM^2 + 8 ln 2 h^2 / 12,
as :func:`effective_fwhm_mm` says; ``voxel="point"`` leaves that out (samples of the blurred distribution).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.special import ndtr

from bonequant.errors import SettingsError
from bonequant.phantom.ct import FWHM_PER_SIGMA, centered_grid
from bonequant.phantom.torso import Torso
from bonequant.phantom.tracers import Tracer
from bonequant.settings import Settings, setting
from bonequant.volume import Geometry, image_from_array

DECAY_CORRECTIONS = ("START", "ADMIN", "NONE")


@dataclass(frozen=True)
class SpectSettings(Settings):
    """The SPECT scan: grid, blur, counts, filter, timing."""

    spacing_mm: tuple[float, float, float] = setting((4.42, 4.42, 4.42), unit="mm", low=1, high=12)
    matrix: tuple[int, int, int] = setting((128, 128, 90), low=8, high=512, help="Voxels x, y, z.")
    center_mm: tuple[float, float, float] = setting((0.0, 16.0, 17.0), unit="mm", help="Centre of the field, LPS.")
    fwhm_mm: float = setting(10.0, unit="mm", low=1, high=30, help="Gaussian point spread function.")
    voxel: str = setting("mean", choices=("mean", "point"), help="A voxel is the mean over its box, or a sample.")
    source_mm: float = setting(1.5, unit="mm", low=0.5, high=5, help="Raster of the activity before the blur.")
    total_counts: float = setting(8e6, low=1, help="Expected counts in the whole field.")
    noise: bool = setting(True, help="Poisson noise.")
    post_filter_fwhm_mm: float = setting(0.0, unit="mm", low=0, high=30, help="Gaussian filter after the counting.")
    decay_correction: str = setting("START", choices=DECAY_CORRECTIONS, help="As the DICOM attribute of that name.")
    projections: int = setting(60, low=1, help="Views of each head.")
    heads: int = setting(2, low=1, high=4)
    projection_s: float = setting(20.0, unit="s", low=0.1, help="Time per view.")
    seed: int = setting(1, low=0)

    @property
    def geometry(self) -> Geometry:
        field = tuple(n * h for n, h in zip(self.matrix, self.spacing_mm, strict=True))
        return centered_grid(self.spacing_mm, (field[0], field[1], field[2]), self.center_mm)

    @property
    def duration_s(self) -> float:
        """Wall-clock time of the acquisition, in which all heads count: it goes with a factor of the whole camera."""
        return self.projections * self.projection_s


def effective_fwhm_mm(settings: SpectSettings) -> tuple[float, float, float]:
    """FWHM (x, y, z) of the image as it stands on its grid: point spread, voxel width and post filter together."""
    box = [0.0] * 3 if settings.voxel == "point" else [FWHM_PER_SIGMA**2 * h**2 / 12 for h in settings.spacing_mm]
    total = [float(np.sqrt(settings.fwhm_mm**2 + b + settings.post_filter_fwhm_mm**2)) for b in box]
    return total[0], total[1], total[2]


def activity_on_spect(
    torso: Torso, bq_per_ml: list[float], settings: SpectSettings, to_torso: sitk.Transform | None = None
) -> np.ndarray:
    """Blurred, noise-free activity concentration (z, y, x), Bq/mL, float64, on the SPECT grid.

    ``bq_per_ml`` has one value per part of the torso; ``to_torso`` takes SPECT points to points of the torso.
    """
    grid = settings.geometry
    source = _source_grid(torso, settings, to_torso)
    (activity,), _ = torso.paint(source, [bq_per_ml], [0.0], to_torso)
    matrices = [_blur_matrix(source, grid, axis, settings.fwhm_mm, mean=settings.voxel == "mean") for axis in range(3)]
    blurred = np.tensordot(activity, matrices[0].astype(np.float32), axes=(2, 1))  # (z, y, X)
    blurred = np.tensordot(blurred, matrices[1].astype(np.float32), axes=(1, 1))  # (z, X, Y)
    blurred = np.tensordot(blurred, matrices[2].astype(np.float32), axes=(0, 1))  # (X, Y, Z)
    return np.ascontiguousarray(blurred.transpose(2, 1, 0), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class SpectScan:
    """Counts on the SPECT grid and the factor that turns them back: C = N 1e6 / (CF t V)."""

    counts: sitk.Image  # float32
    calibration_factor_cps_per_mbq: float
    settings: SpectSettings


def simulate_spect(
    torso: Torso,
    tracer: Tracer,
    weight_kg: float,
    settings: SpectSettings | None = None,
    to_torso: sitk.Transform | None = None,
    calibration_factor_cps_per_mbq: float | None = None,
) -> SpectScan:
    """Count a scan of the torso under ``tracer``.

    The calibration factor follows from ``total_counts``, unless it is given (a second scan on the same camera); then
    the counts follow from it.
    """
    s = SpectSettings.of(settings)
    grid = s.geometry
    concentration = activity_on_spect(torso, concentrations(torso, tracer, weight_kg), s, to_torso)
    concentration *= decay_factor(tracer, s)
    factor = calibration_factor_cps_per_mbq
    per_factor = s.duration_s * grid.voxel_volume_ml / 1e6
    if factor is None:
        total = concentration.sum() * per_factor
        if total <= 0:
            raise SettingsError("No activity lies in the SPECT field; move center_mm or the patient.")
        factor = float(s.total_counts / total)
    counts = concentration * (factor * per_factor)
    if s.noise:
        counts = np.random.default_rng([s.seed, 29]).poisson(np.maximum(counts, 0.0)).astype(np.float64)
    if s.post_filter_fwhm_mm:
        sigma = [s.post_filter_fwhm_mm / FWHM_PER_SIGMA / h for h in s.spacing_mm[::-1]]
        counts = ndimage.gaussian_filter(counts, sigma, mode="constant", truncate=5.0)
    return SpectScan(image_from_array(counts.astype(np.float32), grid), factor, s)


def concentrations(torso: Torso, tracer: Tracer, weight_kg: float) -> list[float]:
    """Bq/mL of every part at the start of the scan: SUV A_start / W."""
    start = tracer.injected_activity_bq * 2.0 ** (-tracer.uptake_s / tracer.half_life_s)
    return [suv * start / (weight_kg * 1000.0) for suv in torso.suv(tracer)]


def decay_factor(tracer: Tracer, settings: SpectSettings) -> float:
    """What the image holds over the concentration at the start of the scan, for the file's decay correction."""
    if settings.decay_correction == "START":
        return 1.0
    if settings.decay_correction == "ADMIN":
        return float(2.0 ** (tracer.uptake_s / tracer.half_life_s))
    x = np.log(2.0) * settings.duration_s / tracer.half_life_s
    return float(-np.expm1(-x) / x)


def _source_grid(torso: Torso, settings: SpectSettings, to_torso: sitk.Transform | None) -> Geometry:
    """Cubic voxels over the part of the field, and three sigma beyond it, in which the body lies."""
    body = next(part for part in torso.parts if part.name == "fat").solid
    low, high = (bound * torso.settings.scale for bound in body.bounds())
    corners = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    if to_torso is not None:
        back = to_torso.GetInverse()
        corners = np.array([back.TransformPoint(corner) for corner in corners.tolist()])
    field = settings.geometry.corners()
    reach = 3.5 * settings.fwhm_mm / FWHM_PER_SIGMA
    low = np.maximum(corners.min(axis=0), field.min(axis=0) - reach)
    high = np.minimum(corners.max(axis=0), field.max(axis=0) + reach)
    if np.any(high <= low):
        raise SettingsError("The patient lies outside the SPECT field; move center_mm or the patient.")
    h = settings.source_mm
    center, size = 0.5 * (low + high), (np.ceil((high - low) / h) + 1) * h
    return centered_grid((h, h, h), tuple(size.tolist()), tuple(center.tolist()))


def _blur_matrix(source: Geometry, target: Geometry, axis: int, fwhm_mm: float, *, mean: bool) -> np.ndarray:
    """(target, source) weights along one axis: blur, and mean over the target voxel or a sample at its centre."""
    h, width = source.spacing[axis], target.spacing[axis]
    variance = (fwhm_mm / FWHM_PER_SIGMA) ** 2 - h * h / 48.0
    if variance < 0.36 * h * h:  # below that the sum over the raster ripples by more than 0.2 %
        raise SettingsError(f"A {fwhm_mm} mm PSF needs a finer source raster than {h} mm (source_mm).")
    sigma = np.sqrt(variance)
    x = source.origin[axis] + h * np.arange(source.size[axis])
    center = target.origin[axis] + width * np.arange(target.size[axis])
    t = center[:, None] - x[None, :]
    if mean:
        return (ndtr((t + width / 2) / sigma) - ndtr((t - width / 2) / sigma)) * h / width
    return np.exp(-0.5 * (t / sigma) ** 2) * h / (sigma * np.sqrt(2.0 * np.pi))
